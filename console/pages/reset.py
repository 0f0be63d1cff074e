"""Setting a password with a link from the person who runs the server."""

from aiohttp import web

from local_cloud.errors import ApiError

from ..passwords import check_again
from ..responses import redirect
from ..routing import Route
from ..visits import Visit


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
        error=visit.texts.of_error(error.status, error.message) if error else "",
    )


ROUTES = (
    Route("GET", "/reset", show, needs_account=False),
    Route("POST", "/reset", reset, needs_account=False),
)
