"""What firmware the cloud has for a device (protocol.md §2.10)."""

from collections.abc import Callable

from homeassistant.core import callback

from .cloud import CannotConnectError, CloudError, RateLimitedError, RomVersion
from .coordinator import EspCloudCoordinator


class FirmwareOffer:
    """The newest version for a device, once the cloud has proved to have its files.

    The record of a device alone is no proof, and a device that is sent to fetch what is not
    there has erased half of its flash before it finds out (protocol.md §10.4). The cloud is
    asked once for each version.
    """

    def __init__(
        self, coordinator: EspCloudCoordinator, on_change: Callable[[], None]
    ) -> None:
        """Know of none yet.

        Args:
            coordinator: the device's.
            on_change: called when the offer may be another one.
        """
        self._coordinator = coordinator
        self._on_change = on_change
        self._account = coordinator.config_entry.runtime_data.account
        # The version that was asked for, and what there is of it.
        self._asked = ""
        self._rom: RomVersion | None = None
        self._is_asking = False

    @property
    def version(self) -> str | None:
        """The version that is offered, None for none."""
        if self._rom is not None and self._rom.version == self._newest:
            return self._rom.version
        return None

    @property
    def notes(self) -> str:
        """What its maker says of it, of one or more lines; "" for nothing."""
        return self._rom.notes if self._rom is not None else ""

    @property
    def _newest(self) -> str:
        device = self._coordinator.backend.device
        return device.latest_rom_version if device is not None else ""

    @callback
    def ask(self) -> None:
        """Ask for the newest version, where the device does not run it."""
        device = self._coordinator.backend.device
        if (
            device is None
            or not self._newest
            or self._newest in (self._asked, device.rom_version)
            or self._is_asking
        ):
            return
        self._is_asking = True
        self._coordinator.config_entry.async_create_background_task(
            self._coordinator.hass,
            self._async_ask(self._newest),
            f"ask for the firmware of {self._coordinator.name}",
        )

    async def _async_ask(self, version: str) -> None:
        rom = None
        try:
            await self._account.async_turn()
            roms = await self._account.async_as_owner(
                self._coordinator.identity.device_id,
                lambda client, key: client.list_roms(key),
            )
            if roms.has(version):
                rom = roms.find(version)
        except CannotConnectError, RateLimitedError:
            # The next list of devices is a reason to ask again.
            return
        except CloudError:
            # A server that cannot tell has no files.
            pass
        finally:
            self._is_asking = False
        self._asked, self._rom = version, rom
        self._on_change()
        self.ask()
