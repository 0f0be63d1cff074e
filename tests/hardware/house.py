"""Simulated devices of an account, with power or without."""

from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.espcloud.coordinator import EspCloudCoordinator
from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device, User
from custom_components.espcloud.second_look import LOOK_AGAIN
from homeassistant.core import HomeAssistant
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
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Nothing has power yet."""
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
        assert not coordinator.second_look.is_pending

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

    def coordinator(self, name: str) -> EspCloudCoordinator:
        """Return what Home Assistant has of a device."""
        found = self.entry.runtime_data.hardware.coordinators
        coordinator: EspCloudCoordinator = found[self.devices[name].id]
        return coordinator

    async def set_up(self, **options: Any) -> MockConfigEntry:
        """Set the account up in Home Assistant."""
        self.entry = await account_entry(self._hass, self._cloud, self._user.id)
        self._hass.config_entries.async_update_entry(self.entry, options=options)
        assert await self._hass.config_entries.async_setup(self.entry.entry_id)
        return self.entry
