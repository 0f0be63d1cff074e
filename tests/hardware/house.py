"""Simulated devices of an account, with power or without."""

from contextlib import AsyncExitStack
import time
from types import TracebackType
from typing import Any, Self
from unittest.mock import patch

from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.espcloud import missing
from custom_components.espcloud.coordinator import EspCloudCoordinator
from custom_components.espcloud.freshness import LOOK_AGAIN
from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device, User
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from tests.common import account_entry, http, let_time_pass
from tests.firmware import kinds
from tests.firmware.clock import ManualClock
from tests.local_cloud.helpers import until


class House:
    """Devices at the cloud, each with the simulated firmware that is it.

    Attributes:
        simulated: the firmware, by the names of the devices.
        devices: what the cloud has of them.
        clock: what lights fade by.
        entry: the account, once it is set up.
    """

    def __init__(self, hass: HomeAssistant, cloud: LocalCloud, user: User) -> None:
        """Begin empty."""
        self.simulated: dict[str, Any] = {}
        self.devices: dict[str, Device] = {}
        self.clock = ManualClock()
        self.entry: MockConfigEntry
        self._hass = hass
        self._cloud = cloud
        self._user = user
        self._passed = 0.0
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Nothing has power yet."""
        self._stack.enter_context(
            patch.object(
                self._cloud.store.context, "clock", lambda: time.time() + self._passed
            )
        )
        self._stack.enter_context(
            patch.object(missing, "monotonic", lambda: time.monotonic() + self._passed)
        )
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Switch all devices off."""
        await self._stack.aclose()

    async def add(self, name: str, kind: str, **options: Any) -> Any:
        """Make a device at the cloud and switch it on; return its firmware."""
        cloud = self._cloud
        device = cloud.add_device(name, self._user, ptype=kinds.PTYPES[kind])
        options.setdefault("bssid", f"18:fe:34:00:01:{len(self.devices):02x}")
        if kind.startswith("light"):
            options.setdefault("clock", self.clock)
        address = cloud.device_host, cloud.device_port
        simulated = kinds.make(kind, address, cloud.master_key(device), **options)
        self.devices[name], self.simulated[name] = device, simulated
        await self._stack.enter_async_context(simulated)
        return simulated

    async def wait_online(self, *names: str) -> None:
        """Wait until devices are identified at the cloud."""
        for name in names:
            await self._cloud.wait_online(self.devices[name])

    async def show(self, name: str, kind: str, **options: Any) -> Any:
        """Set the account up with a device that is on-line; return its firmware."""
        simulated = await self.add(name, kind, **options)
        await self.wait_online(name)
        await self.set_up()
        return simulated

    async def wait_posted(self, name: str, *, again: bool = False) -> None:
        """Wait until a sensor has posted; `again` wakes it before it would."""
        simulated = self.simulated[name]
        if again:
            assert await simulated.post() == 200
        await until(lambda: simulated.statuses[-1:] == [200])

    async def wait_settled(self, name: str) -> None:
        """Wait until a light's fade is over and Home Assistant has looked at it again."""
        self.clock.advance(2.0)
        coordinator = self.coordinator(name)
        await let_time_pass(self._hass, coordinator.kind.settles + LOOK_AGAIN)
        assert not coordinator.freshness.is_settling

    async def write(self, name: str, stream: str, datapoint: dict[str, Any]) -> None:
        """Command a device as the phone app does."""
        answer = await http(
            self._cloud,
            "POST",
            f"/v1/datastreams/{stream}/datapoint/",
            self._cloud.owner_key(self.devices[name]),
            query={"deliver_to_device": "true"},
            body={"datapoint": datapoint},
        )
        assert answer["status"] == 200
        self.clock.advance(2.0)

    def pass_time(self, seconds: float) -> None:
        """Let time pass for the cloud, and for whoever waits for a device to come back."""
        self._passed += seconds

    async def back(self, name: str) -> None:
        """Give a device its power back, and have the account read once it is there."""
        device, simulated = self.devices[name], self.simulated[name]
        await self._cloud.wait_offline(device)
        connections = self._cloud.connection_count(device)
        simulated.power_on()
        await self._cloud.wait_online(device, connections=connections + 1)
        await self.refresh()

    async def keep_alive(self, *names: str) -> None:
        """Let plugs say something, so that the cloud has heard of them just now."""
        for name in names:
            answer = await http(
                self._cloud,
                "GET",
                "/v1/datastreams/plug-status/datapoint/",
                self._cloud.owner_key(self.devices[name]),
                query={"deliver_to_device": "true"},
            )
            assert answer["status"] == 200

    async def give_up(self, name: str) -> None:
        """Take a device from the account, as its owner does in the phone app."""
        answer = await http(
            self._cloud,
            "POST",
            "/v1/key/",
            self._cloud.owner_key(self.devices[name]),
            query={"method": "DELETE"},
        )
        assert answer["status"] == 200

    async def refresh(self) -> None:
        """Read the account, as happens every minute."""
        await self.entry.runtime_data.account.async_refresh()

    def names(self) -> set[str | None]:
        """Return what the device registry has."""
        registry = dr.async_get(self._hass)
        return {
            device.name
            for device in dr.async_entries_for_config_entry(
                registry, self.entry.entry_id
            )
        }

    def coordinator(self, name: str) -> EspCloudCoordinator:
        """Return what Home Assistant has of a device."""
        found = self.entry.runtime_data.hardware.coordinators
        coordinator: EspCloudCoordinator = found[self.devices[name].id]
        return coordinator

    async def set_up_with_lamp(self, name: str) -> MockConfigEntry:
        """Set the account up with a lamp that Home Assistant is."""
        lamp = self.devices[name] = self._cloud.add_device(name, self._user)
        self.entry = await account_entry(self._hass, self._cloud, self._user.id, lamp)
        assert await self._hass.config_entries.async_setup(self.entry.entry_id)
        await self._cloud.wait_online(lamp)
        return self.entry

    async def set_up(self, **options: Any) -> MockConfigEntry:
        """Set the account up in Home Assistant."""
        self.entry = await account_entry(self._hass, self._cloud, self._user.id)
        self._hass.config_entries.async_update_entry(self.entry, options=options)
        assert await self._hass.config_entries.async_setup(self.entry.entry_id)
        return self.entry
