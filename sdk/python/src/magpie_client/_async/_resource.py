"""What every resource has: the client that it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .client import AsyncClient


class Resource:
    def __init__(self, client: AsyncClient) -> None:
        self._client = client
