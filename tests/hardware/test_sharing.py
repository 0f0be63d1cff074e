"""Devices that two accounts have, and what follows the account: names and groups (protocol.md §2.6)."""

import logging
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import User
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import Context, HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import (
    HomeAssistantError,
    ServiceValidationError,
    Unauthorized,
)
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
)
from tests.common import account_entry, http, wait_for_state
from tests.credentials import PASSWORD
from tests.dialogs.steps import OTHER_EMAIL, open_device_dialog, submit_device
from tests.local_cloud.helpers import until

from .house import House
from .test_kinds import press

KETTLE = "switch.kettle"


@pytest.fixture
async def kettle(house: House) -> Any:
    """Switch a plug on."""
    plug = await house.add("Kettle", "plug", activates=True)
    await house.wait_online("Kettle")
    return plug


@pytest.fixture
async def other(hass: HomeAssistant, cloud: LocalCloud, user: User) -> MockConfigEntry:
    """Set a second account up, which has no device."""
    somebody = await cloud.add_account(OTHER_EMAIL, PASSWORD)
    entry = await account_entry(hass, cloud, somebody.id, email=OTHER_EMAIL)
    assert await hass.config_entries.async_setup(entry.entry_id)
    return entry


async def share(hass: HomeAssistant, **target: Any) -> Any:
    """Call the action and return its response."""
    return await hass.services.async_call(
        "espcloud",
        "share_device",
        target or {"entity_id": KETTLE},
        blocking=True,
        return_response=True,
    )


async def accept(hass: HomeAssistant, entry: MockConfigEntry, token: str) -> Any:
    """Accept a token in the dialog of an account, and return how it ended."""
    menu = await open_device_dialog(hass, entry.entry_id)
    form = await submit_device(hass, menu, {"next_step_id": "accept_device"})
    assert form["type"] is FlowResultType.FORM
    return await submit_device(hass, form, {"token": f" {token} "})


async def share_with(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Share the kettle with an account."""
    ((_, answer),) = (await share(hass)).items()
    result = await accept(hass, entry, answer["token"])
    assert (result["type"], result["reason"]) == ("abort", "device_accepted")
    await hass.async_block_till_done()


def devices_of(hass: HomeAssistant, entry: MockConfigEntry) -> list[str | None]:
    """Return the names of an account's devices."""
    found = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    return [device.name for device in found]


async def test_share(
    hass: HomeAssistant,
    cloud: LocalCloud,
    house: House,
    kettle: Any,
    other: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The token is in the response alone; with it, the other account commands the device."""
    caplog.set_level(logging.DEBUG)
    await house.set_up()
    await wait_for_state(hass, KETTLE, "off")
    entity = er.async_get(hass).async_get(KETTLE)
    response = await share(hass)
    assert list(response) == [entity.device_id]
    token = response[entity.device_id]["token"]
    assert len(token) == 40
    # It appears where the first account is not, without anybody reloading anything.
    assert await hass.config_entries.async_remove(house.entry.entry_id)
    result = await accept(hass, other, token)
    assert (result["type"], result["reason"]) == ("abort", "device_accepted")
    await wait_for_state(hass, KETTLE, "off")
    await press(hass, KETTLE, "turn_on")
    assert kettle.appliance.is_on
    assert devices_of(hass, other) == ["Kettle"]
    assert token not in caplog.text
    # It is somebody else's, who alone may share it.
    with pytest.raises(ServiceValidationError) as caught:
        await share(hass)
    assert caught.value.translation_key == "not_the_owner"
    assert caught.value.translation_placeholders == {"device": "Kettle"}


async def test_a_token_that_nobody_gave(
    hass: HomeAssistant, other: MockConfigEntry
) -> None:
    """The dialog says so, and stays open."""
    for token, error in (("0" * 40, "unknown_token"), ("", "token_missing")):
        form = await accept(hass, other, token)
        assert form["errors"] == {"token": error}
        hass.config_entries.subentries.async_abort(form["flow_id"])


async def test_shown_once(
    hass: HomeAssistant, house: House, kettle: Any, other: MockConfigEntry
) -> None:
    """Where both accounts are in one Home Assistant, the first one has it."""
    await house.set_up()
    await wait_for_state(hass, KETTLE, "off")
    await share_with(hass, other)
    assert house.devices["Kettle"].id in other.runtime_data.account.owned
    assert house.names() == {"Kettle"}
    assert devices_of(hass, other) == []
    assert hass.states.async_entity_ids("switch") == [KETTLE]


@pytest.mark.parametrize("order", [True, False])
async def test_it_stays_with_the_first_one(
    hass: HomeAssistant,
    house: House,
    kettle: Any,
    other: MockConfigEntry,
    order: bool,
) -> None:
    """Whoever is loaded anew, and whoever is quicker."""
    await house.set_up()
    await wait_for_state(hass, KETTLE, "off")
    await share_with(hass, other)
    device_id = er.async_get(hass).async_get(KETTLE).device_id
    assert await hass.config_entries.async_unload(house.entry.entry_id)
    await other.runtime_data.account.async_refresh()
    if order:
        assert await hass.config_entries.async_reload(other.entry_id)
    await hass.async_block_till_done(wait_background_tasks=False)
    assert await hass.config_entries.async_setup(house.entry.entry_id)
    await wait_for_state(hass, KETTLE, "off")
    assert devices_of(hass, other) == []
    assert er.async_get(hass).async_get(KETTLE).device_id == device_id


@pytest.mark.parametrize("way", ["remove", "disable", "give up"])
async def test_the_second_one_takes_it_over(
    hass: HomeAssistant,
    cloud: LocalCloud,
    house: House,
    kettle: Any,
    other: MockConfigEntry,
    way: str,
) -> None:
    """Where the first account does not have it any more."""
    await house.show("Fan", "plug", activates=True)
    await wait_for_state(hass, KETTLE, "off")
    await share_with(hass, other)
    entries = hass.config_entries
    match way:
        case "remove":
            assert await entries.async_remove(house.entry.entry_id)
        case "disable":
            assert await entries.async_set_disabled_by(
                house.entry.entry_id, ConfigEntryDisabler.USER
            )
        case "give up":
            assert await entries.async_unload(house.entry.entry_id)
            keys = cloud.store.keyring
            keys.remove(keys.owner_key(house.devices["Kettle"]))
            assert await entries.async_setup(house.entry.entry_id)
    await other.runtime_data.account.async_refresh()
    await until(lambda: devices_of(hass, other) == ["Kettle"])


@pytest.mark.usefixtures("kettle")
async def test_the_first_one_comes_back(
    hass: HomeAssistant, house: House, other: MockConfigEntry
) -> None:
    """Both have had it by then: one of them shows it."""
    await house.set_up()
    await wait_for_state(hass, KETTLE, "off")
    await share_with(hass, other)
    entries, first = hass.config_entries, house.entry.entry_id
    assert await entries.async_set_disabled_by(first, ConfigEntryDisabler.USER)
    await other.runtime_data.account.async_refresh()
    await wait_for_state(hass, KETTLE, "off")
    assert await entries.async_set_disabled_by(first, None)
    assert await entries.async_reload(other.entry_id)
    await house.refresh()
    await other.runtime_data.account.async_refresh()
    await wait_for_state(hass, KETTLE, "off")
    shown = [
        entry.entry_id
        for entry in (house.entry, other)
        if entry.runtime_data.hardware.coordinators
    ]
    assert len(shown) == 1
    assert er.async_get(hass).async_get(KETTLE).config_entry_id == shown[0]


@pytest.mark.usefixtures("kettle")
async def test_who_may_share(
    hass: HomeAssistant, house: House, hass_read_only_user: MockUser
) -> None:
    """Not everybody who may press a switch."""
    await house.set_up()
    await wait_for_state(hass, KETTLE, "off")
    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            "espcloud",
            "share_device",
            {"entity_id": KETTLE},
            blocking=True,
            return_response=True,
            context=Context(user_id=hass_read_only_user.id),
        )


async def test_a_cloud_that_is_away(
    hass: HomeAssistant, cloud: LocalCloud, house: House, kettle: Any
) -> None:
    """It says so."""
    await house.set_up()
    await wait_for_state(hass, KETTLE, "off")
    await cloud.close()
    with pytest.raises(HomeAssistantError) as caught:
        await share(hass)
    assert caught.value.translation_key == "cannot_connect"


async def test_the_name_follows_the_account(
    hass: HomeAssistant, cloud: LocalCloud, house: House, kettle: Any
) -> None:
    """A name given in Home Assistant wins, for good."""
    await house.set_up()
    await wait_for_state(hass, KETTLE, "off")
    cloud.rename(house.devices["Kettle"], "Tea")
    await house.refresh()
    (device,) = dr.async_entries_for_config_entry(
        dr.async_get(hass), house.entry.entry_id
    )
    assert device.name == "Tea"
    assert hass.states.get(KETTLE).name == "Tea"
    dr.async_get(hass).async_update_device(device.id, name_by_user="Samovar")
    cloud.rename(house.devices["Kettle"], "Coffee")
    await house.refresh()
    await hass.async_block_till_done()
    assert hass.states.get(KETTLE).name == "Samovar"
    assert dr.async_get(hass).async_get(device.id).name == "Coffee"
    # Errors speak of it as people know it.
    await kettle.power_off()
    with pytest.raises(HomeAssistantError) as caught:
        await press(hass, KETTLE, "turn_on")
    assert caught.value.translation_placeholders["device"] == "Coffee"


async def group(cloud: LocalCloud, user_key: str, house: House, name: str) -> None:
    """Put the kettle into a new group, as the app does."""
    path = "/v1/user/devices/groups/"
    answer = await http(
        cloud, "POST", path, user_key, body={"deviceGroups": [{"name": name}]}
    )
    (made,) = answer["deviceGroups"]
    moved = await http(
        cloud,
        "POST",
        path,
        user_key,
        query={"action": "move_to_group", "method": "PUT"},
        body={
            "device_id": house.devices["Kettle"].id,
            "group_id": made["id"],
            "reserve_pre_group": False,
        },
    )
    assert moved["status"] == 200


async def test_its_group_is_its_first_area(
    hass: HomeAssistant, cloud: LocalCloud, house: House, kettle: Any, user: User
) -> None:
    """Once: whatever a person makes of it then, stays."""
    key = cloud.store.keyring.add_user_key(user).token
    await group(cloud, key, house, "Kitchen")
    await house.set_up()
    await wait_for_state(hass, "switch.kitchen_kettle", "off")
    registry = dr.async_get(hass)

    def area() -> str | None:
        (device,) = dr.async_entries_for_config_entry(registry, house.entry.entry_id)
        area_id = device.area_id
        return ar.async_get(hass).async_get_area(area_id).name if area_id else None

    assert area() == "Kitchen"
    await group(cloud, key, house, "Hall")
    await house.refresh()
    assert area() == "Kitchen"
    (device,) = dr.async_entries_for_config_entry(registry, house.entry.entry_id)
    registry.async_update_device(device.id, area_id=None)
    await house.refresh()
    assert await hass.config_entries.async_reload(house.entry.entry_id)
    await wait_for_state(hass, "switch.kitchen_kettle", "off")
    assert area() is None
