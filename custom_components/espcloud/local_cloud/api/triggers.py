"""The triggers of a device (protocol.md §2.9)."""

from collections.abc import Iterator

from ..access import ANY_DEVICE_KEY, MASTER_OR_OWNER, Access
from ..errors import ApiError
from ..fields import read_integer, read_object
from ..models import Device, Key, KeyKind, render
from ..quotas import Quotas
from ..request import Request
from ..router import Route
from ..store import Store
from ..trigger_rules import read_rule
from ..triggers import Trigger
from ..wire import JsonObject

_PATH = "/v1/trigger/"


class TriggerApi:
    """Writing and reading triggers; `trigger_watch` looks whether they are met."""

    def __init__(self, store: Store, access: Access, quotas: Quotas) -> None:
        """Keep triggers in `store`."""
        self._store = store
        self._access = access
        self._quotas = quotas

    def routes(self) -> Iterator[Route]:
        """Return the paths of this family."""
        device = self._access.device
        yield Route(("GET",), _PATH, device(ANY_DEVICE_KEY, self._list))
        yield Route(("POST",), _PATH, device(MASTER_OR_OWNER, self._add))
        yield Route(("PUT",), _PATH, device(MASTER_OR_OWNER, self._change))
        yield Route(("DELETE",), _PATH, device(MASTER_OR_OWNER, self._delete))

    def _list(self, request: Request, device: Device, key: Key) -> JsonObject:
        """List the triggers of the device."""
        triggers = self._store.triggers.of(device.id).values()
        return {
            "status": 200,
            "triggers": [_shown(each, request) for each in triggers],
        }

    def _add(self, request: Request, device: Device, key: Key) -> JsonObject:
        """Add a trigger; `trigger.id` of the answer names it."""
        rule = read_rule(read_object(request.body, "trigger"))
        self._quotas.check_triggers(device)
        user_id = 0 if key.kind is KeyKind.MASTER else key.authorized_user_id
        trigger = self._store.triggers.add(device, user_id, rule)
        return {"status": 200, "trigger": _shown(trigger, request)}

    def _change(self, request: Request, device: Device, key: Key) -> JsonObject:
        """Change a trigger: what the request leaves out stays, and what is met is told anew."""
        trigger, entry = self._named(request, device)
        trigger.rule = read_rule({**trigger.rule, **entry})
        trigger.is_met = 0
        trigger.updated = self._store.context.now()
        self._store.context.changed(trigger)
        return {"status": 200, "trigger": _shown(trigger, request)}

    def _delete(self, request: Request, device: Device, key: Key) -> JsonObject:
        """Remove a trigger."""
        trigger, _ = self._named(request, device)
        self._store.triggers.remove(trigger)
        return {"status": 200}

    def _named(self, request: Request, device: Device) -> tuple[Trigger, JsonObject]:
        """Return the trigger that the request names, and what it says of it."""
        entry = read_object(request.body, "trigger")
        trigger = self._store.triggers.of(device.id).get(read_integer(entry, "id"))
        if trigger is None:
            raise ApiError(404, "trigger not exists")
        return trigger, entry


def _shown(trigger: Trigger, request: Request) -> JsonObject:
    return render(trigger, request.times) | trigger.rule
