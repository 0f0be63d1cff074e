"""A device whose master key is known: in the account's dialog, and as a further device."""

from typing import Any

from aiohttp import web
import pytest

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device, User
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.common import (
    account_entry,
    account_input,
    http,
    send_command,
    wait_for_state,
)

from .conftest import Front
from .steps import (
    ACTIONS,
    UNKNOWN_KEY,
    add_account,
    device_key_form,
    key_form,
    submit,
    submit_device,
    suggested,
)


async def test_new_device_is_bound_to_the_account(
    hass: HomeAssistant, cloud: LocalCloud, user: User
) -> None:
    """A device that nobody owns yet is activated and bound, and its owner key works."""
    device = cloud.add_device("New lamp")
    assert cloud.owner_key(device) is None
    result = await add_account(hass, cloud, cloud.master_key(device))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert cloud.owner_key(device) is not None
    await hass.async_block_till_done()
    await cloud.wait_online(device)
    assert (await send_command(cloud, device, "LED_ON"))["status"] == 200


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (UNKNOWN_KEY, "unknown_device_key"),
        ("f" * 39, "malformed_device_key"),
        ("g" * 40, "malformed_device_key"),
        (" ", "malformed_device_key"),
    ],
)
async def test_wrong_key_can_be_put_right(
    hass: HomeAssistant, cloud: LocalCloud, device: Device, wrong: str, error: str
) -> None:
    """It stays typed in, and neither the account nor its password is asked for again."""
    form = await key_form(hass, account_input(cloud))
    form = await submit(hass, form, {"device_key": wrong})
    assert form["errors"] == {"device_key": error}
    assert suggested(form)["device_key"] == wrong
    key = cloud.master_key(device)
    in_groups = " ".join(key[start : start + 8] for start in range(0, 40, 8))
    result = await submit(hass, form, {"device_key": f" {in_groups.upper()}\n"})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    (subentry,) = result["result"].subentries.values()
    assert subentry.data["device_key"] == key


async def test_malformed_key_is_refused_before_any_request(
    hass: HomeAssistant, cloud: LocalCloud, user: User
) -> None:
    """Where nothing answers, a request would have failed with another error."""
    form = await key_form(hass, account_input(cloud))
    await cloud._http_server.close()
    form = await submit(hass, form, {"device_key": "not a key"})
    assert form["errors"] == {"device_key": "malformed_device_key"}
    form = await submit(hass, form, {"device_key": UNKNOWN_KEY})
    assert form["errors"] == {"base": "cannot_connect"}


async def test_device_port_that_goes_away_meanwhile(
    hass: HomeAssistant, cloud: LocalCloud, device: Device
) -> None:
    """It was there in the step before, and may be again."""
    form = await key_form(hass, account_input(cloud))
    await cloud._device_server.close()
    form = await submit(hass, form, {"device_key": cloud.master_key(device)})
    assert form["errors"] == {"base": "cannot_connect_device_port"}


async def test_device_of_another_account(
    hass: HomeAssistant, cloud: LocalCloud, user: User, other_user: User
) -> None:
    """Such a device is refused, and taken over only when the person says so."""
    device = cloud.add_device("Their lamp", other_user)
    cloud_key = cloud.owner_key(device)
    # It is in use: its firmware has activated it.
    assert (await activate(cloud, device))["status"] == 200

    data: dict[str, Any] = {"device_key": cloud.master_key(device)}
    form = await submit(hass, await key_form(hass, account_input(cloud)), data)
    assert form["errors"] == {"device_key": "device_of_another_account"}
    form = await submit(hass, form, data | {"take_over": False})
    assert form["errors"] == {"device_key": "device_of_another_account"}
    assert cloud.owner_key(device) == cloud_key

    result = await submit(hass, form, data | {"take_over": True})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert cloud.owner_key(device) not in (None, cloud_key)


async def test_owner_key_is_not_a_master_key(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """The two look alike; the person is told which one is wanted."""
    form = await key_form(hass, account_input(cloud))
    form = await submit(hass, form, {"device_key": cloud.owner_key(device)})
    assert form["errors"] == {"device_key": "not_a_master_key"}
    result = await submit(hass, form, {"device_key": cloud.master_key(device)})
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_owner_key_of_a_device_of_another_account(
    hass: HomeAssistant, cloud: LocalCloud, user: User, other_user: User
) -> None:
    """Nothing can be taken over with the wrong kind of key."""
    device = cloud.add_device("Their lamp", other_user)
    form = await key_form(hass, account_input(cloud))
    form = await submit(hass, form, {"device_key": cloud.owner_key(device)})
    assert form["errors"] == {"device_key": "not_a_master_key"}


async def test_device_name_with_quotes(
    hass: HomeAssistant, cloud: LocalCloud, user: User
) -> None:
    """The cloud escapes quotes; a person does not see that."""
    device = cloud.add_device('The "good" lamp', user)
    result = await add_account(hass, cloud, cloud.master_key(device))
    (subentry,) = result["result"].subentries.values()
    assert subentry.title == 'The "good" lamp'


async def test_binding_that_fails_half_way_can_be_finished(
    hass: HomeAssistant, cloud: LocalCloud, user: User, front: Front
) -> None:
    """A device that this dialog activated is not another account's the second time."""
    device = cloud.add_device("New lamp")
    failures = iter([web.HTTPBadGateway()])

    async def fail_once(request: web.Request) -> None:
        if request.path == "/v1/key/authorize/" and (error := next(failures, None)):
            raise error

    url = await front(fail_once)
    form = await key_form(hass, account_input(cloud, server={"url": url}))
    data = {"device_key": cloud.master_key(device)}
    form = await submit(hass, form, data)
    assert form["errors"] == {"base": "cannot_connect"}
    assert device.activate_status == 1
    assert cloud.owner_key(device) is None
    result = await submit(hass, form, data)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert cloud.owner_key(device) is not None


async def activate(cloud: LocalCloud, device: Device) -> dict[str, Any]:
    """Activate a device as its firmware does, without binding it to anyone."""
    return await http(
        cloud,
        "POST",
        "/v1/device/activate/",
        cloud.master_key(device),
        body={
            "encrypt_method": "PLAIN",
            "bssid": "18:fe:34:00:00:01",
            "token": "0" * 40,
        },
    )


# A further device


async def test_further_device(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """It has its own action names, and needs no reload."""
    entry = await account_entry(hass, cloud, user.id, device)
    await hass.config_entries.async_setup(entry.entry_id)
    second = cloud.add_device("Floor lamp", user)
    actions = {"turn_on_action": " relay_on ", "turn_off_action": "relay_off"}
    form = await device_key_form(hass, entry.entry_id)
    result = await submit_device(
        hass, form, {"device_key": cloud.master_key(second), **actions}
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "Floor lamp"
    assert result["unique_id"] == str(second.id)
    assert result["data"]["turn_on_action"] == "relay_on"
    assert entry.state is ConfigEntryState.LOADED

    await wait_for_state(hass, "light.floor_lamp", "unknown")
    await send_command(cloud, second, "LED_ON")
    await send_command(cloud, second, "relay_off")
    await wait_for_state(hass, "light.floor_lamp", "off")
    await hass.services.async_call(
        "light", "turn_on", {"entity_id": "light.floor_lamp"}, blocking=True
    )
    await wait_for_state(hass, "light.floor_lamp", "on")


@pytest.mark.parametrize(
    ("wrong", "errors"),
    [
        ({"device_key": UNKNOWN_KEY}, {"device_key": "unknown_device_key"}),
        ({"device_key": "short"}, {"device_key": "malformed_device_key"}),
        ({"turn_on_action": " "}, {"turn_on_action": "empty_action"}),
        ({"turn_off_action": " "}, {"turn_off_action": "empty_action"}),
        ({"turn_off_action": "LED_ON"}, {"turn_off_action": "same_action"}),
    ],
)
async def test_further_device_errors(
    hass: HomeAssistant,
    cloud: LocalCloud,
    user: User,
    device: Device,
    wrong: dict[str, str],
    errors: dict[str, str],
) -> None:
    """A wrong field is named, and the same form succeeds when it is put right."""
    entry = await account_entry(hass, cloud, user.id)
    right = {"device_key": cloud.master_key(device), **ACTIONS}
    form = await device_key_form(hass, entry.entry_id)
    form = await submit_device(hass, form, right | wrong)
    assert form["errors"] == errors
    result = await submit_device(hass, form, right)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_refused_account_key(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """The person is told that it is the account that has to be put right."""
    entry = await account_entry(hass, cloud, user.id)
    form = await device_key_form(hass, entry.entry_id)
    cloud.revoke_key(entry.data["user_key"])
    data = {"device_key": cloud.master_key(device), **ACTIONS}
    form = await submit_device(hass, form, data)
    assert form["errors"] == {"base": "key_refused"}
