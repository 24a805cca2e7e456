"""The client: sends what the resources ask for, keeps the tokens, tries again where that is safe."""

from __future__ import annotations

import os
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import AsyncIterator, Callable, FrozenSet, Mapping, Optional, Type, TypeVar, Union

import httpx

from .. import _core as core
from .._body import Body
from .._sse import Parser, ServerSent
from ..errors import MagpieError, Unauthorized, Unreachable
from ..types import Tokens
from ._backend import Lock, content_of, sleep
from .account import Auth, Keys
from .assets import Assets, Projects
from .images import Images
from .jobs import Events, Exports, Jobs
from .products import Products
from .questions import Dedup, Feedback, Health, Maps, Qa, Search, Statistics, Verdicts

T = TypeVar("T")


def unreachable(error: httpx.TransportError) -> Unreachable:
    told = Unreachable(str(error) or type(error).__name__, sent=not isinstance(error, httpx.ConnectError))
    told.__cause__ = error
    return told


class AsyncClient:
    """One service, and who asks it. Safe to share: between threads (Client) or tasks (AsyncClient).

    Give an `api_key`, or tokens, or sign in with `client.auth.login(...)`. Access tokens are renewed by the refresh
    token when the service does not take them any more; `on_tokens` hears of new ones, so that they can be kept.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: Optional[str] = None,
        access_token: Optional[str] = None,
        refresh_token: Optional[str] = None,
        on_tokens: Optional[Callable[[Tokens], None]] = None,
        timeout: float = 60.0,
        retries: int = 3,
        verify: Union[bool, str] = True,
        transport: Optional[httpx.AsyncBaseTransport] = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.access_token = access_token
        self.refresh_token = refresh_token
        self._api_key = api_key
        self._on_tokens = on_tokens
        self._timeout = timeout
        self._retries = retries
        self._renewing = Lock()
        self._http = httpx.AsyncClient(verify=verify, timeout=timeout, transport=transport)
        self.auth = Auth(self)
        self.keys = Keys(self)
        self.images = Images(self)
        self.search = Search(self)
        self.dedup = Dedup(self)
        self.qa = Qa(self)
        self.verdicts = Verdicts(self)
        self.feedback = Feedback(self)
        self.map = Maps(self)
        self.stats = Statistics(self)
        self.projects = Projects(self)
        self.assets = Assets(self)
        self.jobs = Jobs(self)
        self.exports = Exports(self)
        self.events = Events(self)
        self.products = Products(self)
        self.health = Health(self)

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the connections. The session of the service stays: see `auth.logout`."""
        await self._http.aclose()

    # ---- for the resources ----

    async def ask(
        self,
        kind: Type[T],
        method: str,
        path: str,
        *,
        query: Optional[Mapping[str, core.Value]] = None,
        json: Optional[Mapping[str, object]] = None,
        body: Optional[Body] = None,
        headers: Optional[Mapping[str, str]] = None,
        idempotent: Optional[bool] = None,
        signed_in: bool = True,
        takes: FrozenSet[int] = frozenset(),
    ) -> T:
        """A request whose answer is a JSON object."""
        asked = core.request(
            method,
            path,
            query=query,
            json_body=json,
            body=body,
            headers=headers,
            idempotent=idempotent,
            signed_in=signed_in,
            takes=takes,
        )
        return core.answer_of((await self._send(asked)).content, kind)

    async def tell(
        self,
        method: str,
        path: str,
        *,
        query: Optional[Mapping[str, core.Value]] = None,
        json: Optional[Mapping[str, object]] = None,
        signed_in: bool = True,
    ) -> None:
        """A request whose answer is that it is done."""
        await self._send(core.request(method, path, query=query, json_body=json, signed_in=signed_in))

    async def fetch(self, path: str, query: Optional[Mapping[str, core.Value]] = None) -> bytes:
        """The bytes of `path`, of a resource or of a signed link (`preview_url`, `content_url`)."""
        return (await self._send(core.request("GET", path, query=query, signed_in=self._own(path)))).content

    async def download(self, path: str, to: Union[str, "os.PathLike[str]"]) -> Path:
        """The bytes of `path` as a file. It is whole or not there: a broken transfer leaves what was there before."""
        target = Path(to)
        asked = core.request("GET", path, signed_in=self._own(path))
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as out:
                async with self._stream(asked) as response:
                    async for piece in response.aiter_bytes():
                        out.write(piece)
            os.replace(name, target)
        except BaseException as error:
            os.unlink(name)
            if isinstance(error, httpx.TransportError):
                raise unreachable(error)
            raise
        return target

    async def put_link(self, url: str, body: Body, headers: Mapping[str, str]) -> None:
        """To an address that somebody signed, which is not for our tokens."""
        await self._send(core.request("PUT", url, body=body, headers=headers, idempotent=False, signed_in=False))

    async def listen(
        self, path: str, query: Mapping[str, core.Value], last_id: str, resume: Callable[[Optional[ServerSent]], bool]
    ) -> AsyncIterator[ServerSent]:
        """A stream of events. Where it ends or breaks, `resume` (told the last event) says whether it goes on, from
        the event after the last one that had an id."""
        last: Optional[ServerSent] = None
        failures, silence = 0, max(self._timeout, core.SILENCE_S)
        while True:
            headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
            if last_id:
                headers["Last-Event-ID"] = last_id
                query = {name: value for name, value in query.items() if name != "after"}
            parser = Parser()
            try:
                asked = core.request("GET", path, query=query, headers=headers, timeout=silence)
                async with self._stream(asked) as response:
                    async for piece in response.aiter_bytes():
                        failures = 0
                        for last in parser.feed(piece):
                            last_id = parser.last_id or last_id
                            yield last
                        last_id = parser.last_id or last_id
            except httpx.TransportError as error:
                failures += 1
                if failures > self._retries:
                    raise unreachable(error)
            if not resume(last):
                return
            await sleep(parser.retry_s)

    def take(self, tokens: Tokens) -> Tokens:
        """From now on, these."""
        self.access_token, self.refresh_token = tokens["access_token"], tokens["refresh_token"]
        if self._on_tokens is not None:
            self._on_tokens(tokens)
        return tokens

    async def renew(self, used: Optional[str]) -> bool:
        """New tokens in place of `used`, by whoever comes first: a refresh token that is shown twice ends the
        session. False where there is nothing to renew with."""
        async with self._renewing:
            if self.access_token != used:
                return self.access_token is not None  # somebody has done it meanwhile
            if self.refresh_token is None:
                return False
            asked = core.request(
                "POST", "/api/auth/refresh", json_body={"refresh_token": self.refresh_token}, signed_in=False
            )
            try:
                answer = await self._send(asked)
            except Unauthorized:
                self.refresh_token = None
                return False
            self.take(core.answer_of(answer.content, Tokens))
            return True

    # ---- sending ----

    def _own(self, path: str) -> bool:
        """Is it of this service, and not a signed link, which needs no token?"""
        return path.startswith("/") and "sig=" not in path

    def _built(self, asked: core.Request, token: Optional[str]) -> httpx.Request:
        headers = core.headers_of(asked, token, self._api_key)
        url = core.address_of(self.base_url, asked.path)
        timeout = httpx.USE_CLIENT_DEFAULT if asked.timeout is None else httpx.Timeout(asked.timeout)
        body = asked.body
        if body is None:
            return self._http.build_request(asked.method, url, headers=headers, timeout=timeout)
        content = content_of(body) if body.whole is None else body.whole
        return self._http.build_request(
            asked.method, url, headers=headers, content=content, timeout=timeout
        )

    async def _send(self, asked: core.Request, stream: bool = False) -> httpx.Response:
        """The answer, where it is one that `asked` takes; else the error is raised. A stream's is not read."""
        attempt, renewed = 0, False
        while True:
            token = self.access_token
            came = await self._once(asked, token, stream)
            if not isinstance(came, MagpieError):
                return came
            if came.status == 401 and asked.signed_in and token is not None and not renewed:
                renewed = True
                if await self.renew(token) and core.can_resend(asked):
                    continue
            if attempt >= self._retries or not core.passes(asked, came):
                raise came
            await sleep(core.wait_before(attempt, came.retry_after))
            attempt += 1

    async def _once(
        self, asked: core.Request, token: Optional[str], stream: bool = False
    ) -> Union[httpx.Response, MagpieError]:
        try:
            response = await self._http.send(self._built(asked, token), stream=stream)
            if response.is_success or response.status_code in asked.takes:
                return response
            text = await response.aread()
            await response.aclose()
        except httpx.TransportError as error:
            return await self._reason(asked, token) or unreachable(error)
        return core.error_of(response.status_code, response.headers, text, response.reason_phrase)

    async def _reason(self, asked: core.Request, token: Optional[str]) -> Optional[MagpieError]:
        """A service that refuses a long body by its head closes the connection while the body is under way, and then
        its answer can be lost. The same head with an empty body is answered alike, and takes nothing in."""
        if asked.body is None or asked.body.whole is not None:
            return None
        came: Union[httpx.Response, MagpieError] = await self._once(core.without_body(asked), token)
        return came if isinstance(came, MagpieError) and came.status in core.BY_HEAD else None

    @asynccontextmanager
    async def _stream(self, asked: core.Request) -> AsyncIterator[httpx.Response]:
        response = await self._send(asked, stream=True)
        try:
            yield response
        finally:
            await response.aclose()
