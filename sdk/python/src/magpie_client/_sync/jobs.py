# Made of ../_async by tools/make_sync.py: change it there.
"""Slow work, exports, and what happens."""

from __future__ import annotations

import json
import os
import time
import uuid
from pathlib import Path
from typing import Iterator, Literal, Mapping, Optional, Sequence, Union, cast

from .._core import path_of
from .._sse import ServerSent
from ..errors import JobFailed, WaitTimeout
from ..types import Event, EventPage, Job, JobAnswer, JobLine, JobLog, JobPage, JobStatus
from ._backend import sleep
from ._resource import Resource

ENDED = frozenset({"completed", "failed", "cancelled", "dead"})


def _going_on(last: Optional[ServerSent]) -> bool:
    """A job's stream ends with the job; any other end is a connection's."""
    if last is None or last.type != "status":
        return True
    return cast(JobStatus, json.loads(last.data))["status"] not in ENDED


class Jobs(Resource):
    def create(
        self,
        type: str,
        params: Optional[Mapping[str, object]] = None,
        *,
        project_id: Optional[int] = None,
        priority: Optional[int] = None,
        max_attempts: Optional[int] = None,
        run_at: Optional[int] = None,
        idempotency_key: Optional[str] = None,
    ) -> JobAnswer:
        """The same key is the same job; each call has one of its own, so that a repeated request makes no second."""
        body = {
            "type": type,
            "params": params,
            "project_id": project_id,
            "priority": priority,
            "max_attempts": max_attempts,
            "run_at": run_at,
        }
        headers = {"Idempotency-Key": idempotency_key or uuid.uuid4().hex}
        return self._client.ask(JobAnswer, "POST", "/api/jobs", json=body, headers=headers, idempotent=True)

    def page(
        self,
        *,
        type: Optional[str] = None,
        status: Optional[str] = None,
        project_id: Optional[int] = None,
        limit: Optional[int] = None,
        cursor: Optional[str] = None,
    ) -> JobPage:
        query = {"type": type, "status": status, "project_id": project_id, "limit": limit, "cursor": cursor}
        return self._client.ask(JobPage, "GET", "/api/jobs", query=query)

    def list(
        self,
        *,
        type: Optional[str] = None,
        status: Optional[str] = None,
        project_id: Optional[int] = None,
        page_size: int = 100,
    ) -> Iterator[Job]:
        """The newest first."""
        cursor: Optional[str] = None
        while True:
            page = self.page(type=type, status=status, project_id=project_id, limit=page_size, cursor=cursor)
            for job in page["jobs"]:
                yield job
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def get(self, job_id: int) -> Job:
        return self._client.ask(Job, "GET", path_of("/api/jobs/{}", job_id))

    def cancel(self, job_id: int) -> Job:
        return self._client.ask(Job, "POST", path_of("/api/jobs/{}/cancel", job_id), json={})

    def retry(self, job_id: int) -> Job:
        return self._client.ask(Job, "POST", path_of("/api/jobs/{}/retry", job_id), json={})

    def logs(self, job_id: int, *, after: Optional[int] = None, limit: Optional[int] = None) -> JobLog:
        query = {"after": after, "limit": limit}
        return self._client.ask(JobLog, "GET", path_of("/api/jobs/{}/logs", job_id), query=query)

    def follow(self, job_id: int, *, after: int = 0) -> Iterator[Union[JobLine, JobStatus]]:
        """Its lines (`text`) and changes of state (`status`) as they come, until it ends."""
        path = path_of("/api/jobs/{}/logs", job_id)
        for sent in self._client.listen(path, {}, str(after) if after else "", _going_on):
            if sent.type == "log":
                yield cast(JobLine, json.loads(sent.data))
            elif sent.type == "status":
                yield cast(JobStatus, json.loads(sent.data))

    def wait(self, job_id: int, timeout: Optional[float] = None) -> Job:
        """The job when it has ended, in whatever way; WaitTimeout after `timeout` seconds."""
        until = None if timeout is None else time.monotonic() + timeout
        pause = 0.05
        while True:
            job = self.get(job_id)
            if job["status"] in ENDED:
                return job
            if until is not None and time.monotonic() + pause > until:
                raise WaitTimeout(f"job {job_id} is still {job['status']} after {timeout} s")
            sleep(pause)
            pause = min(2.0, pause * 1.5)


class Exports(Resource):
    def create(
        self,
        *,
        project_id: Optional[int] = None,
        where: Optional[str] = None,
        title: Optional[str] = None,
        originals: Optional[bool] = None,
        thumbnails: Optional[bool] = None,
        vectors: Optional[bool] = None,
        manifests: Optional[Sequence[Literal["json", "csv", "coco"]]] = None,
        idempotency_key: Optional[str] = None,
    ) -> JobAnswer:
        """A ZIP file of pictures and what is known of them. It is a job: wait for it, then download it."""
        body = {
            "project_id": project_id,
            "where": where,
            "title": title,
            "originals": originals,
            "thumbnails": thumbnails,
            "vectors": vectors,
            "manifests": manifests,
        }
        headers = {"Idempotency-Key": idempotency_key or uuid.uuid4().hex}
        return self._client.ask(JobAnswer, "POST", "/api/exports", json=body, headers=headers, idempotent=True)

    def wait(self, job_id: int, timeout: Optional[float] = None) -> Job:
        """The finished export; JobFailed where it ended otherwise."""
        job = self._client.jobs.wait(job_id, timeout)
        if job["status"] != "completed":
            raise JobFailed(job)
        return job

    def download(self, job_id: int, to: Union[str, "os.PathLike[str]"]) -> Path:
        return self._client.download(path_of("/api/exports/{}/content", job_id), to)


class Events(Resource):
    def page(
        self, *, after: Optional[int] = None, type: Optional[str] = None, project_id: Optional[int] = None
    ) -> EventPage:
        """What happened, from the beginning or after an event; `type` is a prefix, like `image.`"""
        query = {"after": after, "type": type, "project_id": project_id}
        headers = {"Accept": "application/json"}
        return self._client.ask(EventPage, "GET", "/api/events", query=query, headers=headers)

    def stream(
        self, *, after: Optional[int] = None, type: Optional[str] = None, project_id: Optional[int] = None
    ) -> Iterator[Event]:
        """What happens, as it happens, without end: from now on, or after an event. A connection that drops is
        taken up again behind the last event that came. Keep its id to go on another day."""
        query = {"after": after, "type": type, "project_id": project_id}
        for sent in self._client.listen("/api/events", query, "", lambda last: True):
            yield cast(Event, json.loads(sent.data))
