"""The firmware of the devices that the account has."""

from typing import Any, override

from homeassistant.components.update import (
    UpdateDeviceClass,
    UpdateEntity,
    UpdateEntityFeature,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import EspCloudConfigEntry, EspCloudCoordinator
from .entity import EspCloudEntity
from .firmware import FirmwareOffer
from .kinds.sensors import SensorKind
from .markdown import escaped
from .upgrade import FirmwareUpgrade

# Each device fetches its own.
PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: EspCloudConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up an update for each device for which the cloud has firmware, now or later."""

    @callback
    def async_add(coordinator: EspCloudCoordinator) -> None:
        # A sensor sleeps: nobody can tell it anything.
        if coordinator.backend.is_virtual or isinstance(coordinator.kind, SensorKind):
            return
        is_added = False

        @callback
        def add_once() -> None:
            nonlocal is_added
            device = coordinator.backend.device
            if not is_added and device is not None and device.latest_rom_version:
                is_added = True
                async_add_entities(
                    [EspCloudFirmware(coordinator)],
                    config_subentry_id=coordinator.registry_subentry_id,
                )

        add_once()
        coordinator.async_on_shutdown(coordinator.async_add_listener(add_once))

    entry.async_on_unload(entry.runtime_data.async_for_each_device(async_add))


class EspCloudFirmware(EspCloudEntity, UpdateEntity):
    """The firmware of a device."""

    _attr_device_class = UpdateDeviceClass.FIRMWARE
    _attr_entity_category = EntityCategory.CONFIG

    def __init__(self, coordinator: EspCloudCoordinator) -> None:
        """Attach to the device."""
        super().__init__(coordinator, "firmware")
        self._offer = FirmwareOffer(coordinator, self.async_write_ha_state)
        self._upgrade: FirmwareUpgrade | None = None
        self._upgraded_from: str | None = None
        self._percentage: int | None = None

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the device, and the account, which may be reached again."""
        await super().async_added_to_hass()
        account = self.coordinator.config_entry.runtime_data.account
        self.async_on_remove(account.async_listen(self._offer.ask))
        self.async_on_remove(self._cancel)
        self.coordinator.async_on_shutdown(self._cancel)
        self._offer.ask()

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Ask for the files of a version that is new."""
        self._offer.ask()
        super()._handle_coordinator_update()

    @property
    @override
    def available(self) -> bool:
        """Whether the device is connected; when it restarts, that is part of the update."""
        return super().available or self._upgrade is not None

    @property
    @override
    def installed_version(self) -> str | None:
        """The firmware that it runs: not yet what it has only fetched."""
        if self._upgrade is not None:
            return self._upgraded_from
        device = self.coordinator.backend.device
        return (device.rom_version or None) if device is not None else None

    @property
    @override
    def latest_version(self) -> str | None:
        """The newest version where there are files of it, else the one that it runs."""
        return self._offer.version or self.installed_version

    @override
    def version_is_newer(self, latest_version: str, installed_version: str) -> bool:
        """Take whatever the server calls the latest for newer than any other.

        What makers put there is in no order that could be relied on: `v1.0.6t23701(a)`
        beside `b1.0.0t23701(a)`, "V1.0". Home Assistant asks only where they differ.
        """
        return True

    @property
    @override
    def supported_features(self) -> UpdateEntityFeature:
        """It can be installed; not all firmware has notes."""
        features = UpdateEntityFeature.INSTALL | UpdateEntityFeature.PROGRESS
        if self._offer.notes:
            features |= UpdateEntityFeature.RELEASE_NOTES
        return features

    @property
    @override
    def in_progress(self) -> bool:
        """Whether it is being installed."""
        return self._upgrade is not None

    @property
    @override
    def update_percentage(self) -> int | None:
        """How much of it the device has fetched; only the server that serves it knows."""
        return self._percentage if self._upgrade is not None else None

    @override
    async def async_release_notes(self) -> str | None:
        """Return what its maker says of the version, as it was written."""
        return escaped(self._offer.notes)

    @override
    async def async_install(
        self, version: str | None, backup: bool, **kwargs: Any
    ) -> None:
        """Install the newest version, and return when the device runs it."""
        # Home Assistant refuses where there is none, or one is being installed.
        newest = self._offer.version
        assert newest is not None
        self._upgraded_from = self.installed_version
        self._percentage = None
        self._upgrade = FirmwareUpgrade(
            self.coordinator, newest, self._async_note_progress
        )
        self.async_write_ha_state()
        try:
            await self._upgrade.async_run()
        finally:
            self._upgrade = None

    @callback
    def _async_note_progress(self, sent: int, total: int) -> None:
        percentage = 100 * sent // total
        if percentage != self._percentage:
            self._percentage = percentage
            self.async_write_ha_state()

    @callback
    def _cancel(self) -> None:
        if self._upgrade is not None:
            self._upgrade.cancel()
