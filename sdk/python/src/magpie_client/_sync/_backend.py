"""What differs between the two clients: waiting, locking, and how pieces of a body are drawn. Not generated."""

from __future__ import annotations

import threading
import time
from typing import Iterator

from .._body import Body

Lock = threading.Lock
sleep = time.sleep


def content_of(body: Body) -> Iterator[bytes]:
    return body.pieces()
