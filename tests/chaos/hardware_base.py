"""Twenty simulated devices in Home Assistant, whoever their cloud is."""

from abc import ABC, abstractmethod
import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.espcloud.coordinator import EspCloudCoordinator
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .hardware_orders import explain
from .hardware_things import Command, Thing
from .proxy import ChaosProxy

DELIVERY_TIMEOUT = 0.4
"""Seconds that a device has for its answer."""


async def until(happened: Callable[[], bool], patience: float = 60.0) -> None:
    """Wait for something that has no event."""
    async with asyncio.timeout(patience):
        while not happened():  # noqa: ASYNC110 - as said
            await asyncio.sleep(0.01)


class World(ABC):
    """The devices, and what may happen to them.

    Attributes:
        proxy: what stands between Home Assistant and the far end.
    """

    def __init__(self, hass: HomeAssistant, proxy: ChaosProxy) -> None:
        """Use `begin` to make it."""
        self.hass = hass
        self.proxy = proxy
        self.things: list[Thing] = []
        self.entry: MockConfigEntry
        self._people: list[asyncio.Task[None]] = []
        self._devices = AsyncExitStack()

    @abstractmethod
    def hold_answers(self) -> None:
        """Deliver what is asked, and nothing of what is answered."""

    @abstractmethod
    async def begin(self) -> None:
        """Set everything up, and wait until every device is known."""

    @abstractmethod
    async def end(self) -> None:
        """Take everything down."""

    # What may happen

    def order(self, thing: Thing, burst: list[Command]) -> None:
        """Give a device some commands at once, when those before are through."""
        thing.queue.put_nowait(burst)

    async def lift(self) -> None:
        """Every fault is over; whatever was under way ends."""
        await self._lift()
        await asyncio.gather(*(thing.queue.join() for thing in self.things))
        for person in self._people:
            if person.done():
                person.result()

    @abstractmethod
    async def _lift(self) -> None:
        """End every fault."""

    # What has to be

    @abstractmethod
    async def settle(self) -> None:
        """Let an interval of polling pass; then every state is right."""

    @abstractmethod
    async def refresh(self) -> None:
        """Read the list of devices anew."""

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

    # How it works

    def _begin_to_follow(self) -> None:
        """Have people from now on who give the commands."""
        for thing in self.things:
            self._people.append(asyncio.create_task(self._follow(thing)))

    async def _dismiss_people(self) -> None:
        for person in self._people:
            person.cancel()
        await asyncio.gather(*self._people, return_exceptions=True)

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
