"""A Home Assistant with many lamps of a cloud, and a proxy before each of its ports."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
import logging
from typing import Any, Self

import aiohttp
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from yarl import URL

from custom_components.espcloud.cloud import Timing
from custom_components.espcloud.coordinator import EspCloudCoordinator
from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device, User
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_STATE_CHANGED, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from tests.common import (
    account_entry,
    let_time_pass,
    wait_for_coordinator,
    wait_for_state,
)

from .proxy import ChaosProxy

LOGGER = "custom_components.espcloud"


@dataclass(slots=True)
class Proxies:
    """A proxy before each port of a cloud."""

    http: ChaosProxy = field(default_factory=ChaosProxy)
    device: ChaosProxy = field(default_factory=ChaosProxy)

    def lead_to(self, cloud: LocalCloud) -> None:
        """Stand before this cloud."""
        self.http.upstream = URL(cloud.http_url).port or 0
        self.device.upstream = cloud.device_port

    @classmethod
    @asynccontextmanager
    async def of(cls, cloud: LocalCloud) -> AsyncGenerator[Self]:
        """Put proxies before the cloud, for as long as the context lasts."""
        proxies = cls()
        proxies.lead_to(cloud)
        await proxies.http.start()
        await proxies.device.start()
        try:
            yield proxies
        finally:
            await proxies.http.close()
            await proxies.device.close()


@dataclass(slots=True)
class Lamp:
    """One of the lamps, as the cloud and as Home Assistant know it.

    Attributes:
        heard: the commands that automations would have started on, oldest first.
        changes: the states that the light has taken on.
    """

    device: Device
    light: str
    event: str
    heard: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)


class Instance:
    """An account with its lamps, set up in a Home Assistant.

    Attributes:
        cloud: the cloud that is behind the proxies now.
    """

    def __init__(self, cloud: LocalCloud, proxies: Proxies, phone: Phone) -> None:
        """Use `build` instead."""
        self.cloud = cloud
        self.proxies = proxies
        self.phone = phone
        self.lamps: list[Lamp] = []
        self.hass: HomeAssistant
        self.entry: MockConfigEntry

    @classmethod
    async def build(
        cls,
        hass: HomeAssistant,
        cloud: LocalCloud,
        user: User,
        proxies: Proxies,
        phone: Phone,
        size: int,
    ) -> Self:
        """Make `size` lamps, and an account that is not set up yet."""
        instance = cls(cloud, proxies, phone)
        for number in range(size):
            device = cloud.add_device(f"Lamp {number:03}", user)
            name = f"lamp_{number:03}"
            instance.lamps.append(
                Lamp(device, f"light.{name}", f"event.{name}_command")
            )
        instance.hass = hass
        instance.entry = await account_entry(
            hass, cloud, user.id, *(lamp.device for lamp in instance.lamps)
        )
        hass.config_entries.async_update_entry(
            instance.entry,
            data={
                **instance.entry.data,
                "url": f"http://127.0.0.1:{proxies.http.port}",
                "port": proxies.device.port,
            },
        )
        instance.listen(hass)
        return instance

    async def set_up(self) -> None:
        """Set the account up and wait until every lamp is there, and off."""
        assert await self.hass.config_entries.async_setup(self.entry.entry_id)
        await self.all_connected()
        for answer in await self.press_all("LED_OFF"):
            assert answer["status"] == 200
        await self.all_are("off")
        self.forget()

    async def move(self, hass: HomeAssistant) -> None:
        """Set the same account up in another Home Assistant."""
        old = self.entry
        self.hass = hass
        self.entry = MockConfigEntry(
            domain=old.domain,
            title=old.title,
            entry_id=old.entry_id,
            unique_id=old.unique_id,
            data=old.data,
            subentries_data=[each.as_dict() for each in old.subentries.values()],
        )
        self.entry.add_to_hass(hass)
        self.listen(hass)
        await hass.config_entries.async_setup(self.entry.entry_id)

    @property
    def coordinators(self) -> list[EspCloudCoordinator]:
        """The lamps' coordinators."""
        return list(self.entry.runtime_data.virtual.coordinators.values())

    def listen(self, hass: HomeAssistant) -> None:
        """Note what becomes of the lamps in this Home Assistant."""
        by_event = {lamp.event: lamp for lamp in self.lamps}
        by_light = {lamp.light: lamp for lamp in self.lamps}

        @callback
        def changed(event: Event[EventStateChangedData]) -> None:
            old, new = event.data["old_state"], event.data["new_state"]
            entity_id = event.data["entity_id"]
            if new is None or (old is not None and old.state == new.state):
                return
            if (lamp := by_light.get(entity_id)) is not None:
                lamp.changes.append(new.state)
            # What Home Assistant's own trigger `event.received` starts on.
            elif (
                (lamp := by_event.get(entity_id)) is not None
                and old is not None
                and old.state != STATE_UNAVAILABLE
                and new.state not in (STATE_UNAVAILABLE, STATE_UNKNOWN)
            ):
                lamp.heard.append(new.attributes["parameters"].get("n", ""))

        hass.bus.async_listen(EVENT_STATE_CHANGED, changed)

    def forget(self) -> None:
        """Forget what became of the lamps so far."""
        for lamp in self.lamps:
            lamp.heard.clear()
            lamp.changes.clear()

    def hurry(self, timing: Timing) -> None:
        """Give the connections to come other deadlines."""
        for coordinator in self.coordinators:
            assert coordinator.backend.session is not None
            coordinator.backend.session._timing = timing

    async def reconnect(self) -> None:
        """Lose every connection and wait until it is back."""
        self.proxies.device.sever()
        await self.all_connected(connected=False)
        await self.all_connected()

    # What people do

    async def press(self, lamp: Lamp, action: str, n: str = "") -> dict[str, Any]:
        """Send a command as the phone app does, and return the cloud's answer."""
        return await self.phone.press(self.cloud, lamp.device, action, n)

    async def press_all(self, action: str, n: str = "") -> list[dict[str, Any]]:
        """Send every lamp a command at once."""
        return await asyncio.gather(
            *(self.press(lamp, action, n) for lamp in self.lamps)
        )

    async def turn(self, lamp: Lamp, service: str) -> None:
        """Press the light in Home Assistant."""
        await self.hass.services.async_call(
            "light", service, {"entity_id": lamp.light}, blocking=True
        )

    # What becomes of it

    def states(self) -> Counter[str]:
        """Count the lights' states."""
        return Counter(
            state.state
            for lamp in self.lamps
            if (state := self.hass.states.get(lamp.light)) is not None
        )

    async def all_are(self, state: str, timeout: float = 10.0) -> None:
        """Wait until every light is in that state."""
        await asyncio.gather(
            *(
                wait_for_state(self.hass, lamp.light, state, timeout)
                for lamp in self.lamps
            )
        )

    async def all_connected(self, *, connected: bool = True) -> None:
        """Wait until every lamp is connected, or none is."""

        def reached(coordinator: EspCloudCoordinator) -> bool:
            return coordinator.availability.connected is connected

        await asyncio.gather(
            *(wait_for_coordinator(each, reached) for each in self.coordinators)
        )

    async def let_time_pass(self, seconds: float) -> None:
        """Let so much time pass, and let the sockets have what it brought about."""
        await let_time_pass(self.hass, seconds)
        # Time is not waited for with a deadline: that would pass, too.
        await asyncio.sleep(0.03)

    async def heal(self, seconds: float = 61) -> None:
        """Let so much time pass, again and again, until every lamp is connected."""
        for _ in range(100):
            await self.let_time_pass(seconds)
            if all(each.availability.connected for each in self.coordinators):
                return
        raise AssertionError("it does not heal")

    async def entry_is(self, state: ConfigEntryState) -> None:
        """Wait until the account's entry is in that state."""
        reached = asyncio.Event()

        def changed() -> None:
            if self.entry.state is state:
                reached.set()

        remove = self.entry.async_on_state_change(changed)
        try:
            changed()
            async with asyncio.timeout(10):
                await reached.wait()
        finally:
            remove()

    async def work(self, n: str = "probe") -> None:
        """Check that every lamp follows a command from outside, each exactly once."""
        self.forget()
        for action, state in (("LED_ON", "on"), ("LED_OFF", "off")):
            for answer in await self.press_all(action, n):
                assert answer["status"] == 200
            await self.all_are(state)
        for lamp in self.lamps:
            assert lamp.heard == [n, n]


class Phone:
    """The app on somebody's phone: it speaks to the cloud, past the proxies."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        """Use this session."""
        self._session = session

    async def press(
        self, cloud: LocalCloud, device: Device, action: str, n: str
    ) -> dict[str, Any]:
        """Send a command and return the answer, or the status 0 where there is none."""
        try:
            # Not GET: aiohttp repeats one whose connection broke.
            async with self._session.post(
                URL(cloud.http_url).with_path("/v1/device/rpc/"),
                params={"deliver_to_device": "true", "action": action, "n": n},
                headers={"Authorization": f"token {cloud.owner_key(device)}"},
            ) as response:
                answer: dict[str, Any] = await response.json(content_type=None)
                return answer
        except aiohttp.ClientError:
            return {"status": 0}


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what the integration said at info level or above."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith(LOGGER) and record.levelno >= logging.INFO
    ]


def said_of(caplog: pytest.LogCaptureFixture, lamps: Iterable[Lamp]) -> list[list[str]]:
    """Return what the integration said of each lamp, without the lamp's name."""
    lines = said(caplog)
    return [
        [line.removeprefix(prefix) for line in lines if line.startswith(prefix)]
        for prefix in (f"{lamp.device.name}: " for lamp in lamps)
    ]
