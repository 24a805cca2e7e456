"""Who asks: signing in and out, sessions, API keys."""

from __future__ import annotations

from typing import List, Optional, Sequence

from .._core import path_of
from ..errors import Unauthorized
from ..types import ApiKey, ApiKeys, Me, Message, NewApiKey, Session, Sessions, Tokens, User
from ._resource import Resource


class Auth(Resource):
    """Whoever signs in here is who the client asks as from then on."""

    async def setup(self, setup_token: str, username: str, password: str, *, email: Optional[str] = None) -> Tokens:
        """The first account, an administrator's, with the token that `magpie serve` printed."""
        body = {"setup_token": setup_token, "username": username, "password": password, "email": email}
        return await self._sign_in("/api/auth/setup", body)

    async def register(
        self, username: str, password: str, *, email: Optional[str] = None, invite: Optional[str] = None
    ) -> Tokens:
        body = {"username": username, "password": password, "email": email, "invite": invite}
        return await self._sign_in("/api/auth/register", body)

    async def login(self, username: Optional[str] = None, password: str = "", *, email: Optional[str] = None) -> Tokens:
        return await self._sign_in(
            "/api/auth/login", {"username": username, "email": email, "password": password}
        )

    async def _sign_in(self, path: str, body: "dict[str, Optional[str]]") -> Tokens:
        return self._client.take(await self._client.ask(Tokens, "POST", path, json=body, signed_in=False))

    async def refresh(self) -> None:
        """New tokens now; the client does it by itself when the service asks for it."""
        if not await self._client.renew(self._client.access_token):
            raise Unauthorized(401, "Unauthorized", "there is no refresh token, or it is good no more")

    async def logout(self) -> None:
        """Ends this session, and forgets its tokens."""
        await self._client.tell("POST", "/api/auth/logout", json={})
        self._client.access_token = self._client.refresh_token = None

    async def me(self) -> User:
        return (await self._client.ask(Me, "GET", "/api/auth/me"))["user"]

    async def sessions(self) -> List[Session]:
        return (await self._client.ask(Sessions, "GET", "/api/auth/sessions"))["sessions"]

    async def end_session(self, session_id: str) -> None:
        await self._client.tell("DELETE", path_of("/api/auth/sessions/{}", session_id))

    async def change_password(self, old_password: str, new_password: str) -> None:
        """All other sessions end."""
        body = {"old_password": old_password, "new_password": new_password}
        await self._client.tell("POST", "/api/auth/password", json=body)

    async def forgot_password(self, email: str) -> str:
        """Has a mail sent, if there is such an account; nobody learns here whether there is."""
        path = "/api/auth/password/forgot"
        return (await self._client.ask(Message, "POST", path, json={"email": email}, signed_in=False))["message"]

    async def reset_password(self, token: str, new_password: str) -> None:
        body = {"token": token, "new_password": new_password}
        await self._client.tell("POST", "/api/auth/password/reset", json=body, signed_in=False)


class Keys(Resource):
    """API keys of who is signed in."""

    async def list(self) -> List[ApiKey]:
        return (await self._client.ask(ApiKeys, "GET", "/api/keys"))["keys"]

    async def create(self, name: str, scopes: Sequence[str], *, expires_in_s: Optional[int] = None) -> NewApiKey:
        """Its `key` is told this one time."""
        body = {"name": name, "scopes": [*scopes], "expires_in_s": expires_in_s}
        return await self._client.ask(NewApiKey, "POST", "/api/keys", json=body)

    async def delete(self, key_id: int) -> None:
        await self._client.tell("DELETE", path_of("/api/keys/{}", key_id))
