"""Placeholder until the server's own part is there."""

from homeassistant.config_entries import OptionsFlow


class FirmwareOptionsFlow(OptionsFlow):
    """Firmware for the devices."""
