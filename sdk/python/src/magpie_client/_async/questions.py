"""What is asked of the pictures: search, copies, quality, the map, figures; and what people say of them."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, AsyncIterator, List, Literal, Mapping, Optional, Sequence, Union, cast

from .._body import Source
from .._core import path_of
from .._map import CompactMap, map_of
from .._question import Ids, Parts, Pictures, Texts, Vectors, picture_of, question_of
from ..errors import JobFailed
from ..types import (
    Anomaly,
    AnomalyAnswer,
    ClusterChoice,
    ClusterMember,
    CopiesAnswer,
    DedupAnswer,
    Dependencies,
    FeedbackList,
    Health as HealthAnswer,
    Image,
    JobAnswer,
    JobDedupAnswer,
    Liveness,
    Map,
    NewFeedback,
    NewPlan,
    NewVerdict,
    Plan,
    PlanDetail,
    PlanPage,
    PlanReport,
    QualityPage,
    Readiness,
    SearchAnswer,
    Stats,
    Verdict,
    VerdictList,
)
from ..types import Feedback as FeedbackRow
from ._resource import Resource

if TYPE_CHECKING:
    from .client import AsyncClient

ImageId = Union[int, str]


class Search(Resource):
    async def similar(
        self,
        image_id: ImageId,
        *,
        limit: Optional[int] = None,
        threshold: Optional[float] = None,
        where: Optional[str] = None,
        project_id: Optional[int] = None,
        cursor: Optional[str] = None,
        exact: Optional[bool] = None,
    ) -> SearchAnswer:
        """Look-alikes of a picture of the library."""
        body = {
            "image_id": image_id,
            "limit": limit,
            "threshold": threshold,
            "where": where,
            "project_id": project_id,
            "cursor": cursor,
            "exact": exact,
        }
        return await self._client.ask(SearchAnswer, "POST", "/api/search/similar", json=body, idempotent=True)

    async def text(
        self,
        query: str,
        *,
        limit: Optional[int] = None,
        threshold: Optional[float] = None,
        where: Optional[str] = None,
        project_id: Optional[int] = None,
        cursor: Optional[str] = None,
        exact: Optional[bool] = None,
    ) -> SearchAnswer:
        """Pictures from words. `convincing` says whether the best hit is a good one."""
        body = {
            "query": query,
            "limit": limit,
            "threshold": threshold,
            "where": where,
            "project_id": project_id,
            "cursor": cursor,
            "exact": exact,
        }
        return await self._client.ask(SearchAnswer, "POST", "/api/search/text", json=body, idempotent=True)

    async def mixed(
        self,
        *,
        texts: Texts = (),
        ids: Ids = (),
        images: Pictures = (),
        vectors: Vectors = (),
        negative_texts: Texts = (),
        negative_ids: Ids = (),
        negative_images: Pictures = (),
        negative_vectors: Vectors = (),
        limit: Optional[int] = None,
        threshold: Optional[float] = None,
        where: Optional[str] = None,
        project_id: Optional[int] = None,
        cursor: Optional[str] = None,
        exact: Optional[bool] = None,
    ) -> SearchAnswer:
        """Up to 16 parts together, at least one of them positive; `Weighted(part, 0.5)` counts for half. Pictures
        are paths, bytes or open files: they are looked at, not kept."""
        options = {
            "limit": limit,
            "threshold": threshold,
            "where": where,
            "project_id": project_id,
            "cursor": cursor,
            "exact": exact,
        }
        question, form = question_of(
            Parts(texts, ids, vectors, images),
            Parts(negative_texts, negative_ids, negative_vectors, negative_images),
            options,
        )
        return await self._client.ask(
            SearchAnswer, "POST", "/api/search", json=question, body=form, idempotent=True
        )


    async def copies(
        self,
        image_id: Optional[ImageId] = None,
        *,
        image: Optional[Source] = None,
        where: Optional[str] = None,
        project_id: Optional[int] = None,
    ) -> CopiesAnswer:
        """What shows the same picture as one of the library or as one that is sent, whatever was done to it."""
        options = {"where": where, "project_id": project_id}
        body = None if image is None else picture_of(image, {**options, "image_id": image_id})
        question = {**options, "image_id": image_id} if image is None else None
        return await self._client.ask(
            CopiesAnswer, "POST", "/api/search/copies", json=question, body=body, idempotent=True
        )


class Plans(Resource):
    """Plans to remove copies: drafted, looked at, applied, and undone if need be."""

    async def create(
        self,
        clusters: Optional[Sequence[ClusterChoice]] = None,
        *,
        threshold: Optional[float] = None,
        where: Optional[str] = None,
        project_id: Optional[int] = None,
        job_id: Optional[int] = None,
    ) -> NewPlan:
        """Of these clusters, or of those that a job of `dedup.start` has found; without them, of every suggestion."""
        body = {
            "clusters": clusters,
            "threshold": threshold,
            "where": where,
            "project_id": project_id,
            "job_id": job_id,
        }
        return await self._client.ask(NewPlan, "POST", "/api/dedup/plans", json=body)

    async def list(self, *, page_size: int = 100) -> AsyncIterator[Plan]:
        cursor: Optional[str] = None
        while True:
            query = {"limit": page_size, "cursor": cursor}
            page = await self._client.ask(PlanPage, "GET", "/api/dedup/plans", query=query)
            for plan in page["plans"]:
                yield plan
            cursor = page["next_cursor"]
            if cursor is None:
                return

    async def get(self, plan_id: int) -> PlanDetail:
        return await self._client.ask(PlanDetail, "GET", path_of("/api/dedup/plans/{}", plan_id))

    async def apply(self, plan_id: int) -> PlanReport:
        """What the plan removes goes to the trash."""
        return await self._client.ask(PlanReport, "POST", path_of("/api/dedup/plans/{}/apply", plan_id), json={})

    async def undo(self, plan_id: int) -> PlanReport:
        return await self._client.ask(PlanReport, "POST", path_of("/api/dedup/plans/{}/undo", plan_id), json={})

    async def delete(self, plan_id: int) -> None:
        await self._client.tell("DELETE", path_of("/api/dedup/plans/{}", plan_id))


class Dedup(Resource):
    def __init__(self, client: AsyncClient) -> None:
        super().__init__(client)
        self.plans = Plans(client)

    async def page(
        self,
        *,
        kind: Optional[Literal["same", "similar"]] = None,
        threshold: Optional[float] = None,
        where: Optional[str] = None,
        project_id: Optional[int] = None,
        limit: Optional[int] = None,
        cursor: Optional[str] = None,
    ) -> DedupAnswer:
        """One page of `clusters`, with what there is to say of each as a whole. Where there are more pictures than
        the service looks through at once, this is Invalid: `start` a job, or go through `clusters`."""
        body = {
            "kind": kind,
            "threshold": threshold,
            "where": where,
            "project_id": project_id,
            "limit": limit,
            "cursor": cursor,
            "async": None if cursor else False,
        }
        return await self._client.ask(DedupAnswer, "POST", "/api/deduplicate", json=body, idempotent=True)

    async def start(
        self,
        *,
        kind: Optional[Literal["same", "similar"]] = None,
        threshold: Optional[float] = None,
        where: Optional[str] = None,
        project_id: Optional[int] = None,
        idempotency_key: Optional[str] = None,
    ) -> JobAnswer:
        """Has a job look for them: wait for it, then go through `clusters_of` it."""
        body = {"kind": kind, "threshold": threshold, "where": where, "project_id": project_id, "async": True}
        headers = {"Idempotency-Key": idempotency_key or uuid.uuid4().hex}
        return await self._client.ask(
            JobAnswer, "POST", "/api/deduplicate", json=body, headers=headers, idempotent=True
        )

    async def job_page(
        self, job_id: int, *, limit: Optional[int] = None, cursor: Optional[str] = None
    ) -> Union[JobDedupAnswer, JobAnswer]:
        """One page of what a job has found; the job itself while it waits or works."""
        query = {"limit": limit, "cursor": cursor}
        path = path_of("/api/deduplicate/{}", job_id)
        return await self._client.ask(JobDedupAnswer, "GET", path, query=query)

    async def clusters_of(
        self, job_id: int, *, page_size: int = 100, timeout: Optional[float] = None
    ) -> AsyncIterator[List[ClusterMember]]:
        """All that a job has found, after waiting for its end; JobFailed where it found nothing to keep."""
        job = await self._client.jobs.wait(job_id, timeout)
        if job["status"] != "completed":
            raise JobFailed(job)
        cursor: Optional[str] = None
        while True:
            page = cast(JobDedupAnswer, await self.job_page(job_id, limit=page_size, cursor=cursor))
            for cluster in page["clusters"]:
                yield cluster
            cursor = page["next_cursor"]
            if cursor is None:
                return

    async def clusters(
        self,
        *,
        kind: Optional[Literal["same", "similar"]] = None,
        threshold: Optional[float] = None,
        where: Optional[str] = None,
        project_id: Optional[int] = None,
        page_size: int = 100,
    ) -> AsyncIterator[List[ClusterMember]]:
        """Pictures that are copies of each other; the one to keep first. Where they are too many to be looked
        through at once, this waits for a job (see `start`)."""
        body = {"kind": kind, "threshold": threshold, "where": where, "project_id": project_id, "limit": page_size}
        page = await self._client.ask(DedupAnswer, "POST", "/api/deduplicate", json=body, idempotent=True)
        if "clusters" not in cast(Mapping[str, object], page):
            async for cluster in self.clusters_of(cast(JobAnswer, page)["job_id"], page_size=page_size):
                yield cluster
            return
        while True:
            for cluster in page["clusters"]:
                yield cluster
            if page["next_cursor"] is None:
                return
            page = await self.page(
                kind=kind,
                threshold=threshold,
                where=where,
                project_id=project_id,
                limit=page_size,
                cursor=page["next_cursor"],
            )


class Qa(Resource):
    async def anomalies_page(
        self,
        *,
        alpha: Optional[float] = None,
        sort: Optional[Literal["score", "anomaly_score"]] = None,
        project_id: Optional[int] = None,
        where: Optional[str] = None,
        normals: Optional[str] = None,
        limit: Optional[int] = None,
        cursor: Optional[str] = None,
    ) -> AnomalyAnswer:
        """One page of `anomalies`, with the figures of all that were judged."""
        query = {
            "alpha": alpha,
            "sort": sort,
            "project_id": project_id,
            "where": where,
            "normals": normals,
            "limit": limit,
            "cursor": cursor,
        }
        return await self._client.ask(AnomalyAnswer, "GET", "/api/qa/anomalies", query=query)

    async def anomalies(
        self,
        *,
        alpha: Optional[float] = None,
        sort: Optional[Literal["score", "anomaly_score"]] = None,
        project_id: Optional[int] = None,
        where: Optional[str] = None,
        normals: Optional[str] = None,
        page_size: int = 100,
    ) -> AsyncIterator[Anomaly]:
        """All that was judged, the oddest first; `flagged` at a false-alarm rate of `alpha`."""
        cursor: Optional[str] = None
        while True:
            page = await self.anomalies_page(
                alpha=alpha,
                sort=sort,
                project_id=project_id,
                where=where,
                normals=normals,
                limit=page_size,
                cursor=cursor,
            )
            for anomaly in page["anomalies"]:
                yield anomaly
            cursor = page["next_cursor"]
            if cursor is None:
                return

    async def quality_page(
        self,
        *,
        issue: Optional[Literal["any", "too_dark", "too_bright", "blurred", "blank", "low_contrast"]] = None,
        project_id: Optional[int] = None,
        limit: Optional[int] = None,
        cursor: Optional[str] = None,
    ) -> QualityPage:
        """One page of `quality`, with the counts of each issue."""
        query = {"issue": issue, "project_id": project_id, "limit": limit, "cursor": cursor}
        return await self._client.ask(QualityPage, "GET", "/api/qa/quality", query=query)

    async def quality(
        self,
        *,
        issue: Optional[Literal["any", "too_dark", "too_bright", "blurred", "blank", "low_contrast"]] = None,
        project_id: Optional[int] = None,
        page_size: int = 100,
    ) -> AsyncIterator[Image]:
        """Pictures with something wrong."""
        cursor: Optional[str] = None
        while True:
            page = await self.quality_page(issue=issue, project_id=project_id, limit=page_size, cursor=cursor)
            for image in page["images"]:
                yield image
            cursor = page["next_cursor"]
            if cursor is None:
                return


class Verdicts(Resource):
    """What people say that the library then holds to."""

    async def give(
        self,
        verdict: Literal["same", "different", "normal", "anomaly", "note"],
        image_id: ImageId,
        other_id: Optional[ImageId] = None,
        *,
        note: Optional[str] = None,
    ) -> NewVerdict:
        body = {"verdict": verdict, "image_id": image_id, "other_id": other_id, "note": note}
        return await self._client.ask(NewVerdict, "POST", "/api/verdicts", json=body)

    async def take_back(self, image_id: ImageId, other_id: Optional[ImageId] = None) -> None:
        """As if it had not been said; notes stay."""
        query = {"image_id": image_id, "other_id": other_id}
        await self._client.tell("DELETE", "/api/verdicts", query=query)

    async def list(self) -> List[Verdict]:
        return (await self._client.ask(VerdictList, "GET", "/api/verdicts"))["verdicts"]


class Feedback(Resource):
    """Remarks on pictures."""

    async def give(self, image_id: ImageId, action: str, *, note: Optional[str] = None) -> NewFeedback:
        body = {"image_id": image_id, "action": action, "note": note}
        return await self._client.ask(NewFeedback, "POST", "/api/feedback", json=body)

    async def list(self, image_id: ImageId) -> List[FeedbackRow]:
        query = {"image_id": image_id}
        return (await self._client.ask(FeedbackList, "GET", "/api/feedback", query=query))["feedback"]


class Maps(Resource):
    """Where pictures lie beside each other: what looks alike lies together."""

    async def get(
        self,
        *,
        dims: Literal[2, 3] = 2,
        seed: Optional[int] = None,
        neighbours: Optional[int] = None,
        method: Optional[Literal["auto", "umap", "pca"]] = None,
        project_id: Optional[int] = None,
        where: Optional[str] = None,
    ) -> Map:
        query = {
            "dims": dims,
            "seed": seed,
            "neighbours": neighbours,
            "method": method,
            "project_id": project_id,
            "where": where,
        }
        return await self._client.ask(Map, "GET", "/api/vectors/map", query=query)

    async def compact(
        self,
        *,
        dims: Literal[2, 3] = 2,
        seed: Optional[int] = None,
        neighbours: Optional[int] = None,
        method: Optional[Literal["auto", "umap", "pca"]] = None,
        project_id: Optional[int] = None,
        where: Optional[str] = None,
    ) -> CompactMap:
        """The same in a fraction of the bytes, as arrays; `.numpy()` makes NumPy's of them."""
        query = {
            "dims": dims,
            "seed": seed,
            "neighbours": neighbours,
            "method": method,
            "project_id": project_id,
            "where": where,
            "format": "binary",
        }
        return map_of(await self._client.fetch("/api/vectors/map", query))


class Statistics(Resource):
    async def get(self, *, project_id: Optional[int] = None) -> Stats:
        return await self._client.ask(Stats, "GET", "/api/stats", query={"project_id": project_id})


class Health(Resource):
    async def get(self) -> HealthAnswer:
        return await self._client.ask(HealthAnswer, "GET", "/health", signed_in=False)

    async def live(self) -> Liveness:
        return await self._client.ask(Liveness, "GET", "/health/live", signed_in=False)

    async def ready(self) -> Readiness:
        """Also where it is not: `status` and `error` say so."""
        path = "/health/ready"
        return await self._client.ask(Readiness, "GET", path, signed_in=False, takes=frozenset({503}))

    async def dependencies(self) -> Dependencies:
        path = "/health/dependencies"
        return await self._client.ask(Dependencies, "GET", path, signed_in=False, takes=frozenset({503}))
