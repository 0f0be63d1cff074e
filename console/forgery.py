"""Requests that another site has made a browser send are refused.

The session's cookie is `SameSite=Strict`, so such a request comes without it. Beyond that a browser says
where a request comes from, and every form of who is signed in has a token.
"""

from urllib.parse import urlsplit

from .routing import Route
from .visits import Visit, forged

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
    if (token := headers.get(_TOKEN_HEADER)) is not None:
        visit.take_token(token)
        visit.check_token()
