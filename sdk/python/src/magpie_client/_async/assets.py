"""Projects with their members, and assets of any type with their versions."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, AsyncIterator, List, Literal, Mapping, Optional, Sequence, Union

from .._body import Body, Source, file_of, form_of
from .._core import path_of
from ..types import (
    Asset,
    AssetChange,
    AssetPage,
    AssetUpload,
    Diff,
    Member,
    Members,
    Project,
    ProjectPage,
    Version,
    VersionPage,
)
from ._resource import Resource

if TYPE_CHECKING:
    from .client import AsyncClient


class Projects(Resource):
    async def list(
        self, *, status: Optional[Literal["all", "active", "archived"]] = None, page_size: int = 100
    ) -> AsyncIterator[Project]:
        cursor: Optional[str] = None
        while True:
            query = {"status": status, "limit": page_size, "cursor": cursor}
            page = await self._client.ask(ProjectPage, "GET", "/api/projects", query=query)
            for project in page["projects"]:
                yield project
            cursor = page["next_cursor"]
            if cursor is None:
                return

    async def create(
        self, name: str, *, description: Optional[str] = None, config: Optional[Mapping[str, object]] = None
    ) -> Project:
        body = {"name": name, "description": description, "config": config}
        return await self._client.ask(Project, "POST", "/api/projects", json=body)

    async def get(self, project_id: int) -> Project:
        return await self._client.ask(Project, "GET", path_of("/api/projects/{}", project_id))

    async def update(
        self,
        project_id: int,
        *,
        name: Optional[str] = None,
        description: Optional[str] = None,
        config: Optional[Mapping[str, object]] = None,
        status: Optional[Literal["active", "archived"]] = None,
    ) -> Project:
        """What is left out stays as it is. What is archived can be read, and nothing else."""
        body = {"name": name, "description": description, "config": config, "status": status}
        return await self._client.ask(Project, "PATCH", path_of("/api/projects/{}", project_id), json=body)

    async def delete(self, project_id: int, *, force: bool = False) -> None:
        """With `force`, with all that it holds."""
        path = path_of("/api/projects/{}", project_id)
        await self._client.tell("DELETE", path, query={"force": True if force else None})

    async def members(self, project_id: int) -> List[Member]:
        path = path_of("/api/projects/{}/members", project_id)
        return (await self._client.ask(Members, "GET", path))["members"]

    async def set_member(self, project_id: int, user: Union[int, str], role: Literal["viewer", "editor"]) -> Member:
        """`user` is an id, or a name."""
        who: Mapping[str, object] = {"user_id": user} if isinstance(user, int) else {"username": user}
        path = path_of("/api/projects/{}/members", project_id)
        return await self._client.ask(Member, "PUT", path, json={**who, "role": role})

    async def remove_member(self, project_id: int, user_id: int) -> None:
        await self._client.tell("DELETE", path_of("/api/projects/{}/members/{}", project_id, user_id))


class Versions(Resource):
    async def list(self, asset_id: int, *, page_size: int = 100) -> AsyncIterator[Version]:
        cursor: Optional[str] = None
        while True:
            query = {"limit": page_size, "cursor": cursor}
            page = await self._client.ask(
                VersionPage, "GET", path_of("/api/assets/{}/versions", asset_id), query=query
            )
            for version in page["versions"]:
                yield version
            cursor = page["next_cursor"]
            if cursor is None:
                return

    async def add(self, asset_id: int, source: Source) -> AssetChange:
        """New bytes; the ones before stay as a version. The current bytes again are no new version."""
        body = Body.of_file(file_of(source), "application/octet-stream")
        return await self._client.ask(AssetChange, "POST", path_of("/api/assets/{}/versions", asset_id), body=body)

    async def content(self, asset_id: int, number: int) -> bytes:
        return await self._client.fetch(path_of("/api/assets/{}/versions/{}/content", asset_id, number))

    async def restore(self, asset_id: int, number: int) -> AssetChange:
        path = path_of("/api/assets/{}/versions/{}/restore", asset_id, number)
        return await self._client.ask(AssetChange, "POST", path, json={})


class Assets(Resource):
    def __init__(self, client: AsyncClient) -> None:
        super().__init__(client)
        self.versions = Versions(client)

    async def list(
        self, project_id: int, *, type: Optional[str] = None, q: Optional[str] = None, page_size: int = 100
    ) -> AsyncIterator[Asset]:
        cursor: Optional[str] = None
        while True:
            query = {"type": type, "q": q, "limit": page_size, "cursor": cursor}
            page = await self._client.ask(
                AssetPage, "GET", path_of("/api/projects/{}/assets", project_id), query=query
            )
            for asset in page["assets"]:
                yield asset
            cursor = page["next_cursor"]
            if cursor is None:
                return

    async def upload(
        self,
        project_id: int,
        sources: Sequence[Source],
        *,
        type: Optional[str] = None,
        title: Optional[str] = None,
        description: Optional[str] = None,
        metadata: Optional[Mapping[str, object]] = None,
    ) -> AssetUpload:
        """Files of any type. One that is refused among others is told in the answer; one alone raises."""
        told = {
            "type": type,
            "title": title,
            "description": description,
            "metadata": None if metadata is None else json.dumps(metadata),
        }
        fields = {name: value for name, value in told.items() if value is not None}
        body = form_of(fields, [("files", file_of(source)) for source in sources])
        return await self._client.ask(AssetUpload, "POST", path_of("/api/projects/{}/assets", project_id), body=body)

    async def get(self, asset_id: int) -> Asset:
        return await self._client.ask(Asset, "GET", path_of("/api/assets/{}", asset_id))

    async def update(
        self,
        asset_id: int,
        *,
        name: Optional[str] = None,
        title: Optional[str] = None,
        description: Optional[str] = None,
        metadata: Optional[Mapping[str, object]] = None,
    ) -> Asset:
        """What is left out stays as it is."""
        body = {"name": name, "title": title, "description": description, "metadata": metadata}
        return await self._client.ask(Asset, "PATCH", path_of("/api/assets/{}", asset_id), json=body)

    async def delete(self, asset_id: int) -> None:
        await self._client.tell("DELETE", path_of("/api/assets/{}", asset_id))

    async def content(self, asset_id: int) -> bytes:
        return await self._client.fetch(path_of("/api/assets/{}/content", asset_id))

    async def download(self, asset_id: int, to: Union[str, "os.PathLike[str]"]) -> Path:
        return await self._client.download(path_of("/api/assets/{}/content", asset_id), to)

    async def diff(self, asset_id: int, *, from_: Optional[int] = None, to: Optional[int] = None) -> Diff:
        """What differs between two versions, by number."""
        return await self._client.ask(
            Diff, "GET", path_of("/api/assets/{}/diff", asset_id), query={"from": from_, "to": to}
        )
