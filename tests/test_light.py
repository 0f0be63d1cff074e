"""The light follows the cloud, speaks to it, and never lies."""

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device, User
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er

from .common import send_command, wait_for_coordinator, wait_for_state
from .raw_device import RawDevice

LIGHT = "light.desk_lamp"


async def turn(hass: HomeAssistant, service: str) -> None:
    """Press the light."""
    await hass.services.async_call(
        "light", service, {"entity_id": LIGHT}, blocking=True
    )


@pytest.mark.usefixtures("entry")
async def test_light_follows_the_commands_that_arrive(
    hass: HomeAssistant, cloud: LocalCloud, device: Device
) -> None:
    """A command from the cloud's side changes the state; before any it is unknown."""
    answer = await send_command(cloud, device, "LED_ON")
    assert answer["status"] == 200
    assert answer["deliver_to_device"] is True
    await wait_for_state(hass, LIGHT, "on")
    await send_command(cloud, device, "LED_OFF")
    await wait_for_state(hass, LIGHT, "off")


@pytest.mark.usefixtures("entry")
async def test_pressing_the_light_returns_when_it_is_acknowledged(
    hass: HomeAssistant,
) -> None:
    """The command has been to the cloud and back when the service call returns."""
    await turn(hass, "turn_on")
    assert hass.states.get(LIGHT).state == "on"
    await turn(hass, "turn_off")
    assert hass.states.get(LIGHT).state == "off"
    await turn(hass, "toggle")
    assert hass.states.get(LIGHT).state == "on"


async def test_light_is_an_on_off_light_named_after_its_device(
    hass: HomeAssistant, entity_registry: er.EntityRegistry, entry: MockConfigEntry
) -> None:
    """Its identity does not depend on names or addresses."""
    state = hass.states.get(LIGHT)
    assert state.attributes["friendly_name"] == "Desk lamp"
    assert state.attributes["supported_color_modes"] == ["onoff"]
    (subentry,) = entry.subentries.values()
    registered = entity_registry.async_get(LIGHT)
    serial = subentry.data["serial"]
    assert registered.unique_id == f"{subentry.unique_id}-{serial}-light"
    assert registered.config_subentry_id == subentry.subentry_id


async def expect_error(
    hass: HomeAssistant, translation_key: str, placeholders: dict[str, str]
) -> None:
    """Press the light; it fails with that error, and the state stays as it was."""
    before = hass.states.get(LIGHT)
    with pytest.raises(HomeAssistantError) as caught:
        await turn(hass, "turn_on")
    assert caught.value.translation_domain == "espcloud"
    assert caught.value.translation_key == translation_key
    assert caught.value.translation_placeholders.items() >= placeholders.items()
    assert hass.states.get(LIGHT) is before


@pytest.mark.usefixtures("entry")
async def test_device_that_lost_its_key_is_offline(
    hass: HomeAssistant, cloud: LocalCloud, device: Device
) -> None:
    """A command to a device that is away fails at once, and says which one."""
    cloud.revoke_key(cloud.master_key(device))
    await cloud.wait_offline(device)
    await expect_error(
        hass, "device_offline", {"device": "Desk lamp", "action": "LED_ON"}
    )


async def test_cloud_that_is_down(
    hass: HomeAssistant, cloud: LocalCloud, entry: MockConfigEntry
) -> None:
    """The HTTP side can be down alone; the error names the address."""
    await cloud._http_server.close()
    await expect_error(hass, "cannot_connect", {"url": entry.data["url"]})


@pytest.mark.usefixtures("entry")
async def test_new_owner_key_is_read_when_the_old_one_is_refused(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """The owner key can change at any time; nobody has to do anything about it."""
    old = cloud.owner_key(device)
    cloud.store.keyring.set_owner(device, user)
    assert cloud.owner_key(device) != old
    await turn(hass, "turn_on")
    assert hass.states.get(LIGHT).state == "on"


@pytest.mark.usefixtures("entry")
async def test_key_that_stays_refused(
    hass: HomeAssistant, cloud: LocalCloud, device: Device
) -> None:
    """When the account knows no better key, the command fails, and no one signs in."""
    keyring = cloud.store.keyring
    cloud.revoke_key(cloud.owner_key(device))
    # The connection stays, as the cloud need not look at it when a key goes.
    keyring.remove(keyring.keys[cloud.master_key(device)])
    await expect_error(hass, "key_refused", {})
    assert hass.config_entries.flow.async_progress() == []


@pytest.mark.usefixtures("entry")
async def test_without_an_owner_key_the_master_key_commands(
    hass: HomeAssistant, cloud: LocalCloud, device: Device
) -> None:
    """A device that the account lists no more still takes its own key."""
    cloud.revoke_key(cloud.owner_key(device))
    await turn(hass, "turn_on")
    assert hass.states.get(LIGHT).state == "on"


@pytest.mark.usefixtures("first_refusal_counts")
async def test_refused_account_key_asks_to_sign_in(
    hass: HomeAssistant, cloud: LocalCloud, device: Device, entry: MockConfigEntry
) -> None:
    """When no key is left, the person is told, and asked for the password."""
    cloud.revoke_key(cloud.owner_key(device))
    cloud.revoke_key(entry.data["user_key"])
    await expect_error(hass, "key_refused", {})
    await hass.async_block_till_done()
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == "reauth"


async def test_command_brings_the_connection_back(
    hass: HomeAssistant, cloud: LocalCloud, device: Device, entry: MockConfigEntry
) -> None:
    """Somebody else holds the device's place: a press of the light takes it back."""
    (coordinator,) = entry.runtime_data.virtual.coordinators.values()
    async with RawDevice(cloud, cloud.master_key(device)):
        await wait_for_coordinator(
            coordinator, lambda it: not it.availability.connected
        )
        await turn(hass, "turn_on")
        assert hass.states.get(LIGHT).state == "on"
