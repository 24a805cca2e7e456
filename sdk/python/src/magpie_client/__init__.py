"""A client of Magpie, the image engine: `Client`, and `AsyncClient` for asyncio."""

from . import types
from ._async.client import AsyncClient
from ._body import Source
from ._core import VERSION as __version__
from ._map import CompactMap
from ._question import Weighted
from ._sync.client import Client
from .errors import (
    Conflict,
    Forbidden,
    Invalid,
    JobFailed,
    MagpieError,
    NotFound,
    RateLimited,
    Unauthorized,
    Unavailable,
    Unreachable,
    WaitTimeout,
)

__all__ = [
    "AsyncClient",
    "Client",
    "CompactMap",
    "Conflict",
    "Forbidden",
    "Invalid",
    "JobFailed",
    "MagpieError",
    "NotFound",
    "RateLimited",
    "Source",
    "Unauthorized",
    "Unavailable",
    "Unreachable",
    "WaitTimeout",
    "Weighted",
    "__version__",
    "types",
]
