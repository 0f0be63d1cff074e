"""Invitations, and links to set a password, from the person who runs the server; each is shown once."""

from urllib.parse import urlencode

from aiohttp import web

from local_cloud.errors import ApiError

from ..fields import read_id, read_number
from ..own_address import site_url
from ..responses import redirect
from ..routing import Route
from ..visits import Visit


async def invite(visit: Visit) -> web.StreamResponse:
    """Make an invitation for one account, and show its link."""
    form = await visit.form()
    _, token = visit.cloud.operator.invite(
        form.get("note", "").strip(), read_number(form.get("days", ""), 1, 365)
    )
    await visit.cloud.flush()
    return _link(visit, "invitation", "/sign-up", {"invitation": token})


async def revoke(visit: Visit) -> web.StreamResponse:
    """Make an invitation worthless."""
    form = await visit.form()
    visit.cloud.operator.revoke_invitation(read_id(form, "id"))
    await visit.cloud.flush()
    return redirect("/server?done=uninvited")


async def reset(visit: Visit) -> web.StreamResponse:
    """Make a link with which somebody sets a password that was forgotten, and show it."""
    form = await visit.form()
    user = visit.cloud.store.users.get(read_id(form, "account"))
    if user is None:
        raise ApiError(404, "account not exists")
    token = visit.cloud.operator.password_reset(user)
    await visit.cloud.flush()
    return _link(visit, "reset", "/reset", {"token": token}, user.email)


def _link(
    visit: Visit, kind: str, path: str, query: dict[str, str], email: str = ""
) -> web.StreamResponse:
    # Nothing keeps it: it is neither stored nor in an address to come back to.
    base = site_url(visit.cloud.hosts, visit.http)
    response = visit.page(
        "server_link.html",
        kind=kind,
        link=f"{base}{path}?{urlencode(query)}",
        email=email,
    )
    response.headers["Cache-Control"] = "no-store"
    return response


ROUTES = (
    Route("POST", "/server/invite", invite, is_for_operator=True),
    Route("POST", "/server/revoke", revoke, is_for_operator=True),
    Route("POST", "/server/reset", reset, is_for_operator=True),
)
