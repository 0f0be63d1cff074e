"""A device's timers: told in words, made, changed and deleted.

The device runs them by itself. It fetches them when it is told of a change, or else when it connects.
"""

from collections.abc import Mapping

from aiohttp import web

from local_cloud.errors import ApiError
from local_cloud.models import Timer
from local_cloud.timer_plans import MAX_ENTRIES, plan_entries
from local_cloud.wire import JsonObject

from ..holdings import Holding, holding, owned
from ..responses import redirect
from ..routing import Route
from ..tabs import tab
from ..timer_form import PERIODS, fields_of, has_sockets, read_plan, read_zone, verbs
from ..timer_words import SOCKETS, sentences
from ..visits import Visit

_DELIVER = {"deliver_to_device": "true", "is_humanize_format": "true"}
_NEW = {"type": "LOOP_IN_WEEK", "verb": "on", "count": "5", "period": "minute"}
"""The fields of a form that nobody has filled in."""


async def show(visit: Visit, number: int) -> web.StreamResponse:
    """Show the timers, and to the owner the form for one more."""
    return _list(visit, holding(visit, number), _NEW)


async def make(visit: Visit, number: int) -> web.StreamResponse:
    """Make a timer."""
    form = await visit.form()
    found = owned(visit, number)
    try:
        plan = read_plan(form, found.device.ptype, _now(visit))
        await _send(visit, found, "POST", plan, read_zone(form))
    except ApiError as error:
        return _list(visit, found, form, error)
    return redirect(f"/devices/{number}/timers?done=timer_made")


async def show_one(visit: Visit, number: int, timer: int) -> web.StreamResponse:
    """Show the form of a timer that there is, its times in the zone that they were written in."""
    found = owned(visit, number)
    kept = _timer(visit, found, timer)
    fields = fields_of(kept.plan, found.device.ptype)
    if fields is None:
        raise ApiError(400, "a timer of several moments is not changed here")
    return _one(visit, found, kept, {**_NEW, "zone": kept.zone, **fields})


async def change(visit: Visit, number: int, timer: int) -> web.StreamResponse:
    """Replace the plan of a timer."""
    form = await visit.form()
    found = owned(visit, number)
    kept = _timer(visit, found, timer)
    try:
        plan = read_plan(form, found.device.ptype, _now(visit))
        await _send(visit, found, "PUT", {"id": timer, **plan}, read_zone(form))
    except ApiError as error:
        return _one(visit, found, kept, form, error)
    return redirect(f"/devices/{number}/timers?done=timer_changed")


async def delete(visit: Visit, number: int, timer: int) -> web.StreamResponse:
    """Delete a timer."""
    await visit.form()
    await _send(visit, owned(visit, number), "DELETE", {"id": timer}, "UTC")
    return redirect(f"/devices/{number}/timers?done=timer_deleted")


async def _send(
    visit: Visit, found: Holding, method: str, timer: JsonObject, zone: str
) -> None:
    await visit.call(
        method,
        "/v1/device/timers/",
        {"timers": [timer]},
        key=found.token,
        query=_DELIVER,
        time_zone=zone,
    )


def _list(
    visit: Visit,
    found: Holding,
    form: Mapping[str, str],
    error: ApiError | None = None,
) -> web.StreamResponse:
    now = _now(visit)
    timers = []
    used = 0
    for each in visit.cloud.store.timers_of(found.device).values():
        entries = len(plan_entries(each.plan, each.zone, now))
        used += entries
        timers.append(
            {
                "id": each.id,
                "zone": each.zone if each.plan["type"] != "LOOP_PERIOD" else "",
                "sentences": sentences(each.plan, visit.texts),
                "is_over": not entries,
                "fits_form": fields_of(each.plan, found.device.ptype) is not None,
            }
        )
    return visit.page(
        "timers.html",
        status=error.status if error else 200,
        **tab(visit, found, "timers"),
        timers=timers,
        used=used,
        most=MAX_ENTRIES,
        **_form(visit, found, form, error),
    )


def _one(
    visit: Visit,
    found: Holding,
    timer: Timer,
    form: Mapping[str, str],
    error: ApiError | None = None,
) -> web.StreamResponse:
    return visit.page(
        "timer.html",
        status=error.status if error else 200,
        **tab(visit, found, "timers"),
        timer=timer,
        **_form(visit, found, form, error),
    )


def _form(
    visit: Visit, found: Holding, form: Mapping[str, str], error: ApiError | None
) -> dict[str, object]:
    """Return what the template of the form needs."""
    ptype = found.device.ptype
    return {
        "form": form,
        "error": visit.told(error),
        "periods": PERIODS,
        "verbs": verbs(ptype),
        "sockets": range(1, SOCKETS + 1) if has_sockets(ptype) else (),
    }


def _timer(visit: Visit, found: Holding, number: int) -> Timer:
    timer = visit.cloud.store.timers_of(found.device).get(number)
    if timer is None:
        raise ApiError(404, "timer not exists")
    return timer


def _now(visit: Visit) -> int:
    return visit.cloud.store.context.now()


_TIMERS = "/devices/{number:number}/timers"
_TIMER = f"{_TIMERS}/{{timer:number}}"
ROUTES = (
    Route("GET", _TIMERS, show),
    Route("POST", _TIMERS, make),
    Route("GET", _TIMER, show_one),
    Route("POST", _TIMER, change),
    Route("POST", f"{_TIMER}/delete", delete),
)
