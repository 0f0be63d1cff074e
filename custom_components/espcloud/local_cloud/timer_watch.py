"""Telling devices to fetch their timers again when what they were given is no longer true."""

import asyncio

from .delivery import Delivery
from .errors import ApiError
from .models import Device, Timer, render
from .presence import Link, Presence
from .request import make_request
from .store import Store
from .timer_plans import device_text, first_moment, plan_entries
from .times import time_format
from .wire import JsonObject

LATENESS = 3.0
"""Seconds after its time in which a timer still fires: a device's clock may be late, and one that
fetched its timers at that moment would not fire."""
_LONGEST_SLEEP = 3600.0
"""Seconds until a list is looked at again in any case: clocks are set, and summer time begins."""
_AGAIN = 30.0
"""Seconds until a device that was busy is told again."""


class TimerWatch:
    """Watches the lists of those devices that are connected and fetched one.

    A fired FIXEDTIME entry that a device still has stops all its other timers (protocol.md §10), so
    it is told as soon as one has fired. What it holds by week is in Beijing time: where the person's
    zone changes to summer time, it differs from then on.
    """

    def __init__(self, store: Store, delivery: Delivery, presence: Presence) -> None:
        """Compare with `store`, and tell devices through `delivery` while `presence` has them."""
        self._store = store
        self._delivery = delivery
        self._presence = presence
        presence.on_leave = self._forget
        self._given: dict[int, str] = {}
        """What each device was given last."""
        self._looks: dict[int, asyncio.TimerHandle] = {}
        self._tellings: set[asyncio.Task[None]] = set()

    def give(self, device: Device, link: Link | None) -> str:
        """Return the list, and watch it where the device fetches it on the connection it has."""
        text = self._text(device)
        if link is None or self._presence.link(device) is not link:
            return text
        self._forget(device)
        if text:
            self._given[device.id] = text
            self._look_later(device, self._pause(device))
        return text

    async def close(self) -> None:
        """End; nothing is left behind."""
        for look in self._looks.values():
            look.cancel()
        self._looks.clear()
        for telling in self._tellings:
            telling.cancel()
        await asyncio.gather(*self._tellings, return_exceptions=True)

    def _text(self, device: Device) -> str:
        now = self._store.context.now()
        return device_text(self._store.timers_of(device).values(), now)

    def _pause(self, device: Device) -> float:
        """Return in how many seconds the next entry has fired."""
        moment = first_moment(self._given[device.id])
        if moment is None:
            return _LONGEST_SLEEP
        pause = moment + LATENESS - self._store.context.clock()
        return min(max(pause, 0.0), _LONGEST_SLEEP)

    def _look_later(self, device: Device, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self._looks[device.id] = loop.call_later(seconds, self._look, device)

    def _look(self, device: Device) -> None:
        del self._looks[device.id]
        text = self._text(device)
        if text == self._given[device.id]:
            self._look_later(device, self._pause(device))
            return
        telling = asyncio.get_running_loop().create_task(self._tell(device, text))
        self._tellings.add(telling)
        telling.add_done_callback(self._tellings.discard)

    async def _tell(self, device: Device, text: str) -> None:
        """Have the device fetch; one that leaves does so when it comes back."""
        acknowledged = True
        try:
            await self._push(device)
        except ApiError:
            acknowledged = False
        if device.id in self._looks or device.id not in self._given:
            return  # It has fetched meanwhile, or left.
        if acknowledged:
            # It may or may not fetch: it is not told the same twice.
            self._given[device.id] = text
            self._look_later(device, self._pause(device))
        else:
            self._look_later(device, _AGAIN)

    async def _push(self, device: Device) -> None:
        """Push the change in the name of the device: fired timers are gone, others differ."""
        now = self._store.context.now()
        timers = self._store.timers_of(device).values()
        fired: list[JsonObject] = [
            {"id": timer.id}
            for timer in timers
            if not plan_entries(timer.plan, timer.zone, now)
        ]
        master = self._store.keyring.master_key(device)
        request = make_request(
            "DELETE" if fired else "PUT",
            "/v1/device/timers/",
            {},
            {"timers": fired or [_shown(timer) for timer in timers]},
            authorization=f"token {master.token}" if master else None,
            time_zone=None,
            peer="",
        )
        await self._delivery.deliver(request, device)

    def _forget(self, device: Device) -> None:
        self._given.pop(device.id, None)
        if look := self._looks.pop(device.id, None):
            look.cancel()


def _shown(timer: Timer) -> JsonObject:
    return render(timer, time_format(None)) | timer.plan
