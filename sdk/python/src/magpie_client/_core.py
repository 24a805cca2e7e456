"""The transport's decisions, without any input or output: what a request is, what an answer means, when to try again.

Both clients go through here, so that they cannot differ.
"""

from __future__ import annotations

import email.utils
import json
import random
import time
from dataclasses import dataclass, field, replace
from typing import Dict, FrozenSet, Mapping, Optional, Sequence, Type, TypeVar, Union, cast
from urllib.parse import quote, urlencode

from ._body import Body
from .errors import BY_STATUS, MagpieError, Unreachable

VERSION = "0.1.0"

T = TypeVar("T")
Value = Union[str, int, float, bool, None, Sequence[str]]

SILENCE_S = 45.0  # a stream says something every 15 s, if only that it is there
MOST_WAIT_S = 60.0  # whoever is told to wait for longer hears of it instead
FIRST_WAIT_S, LAST_WAIT_S = 0.25, 8.0
_REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE"})
_PASSING = frozenset({429, 503})
BY_HEAD = frozenset({401, 403, 404, 409, 429, 507})  # what the service may answer before it has read a body


@dataclass(frozen=True)
class Request:
    method: str
    path: str  # from the root of the service, its query included; or a whole address
    body: Optional[Body] = None
    headers: Mapping[str, str] = field(default_factory=dict)
    idempotent: bool = False
    signed_in: bool = True
    takes: FrozenSet[int] = frozenset()  # statuses beyond 2xx that are answers, too
    timeout: Optional[float] = None  # seconds; None: the client's


def path_of(template: str, *parts: Union[int, str]) -> str:
    """`/api/images/{}` with what stands in it quoted."""
    return template.format(*(quote(str(part), safe="") for part in parts))


def text_of(value: Union[str, int, float, bool, Sequence[str]]) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    return ",".join(value)


def with_query(path: str, query: Mapping[str, Value]) -> str:
    told = {name: text_of(value) for name, value in query.items() if value is not None}
    return f"{path}?{urlencode(told)}" if told else path


def json_of(members: Mapping[str, object]) -> Dict[str, object]:
    """What was told of a body's members."""
    return {name: value for name, value in members.items() if value is not None}


def request(
    method: str,
    path: str,
    *,
    query: Optional[Mapping[str, Value]] = None,
    json_body: Optional[Mapping[str, object]] = None,
    body: Optional[Body] = None,
    headers: Optional[Mapping[str, str]] = None,
    idempotent: Optional[bool] = None,
    signed_in: bool = True,
    takes: FrozenSet[int] = frozenset(),
    timeout: Optional[float] = None,
) -> Request:
    if json_body is not None:
        text = json.dumps(json_of(json_body), ensure_ascii=False, allow_nan=False)
        body = Body.of_bytes(text.encode(), "application/json")
    return Request(
        method,
        with_query(path, query or {}),
        body,
        dict(headers or {}),
        method in _REPEATABLE if idempotent is None else idempotent,
        signed_in,
        takes,
        timeout,
    )


def address_of(base: str, path: str) -> str:
    return path if path.startswith(("http://", "https://")) else base + path


def headers_of(asked: Request, access_token: Optional[str], api_key: Optional[str]) -> Dict[str, str]:
    headers = {"User-Agent": f"magpie-client-python/{VERSION}", "Accept": "*/*"}
    if asked.body is not None:
        headers["Content-Type"] = asked.body.content_type
        if asked.body.length is not None:
            headers["Content-Length"] = str(asked.body.length)
    if asked.signed_in and access_token is not None:
        headers["Authorization"] = f"Bearer {access_token}"
    elif asked.signed_in and api_key is not None:
        headers["X-API-Key"] = api_key
    headers.update(asked.headers)
    return headers


# ---- answers ----


def object_of(text: bytes) -> Dict[str, object]:
    try:
        value: object = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise MagpieError(0, "Not an answer of Magpie", "it is no JSON object; is the address right?", body=text)
    return value


def answer_of(text: bytes, kind: Type[T]) -> T:
    """As the type says; what a newer service adds stays in the dictionary."""
    return cast(T, object_of(text))


def seconds_of(retry_after: Optional[str], now: Optional[float] = None) -> Optional[float]:
    """The Retry-After header: seconds, or a date."""
    if retry_after is None:
        return None
    if retry_after.strip().isdigit():
        return float(retry_after)
    try:
        at = email.utils.parsedate_to_datetime(retry_after).timestamp()
    except (TypeError, ValueError):
        return None
    return max(0.0, at - (time.time() if now is None else now))


def error_of(status: int, headers: Mapping[str, str], text: bytes, reason: str = "") -> MagpieError:
    try:
        problem = object_of(text)
    except MagpieError:
        problem = {}

    def word(name: str, otherwise: str) -> str:
        value = problem.get(name)
        return value if isinstance(value, str) else otherwise

    return BY_STATUS.get(status, MagpieError)(
        status,
        word("title", reason or f"Status {status}"),
        word("detail", word("error", text[:200].decode("utf-8", "replace"))),
        word("request_id", headers.get("x-request-id", "")),
        seconds_of(headers.get("retry-after")),
        text,
    )


# ---- trying again ----


def can_repeat(asked: Request) -> bool:
    return asked.idempotent and can_resend(asked)


def can_resend(asked: Request) -> bool:
    return asked.body is None or asked.body.repeatable


def wait_before(attempt: int, retry_after: Optional[float] = None) -> float:
    """Doubling, with jitter: many clients that failed together shall not come back together."""
    backoff = min(LAST_WAIT_S, FIRST_WAIT_S * 2.0**attempt) * random.uniform(0.5, 1.0)
    return max(backoff, retry_after or 0.0)


def passes(asked: Request, error: MagpieError) -> bool:
    """May the same request fare better in a while, and be sent again without harm?"""
    if isinstance(error, Unreachable):
        return can_repeat(asked) or (not error.sent and can_resend(asked))
    return error.status in _PASSING and can_repeat(asked) and (error.retry_after or 0.0) <= MOST_WAIT_S


def without_body(asked: Request) -> Request:
    content_type = asked.body.content_type if asked.body is not None else "application/octet-stream"
    return replace(asked, body=Body.of_bytes(b"", content_type))
