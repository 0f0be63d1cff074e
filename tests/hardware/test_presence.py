"""Devices appear and leave by themselves, and are on-line or not (protocol.md §10.2, 5)."""

from types import MappingProxyType

import pytest

from custom_components.espcloud import async_remove_config_entry_device
from custom_components.espcloud.cloud import CloudError, OwnedDevice
from custom_components.espcloud.kinds.light import OldLightKind
from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.missing import MISSED_LISTS, MISSING_TIME
from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr
from tests.common import device_subentry, wait_for_state

from .house import House


async def test_devices_appear_and_leave(
    hass: HomeAssistant,
    house: House,
    cloud: LocalCloud,
) -> None:
    """One that a person removes from the account is gone, but not at once."""
    await house.show("Kettle", "plug", activates=True)
    await wait_for_state(hass, "switch.kettle", "off")
    await house.add("Fan", "plug", activates=True)
    await house.wait_online("Fan")
    await house.refresh()
    await wait_for_state(hass, "switch.fan", "off")

    await house.give_up("Kettle")
    await house.refresh()
    assert hass.states.get("switch.kettle").state == "unavailable"
    for _ in range(MISSED_LISTS):
        await house.refresh()
    assert house.names() == {"Kettle", "Fan"}
    house.pass_time(MISSING_TIME + 1)
    await house.keep_alive("Fan")
    await house.refresh()
    await hass.async_block_till_done()
    assert house.names() == {"Fan"}
    assert hass.states.get("switch.kettle") is None
    assert hass.states.get("switch.fan").state == "off"


async def test_all_gone_at_once_costs_nobody_a_history(
    hass: HomeAssistant, house: House
) -> None:
    """A server that has lost its state says the same."""
    for name in ("Kettle", "Fan"):
        await house.add(name, "plug", activates=True)
        await house.wait_online(name)
    await house.set_up()
    await wait_for_state(hass, "switch.kettle", "off")
    for name in ("Kettle", "Fan"):
        await house.give_up(name)
    for _ in range(MISSED_LISTS + 1):
        house.pass_time(MISSING_TIME)
        await house.refresh()
    await hass.async_block_till_done()
    assert house.names() == {"Kettle", "Fan"}


async def test_call_to_a_device_that_is_away(
    hass: HomeAssistant,
    house: House,
    cloud: LocalCloud,
) -> None:
    """The cloud says so at once; until then the list counts."""
    plug = await house.show("Kettle", "plug", activates=True)
    await wait_for_state(hass, "switch.kettle", "off")
    await plug.power_off()
    await cloud.wait_offline(house.devices["Kettle"])
    await wait_for_state(hass, "switch.kettle", "unavailable")
    # The list has no news of it, and to be active a minute ago is not enough.
    await house.refresh()
    assert hass.states.get("switch.kettle").state == "unavailable"
    with pytest.raises(HomeAssistantError) as caught:
        await house.coordinator("Kettle").async_send_command("BLINK", context=None)
    assert caught.value.translation_key == "device_offline"
    # Whether it was active since, the cloud's clock is too coarse to tell: it is asked.
    await house.back("Kettle")
    await wait_for_state(hass, "switch.kettle", "off")


@pytest.mark.parametrize(
    ("silent", "state"),
    [(50, "off"), (70, "unavailable")],
)
async def test_silence(
    hass: HomeAssistant,
    house: House,
    silent: int,
    state: str,
) -> None:
    """A minute without a sign of life is too long; every list judges anew."""
    await house.show("Kettle", "plug", activates=True)
    await wait_for_state(hass, "switch.kettle", "off")
    # Nobody asks it meanwhile.
    house.entry.runtime_data.account.poller.close()
    house.pass_time(silent)
    await house.refresh()
    assert hass.states.get("switch.kettle").state == state


async def test_cloud_that_cannot_be_reached(
    hass: HomeAssistant, house: House, cloud: LocalCloud
) -> None:
    """One failure is none; with the second one nobody knows how the devices are."""
    await house.show("Kettle", "plug", activates=True)
    await wait_for_state(hass, "switch.kettle", "off")
    house.entry.runtime_data.account.poller.close()
    await cloud.close()
    await house.refresh()
    assert hass.states.get("switch.kettle").state == "off"
    await house.refresh()
    assert hass.states.get("switch.kettle").state == "unavailable"
    with pytest.raises(HomeAssistantError) as caught:
        await house.coordinator("Kettle").async_send_command("BLINK", context=None)
    assert caught.value.translation_key == "cannot_connect"


async def test_devices_that_are_not_to_be_shown(
    hass: HomeAssistant, house: House
) -> None:
    """The option removes them, and brings them back."""
    await house.show("Kettle", "plug", activates=True)
    await wait_for_state(hass, "switch.kettle", "off")
    flow = await hass.config_entries.options.async_init(house.entry.entry_id)
    await hass.config_entries.options.async_configure(
        flow["flow_id"], {"show_devices": False}
    )
    await hass.async_block_till_done()
    assert house.names() == set()
    flow = await hass.config_entries.options.async_init(house.entry.entry_id)
    await hass.config_entries.options.async_configure(
        flow["flow_id"], {"show_devices": True}
    )
    await wait_for_state(hass, "switch.kettle", "off")


async def test_device_cannot_be_removed_while_the_account_has_it(
    hass: HomeAssistant, house: House
) -> None:
    """It would be back within a minute."""
    await house.show("Kettle", "plug", activates=True)
    await wait_for_state(hass, "switch.kettle", "off")
    (device,) = dr.async_entries_for_config_entry(
        dr.async_get(hass), house.entry.entry_id
    )
    assert not await async_remove_config_entry_device(hass, house.entry, device)
    house.entry.runtime_data.hardware.coordinators.clear()
    assert await async_remove_config_entry_device(hass, house.entry, device)


async def test_devices_that_give_one_address(hass: HomeAssistant, house: House) -> None:
    """Whoever copies a program copies its address; they are two all the same."""
    for name in ("Kettle", "Fan"):
        await house.add(name, "plug", activates=True, bssid="18:fe:34:00:00:77")
        await house.wait_online(name)
    await house.set_up()
    await wait_for_state(hass, "switch.kettle", "off")
    await wait_for_state(hass, "switch.fan", "off")
    assert house.names() == {"Kettle", "Fan"}


async def test_devices_that_home_assistant_is_are_not_shown_twice(
    hass: HomeAssistant, house: House, cloud: LocalCloud
) -> None:
    """Its lamp is one of the account's devices, too."""
    entry = await house.set_up_with_lamp("Desk lamp")
    await house.add("Kettle", "plug", activates=True)
    await house.wait_online("Kettle")
    await house.refresh()
    await wait_for_state(hass, "switch.kettle", "off")
    assert house.names() == {"Desk lamp", "Kettle"}
    # Once it is not any more, the account's device is shown: nobody is it.
    (subentry_id,) = entry.subentries
    hass.config_entries.async_remove_subentry(entry, subentry_id)
    await hass.async_block_till_done()
    await house.refresh()
    await wait_for_state(hass, "light.desk_lamp", "unavailable")
    assert house.names() == {"Desk lamp", "Kettle"}
    assert isinstance(house.coordinator("Desk lamp").kind, OldLightKind)
    # And back: Home Assistant takes the place of a device that is shown.
    hass.config_entries.async_add_subentry(
        entry,
        ConfigSubentry(
            data=MappingProxyType(
                device_subentry(cloud, house.devices["Desk lamp"])["data"]
            ),
            subentry_type="device",
            title="Desk lamp",
            unique_id=None,
        ),
    )
    await hass.async_block_till_done()
    await wait_for_state(hass, "event.desk_lamp_command", "unknown")
    assert house.names() == {"Desk lamp", "Kettle"}


async def test_polls_leave_a_refused_key_to_the_next_list(
    hass: HomeAssistant,
    house: House,
    cloud: LocalCloud,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each would ask for two lists else; a command may, since a person waits for it."""
    await house.show("Kettle", "plug", activates=True)
    await wait_for_state(hass, "switch.kettle", "off")
    account = house.entry.runtime_data.account
    account.poller.close()
    lists = 0
    list_devices = account._client.list_devices

    async def count(user_key: str) -> list[OwnedDevice]:
        nonlocal lists
        lists += 1
        return await list_devices(user_key)

    monkeypatch.setattr(account._client, "list_devices", count)
    cloud.revoke_key(cloud.owner_key(house.devices["Kettle"]))
    backend = house.coordinator("Kettle").backend
    await backend.async_refresh()
    assert lists == 0
    with pytest.raises(CloudError):
        await backend.async_call("BLINK", {})
    assert lists == 1
