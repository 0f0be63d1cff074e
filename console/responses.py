"""Answers that are no pages, and the headers of all."""

from typing import TYPE_CHECKING
from urllib.parse import quote

from aiohttp import web

from local_cloud.wire import JsonObject, encode

if TYPE_CHECKING:
    from .visits import Visit

_HEADERS = {
    # Scripts, styles and requests of this site alone; nothing inline.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def secured(response: web.StreamResponse) -> web.StreamResponse:
    """Return the answer with the headers that every answer has."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def json_response(value: JsonObject, *, status: int = 200) -> web.Response:
    """Return JSON for a script of this site."""
    return web.Response(
        body=encode(value),
        status=status,
        headers={"Content-Type": "application/json; charset=utf-8"},
    )


def redirect(path: str) -> web.Response:
    """Send the browser to another page of this site, which it asks for with GET."""
    return web.Response(status=303, headers={"Location": path})


def to_sign_in(visit: Visit) -> web.Response:
    """Send who is not signed in to the sign-in, and from there back to the page."""
    if visit.is_script:
        return visit.error(401)
    wanted = visit.http.path if visit.http.method == "GET" else "/"
    return redirect("/sign-in" if wanted == "/" else f"/sign-in?next={quote(wanted)}")


def path_within(text: str) -> str:
    """Return a path that somebody's link named, `/` where it may lead to another site."""
    is_safe = (
        text.startswith("/")
        and not text.startswith(("//", "/\\"))
        and text.isprintable()
        and "\\" not in text
    )
    return text if is_safe else "/"
