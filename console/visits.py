"""One request of the site, as its pages see it: who asks, in which language, and what they sent."""

from collections.abc import Mapping
from functools import cached_property
from hmac import compare_digest
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from aiohttp import web

from local_cloud import LocalCloud
from local_cloud.errors import ApiError
from local_cloud.site import Connection
from local_cloud.wire import JsonObject, NotAnObjectError, decode

from .events import Events
from .languages import Texts
from .rendering import Renderer
from .replies import accepted
from .responses import json_response
from .sessions import Session, Sessions
from .upgrades import Upgrades

if TYPE_CHECKING:
    from .uploads import Uploads

FORM_TOKEN = "form_token"
"""The name of the field in which a form sends its token along."""
MAX_FORM = 64 << 10
"""Bytes of a form."""
_MAX_FIELDS = 1100
"""Fields of a form: one for each device that an account may have, and some more."""


def forged() -> ApiError:
    """Refuse what another site may have made a browser send."""
    return ApiError(403, "this request was not made on this site: load the page again")


class Visit:
    """A request, and what a page needs to answer it.

    Attributes:
        http: the request itself.
        allow: gives an answer that takes long so many seconds until its next step.
        connection_ended: is set when the browser is gone.
        has_form_token: whether the token of a form was found good.
        texts: what the site says, in the language of this person.
    """

    def __init__(
        self,
        http: web.BaseRequest,
        connection: Connection,
        *,
        cloud: LocalCloud,
        events: Events,
        renderer: Renderer,
        sessions: Sessions,
        texts: Texts,
        uploads: Uploads,
        upgrades: Upgrades,
    ) -> None:
        """Begin."""
        self.http = http
        self.allow = connection.allow
        self.connection_ended = connection.ended
        self.cloud = cloud
        self.events = events
        self.sessions = sessions
        self.texts = texts
        self.uploads = uploads
        self.upgrades = upgrades
        self.has_form_token = False
        self._renderer = renderer

    @cached_property
    def session(self) -> Session | None:
        """The session, None where nobody is signed in."""
        return self.sessions.find(self.http)

    @property
    def signed_in(self) -> Session:
        """The session of a page that needs an account. Raises ApiError 403 where there is none."""
        if self.session is None:
            raise ApiError(403, "nobody is signed in")
        return self.session

    @property
    def is_operator(self) -> bool:
        """Whether it is the person who runs the server."""
        session = self.session
        return session is not None and self.cloud.operator.is_operator(session.user)

    @property
    def is_script(self) -> bool:
        """Whether a script of the site asks, which takes JSON for an answer."""
        return "application/json" in self.http.headers.get("Accept", "")

    @property
    def query(self) -> dict[str, str]:
        """What stands behind the question mark."""
        return dict(
            parse_qsl(self.http.rel_url.raw_query_string, keep_blank_values=True)
        )

    async def call(
        self,
        method: str,
        path: str,
        body: JsonObject | None = None,
        *,
        key: str | None = None,
        query: Mapping[str, str] | None = None,
        time_zone: str = "Epoch",
    ) -> JsonObject:
        """Ask the cloud's API in the name of who is signed in, or with the key of a device.

        Times in the answer are epoch seconds, unless another `time_zone` is named, in which those of
        the body are as well. Raises ApiError where the API refuses.
        """
        if key is None and self.session is not None:
            key = self.session.key
        return accepted(
            await self.cloud.call(
                method,
                path,
                key,
                query,
                body,
                time_zone=time_zone,
                peer=self.http.remote or "",
            )
        )

    async def body(self, limit: int) -> bytes:
        """Return the body of up to `limit` bytes. Raises ApiError 413 for a longer one."""
        body = bytearray()
        async for chunk in self.http.content.iter_any():
            body += chunk
            if len(body) > limit:
                raise ApiError(413, "that is too large")
        return bytes(body)

    async def form(self) -> dict[str, str]:
        """Return the fields of a form.

        Raises ApiError 403 where its token is missing or wrong, and 413 for one that is too large. Who is
        not signed in has no token.
        """
        text = (await self.body(MAX_FORM)).decode("utf-8", "replace")
        try:
            fields = dict(
                parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS)
            )
        except ValueError:
            raise ApiError(413, "that is too large") from None
        self.take_token(fields.pop(FORM_TOKEN, ""))
        self.check_token()
        return {name: value.strip("\r\n\x00") for name, value in fields.items()}

    async def json(self, limit: int = MAX_FORM) -> JsonObject:
        """Return the JSON object that a script sent. Raises ApiError 400, 403 and 413."""
        self.check_token()
        try:
            return decode(await self.body(limit))
        except NotAnObjectError:
            raise ApiError(400, "that is no JSON object") from None

    def take_token(self, token: str) -> None:
        """Note whether the token of a form is good."""
        if self.session is not None and compare_digest(
            token.encode(), self.session.form_token.encode()
        ):
            self.has_form_token = True

    def check_token(self) -> None:
        """Raise ApiError 403 where the token of the form is missing or wrong."""
        if self.session is not None and not self.has_form_token:
            raise forged()

    def told(self, error: ApiError | None) -> str:
        """Return what an error means to this person, nothing where there is none."""
        return self.texts.of_error(error.status, error.message) if error else ""

    def page(self, template: str, *, status: int = 200, **values: Any) -> web.Response:
        """Return a page."""
        return self._renderer.page(self._facts(), template, status=status, **values)

    def error(self, status: int, message: str = "") -> web.Response:
        """Return what tells of an error, as JSON to a script and as a page to a person."""
        text = self.texts.of_error(status, message)
        if self.is_script:
            return json_response({"message": text, "status": status}, status=status)
        return self.page("error.html", status=status, message=text, code=status)

    def _facts(self) -> dict[str, Any]:
        """Return what every template knows."""
        done = f"done.{self.query.get('done', '')}"
        return {
            "done": self.texts.all.get(done, ""),
            "etag_of": self.http.headers.get("If-None-Match", ""),
            "t": self.texts,
            "path": self.http.path,
            "here": self.http.path_qs,
            "session": self.session,
            "form_token": self.session.form_token if self.session else "",
            "is_operator": self.is_operator,
            "version": self.cloud.operator.version,
        }
