"""Firmware over the air: a device is told to fetch it, then to run it (protocol.md §3.7)."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from datetime import datetime
from typing import Final

from homeassistant.core import HassJob, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import async_call_later

from .backends.base import FirmwarePortError, OnProgress
from .cloud import CloudDevice, CloudError, RequestRefusedError
from .const import DOMAIN
from .coordinator import EspCloudCoordinator
from .errors import translating
from .owner_requests import async_as_owner

POLL_INTERVAL: Final = 5.0
"""Seconds from one question to the next one, as the app asks."""
MOST_POLLS: Final = 60
"""Questions until it has taken too long: 5 minutes, as the app waits."""


class FirmwareUpgrade:
    """One upgrade of one device."""

    def __init__(
        self,
        coordinator: EspCloudCoordinator,
        version: str,
        on_progress: OnProgress,
    ) -> None:
        """Prepare; `async_run` does it.

        Args:
            coordinator: the device's.
            version: what it is to run.
            on_progress: hears how much the device has fetched, where that is known.
        """
        self._on_progress = on_progress
        self._coordinator = coordinator
        self._account = coordinator.config_entry.runtime_data.account
        self._device_id = coordinator.identity.device_id
        self._version = version
        self._is_cancelled = False
        self._pause: asyncio.Future[None] | None = None

    async def async_run(self) -> None:
        """Upgrade the device, and return when it is back with the new firmware.

        Raises:
            HomeAssistantError: it did not come to that; the text says why.
        """
        hardware = self._coordinator.config_entry.runtime_data.hardware
        upgrading = hardware.upgrading
        upgrading.add(self._device_id)
        try:
            async with AsyncExitStack() as fetching:
                await self._start(fetching)
                fetched = await self._wait_for(
                    lambda device: device.rom_version == self._version,
                    "firmware_not_fetched",
                )
            await self._restart()
            await self._wait_for(
                lambda device: device.last_active > fetched.last_active,
                "firmware_not_running",
            )
        finally:
            upgrading.discard(self._device_id)
        hardware.note_upgraded(self._device_id)
        # That it is back, and what it is now, shows in the list of devices.
        await self._account.async_refresh()

    @callback
    def cancel(self) -> None:
        """Wait no longer: `async_run` ends with an error."""
        self._is_cancelled = True
        self._go_on()

    async def _start(self, fetching: AsyncExitStack) -> None:
        """Have the device fetch the firmware, which is served until `fetching` ends.

        It is asked for anew whether there is any: a device erases what it has before it
        finds out that there is none (protocol.md §10.4).
        """
        coordinator = self._coordinator
        backend = coordinator.backend
        with translating(
            device=coordinator.name, action="sys_upgrade", url=backend.url
        ):
            try:
                await fetching.enter_async_context(
                    backend.serving_firmware(self._version, self._on_progress)
                )
                roms = await self._account.async_as_owner(
                    self._device_id, lambda client, key: client.list_roms(key)
                )
                if not roms.has(self._version):
                    raise self._error("firmware_missing")
                await backend.async_call("sys_upgrade", {"version": self._version})
            except FirmwarePortError as err:
                raise self._error("firmware_port_taken") from err
            except RequestRefusedError as err:
                raise self._error("firmware_missing") from err

    async def _restart(self) -> None:
        """Have the device run what it has fetched.

        Not through the backend: a device that was busy with its flash has been silent, which
        there is as good as away.
        """
        await async_as_owner(
            self._coordinator, "sys_reboot", lambda client, key: client.restart(key)
        )

    async def _wait_for(
        self, is_reached: Callable[[CloudDevice], bool], error_key: str
    ) -> CloudDevice:
        """Ask for the device's record until it is as wanted, and return it."""
        for _ in range(MOST_POLLS):
            await self._wait()
            # Five minutes are long enough for a request to fail.
            with suppress(CloudError):
                device = await self._account.async_as_owner(
                    self._device_id, lambda client, key: client.get_device(key)
                )
                if is_reached(device):
                    return device
        raise self._error(error_key)

    async def _wait(self) -> None:
        if not self._is_cancelled:
            self._pause = asyncio.get_running_loop().create_future()
            cancel_timer = async_call_later(
                self._coordinator.hass,
                POLL_INTERVAL,
                HassJob(self._go_on, cancel_on_shutdown=True),
            )
            try:
                await self._pause
            finally:
                cancel_timer()
        if self._is_cancelled:
            raise self._error("firmware_interrupted")

    @callback
    def _go_on(self, _now: datetime | None = None) -> None:
        if self._pause is not None and not self._pause.done():
            self._pause.set_result(None)

    def _error(self, key: str) -> HomeAssistantError:
        return HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key=key,
            translation_placeholders={
                "device": self._coordinator.name,
                "version": self._version,
            },
        )
