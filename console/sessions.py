"""Who is signed in: a session is a user key of the cloud, in a cookie that no script can read.

So it outlives a restart of the server, and ends with the key: after `LIFETIME`, by signing out, by a
new password, and wherever else user keys are revoked. The list of an account's keys has it under the
name `SESSION_KEY`.
"""

from dataclasses import dataclass
import hashlib
import hmac

from aiohttp import web

from local_cloud import LocalCloud
from local_cloud.models import User

LIFETIME = 30 * 86_400
"""Seconds after which a person has to sign in again."""
SESSION_KEY = "web site"
_COOKIE = "local_cloud_session"
_PURPOSE = b"forms of the web site"


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser: its account and its user key."""

    user: User
    key: str

    @property
    def form_token(self) -> str:
        """What every form sends along, and no other site can know."""
        return hmac.new(self.key.encode(), _PURPOSE, hashlib.sha256).hexdigest()


class Sessions:
    """Begins, finds and ends sessions."""

    def __init__(self, cloud: LocalCloud) -> None:
        """Keep them in `cloud`."""
        self._cloud = cloud

    def find(self, http: web.BaseRequest) -> Session | None:
        """Return the session of a request, None where there is none that lives."""
        token = http.cookies.get(_COOKIE, "")
        user = self._cloud.user_of(token) if token else None
        return None if user is None else Session(user, token)

    async def begin(
        self, http: web.BaseRequest, response: web.Response, email: str, password: str
    ) -> None:
        """Sign in, with a cookie in `response`. Raises ApiError 403, 404 and 429 as the API does."""
        key = await self._cloud.sign_in(
            email,
            password,
            peer=http.remote or "",
            name=SESSION_KEY,
            lifetime=LIFETIME,
        )
        await self._cloud.flush()
        response.set_cookie(
            _COOKIE,
            key,
            max_age=LIFETIME,
            httponly=True,
            samesite="Strict",
            secure=http.secure,
        )

    async def end(
        self, http: web.BaseRequest, response: web.Response, session: Session
    ) -> None:
        """Sign out; the key is gone, whoever else may have it."""
        await self._cloud.call("DELETE", "/v1/key/", session.key)
        response.del_cookie(
            _COOKIE, httponly=True, samesite="Strict", secure=http.secure
        )
