"""The account of who is signed in: its password, and who is signed in to it."""

from aiohttp import web

from local_cloud.errors import ApiError

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
    email, new = visit.signed_in.user.email, form.get("new_password", "")
    response = redirect("/account?done=password")
    try:
        check_again(new, form)
        await visit.call(
            "POST",
            "/v1/user/resetpassword/",
            {
                "email": email,
                "password": form.get("password", ""),
                "new_password": new,
            },
        )
        await visit.sessions.begin(visit.http, response, email, new)
    except ApiError as error:
        return await _page(
            visit,
            status=error.status,
            error=visit.texts.of_error(error.status, error.message),
        )
    return response


async def revoke(visit: Visit) -> web.StreamResponse:
    """Sign out another browser, or take a program its key."""
    form = await visit.form()
    number = form.get("key", "")
    if not (number.isascii() and number.isdecimal()):
        raise ApiError(400, "which key is not said")
    await visit.call("DELETE", "/v1/keys/", {"keys": [{"id": int(number)}]})
    return redirect("/account?done=revoked")


async def _page(
    visit: Visit, *, status: int = 200, error: str = ""
) -> web.StreamResponse:
    # The page of somebody whose session has just ended would tell of it only at the next click.
    keys = (await visit.call("GET", "/v1/keys/"))["keys"]
    return visit.page(
        "account.html",
        status=status,
        error=error,
        keys=[key for key in keys if key["scope"] == 1],
        own_key=visit.signed_in.key,
        session_key=SESSION_KEY,
    )


ROUTES = (
    Route("GET", "/account", show),
    Route("POST", "/account/password", change_password),
    Route("POST", "/account/revoke", revoke),
)
