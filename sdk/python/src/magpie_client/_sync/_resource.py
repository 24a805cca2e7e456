# Made of ../_async by tools/make_sync.py: change it there.
"""What every resource has: the client that it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .client import Client


class Resource:
    def __init__(self, client: Client) -> None:
        self._client = client
