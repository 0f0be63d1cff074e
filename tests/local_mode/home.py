"""A Home Assistant that is the cloud, and simulated devices that look for one."""

from contextlib import AsyncExitStack
import hashlib
from types import TracebackType
from typing import Any, Self

from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.espcloud.const import DOMAIN
from custom_components.espcloud.coordinator import EspCloudCoordinator
from custom_components.espcloud.identity import key_hash
from custom_components.espcloud.local_hardware import LocalHardware
from homeassistant.config_entries import SOURCE_INTEGRATION_DISCOVERY
from homeassistant.core import HomeAssistant
from tests.firmware import kinds
from tests.firmware.clock import ManualClock
from tests.local_cloud.helpers import until

HOST = "127.0.0.1"


def new_key(name: str) -> str:
    """Return an invented master key."""
    return hashlib.sha1(name.encode()).hexdigest()


class Home:
    """A house in which Home Assistant is the cloud.

    Attributes:
        port: the device port.
        entry: the cloud's entry, once it is set up.
        simulated: the firmware of the devices, by their names.
        keys: the master keys in their flash.
        clock: what lights fade by.
    """

    def __init__(self, hass: HomeAssistant, port: int) -> None:
        """Begin with nothing."""
        self.port = port
        self.entry: MockConfigEntry
        self.simulated: dict[str, Any] = {}
        self.keys: dict[str, str] = {}
        self.clock = ManualClock()
        self._hass = hass
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

    async def set_up(self, **data: Any) -> MockConfigEntry:
        """Set the cloud up."""
        self.entry = MockConfigEntry(
            domain=DOMAIN,
            title="Local cloud",
            unique_id="local",
            data={"port": self.port, **data},
        )
        self.entry.add_to_hass(self._hass)
        assert await self._hass.config_entries.async_setup(self.entry.entry_id)
        await self._hass.async_block_till_done()
        return self.entry

    async def add(self, name: str, kind: str, **options: Any) -> Any:
        """Switch a device on that has a key of its own; return its firmware."""
        key = self.keys[name] = new_key(name)
        options.setdefault("bssid", f"18:fe:34:00:02:{len(self.simulated):02x}")
        if kind.startswith("light"):
            options.setdefault("clock", self.clock)
        simulated = kinds.make(kind, (HOST, self.port), key, **options)
        self.simulated[name] = simulated
        await self._stack.enter_async_context(simulated)
        return simulated

    def discovered(self, name: str) -> Any | None:
        """Return the dialog that Home Assistant offers for a device, None without one."""
        wanted = key_hash(self.keys[name])
        return next(
            (
                flow
                for flow in self._hass.config_entries.flow.async_progress_by_handler(
                    DOMAIN, match_context={"source": SOURCE_INTEGRATION_DISCOVERY}
                )
                if flow["context"].get("unique_id") == wanted
            ),
            None,
        )

    async def wait_discovered(self, name: str) -> Any:
        """Wait until a device is offered; return its dialog."""
        await until(lambda: self.discovered(name) is not None)
        return self.discovered(name)

    async def confirm(self, name: str, *, kind: str | None = None, **more: Any) -> Any:
        """Confirm a device that is offered, and wait until it is back; return the ending.

        Args:
            name: what it is to be called.
            kind: what it is, None for what it seems to be.
            **more: what is typed into the form after that.
        """
        flow = await self.wait_discovered(name)
        manager = self._hass.config_entries.flow
        form = await manager.async_configure(flow["flow_id"])
        suggested = {
            str(marker): (marker.description or {}).get("suggested_value")
            for marker in form["data_schema"].schema
        }
        result = await manager.async_configure(
            flow["flow_id"], {"kind": kind or suggested["kind"], "name": name}
        )
        if result["type"] == "form":
            assert result["errors"] in (None, {})
            defaults = result["data_schema"]({})
            result = await manager.async_configure(
                flow["flow_id"], {**defaults, **more}
            )
        await self._hass.async_block_till_done()
        return result

    async def take_in(self, name: str, kind: str, **options: Any) -> Any:
        """Add a device and confirm it; return its firmware once it is there."""
        simulated = await self.add(name, kind, **options)
        result = await self.confirm(name)
        assert result["reason"] == "device_taken_in"
        await until(lambda: self.coordinator(name) is not None)
        await self.wait_available(name)
        return simulated

    def coordinator(self, name: str) -> EspCloudCoordinator | None:
        """Return what Home Assistant has of a device, None for nothing."""
        wanted = key_hash(self.keys[name])
        return next(
            (
                each
                for each in self.hardware.coordinators.values()
                if each.unique_id == wanted
            ),
            None,
        )

    async def wait_available(self, name: str, *, is_available: bool = True) -> None:
        """Wait until Home Assistant takes a device for there, or not."""

        def reached() -> bool:
            coordinator = self.coordinator(name)
            return (
                coordinator is not None
                and coordinator.availability.available is is_available
            )

        await until(reached)

    @property
    def hardware(self) -> LocalHardware:
        """The devices of the cloud."""
        hardware = self.entry.runtime_data.hardware
        assert isinstance(hardware, LocalHardware)
        return hardware
