"""A device's triggers: when the apps are told of a value that is out of line."""

from collections.abc import Mapping

from aiohttp import web

from local_cloud.errors import ApiError
from local_cloud.models import DIMENSIONS
from local_cloud.triggers import Trigger
from local_cloud.wire import JsonObject

from ..holdings import Holding, holding, owned
from ..responses import redirect
from ..routing import Route
from ..tabs import tab
from ..trigger_form import NEW, SCOPES, fields_of, read_rule
from ..trigger_words import FUNCTIONS, SIGNS, SPANS, recipients, sentence
from ..visits import Visit


async def show(visit: Visit, number: int) -> web.StreamResponse:
    """Show the triggers, and to the owner the form for one more."""
    return _list(visit, holding(visit, number), NEW)


async def make(visit: Visit, number: int) -> web.StreamResponse:
    """Make a trigger."""
    form = await visit.form()
    found = owned(visit, number)
    try:
        await _send(visit, found, "POST", read_rule(form))
    except ApiError as error:
        return _list(visit, found, form, error)
    return redirect(f"/devices/{number}/triggers?done=trigger_made")


async def show_one(visit: Visit, number: int, trigger: int) -> web.StreamResponse:
    """Show the form of a trigger that there is."""
    found = owned(visit, number)
    kept = _trigger(visit, found, trigger)
    return _one(visit, found, kept, fields_of(kept.rule))


async def change(visit: Visit, number: int, trigger: int) -> web.StreamResponse:
    """Change a trigger."""
    form = await visit.form()
    found = owned(visit, number)
    kept = _trigger(visit, found, trigger)
    try:
        rule = read_rule(form, kept.rule)
        await _send(visit, found, "PUT", {"id": trigger, **rule})
    except ApiError as error:
        return _one(visit, found, kept, form, error)
    return redirect(f"/devices/{number}/triggers?done=trigger_changed")


async def delete(visit: Visit, number: int, trigger: int) -> web.StreamResponse:
    """Delete a trigger."""
    await visit.form()
    await _send(visit, owned(visit, number), "DELETE", {"id": trigger})
    return redirect(f"/devices/{number}/triggers?done=trigger_deleted")


async def _send(visit: Visit, found: Holding, method: str, trigger: JsonObject) -> None:
    await visit.call(method, "/v1/trigger/", {"trigger": trigger}, key=found.token)


def _list(
    visit: Visit,
    found: Holding,
    form: Mapping[str, str],
    error: ApiError | None = None,
) -> web.StreamResponse:
    return visit.page(
        "triggers.html",
        status=error.status if error else 200,
        **tab(visit, found, "triggers"),
        triggers=[
            {
                "id": each.id,
                "name": each.rule["name"],
                "sentence": sentence(each.rule, visit.texts),
                "tells": recipients(each.rule, visit.texts),
                "is_met": each.is_met,
            }
            for each in visit.cloud.store.triggers.of(found.device.id).values()
        ],
        **_form(visit, found, form, error),
    )


def _one(
    visit: Visit,
    found: Holding,
    trigger: Trigger,
    form: Mapping[str, str],
    error: ApiError | None = None,
) -> web.StreamResponse:
    return visit.page(
        "trigger.html",
        status=error.status if error else 200,
        **tab(visit, found, "triggers"),
        trigger=trigger,
        **_form(visit, found, form, error),
    )


def _form(
    visit: Visit, found: Holding, form: Mapping[str, str], error: ApiError | None
) -> dict[str, object]:
    """Return what the template of the form needs."""
    store = visit.cloud.store
    templates = store.templates_of(found.device.product_id).values()
    streams = {each.name for each in store.streams.of(found.device)}
    return {
        "form": form,
        "error": visit.told(error),
        "streams": sorted(streams | {each.name for each in templates}),
        "dimensions": DIMENSIONS,
        "functions": FUNCTIONS,
        "signs": SIGNS,
        "units": list(SPANS),
        "scopes": SCOPES,
    }


def _trigger(visit: Visit, found: Holding, number: int) -> Trigger:
    trigger = visit.cloud.store.triggers.of(found.device.id).get(number)
    if trigger is None:
        raise ApiError(404, "trigger not exists")
    return trigger


_TRIGGERS = "/devices/{number:number}/triggers"
_TRIGGER = f"{_TRIGGERS}/{{trigger:number}}"
ROUTES = (
    Route("GET", _TRIGGERS, show),
    Route("POST", _TRIGGERS, make),
    Route("GET", _TRIGGER, show_one),
    Route("POST", _TRIGGER, change),
    Route("POST", f"{_TRIGGER}/delete", delete),
)
