"""Requests that another site has made a browser send are refused.

The session's cookie is `SameSite=Strict`, so such a request comes without it. Beyond that a browser says
where a request comes from, and every form of who is signed in has a token.
"""

from hmac import compare_digest
from urllib.parse import urlsplit

from local_cloud.errors import ApiError

from .routing import Route
from .visits import Visit

_TOKEN_HEADER = "X-Form-Token"
_CHANGES_NOTHING = {"GET"}


def refuse_forged(visit: Visit, route: Route) -> None:
    """Let a request pass that cannot be of another site's making. Raises ApiError 403.

    A form's token is in the header: scripts put it there, and `Visit.form` compares the one in a body.
    """
    if route.method in _CHANGES_NOTHING:
        return
    headers = visit.http.headers
    site = headers.get("Sec-Fetch-Site", "same-origin")
    origin = headers.get("Origin")
    if site != "same-origin" or (
        origin is not None and urlsplit(origin).netloc != visit.http.host
    ):
        raise forged()
    token = headers.get(_TOKEN_HEADER)
    if token is not None and visit.session is not None:
        if not compare_digest(token.encode(), visit.session.form_token.encode()):
            raise forged()
        visit.has_form_token = True


def forged() -> ApiError:
    """Return the refusal."""
    return ApiError(403, "this request was not made on this site: load the page again")
