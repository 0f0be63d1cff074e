"""Devices with keys that nobody knows: who runs the server sees them, and takes them in."""

from functools import partial

from aiohttp import web

from local_cloud.device_types import PTYPES
from local_cloud.errors import ApiError
from local_cloud.listeners import Event, PendingAppeared, PendingChanged, PendingGone
from local_cloud.pending_device import PendingDevice

from ..events import Send
from ..fields import read_name, read_ptype
from ..pending_handles import handle_of, listed, pending_of
from ..responses import redirect
from ..routing import Route
from ..visits import Visit


async def show(visit: Visit) -> web.StreamResponse:
    """Show those that wait now, on a page that keeps itself up to date."""
    return visit.page("pending.html", waiting=listed(visit))


async def show_list(visit: Visit) -> web.StreamResponse:
    """Show the list alone."""
    return visit.page("pending_list.html", waiting=listed(visit))


async def stream(visit: Visit) -> web.StreamResponse:
    """Tell when the list has changed."""
    return await visit.events.follow(visit, partial(_tell, visit))


async def show_one(visit: Visit, handle: str) -> web.StreamResponse:
    """Show what is known of one of them, and the form that takes it in."""
    return _one(visit, pending_of(visit, handle))


async def adopt(visit: Visit, handle: str) -> web.StreamResponse:
    """Take it in with its key, as a device of the operator's account; it comes back by itself."""
    form = await visit.form()
    pending = pending_of(visit, handle)
    try:
        device = visit.cloud.operator.adopt(
            pending, visit.signed_in.user, read_name(form), read_ptype(form)
        )
    except ApiError as error:
        return _one(visit, pending, form, error)
    await visit.cloud.flush()
    return redirect(f"/devices/{device.id}?done=adopted")


def _one(
    visit: Visit,
    pending: PendingDevice,
    form: dict[str, str] | None = None,
    error: ApiError | None = None,
) -> web.StreamResponse:
    texts = visit.texts
    kinds = {name: texts(f"kind.{name}") for name in PTYPES}
    ptype = pending.ptype
    guess = next((name for name in PTYPES if PTYPES[name] == ptype), "")
    if not guess and ptype is not None:
        guess = "other"
    return visit.page(
        "pending_device.html",
        status=error.status if error else 200,
        handle=handle_of(pending),
        pending=pending,
        kinds=kinds,
        form=form
        or {
            "name": kinds.get(guess, ""),
            "kind": guess,
            "ptype": str(ptype) if guess == "other" else "",
        },
        error=visit.told(error),
    )


def _tell(visit: Visit, send: Send, event: Event) -> None:
    is_pending = isinstance(event, PendingAppeared | PendingChanged | PendingGone)
    if is_pending and visit.is_operator:  # somebody else may be by now
        send("changed", {})


_PENDING = "/pending/{handle}"
ROUTES = (
    Route("GET", "/pending", show, is_for_operator=True),
    Route("GET", "/pending/list", show_list, is_for_operator=True),
    Route("GET", "/pending/events", stream, is_for_operator=True),
    Route("GET", _PENDING, show_one, is_for_operator=True),
    Route("POST", _PENDING, adopt, is_for_operator=True),
)
