"""Signing in, signing up and signing out."""

from aiohttp import web

from local_cloud.errors import ApiError
from local_cloud.sign_up import SignUp

from ..passwords import check_again
from ..responses import path_within, redirect
from ..routing import Route
from ..visits import Visit


async def home(visit: Visit) -> web.StreamResponse:
    """Show the devices, or the way to them."""
    if visit.session is not None:
        return redirect("/devices")
    return redirect("/sign-in" if visit.cloud.store.users else "/sign-up")


async def show_sign_in(visit: Visit) -> web.StreamResponse:
    """Show the form."""
    wanted = path_within(visit.query.get("next", "/"))
    if visit.session is not None:
        return redirect(wanted)
    return _sign_in_page(visit, wanted)


async def sign_in(visit: Visit) -> web.StreamResponse:
    """Begin a session, and go where the person wanted to."""
    form = await visit.form()
    email = form.get("email", "").strip()
    wanted = path_within(form.get("next", "/"))
    response = redirect(wanted)
    try:
        await visit.sessions.begin(
            visit.http, response, email, form.get("password", "")
        )
    except ApiError as error:
        # Whether there is such an account is nobody's business who cannot sign in to it.
        is_refused = error.status in {403, 404}
        return _sign_in_page(
            visit,
            wanted,
            status=403 if is_refused else error.status,
            email=email,
            error=visit.texts("sign_in.refused") if is_refused else visit.told(error),
        )
    return response


async def show_sign_up(visit: Visit) -> web.StreamResponse:
    """Show the form. Raises ApiError 403 where nobody may make an account."""
    if visit.cloud.sign_up is SignUp.CLOSED:
        raise ApiError(
            403, "sign-up is closed: ask the person who runs this cloud for an account"
        )
    return _sign_up_page(visit, visit.query.get("invitation", ""))


async def sign_up(visit: Visit) -> web.StreamResponse:
    """Make an account, and begin its first session."""
    form = await visit.form()
    email, password = form.get("email", "").strip(), form.get("password", "")
    invitation = form.get("invitation", "").strip()
    response = redirect("/connect")
    try:
        check_again(password, form)
        await visit.call(
            "POST",
            "/v1/user/join/",
            {"email": email, "password": password, "invitation": invitation},
        )
        await visit.sessions.begin(visit.http, response, email, password)
    except ApiError as error:
        return _sign_up_page(
            visit,
            invitation,
            status=error.status,
            email=email,
            error=visit.told(error),
        )
    return response


async def sign_out(visit: Visit) -> web.StreamResponse:
    """End the session, also for whoever copied its cookie."""
    await visit.form()
    response = redirect("/sign-in")
    # What the browser keeps of the pages goes with the session.
    response.headers["Clear-Site-Data"] = '"cache"'
    await visit.sessions.end(visit.http, response, visit.signed_in)
    return response


def _sign_in_page(
    visit: Visit, wanted: str, *, status: int = 200, email: str = "", error: str = ""
) -> web.Response:
    return visit.page(
        "sign_in.html",
        status=status,
        email=email,
        wanted=wanted,
        error=error,
        may_sign_up=visit.cloud.sign_up is not SignUp.CLOSED,
    )


def _sign_up_page(
    visit: Visit,
    invitation: str,
    *,
    status: int = 200,
    email: str = "",
    error: str = "",
) -> web.Response:
    """The first account is that of the person who runs the server."""
    return visit.page(
        "sign_up.html",
        status=status,
        email=email,
        error=error,
        is_first=not visit.cloud.store.users,
        needs_invitation=visit.cloud.sign_up is SignUp.INVITE,
        invitation=invitation,
    )


ROUTES = (
    Route("GET", "/", home, needs_account=False),
    Route("GET", "/sign-in", show_sign_in, needs_account=False),
    Route("POST", "/sign-in", sign_in, needs_account=False),
    Route("GET", "/sign-up", show_sign_up, needs_account=False),
    Route("POST", "/sign-up", sign_up, needs_account=False),
    Route("POST", "/sign-out", sign_out),
)
