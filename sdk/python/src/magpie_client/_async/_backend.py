"""What differs between the two clients: waiting, locking, and how pieces of a body are drawn. Not generated."""

from __future__ import annotations

from typing import AsyncIterator

import anyio
import anyio.to_thread

from .._body import Body

Lock = anyio.Lock
sleep = anyio.sleep


async def content_of(body: Body) -> AsyncIterator[bytes]:
    """Files are read on a thread: a slow disk shall not hold up the loop."""
    pieces = body.pieces()
    while True:
        piece = await anyio.to_thread.run_sync(next, pieces, b"")
        if not piece:
            return
        yield piece
