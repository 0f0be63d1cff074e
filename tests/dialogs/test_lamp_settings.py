"""What a lamp shows, and how it is dimmed, in the dialog of its device."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant

from .steps import ACTIONS

DIM = {"dim_action": "DIM", "dim_parameter": "level", "dim_maximum": 255}


async def change(
    hass: HomeAssistant, entry: MockConfigEntry, **typed: Any
) -> dict[str, Any]:
    """Submit the dialog that changes the device."""
    (subentry_id,) = entry.subentries
    form = await entry.start_subentry_reconfigure_flow(hass, subentry_id)
    return await hass.config_entries.subentries.async_configure(
        form["flow_id"], {**ACTIONS, **typed}
    )


async def test_settings_are_kept_and_taken_back(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """An action that is not there any more dims nothing."""
    await change(hass, entry, lamp_shows="brightness", **DIM)
    (subentry,) = entry.subentries.values()
    assert DIM.items() <= subentry.data.items()
    assert subentry.data["lamp_shows"] == "brightness"
    await change(hass, entry, lamp_shows="onoff")
    (subentry,) = entry.subentries.values()
    assert "dim_action" not in subentry.data
    assert len(subentry.data["device_key"]) == 40


@pytest.mark.parametrize(
    ("typed", "errors"),
    [
        ({"dim_action": "LED_ON"}, {"dim_action": "action_of_light"}),
        ({"dim_parameter": " "}, {"dim_parameter": "bad_parameter"}),
        ({"dim_parameter": "action"}, {"dim_parameter": "bad_parameter"}),
        ({"dim_maximum": 0}, {"dim_maximum": "bad_maximum"}),
        ({"dim_maximum": 2.5}, {"dim_maximum": "bad_maximum"}),
        ({"dim_maximum": 65536}, {"dim_maximum": "bad_maximum"}),
    ],
)
async def test_errors(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    typed: dict[str, Any],
    errors: dict[str, str],
) -> None:
    """Each is on its field, and put right in the same dialog."""
    (subentry_id,) = entry.subentries
    form = await entry.start_subentry_reconfigure_flow(hass, subentry_id)
    configure = hass.config_entries.subentries.async_configure
    form = await configure(form["flow_id"], {**ACTIONS, **DIM, **typed})
    assert form["errors"] == errors
    result = await configure(form["flow_id"], {**ACTIONS, **DIM})
    assert result["reason"] == "reconfigure_successful"
