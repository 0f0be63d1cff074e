"""Changing a device: its key, and the names of its actions."""

import pytest

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device, User
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData, UnknownFlow
from tests.common import account_entry, send_command, wait_for_issue, wait_for_state

from .steps import ACTIONS, UNKNOWN_KEY, open_device_reconfigure, submit_device


async def test_action_names(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """New names count at once, without a new connection."""
    entry = await account_entry(hass, cloud, user.id, device)
    await hass.config_entries.async_setup(entry.entry_id)
    await wait_for_state(hass, "light.desk_lamp", "unknown")
    form = await open_device_reconfigure(hass, entry)
    result = await submit_device(
        hass, form, {"turn_on_action": "relay_on", "turn_off_action": "relay_off"}
    )
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    await send_command(cloud, device, "relay_on")
    await wait_for_state(hass, "light.desk_lamp", "on")
    assert cloud.connection_count(device) == 1


async def test_key(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """A new key of the same device reconnects it; one of another device is refused."""
    entry = await account_entry(hass, cloud, user.id, device)
    await hass.config_entries.async_setup(entry.entry_id)
    await wait_for_state(hass, "light.desk_lamp", "unknown")
    new_key = cloud.regenerate_master_key(device)
    other = cloud.add_device("Floor lamp", user)

    form = await open_device_reconfigure(hass, entry)
    for wrong, error in (
        (cloud.master_key(other), "wrong_device"),
        (UNKNOWN_KEY, "unknown_device_key"),
        ("short", "malformed_device_key"),
    ):
        form = await submit_device(hass, form, {"device_key": wrong, **ACTIONS})
        assert form["errors"] == {"device_key": error}
    result = await submit_device(hass, form, {"device_key": new_key, **ACTIONS})
    assert result["reason"] == "reconfigure_successful"
    (subentry,) = entry.subentries.values()
    assert subentry.data["device_key"] == new_key
    await cloud.wait_online(device)


async def test_key_of_the_same_number_at_another_cloud(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """What answers at the address now counts from 1 as well; its serials differ."""
    entry = await account_entry(hass, cloud, user.id, device)
    device.serial = "00000000"
    form = await open_device_reconfigure(hass, entry)
    new_key = cloud.regenerate_master_key(device)
    form = await submit_device(hass, form, {"device_key": new_key, **ACTIONS})
    assert form["errors"] == {"device_key": "wrong_device"}


async def test_device_of_an_account_that_is_not_loaded(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """The key can be put right before the account is."""
    entry = await account_entry(hass, cloud, user.id, device)
    new_key = cloud.regenerate_master_key(device)
    form = await open_device_reconfigure(hass, entry)
    result = await submit_device(hass, form, {"device_key": new_key, **ACTIONS})
    assert result["reason"] == "reconfigure_successful"
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_for_state(hass, "light.desk_lamp", "unknown")


async def test_device_that_another_account_has_connected(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """The key is kept, for the day on which the other one gives the device up."""
    entry = await account_entry(hass, cloud, user.id, device)
    await hass.config_entries.async_setup(entry.entry_id)
    await wait_for_state(hass, "light.desk_lamp", "unknown")
    twin = await account_entry(hass, cloud, user.id, device)
    await hass.config_entries.async_setup(twin.entry_id)
    await wait_for_issue(hass, "set_up_twice")
    new_key = cloud.regenerate_master_key(device)
    form = await open_device_reconfigure(hass, twin)
    result = await submit_device(hass, form, {"device_key": new_key, **ACTIONS})
    assert result["reason"] == "reconfigure_successful"
    (subentry,) = twin.subentries.values()
    assert subentry.data["device_key"] == new_key


@pytest.mark.usefixtures("first_refusal_counts")
async def test_refused_key_has_to_be_replaced(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """While the cloud does not know the key, "successful" without one would be a lie."""
    entry = await account_entry(hass, cloud, user.id, device)
    await hass.config_entries.async_setup(entry.entry_id)
    await wait_for_state(hass, "light.desk_lamp", "unknown")
    new_key = cloud.regenerate_master_key(device)
    await wait_for_issue(hass, "device_key_refused")
    form = await open_device_reconfigure(hass, entry)
    with pytest.raises(InvalidData):
        await submit_device(hass, form, ACTIONS)
    form = await submit_device(hass, form, {"device_key": " ", **ACTIONS})
    assert form["errors"] == {"device_key": "key_missing"}
    result = await submit_device(hass, form, {"device_key": new_key, **ACTIONS})
    assert result["reason"] == "reconfigure_successful"
    await wait_for_issue(hass, "device_key_refused", is_there=False)
    await cloud.wait_online(device)

    form = await open_device_reconfigure(hass, entry)
    result = await submit_device(hass, form, ACTIONS)
    assert result["reason"] == "reconfigure_successful"


async def test_dialog_was_left_open(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """The new one ends it, and not itself when a browser asks for its form again."""
    entry = await account_entry(hass, cloud, user.id, device)
    left = await open_device_reconfigure(hass, entry)
    form = await open_device_reconfigure(hass, entry)
    form = await hass.config_entries.subentries.async_configure(form["flow_id"])
    result = await submit_device(hass, form, ACTIONS)
    assert result["reason"] == "reconfigure_successful"
    with pytest.raises(UnknownFlow):
        await submit_device(hass, left, ACTIONS)
