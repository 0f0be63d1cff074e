"""The dialogs, against a real cloud: what a person types, sees and can put right."""

from collections.abc import AsyncGenerator
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.espcloud.const import DOMAIN
from homeassistant.config_entries import SOURCE_USER, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from local_cloud import LocalCloud
from local_cloud.models import Device, User

from .common import (
    account_entry,
    http,
    send_command,
    server_data,
    user_input,
    wait_for_state,
)
from .conftest import EMAIL, PASSWORD

OTHER_EMAIL = "somebody.else@example.org"
UNKNOWN_KEY = "f" * 40


async def submit_user(hass: HomeAssistant, data: dict[str, Any]) -> Any:
    """Open the account dialog and submit the form."""
    form = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    assert form["type"] is FlowResultType.FORM
    assert form["step_id"] == "user"
    assert form["errors"] == {}
    return await hass.config_entries.flow.async_configure(form["flow_id"], data)


async def submit_again(hass: HomeAssistant, form: Any, data: dict[str, Any]) -> Any:
    """Put the form right and submit it again."""
    return await hass.config_entries.flow.async_configure(form["flow_id"], data)


def suggested(form: Any) -> dict[str, Any]:
    """Return what a form suggests for its fields."""
    return {
        str(field): field.description["suggested_value"]
        for field in form["data_schema"].schema
        if field.description
    }


@pytest.fixture
async def other_user(cloud: LocalCloud) -> User:
    """Make a second account."""
    return await cloud.add_account(OTHER_EMAIL, PASSWORD)


@pytest.fixture
async def portal() -> AsyncGenerator[str]:
    """Run a captive portal: it answers everything with a web page."""

    async def page(_request: web.Request) -> web.Response:
        return web.Response(
            text="<html>Please sign in</html>", content_type="text/html"
        )

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", page)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    yield str(server.make_url("/"))
    await server.close()


# The account


async def test_account_with_its_device(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """One form makes the account and its first device, and the lamp works."""
    master_key = cloud.master_key(device)
    result = await submit_user(hass, user_input(cloud, f"  {master_key.upper()} "))

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == EMAIL
    entry = result["result"]
    assert entry.unique_id == f"127.0.0.1_{user.id}"
    assert PASSWORD not in str(entry.data)
    user_key = entry.data["user_key"]
    assert len(user_key) == 40
    assert dict(entry.data) == {
        "email": EMAIL,
        "user_id": user.id,
        "user_key": user_key,
        **server_data(cloud),
    }
    (subentry,) = entry.subentries.values()
    assert subentry.subentry_type == "device"
    assert subentry.unique_id == str(device.id)
    assert subentry.title == "Desk lamp"
    assert dict(subentry.data) == {
        "device_id": device.id,
        "device_key": master_key,
        "serial": device.serial,
        "turn_on_action": "LED_ON",
        "turn_off_action": "LED_OFF",
    }

    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    await wait_for_state(hass, "light.desk_lamp", "unknown")
    await send_command(cloud, device, "LED_ON")
    await wait_for_state(hass, "light.desk_lamp", "on")


async def test_new_device_is_bound_to_the_account(
    hass: HomeAssistant, cloud: LocalCloud, user: User
) -> None:
    """A device that nobody owns yet is activated and bound, and its owner key works."""
    device = cloud.add_device("New lamp")
    assert cloud.owner_key(device) is None
    result = await submit_user(hass, user_input(cloud, cloud.master_key(device)))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert cloud.owner_key(device) is not None
    await hass.async_block_till_done()
    await cloud.wait_online(device)
    assert (await send_command(cloud, device, "LED_ON"))["status"] == 200


@pytest.mark.parametrize(
    ("wrong", "errors"),
    [
        ({"password": "not the password"}, {"password": "invalid_auth"}),
        ({"email": "nobody@example.org"}, {"email": "unknown_account"}),
        ({"device_key": UNKNOWN_KEY}, {"device_key": "unknown_device_key"}),
        ({"device_key": "f" * 39}, {"device_key": "malformed_device_key"}),
        ({"device_key": "g" * 40}, {"device_key": "malformed_device_key"}),
    ],
)
async def test_errors_land_on_their_field_and_can_be_put_right(
    hass: HomeAssistant,
    cloud: LocalCloud,
    user: User,
    device: Device,
    wrong: dict[str, str],
    errors: dict[str, str],
) -> None:
    """A wrong field is named, the rest stays typed in, and the same form succeeds."""
    right = user_input(cloud, cloud.master_key(device))
    form = await submit_user(hass, right | wrong)
    assert form["type"] is FlowResultType.FORM
    assert form["errors"] == errors
    shown = suggested(form)
    assert shown["email"] == (right | wrong)["email"]
    assert shown["device_key"] == (right | wrong)["device_key"]
    assert "password" not in shown
    assert PASSWORD not in str(shown)

    result = await submit_again(hass, form, right)
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("server", "errors"),
    [
        ({"url": "http://127.0.0.1:1"}, {"base": "cannot_connect"}),
        ({"port": 1}, {"base": "cannot_connect_device_port"}),
        ({"url": "iot.espressif.cn"}, {"base": "invalid_url"}),
        ({"url": "ftp://127.0.0.1"}, {"base": "invalid_url"}),
        ({"ssl": True}, {"base": "cannot_connect_device_port"}),
    ],
)
async def test_server_errors_can_be_put_right(
    hass: HomeAssistant,
    cloud: LocalCloud,
    device: Device,
    server: dict[str, Any],
    errors: dict[str, str],
) -> None:
    """A wrong server is explained, and the same form succeeds with the right one."""
    right = user_input(cloud, cloud.master_key(device))
    form = await submit_user(hass, right | {"server": right["server"] | server})
    assert form["errors"] == errors
    result = await submit_again(hass, form, right)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_server_section_is_open_where_it_matters(
    hass: HomeAssistant, cloud: LocalCloud, device: Device
) -> None:
    """Closed at first, open once the server was changed or may be to blame."""

    def is_open(form: Any) -> bool:
        return not form["data_schema"].schema["server"].options["collapsed"]

    form = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    assert not is_open(form)
    data = user_input(cloud, "not a key")
    form = await submit_again(hass, form, data)
    assert form["errors"] == {"device_key": "malformed_device_key"}
    assert is_open(form)
    form = await submit_again(hass, form, data | {"server": {}})
    assert form["errors"] == {"device_key": "malformed_device_key"}
    assert not is_open(form)


async def test_malformed_key_is_refused_before_any_request(
    hass: HomeAssistant, cloud: LocalCloud, device: Device
) -> None:
    """Where nothing answers, a request would have failed with another error."""
    data = user_input(cloud, "not a key")
    data["server"] |= {"url": "http://127.0.0.1:1"}
    form = await submit_user(hass, data)
    assert form["errors"] == {"device_key": "malformed_device_key"}


async def test_captive_portal_is_no_cloud(
    hass: HomeAssistant, cloud: LocalCloud, device: Device, portal: str
) -> None:
    """A web page instead of the API is an unexpected answer."""
    right = user_input(cloud, cloud.master_key(device))
    form = await submit_user(
        hass, right | {"server": right["server"] | {"url": portal}}
    )
    assert form["errors"] == {"base": "unexpected_answer"}
    result = await submit_again(hass, form, right)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_device_of_another_account(
    hass: HomeAssistant, cloud: LocalCloud, user: User, other_user: User
) -> None:
    """Such a device is refused, and taken over only when the person says so."""
    device = cloud.add_device("Their lamp", other_user)
    cloud_key = cloud.owner_key(device)
    # It is in use: its firmware has activated it.
    activated = await activate(cloud, device)
    assert activated["status"] == 200

    right = user_input(cloud, cloud.master_key(device))
    form = await submit_user(hass, right)
    assert form["errors"] == {"device_key": "device_of_another_account"}
    form = await submit_again(hass, form, right | {"take_over": False})
    assert form["errors"] == {"device_key": "device_of_another_account"}
    assert cloud.owner_key(device) == cloud_key

    result = await submit_again(hass, form, right | {"take_over": True})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert cloud.owner_key(device) not in (None, cloud_key)


async def test_same_account_again_gets_the_device(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """Another device of a known account joins it, and the account goes on as it was."""
    second = cloud.add_device("Floor lamp", user)
    first = await submit_user(hass, user_input(cloud, cloud.master_key(device)))
    await hass.async_block_till_done()
    await cloud.wait_online(device)
    connections = cloud.connection_count(device)

    result = await submit_user(hass, user_input(cloud, cloud.master_key(second)))
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "device_added"
    assert result["description_placeholders"] == {
        "device": "Floor lamp",
        "account": EMAIL,
    }
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    assert entry is first["result"]
    assert {subentry.title for subentry in entry.subentries.values()} == {
        "Desk lamp",
        "Floor lamp",
    }
    await wait_for_state(hass, "light.floor_lamp", "unknown")
    assert cloud.connection_count(device) == connections


async def test_same_device_again_is_configured_already(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device, other_user: User
) -> None:
    """One device is one connection, whichever account it is added with."""
    await submit_user(hass, user_input(cloud, cloud.master_key(device)))
    for email in (EMAIL, OTHER_EMAIL):
        result = await submit_user(
            hass, user_input(cloud, cloud.master_key(device)) | {"email": email}
        )
        assert result["type"] is FlowResultType.ABORT
        assert result["reason"] == "already_configured"


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


# Signing in again


@pytest.mark.usefixtures("first_refusal_counts")
async def test_reauthentication(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """A revoked key asks for the password alone; the right one sets up the account."""
    entry = await account_entry(hass, cloud, user.id, device)
    cloud.revoke_key(entry.data["user_key"])
    assert not await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.SETUP_RETRY
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["step_id"] == "reauth_confirm"

    form = await submit_again(hass, flow, {"password": "not the password"})
    assert form["errors"] == {"password": "invalid_auth"}
    result = await submit_again(hass, form, {"password": PASSWORD})
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reauth_successful"
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    await cloud.wait_online(device)


async def test_reauthentication_of_another_account_is_refused(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """An e-mail that belongs to a new account by now is not the account."""
    entry = await account_entry(hass, cloud, user.id + 1, device)
    old_key = entry.data["user_key"]
    form = await entry.start_reauth_flow(hass)
    result = await submit_again(hass, form, {"password": PASSWORD})
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "wrong_account"
    assert entry.data["user_key"] == old_key


# Further devices


async def submit_device(
    hass: HomeAssistant, entry_id: str, data: dict[str, Any]
) -> Any:
    """Open the account's dialog for a further device and submit the form."""
    form = await hass.config_entries.subentries.async_init(
        (entry_id, "device"), context={"source": SOURCE_USER}
    )
    assert form["type"] is FlowResultType.FORM
    assert form["errors"] == {}
    return await hass.config_entries.subentries.async_configure(form["flow_id"], data)


async def test_add_device(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """A further device has its own action names, and needs no reload."""
    entry = await account_entry(hass, cloud, user.id, device)
    await hass.config_entries.async_setup(entry.entry_id)
    second = cloud.add_device("Floor lamp", user)
    actions = {"turn_on_action": " relay_on ", "turn_off_action": "relay_off"}
    result = await submit_device(
        hass, entry.entry_id, {"device_key": cloud.master_key(second), **actions}
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "Floor lamp"
    assert result["unique_id"] == str(second.id)
    assert result["data"]["turn_on_action"] == "relay_on"

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
async def test_add_device_errors(
    hass: HomeAssistant,
    cloud: LocalCloud,
    user: User,
    device: Device,
    wrong: dict[str, str],
    errors: dict[str, str],
) -> None:
    """A wrong field is named, and the same form succeeds when it is put right."""
    entry = await account_entry(hass, cloud, user.id)
    right = {
        "device_key": cloud.master_key(device),
        "turn_on_action": "LED_ON",
        "turn_off_action": "LED_OFF",
    }
    form = await submit_device(hass, entry.entry_id, right | wrong)
    assert form["errors"] == errors
    result = await hass.config_entries.subentries.async_configure(
        form["flow_id"], right
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_add_device_that_is_there_already(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """A device is added once."""
    entry = await account_entry(hass, cloud, user.id, device)
    result = await submit_device(
        hass,
        entry.entry_id,
        {
            "device_key": cloud.master_key(device),
            "turn_on_action": "LED_ON",
            "turn_off_action": "LED_OFF",
        },
    )
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


async def test_add_device_with_a_refused_account_key(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """The person is told that it is the account that has to be put right."""
    entry = await account_entry(hass, cloud, user.id)
    cloud.revoke_key(entry.data["user_key"])
    form = await submit_device(
        hass,
        entry.entry_id,
        {
            "device_key": cloud.master_key(device),
            "turn_on_action": "LED_ON",
            "turn_off_action": "LED_OFF",
        },
    )
    assert form["errors"] == {"base": "key_refused"}


# Changing an account


async def submit_reconfigure(
    hass: HomeAssistant, entry: MockConfigEntry, data: dict[str, Any]
) -> Any:
    """Open the account's reconfigure dialog and submit the form."""
    form = await entry.start_reconfigure_flow(hass)
    assert form["step_id"] == "reconfigure"
    assert suggested(form)["email"] == entry.data["email"]
    assert entry.data["user_key"] not in str(suggested(form))
    result = await submit_again(hass, form, data)
    # A success reloads the account behind the dialog's back.
    await hass.async_block_till_done()
    return result


async def moved_entry(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> MockConfigEntry:
    """Return an account whose server has moved to where the cloud is now."""
    entry = await account_entry(hass, cloud, user.id, device)
    hass.config_entries.async_update_entry(
        entry,
        unique_id=f"cloud.example.org_{user.id}",
        data={**entry.data, "url": "https://cloud.example.org"},
    )
    return entry


async def test_reconfigure_server(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """An account follows its server to another address, and stays the same account."""
    entry = await moved_entry(hass, cloud, user, device)
    result = await submit_reconfigure(
        hass, entry, {"email": EMAIL, "server": server_data(cloud)}
    )
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    assert entry.unique_id == f"127.0.0.1_{user.id}"
    assert entry.data["url"] == cloud.http_url


async def test_reconfigure_email(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """A new e-mail needs the password, and changes the title that was the e-mail."""
    entry = await account_entry(hass, cloud, user.id, device)
    hass.config_entries.async_update_entry(
        entry,
        title="old@example.org",
        data={**entry.data, "email": "old@example.org"},
    )
    old_key = entry.data["user_key"]
    data = {"email": EMAIL, "server": server_data(cloud)}
    form = await submit_reconfigure(hass, entry, data)
    assert form["errors"] == {"password": "password_needed"}
    form = await submit_again(hass, form, data | {"password": "not the password"})
    assert form["errors"] == {"password": "invalid_auth"}
    assert "password" not in suggested(form)
    result = await submit_again(hass, form, data | {"password": PASSWORD})
    assert result["reason"] == "reconfigure_successful"
    assert entry.title == EMAIL
    assert entry.data["email"] == EMAIL
    assert entry.data["user_key"] != old_key
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED


async def test_reconfigure_keeps_a_title_of_ones_own(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """Only a title that was the e-mail follows the e-mail."""
    entry = await account_entry(hass, cloud, user.id, device)
    hass.config_entries.async_update_entry(entry, title="Home")
    await submit_reconfigure(
        hass,
        entry,
        {"email": EMAIL, "password": PASSWORD, "server": server_data(cloud)},
    )
    assert entry.title == "Home"


@pytest.mark.parametrize(
    ("wrong", "errors"),
    [
        (
            {"email": OTHER_EMAIL, "password": PASSWORD},
            {"email": "wrong_account"},
        ),
        (
            {"email": "nobody@example.org", "password": PASSWORD},
            {"email": "unknown_account"},
        ),
        ({"server": {"url": "http://127.0.0.1:1"}}, {"base": "cannot_connect"}),
        ({"server": {"url": "127.0.0.1"}}, {"base": "invalid_url"}),
        ({"server": {"port": 1}}, {"base": "cannot_connect_device_port"}),
    ],
)
async def test_reconfigure_errors(
    hass: HomeAssistant,
    cloud: LocalCloud,
    user: User,
    other_user: User,
    device: Device,
    wrong: dict[str, Any],
    errors: dict[str, str],
) -> None:
    """What is wrong is explained, nothing changes, and it can be put right."""
    entry = await account_entry(hass, cloud, user.id, device)
    before = dict(entry.data)
    right: dict[str, Any] = {"email": EMAIL, "server": server_data(cloud)}
    data = right | wrong
    data["server"] = right["server"] | data["server"]
    form = await submit_reconfigure(hass, entry, data)
    assert form["errors"] == errors
    assert dict(entry.data) == before
    result = await submit_again(hass, form, right)
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()


async def test_reconfigure_with_a_revoked_key(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """Where the stored key is not known, the password is."""
    entry = await account_entry(hass, cloud, user.id, device)
    cloud.revoke_key(entry.data["user_key"])
    data = {"email": EMAIL, "server": server_data(cloud)}
    form = await submit_reconfigure(hass, entry, data)
    assert form["errors"] == {"password": "password_needed"}
    result = await submit_again(hass, form, data | {"password": PASSWORD})
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()


async def test_reconfigure_to_an_account_that_is_there(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """Two entries must not become one account."""
    moved = await moved_entry(hass, cloud, user, device)
    await account_entry(hass, cloud, user.id)
    result = await submit_reconfigure(
        hass, moved, {"email": EMAIL, "server": server_data(cloud)}
    )
    assert result["reason"] == "account_already_configured"
    assert moved.unique_id == f"cloud.example.org_{user.id}"


# Changing a device


async def submit_device_reconfigure(
    hass: HomeAssistant, entry: MockConfigEntry, data: dict[str, Any]
) -> Any:
    """Open the device's reconfigure dialog and submit the form."""
    (subentry_id,) = entry.subentries
    form = await entry.start_subentry_reconfigure_flow(hass, subentry_id)
    assert form["step_id"] == "reconfigure"
    assert form["description_placeholders"] == {"device": "Desk lamp"}
    assert "device_key" not in suggested(form)
    return await hass.config_entries.subentries.async_configure(form["flow_id"], data)


async def test_reconfigure_action_names(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """New names count at once, without a new connection."""
    entry = await account_entry(hass, cloud, user.id, device)
    await hass.config_entries.async_setup(entry.entry_id)
    await wait_for_state(hass, "light.desk_lamp", "unknown")
    result = await submit_device_reconfigure(
        hass, entry, {"turn_on_action": "relay_on", "turn_off_action": "relay_off"}
    )
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    await send_command(cloud, device, "relay_on")
    await wait_for_state(hass, "light.desk_lamp", "on")
    assert cloud.connection_count(device) == 1


async def test_reconfigure_device_key(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """A new key of the same device reconnects it; one of another device is refused."""
    entry = await account_entry(hass, cloud, user.id, device)
    await hass.config_entries.async_setup(entry.entry_id)
    await wait_for_state(hass, "light.desk_lamp", "unknown")
    new_key = cloud.regenerate_master_key(device)
    other = cloud.add_device("Floor lamp", user)
    data = {"turn_on_action": "LED_ON", "turn_off_action": "LED_OFF"}

    form = await submit_device_reconfigure(
        hass, entry, data | {"device_key": cloud.master_key(other)}
    )
    for wrong, error in (
        (None, "wrong_device"),
        (UNKNOWN_KEY, "unknown_device_key"),
        ("short", "malformed_device_key"),
    ):
        if wrong is not None:
            form = await hass.config_entries.subentries.async_configure(
                form["flow_id"], data | {"device_key": wrong}
            )
        assert form["errors"] == {"device_key": error}
    result = await hass.config_entries.subentries.async_configure(
        form["flow_id"], data | {"device_key": new_key}
    )
    assert result["reason"] == "reconfigure_successful"
    (subentry,) = entry.subentries.values()
    assert subentry.data["device_key"] == new_key
    await cloud.wait_online(device)


async def test_owner_key_is_not_a_master_key(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """The two look alike; the person is told which one is wanted."""
    data = user_input(cloud, cloud.owner_key(device) or "")
    form = await submit_user(hass, data)
    assert form["errors"] == {"device_key": "not_a_master_key"}
    result = await submit_again(
        hass, form, data | {"device_key": cloud.master_key(device)}
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_owner_key_of_a_device_of_another_account(
    hass: HomeAssistant, cloud: LocalCloud, user: User, other_user: User
) -> None:
    """Nothing can be taken over with the wrong kind of key."""
    device = cloud.add_device("Their lamp", other_user)
    form = await submit_user(hass, user_input(cloud, cloud.owner_key(device) or ""))
    assert form["errors"] == {"device_key": "not_a_master_key"}


async def test_too_many_wrong_passwords(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """The cloud stops answering, and the form says that this passes."""
    data = user_input(cloud, cloud.master_key(device))
    form = await submit_user(hass, data | {"password": "guess"})
    for _ in range(10):
        form = await submit_again(hass, form, data | {"password": "guess"})
    assert form["errors"] == {"base": "rate_limited"}


async def test_device_name_with_quotes(
    hass: HomeAssistant, cloud: LocalCloud, user: User
) -> None:
    """The cloud escapes quotes; a person does not see that."""
    device = cloud.add_device('The "good" lamp', user)
    result = await submit_user(hass, user_input(cloud, cloud.master_key(device)))
    (subentry,) = result["result"].subentries.values()
    assert subentry.title == 'The "good" lamp'


@pytest.mark.parametrize("port", [0, 65536, -1])
async def test_impossible_port(
    hass: HomeAssistant, cloud: LocalCloud, device: Device, port: int
) -> None:
    """The form itself refuses it."""
    data = user_input(cloud, cloud.master_key(device))
    data["server"]["port"] = port
    with pytest.raises(InvalidData):
        await submit_user(hass, data)


async def test_cloud_that_goes_away_meanwhile(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """A further device cannot be added while the cloud is away."""
    entry = await account_entry(hass, cloud, user.id)
    await cloud._http_server.close()
    form = await submit_device(
        hass,
        entry.entry_id,
        {
            "device_key": cloud.master_key(device),
            "turn_on_action": "LED_ON",
            "turn_off_action": "LED_OFF",
        },
    )
    assert form["errors"] == {"base": "cannot_connect"}


async def test_reconfigure_device_of_an_account_that_is_not_loaded(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """The key can be put right before the account is."""
    entry = await account_entry(hass, cloud, user.id, device)
    new_key = cloud.regenerate_master_key(device)
    result = await submit_device_reconfigure(
        hass,
        entry,
        {
            "device_key": new_key,
            "turn_on_action": "LED_ON",
            "turn_off_action": "LED_OFF",
        },
    )
    assert result["reason"] == "reconfigure_successful"
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_for_state(hass, "light.desk_lamp", "unknown")


@pytest.fixture
async def moody_front(cloud: LocalCloud) -> AsyncGenerator[str]:
    """Run a front to the cloud that fails the first time it shall bind a device."""
    moods = iter([web.HTTPBadGateway()])

    async def forward(request: web.Request) -> web.Response:
        if request.path == "/v1/key/authorize/" and (mood := next(moods, None)):
            raise mood
        answer = await http(
            cloud,
            request.method,
            request.path,
            request.headers.get("Authorization", "").removeprefix("token "),
            query=dict(request.query),
            body=await request.json() if request.can_read_body else None,
        )
        return web.json_response(answer)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", forward)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    yield str(server.make_url("/"))
    await server.close()


async def test_binding_that_fails_half_way_can_be_finished(
    hass: HomeAssistant, cloud: LocalCloud, user: User, moody_front: str
) -> None:
    """A device that this dialog activated is not another account's the second time."""
    device = cloud.add_device("New lamp")
    data = user_input(cloud, cloud.master_key(device))
    data["server"]["url"] = moody_front
    form = await submit_user(hass, data)
    assert form["errors"] == {"base": "cannot_connect"}
    assert device.activate_status == 1
    assert cloud.owner_key(device) is None
    result = await submit_again(hass, form, data)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert cloud.owner_key(device) is not None
