# Made of ../_async by tools/make_sync.py: change it there.
"""Pictures: how they come in, are listed, shown, changed and removed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Iterator, Dict, Iterator, List, Literal, Optional, Sequence, Union

from .._body import Body, File, Source, file_of, form_of, type_of
from .._core import path_of
from ..errors import BY_STATUS, Conflict, MagpieError
from ..types import (
    ChangedImage,
    Comparison,
    Image,
    ImagePage,
    Presigned,
    RefusedImage,
    TakenImage,
    UploadAnswer,
    UploadedImage,
)
from ._resource import Resource

ImageId = Union[int, str]
NearDuplicates = Literal["keep", "refuse"]

MOST_FILES, MOST_BYTES = 50, 256 * 1024 * 1024  # of one request


def _batches(sources: Sequence[Source]) -> Iterator[List[File]]:
    batch: List[File] = []
    size = 0
    for file in map(file_of, sources):
        if batch and (len(batch) == MOST_FILES or size + (file.length or 0) > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += file.length or 0
    if batch:
        yield batch


def _refused(file: File, error: MagpieError) -> UploadAnswer:
    """A file that is refused alone is a problem; among others it is a row. Here it is always a row."""
    row: RefusedImage = {"status": "refused", "code": error.status, "error": error.detail, "file_name": file.name}
    if isinstance(error, Conflict) and error.match:
        row["match"] = error.match
    return {
        "status": "refused",
        "images": [row],
        "added": 0,
        "known": 0,
        "refused": 1,
    }


class Images(Resource):
    def upload(
        self,
        source: Source,
        *,
        name: Optional[str] = None,
        project_id: Optional[int] = None,
        title: Optional[str] = None,
        description: Optional[str] = None,
        tags: Sequence[str] = (),
        near_duplicates: Optional[NearDuplicates] = None,
    ) -> UploadedImage:
        """One picture: a path, bytes, an open file, or a pair of a name and bytes or an open file. The same bytes
        again are the same picture, with the status `known`. With `near_duplicates="refuse"`, what shows the same
        as a picture of the project raises Conflict, whose `match` is that one."""
        fields = self._fields(project_id, title, description, tags, near_duplicates)
        answer = self._upload([file_of(source, name)], fields)
        row = answer["images"][0]
        if row["status"] == "refused":
            raise BY_STATUS.get(row["code"], MagpieError)(row["code"], "Refused", row["error"])
        return row

    def upload_many(
        self,
        sources: Sequence[Source],
        *,
        project_id: Optional[int] = None,
        title: Optional[str] = None,
        description: Optional[str] = None,
        tags: Sequence[str] = (),
        near_duplicates: Optional[NearDuplicates] = None,
    ) -> UploadAnswer:
        """Many pictures, in as many requests as it takes. What is refused is told in the answer, in its place."""
        fields = self._fields(project_id, title, description, tags, near_duplicates)
        whole: UploadAnswer = {"status": "refused", "images": [], "added": 0, "known": 0, "refused": 0}
        for batch in _batches(sources):
            try:
                part = self._upload(batch, fields)
            except MagpieError as error:
                if len(batch) > 1 or error.status not in (409, 413, 415, 422):
                    raise
                part = _refused(batch[0], error)
            whole["images"] += part["images"]
            whole["added"] += part["added"]
            whole["known"] += part["known"]
            whole["refused"] += part["refused"]
            if part["status"] == "ok":
                whole["status"] = "ok"
        return whole

    @staticmethod
    def _fields(
        project_id: Optional[int],
        title: Optional[str],
        description: Optional[str],
        tags: Sequence[str],
        near_duplicates: Optional[str],
    ) -> Dict[str, str]:
        told = {
            "project_id": None if project_id is None else str(project_id),
            "title": title,
            "description": description,
            "tags": ",".join(tags) or None,
            "near_duplicates": near_duplicates,
        }
        return {name: value for name, value in told.items() if value is not None}

    def _upload(self, files: Sequence[File], fields: Dict[str, str]) -> UploadAnswer:
        body = form_of(fields, [("files", file) for file in files])
        # Bytes that are there already are not taken twice: to say it again does no harm.
        return self._client.ask(UploadAnswer, "POST", "/api/images", body=body, idempotent=True)

    def presign(
        self, file_name: str, file_size: int, *, file_type: Optional[str] = None, project_id: Optional[int] = None
    ) -> Presigned:
        """A link that one file of this name, type and size can be PUT to, without a token; then `ingest` it."""
        body = {
            "file_name": file_name,
            "file_size": file_size,
            "file_type": file_type or type_of(file_name),
            "project_id": project_id,
        }
        return self._client.ask(Presigned, "POST", "/api/presign/upload", json=body, idempotent=True)

    def ingest(
        self,
        key: str,
        *,
        title: Optional[str] = None,
        description: Optional[str] = None,
        near_duplicates: Optional[NearDuplicates] = None,
    ) -> TakenImage:
        """Takes in what was PUT to the link of this key."""
        body = {"key": key, "title": title, "description": description, "near_duplicates": near_duplicates}
        return self._client.ask(TakenImage, "POST", "/api/images/ingest", json=body, idempotent=True)

    def ingest_url(
        self,
        url: str,
        *,
        project_id: Optional[int] = None,
        title: Optional[str] = None,
        description: Optional[str] = None,
        near_duplicates: Optional[NearDuplicates] = None,
    ) -> TakenImage:
        """Has the service download a picture from a public address and takes it in."""
        body = {
            "url": url,
            "project_id": project_id,
            "title": title,
            "description": description,
            "near_duplicates": near_duplicates,
        }
        return self._client.ask(TakenImage, "POST", "/api/images/ingest", json=body, idempotent=True)

    def upload_presigned(
        self,
        source: Source,
        *,
        name: Optional[str] = None,
        file_type: Optional[str] = None,
        project_id: Optional[int] = None,
        title: Optional[str] = None,
        description: Optional[str] = None,
    ) -> TakenImage:
        """All three steps: a link, the bytes, and `ingest`."""
        file = file_of(source, name)
        if file.length is None:
            raise ValueError("a presigned upload needs a file whose length can be known")
        link = self.presign(file.name, file.length, file_type=file_type, project_id=project_id)
        body = Body.of_file(file, file_type)
        self._client.put_link(link["upload_url"], body, link["headers"])
        return self.ingest(link["key"], title=title, description=description)

    def page(
        self,
        *,
        limit: Optional[int] = None,
        cursor: Optional[str] = None,
        sort: Optional[Literal["id", "added", "date", "size", "name"]] = None,
        order: Optional[Literal["asc", "desc"]] = None,
        project_id: Optional[int] = None,
        where: Optional[str] = None,
        tag: Optional[str] = None,
        format: Optional[str] = None,
        name: Optional[str] = None,
        state: Optional[str] = None,
        issue: Optional[str] = None,
        date: Optional[str] = None,
    ) -> ImagePage:
        """One page of `list`, with the total of all."""
        query = {
            "limit": limit,
            "cursor": cursor,
            "sort": sort,
            "order": order,
            "project_id": project_id,
            "where": where,
            "tag": tag,
            "format": format,
            "name": name,
            "state": state,
            "issue": issue,
            "date": date,
        }
        return self._client.ask(ImagePage, "GET", "/api/images", query=query)

    def list(
        self,
        *,
        page_size: int = 200,
        sort: Optional[Literal["id", "added", "date", "size", "name"]] = None,
        order: Optional[Literal["asc", "desc"]] = None,
        project_id: Optional[int] = None,
        where: Optional[str] = None,
        tag: Optional[str] = None,
        format: Optional[str] = None,
        name: Optional[str] = None,
        state: Optional[str] = None,
        issue: Optional[str] = None,
        date: Optional[str] = None,
    ) -> Iterator[Image]:
        """All pictures that match, page by page as they are asked for."""
        cursor: Optional[str] = None
        while True:
            page = self.page(
                limit=page_size,
                cursor=cursor,
                sort=sort,
                order=order,
                project_id=project_id,
                where=where,
                tag=tag,
                format=format,
                name=name,
                state=state,
                issue=issue,
                date=date,
            )
            for image in page["images"]:
                yield image
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def get(self, image_id: ImageId) -> Image:
        return self._client.ask(Image, "GET", path_of("/api/images/{}", image_id))

    def content(self, image_id: ImageId) -> bytes:
        return self._client.fetch(path_of("/api/images/{}/content", image_id))

    def download(self, image_id: ImageId, to: Union[str, "os.PathLike[str]"]) -> Path:
        """The original as a file."""
        return self._client.download(path_of("/api/images/{}/content", image_id), to)

    def thumbnail(self, image_id: ImageId, size: Literal[256, 1024] = 256) -> bytes:
        """WebP, at most this many pixels wide and high."""
        return self._client.fetch(path_of("/api/images/{}/thumbnail", image_id), {"size": size})

    def update(
        self,
        image_id: ImageId,
        *,
        title: Optional[str] = None,
        description: Optional[str] = None,
        add_tags: Optional[Sequence[str]] = None,
        remove_tags: Optional[Sequence[str]] = None,
    ) -> Image:
        """What is left out stays as it is."""
        body = {"title": title, "description": description, "add_tags": add_tags, "remove_tags": remove_tags}
        return self._client.ask(Image, "PATCH", path_of("/api/images/{}", image_id), json=body)

    def delete(self, image_id: ImageId) -> None:
        self._client.tell("DELETE", path_of("/api/images/{}", image_id))

    def make_thumbnail(self, image_id: ImageId) -> ChangedImage:
        path = path_of("/api/images/{}/thumbnail", image_id)
        return self._client.ask(ChangedImage, "POST", path, json={}, idempotent=True)

    def reindex(self, image_id: ImageId) -> ChangedImage:
        path = path_of("/api/images/{}/reindex", image_id)
        return self._client.ask(ChangedImage, "POST", path, json={}, idempotent=True)

    def explain(self, image_id: ImageId, other_id: ImageId) -> Comparison:
        """How two pictures are related, and how much."""
        path = path_of("/api/images/{}/explain", image_id)
        return self._client.ask(Comparison, "GET", path, query={"with": other_id})

    def explain_picture(
        self, image_id: ImageId, other_id: Optional[ImageId] = None, *, normals: Optional[str] = None
    ) -> bytes:
        """A PNG: where two pictures differ, or where one is odd beside `normals` (a filter; else all others)."""
        query = {"with": other_id, "format": "png", "normals": normals}
        return self._client.fetch(path_of("/api/images/{}/explain", image_id), query)
