"""A forgotten password: the person who runs the server hands a link on, with which to set another."""

from aiohttp import web

from local_cloud.errors import ApiError

from ..passwords import check_again
from ..responses import redirect
from ..routing import Route
from ..visits import Visit


async def show_forgotten(visit: Visit) -> web.StreamResponse:
    """Show the form of somebody who has forgotten the password."""
    return visit.page("forgotten.html", email="", error="", is_asked=False)


async def forgotten(visit: Visit) -> web.StreamResponse:
    """Have a link made, which the person who runs the server hands on.

    What the page says is the same whether there is such an account or not.
    """
    email = (await visit.form()).get("email", "").strip()
    try:
        await visit.call("POST", "/v1/user/resetpassword/mail/", {"email": email})
    except ApiError as error:
        return visit.page(
            "forgotten.html",
            status=error.status,
            email=email,
            error=visit.told(error),
            is_asked=False,
        )
    return visit.page("forgotten.html", email=email, error="", is_asked=True)


async def show(visit: Visit) -> web.StreamResponse:
    """Show the form; whether the link is good shows when it is used."""
    return _page(visit, visit.query.get("token", ""))


async def reset(visit: Visit) -> web.StreamResponse:
    """Set the password, which ends all sessions of the account, and begin a new one."""
    form = await visit.form()
    token, password = form.get("token", ""), form.get("password", "")
    response = redirect("/devices?done=password")
    try:
        check_again(password, form)
        user = await visit.cloud.reset_password(
            token, password, visit.http.remote or ""
        )
        await visit.sessions.begin(visit.http, response, user.email, password)
    except ApiError as error:
        return _page(visit, token, error)
    return response


def _page(visit: Visit, token: str, error: ApiError | None = None) -> web.Response:
    return visit.page(
        "reset.html",
        status=error.status if error else 200,
        token=token,
        error=visit.told(error),
    )


ROUTES = (
    Route("GET", "/forgotten", show_forgotten, needs_account=False),
    Route("POST", "/forgotten", forgotten, needs_account=False),
    Route("GET", "/reset", show, needs_account=False),
    Route("POST", "/reset", reset, needs_account=False),
)
