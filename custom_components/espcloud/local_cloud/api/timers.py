"""A device's timers, which the device runs itself (protocol.md §2.9, §3.6)."""

from collections.abc import Iterator
from contextlib import suppress

from ..access import ANY_DEVICE_KEY, MASTER_OR_OWNER, Access
from ..delivery import Delivery
from ..errors import ApiError, bad_request
from ..fields import read_integer, read_objects
from ..models import Device, Key, Timer, render
from ..quotas import MAX_TIMERS, Quotas
from ..request import Answer, Request
from ..router import Route
from ..store import Store
from ..timer_plans import MAX_ENTRIES, plan_entries, read_plan
from ..timer_watch import TimerWatch
from ..times import local_time, zone_name
from ..wire import JsonObject

_PATH = "/v1/device/timers/"


class TimerApi:
    """Users write timers, devices fetch them."""

    def __init__(
        self,
        store: Store,
        access: Access,
        delivery: Delivery,
        watch: TimerWatch,
        quotas: Quotas,
    ) -> None:
        """Keep timers in `store`, and tell devices of changes through `delivery` and `watch`."""
        self._store = store
        self._access = access
        self._delivery = delivery
        self._watch = watch
        self._quotas = quotas

    def routes(self) -> Iterator[Route]:
        """Return the paths of this family."""
        device = self._access.device
        yield Route(("GET",), _PATH, device(ANY_DEVICE_KEY, self._list))
        yield Route(("POST",), _PATH, device(MASTER_OR_OWNER, self._add))
        yield Route(("PUT",), _PATH, device(MASTER_OR_OWNER, self._change))
        yield Route(("DELETE",), _PATH, device(MASTER_OR_OWNER, self._delete))

    def _list(self, request: Request, device: Device, key: Key) -> JsonObject:
        """List the timers: in full, or as the one text that firmware reads."""
        timers = list(self._store.timers_of(device).values())
        if request.query.get("is_humanize_format_simple", "").lower() == "true":
            return self._for_device(request, device)
        return {"status": 200, "timers": [_render(timer, request) for timer in timers]}

    def _for_device(self, request: Request, device: Device) -> JsonObject:
        """Answer firmware: `timestamp` is followed by a member, as it has to be."""
        now = self._store.context.now()
        local = local_time(now, request.time_zone)
        return {
            "now": local.isoformat(" ")[:19],
            "status": 200,
            "timers": self._watch.give(device, request.link),
            "timestamp": now,
            "weekday": local.isoweekday() % 7,
        }

    # What changes the timers does so in the turn in which the key was checked: in a later one there
    # may be no such device.

    def _add(self, request: Request, device: Device, key: Key) -> Answer:
        """Add timers; each gets its id in the answer."""
        plans = [
            read_plan(entry)
            for entry in read_objects(request.body, "timers", limit=MAX_TIMERS)
        ]
        zone = zone_name(request.time_zone)
        kept = [
            (timer.plan, timer.zone) for timer in self._store.timers_of(device).values()
        ]
        self._refuse_too_many(kept + [(plan, zone) for plan in plans])
        self._drop_fired(device, len(plans))
        self._quotas.check_timers(device, len(plans))
        timers = [self._store.add_timer(device, plan, zone) for plan in plans]
        return self._changed(request, device, timers)

    def _change(self, request: Request, device: Device, key: Key) -> Answer:
        """Replace the plans of timers."""
        changes = {
            timer.id: (timer, read_plan(entry))
            for timer, entry in self._entries(request, device)
        }
        zone = zone_name(request.time_zone)
        kept = [
            (timer.plan, timer.zone)
            for timer in self._store.timers_of(device).values()
            if timer.id not in changes
        ]
        self._refuse_too_many(kept + [(plan, zone) for _, plan in changes.values()])
        for timer, plan in changes.values():
            timer.plan, timer.zone = plan, zone
            timer.updated = self._store.context.now()
            self._store.context.changed(timer)
        return self._changed(request, device, [timer for timer, _ in changes.values()])

    def _delete(self, request: Request, device: Device, key: Key) -> Answer:
        """Remove timers."""
        timers = {timer.id: timer for timer, _ in self._entries(request, device)}
        for timer in timers.values():
            self._store.remove_timer(timer)
        return self._changed(request, device, [])

    async def _changed(
        self, request: Request, device: Device, timers: list[Timer]
    ) -> JsonObject:
        """Tell the device, where asked to, and answer.

        The device fetches the list itself, now or when it connects next; so one that is away or
        does not acknowledge is no reason to say that the change failed.
        """
        if request.deliver:
            with suppress(ApiError):
                await self._delivery.deliver(request, device)
        return {"status": 200, "timers": [_render(timer, request) for timer in timers]}

    def _entries(
        self, request: Request, device: Device
    ) -> list[tuple[Timer, JsonObject]]:
        """Return the timers that the request names, each with its entry."""
        timers = self._store.timers_of(device)
        found = []
        for entry in read_objects(request.body, "timers", limit=MAX_TIMERS):
            timer = timers.get(read_integer(entry, "id"))
            if timer is None:
                raise ApiError(404, "timer not exists")
            found.append((timer, entry))
        return found

    def _refuse_too_many(self, plans: list[tuple[JsonObject, str]]) -> None:
        now = self._store.context.now()
        count = sum(len(plan_entries(plan, zone, now)) for plan, zone in plans)
        if count > MAX_ENTRIES:
            raise bad_request(
                f"a device holds {MAX_ENTRIES} timer entries, and this would be {count}: "
                "each time of a day of the week is one; delete some"
            )

    def _drop_fired(self, device: Device, more: int) -> None:
        """Make room with timers that never fire again, the oldest first."""
        timers = list(self._store.timers_of(device).values())
        now = self._store.context.now()
        fired = [
            timer for timer in timers if not plan_entries(timer.plan, timer.zone, now)
        ]
        for timer in fired[: max(len(timers) + more - MAX_TIMERS, 0)]:
            self._store.remove_timer(timer)


def _render(timer: Timer, request: Request) -> JsonObject:
    """Return a timer as its user wrote it, with the zone of its times."""
    return render(timer, request.times) | timer.plan | {"time_zone": timer.zone}
