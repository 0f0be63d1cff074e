"""Twenty simulated devices on one account, Home Assistant, and a bad network between it and the cloud."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
import time
from typing import Any
from unittest.mock import patch

from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.espcloud.backends import polling
from custom_components.espcloud.coordinator import EspCloudCoordinator
from custom_components.espcloud.local_cloud import LocalCloud
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from tests.common import account_entry
from tests.credentials import EMAIL, PASSWORD
from tests.firmware.connection import Firmware

from .hardware_orders import explain
from .hardware_things import NUMBERS, Command, Thing, make
from .proxy import ChaosProxy

DELIVERY_TIMEOUT = 0.4
ROUNDS = 3
"""Rounds of polling in which a state has to be right: the one in which an outage ends, and the
next for what is asked every second time."""


async def until(happened: Callable[[], bool], patience: float = 60.0) -> None:
    """Wait for something that has no event."""
    async with asyncio.timeout(patience):
        while not happened():  # noqa: ASYNC110 - as said
            await asyncio.sleep(0.01)


class HardwareWorld:
    """The account, its devices, and what may happen to both."""

    def __init__(self, hass: HomeAssistant, state_file: Path) -> None:
        """Use `begin` to make it."""
        self.hass = hass
        self.http = ChaosProxy()
        self.things: list[Thing] = []
        self.cloud: LocalCloud
        self.entry: MockConfigEntry
        self._state_file = state_file
        self._ports: tuple[int | None, int | None] = (None, None)
        self._passed = 0.0
        self._clock: Any = None
        self._people: list[asyncio.Task[None]] = []
        self._devices = AsyncExitStack()

    async def begin(self) -> None:
        """Set everything up, and wait until every device is known."""
        await self._open_cloud()
        user = await self.cloud.add_account(EMAIL, PASSWORD)
        await self.http.start()
        for kind, count in NUMBERS.items():
            for number in range(count):
                thing = make(kind, number, self.cloud, user)
                self.things.append(thing)
                await self._devices.enter_async_context(thing.firmware)
        await until(lambda: all(self._last_active(thing) for thing in self.things))
        self.entry = await account_entry(self.hass, self.cloud, user.id)
        url = f"http://127.0.0.1:{self.http.port}"
        self.hass.config_entries.async_update_entry(
            self.entry, data={**self.entry.data, "url": url}
        )
        assert await self.hass.config_entries.async_setup(self.entry.entry_id)
        await self.settle()
        for thing in self.things:
            self._people.append(asyncio.create_task(self._follow(thing)))

    async def end(self) -> None:
        """Take everything down."""
        for person in self._people:
            person.cancel()
        await asyncio.gather(*self._people, return_exceptions=True)
        if hasattr(self, "entry"):
            await self.hass.config_entries.async_unload(self.entry.entry_id)
        await self._devices.aclose()
        await self.http.close()
        await self._close_cloud()

    # What may happen

    def order(self, thing: Thing, burst: list[Command]) -> None:
        """Give a device some commands at once, when those before are through."""
        thing.queue.put_nowait(burst)

    async def restart_cloud(self) -> None:
        """The cloud goes, with all its connections, and comes back with what it knew."""
        await self._close_cloud()
        await asyncio.sleep(0.02)
        await self._open_cloud()

    async def lift(self) -> None:
        """Every fault is over; whatever was under way ends."""
        self.http.fault, self.http.delay = None, 0.0
        self.http.cut_after(None)
        self.http.thaw()
        await self.http.listen()
        await asyncio.gather(*(thing.queue.join() for thing in self.things))
        for person in self._people:
            if person.done():
                person.result()

    # What has to be

    async def settle(self) -> None:
        """Let an interval of polling pass; then every state is right.

        What is counted are the rounds of questions, not seconds: how busy this machine is
        does not matter.
        """
        await self._are_heard()
        poller = self.entry.runtime_data.account.poller
        await until(lambda: poller._rests_until <= polling.monotonic())
        if poller._tasks:
            # What was asked in the outage ends by its deadline, a third of a real round
            # and five of these.
            await asyncio.wait(set(poller._tasks.values()))
        await self.refresh()
        begin = poller._rounds
        await until(lambda: not self.wrong() or poller._rounds > begin + ROUNDS)
        wrong = self.wrong()
        assert wrong == [], f"{wrong} after {poller._rounds - begin} rounds"

    async def refresh(self) -> None:
        """Read the list, as happens every minute."""
        await self.entry.runtime_data.account.async_refresh()

    def wrong(self) -> list[str]:
        """Return what is not shown as it is."""
        return [thing.name for thing in self.things if not self._is_right(thing)]

    def check(self) -> None:
        """Check that nothing was lost, invented, repeated or confused."""
        for thing in self.things:
            assert not [order for order in thing.orders if order.is_done is None]
            assert explain(thing.orders, thing.did), (
                f"{thing.name} was told {thing.orders} and did {thing.did}"
            )

    def coordinator(self, thing: Thing) -> EspCloudCoordinator | None:
        """Return what Home Assistant has of a device, None for nothing yet."""
        found: dict[int, EspCloudCoordinator] = (
            self.entry.runtime_data.hardware.coordinators
        )
        return found.get(thing.device.id)

    def _is_right(self, thing: Thing) -> bool:
        state = self.hass.states.get(thing.entity_id)
        coordinator = self.coordinator(thing)
        if coordinator is None or state is None or state.state == "unavailable":
            return False
        match thing.kind:
            case "self_made":
                return True
            case "tem_hum":
                return state.state == str(thing.firmware.reading.x)
            case "plug":
                return state.state == ("on" if thing.state else "off")
            case "strip":
                return coordinator.data.mask == thing.state
        if coordinator.freshness.is_settling:
            return False
        # A report of what it is would change nothing.
        kind, known = coordinator.kind, coordinator.data
        report = thing.firmware.appliance.shown
        return bool(kind.apply(known, kind.live or "", report) == known)

    async def _are_heard(self) -> None:
        """Let time pass at the cloud, and every device say something after that."""
        self._passed += 5
        heard = int(self._clock())
        for thing in self.things:
            if isinstance(thing.firmware, Firmware):
                await self.cloud.wait_online(thing.device)
        await until(
            lambda: all(self._last_active(thing) >= heard for thing in self.things)
        )

    def _last_active(self, thing: Thing) -> int:
        return self.cloud.store.devices[thing.device.id].last_active

    # How it works

    async def _follow(self, thing: Thing) -> None:
        while True:
            burst = await thing.queue.get()
            try:
                await self._give(thing, burst)
            finally:
                thing.queue.task_done()

    async def _give(self, thing: Thing, burst: list[Command]) -> None:
        tasks = []
        for service, data, order in burst:
            thing.orders.append(order)
            tasks.append(asyncio.create_task(self._call(service, data)))
        for (_, _, order), task in zip(burst, tasks, strict=True):
            order.is_done = await task

    async def _call(self, service: str, data: dict[str, Any]) -> bool:
        domain, _, name = service.partition(".")
        state = self.hass.states.get(data["entity_id"])
        if state is None or state.state == "unavailable":
            # Home Assistant does nothing then, and says nothing.
            return False
        try:
            await self.hass.services.async_call(domain, name, data, blocking=True)
        except HomeAssistantError:
            return False
        return True

    async def _open_cloud(self) -> None:
        http_port, device_port = self._ports
        self.cloud = LocalCloud(
            http_port=http_port,
            device_port=device_port,
            state_file=self._state_file,
            delivery_timeout=DELIVERY_TIMEOUT,
        )
        self._clock = lambda: time.time() + self._passed
        self._patch = patch.object(self.cloud.store.context, "clock", self._clock)
        self._patch.start()
        await self.cloud.start()
        http = int(self.cloud.http_url.rpartition(":")[2])
        self._ports = http, self.cloud.device_port
        self.http.upstream = http

    async def _close_cloud(self) -> None:
        await self.cloud.close()
        self._patch.stop()
