"""The account of who is signed in: its password, and who is signed in to it."""

from aiohttp import web

from local_cloud.errors import ApiError

from .. import keys
from ..passwords import check_again
from ..responses import redirect
from ..routing import Route
from ..sessions import SESSION_KEY
from ..visits import Visit


async def show(visit: Visit) -> web.StreamResponse:
    """Show the account."""
    return await _page(visit)


async def change_password(visit: Visit) -> web.StreamResponse:
    """Replace the password; every other session ends with the old one."""
    form = await visit.form()
    session, new = visit.signed_in, form.get("new_password", "")
    response = redirect("/account?done=password")
    try:
        check_again(new, form)
        await visit.cloud.replace_password(
            session.user,
            form.get("password", ""),
            new,
            peer=visit.http.remote or "",
            token=session.key,
        )
        await visit.sessions.begin(visit.http, response, session.user.email, new)
    except ApiError as error:
        return await _page(visit, error)
    return response


async def revoke(visit: Visit) -> web.StreamResponse:
    """Sign out another browser, or take a program its key."""
    await keys.revoke(visit, await visit.form())
    return redirect("/account?done=revoked")


async def _page(visit: Visit, error: ApiError | None = None) -> web.StreamResponse:
    found = (await visit.call("GET", "/v1/keys/"))["keys"]
    return visit.page(
        "account.html",
        status=error.status if error else 200,
        error=visit.told(error),
        keys=[key for key in found if key["scope"] == 1],
        own_key=visit.signed_in.key,
        session_key=SESSION_KEY,
    )


ROUTES = (
    Route("GET", "/account", show),
    Route("POST", "/account/password", change_password),
    Route("POST", "/account/revoke", revoke),
)
