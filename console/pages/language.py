"""Choosing the language of the site."""

from aiohttp import web

from ..languages import COOKIE, LANGUAGES
from ..responses import path_within, redirect
from ..routing import Route
from ..visits import Visit

_YEAR = 365 * 86_400


async def choose(visit: Visit) -> web.StreamResponse:
    """Keep the language in a cookie, and show the page again."""
    form = await visit.form()
    response = redirect(path_within(form.get("next", "/")))
    if (language := form.get("language")) in LANGUAGES:
        response.set_cookie(
            COOKIE,
            language,
            max_age=_YEAR,
            httponly=True,
            samesite="Strict",
            secure=visit.http.secure,
        )
    return response


ROUTES = (Route("POST", "/language", choose, needs_account=False),)
