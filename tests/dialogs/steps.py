"""What a person does in the dialogs, step by step."""

from typing import Any

from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.espcloud.const import DOMAIN
from custom_components.espcloud.local_cloud import LocalCloud
from homeassistant.config_entries import SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.common import account_input

ACTIONS = {"turn_on_action": "LED_ON", "turn_off_action": "LED_OFF"}
OTHER_EMAIL = "somebody.else@example.org"
UNKNOWN_KEY = "f" * 40


async def open_dialog(hass: HomeAssistant) -> Any:
    """Open the dialog that adds an account."""
    menu = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    form = await choose(hass, menu, "account")
    assert form["type"] is FlowResultType.FORM
    assert form["step_id"] == "account"
    assert form["errors"] == {}
    return form


async def submit(hass: HomeAssistant, form: Any, data: dict[str, Any]) -> Any:
    """Submit a form of an account's dialog."""
    return await hass.config_entries.flow.async_configure(form["flow_id"], data)


async def choose(hass: HomeAssistant, menu: Any, option: str) -> Any:
    """Choose from the menu of an account's dialog."""
    assert menu["type"] is FlowResultType.MENU
    assert option in menu["menu_options"]
    return await submit(hass, menu, {"next_step_id": option})


async def sign_in(hass: HomeAssistant, data: dict[str, Any]) -> Any:
    """Open the dialog, submit the account, and return what comes next."""
    return await submit(hass, await open_dialog(hass), data)


async def key_form(hass: HomeAssistant, data: dict[str, Any]) -> Any:
    """Submit the account and go on to the form for a master key."""
    form = await choose(hass, await sign_in(hass, data), "device_key")
    assert form["step_id"] == "device_key"
    assert form["errors"] == {}
    return form


async def add_account(
    hass: HomeAssistant, cloud: LocalCloud, device_key: str, **changes: Any
) -> Any:
    """Add an account with the device of a key, and return how it ended."""
    form = await key_form(hass, account_input(cloud, **changes))
    return await submit(hass, form, {"device_key": device_key})


async def open_device_dialog(hass: HomeAssistant, entry_id: str) -> Any:
    """Open an account's dialog for a further device."""
    return await hass.config_entries.subentries.async_init(
        (entry_id, "device"), context={"source": SOURCE_USER}
    )


async def submit_device(hass: HomeAssistant, form: Any, data: dict[str, Any]) -> Any:
    """Submit a form of a device's dialog, or choose from its menu."""
    return await hass.config_entries.subentries.async_configure(form["flow_id"], data)


async def device_key_form(hass: HomeAssistant, entry_id: str) -> Any:
    """Open the dialog for a further device, at the form for a master key."""
    menu = await open_device_dialog(hass, entry_id)
    return await submit_device(hass, menu, {"next_step_id": "device_key"})


async def open_device_reconfigure(hass: HomeAssistant, entry: MockConfigEntry) -> Any:
    """Open the dialog that changes the entry's only device."""
    (subentry_id,) = entry.subentries
    form = await entry.start_subentry_reconfigure_flow(hass, subentry_id)
    assert form["step_id"] == "reconfigure"
    assert form["description_placeholders"] == {
        "device": "Desk lamp",
        "device_markdown": "Desk lamp",
    }
    assert "device_key" not in suggested(form)
    return form


def suggested(form: Any) -> dict[str, Any]:
    """Return what a form suggests for its fields."""
    return {
        str(field): field.description["suggested_value"]
        for field in form["data_schema"].schema
        if field.description
    }


def fields(form: Any) -> set[str]:
    """Return the names of a form's fields."""
    return {str(field) for field in form["data_schema"].schema}


def is_server_open(form: Any) -> bool:
    """Tell whether the section Server is open."""
    return not form["data_schema"].schema["server"].options["collapsed"]
