"""Adding an account: its own step, and what comes of it."""

from typing import Any

import pytest

from custom_components.espcloud.const import DOMAIN
from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device, User
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.common import TITLE, account_input, send_command, server_data, wait_for_state
from tests.credentials import EMAIL, PASSWORD

from .steps import (
    add_account,
    choose,
    fields,
    is_server_open,
    open_dialog,
    sign_in,
    submit,
    suggested,
)


async def test_account_with_its_device(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """Two steps make the account and its first device, and the lamp works."""
    master_key = cloud.master_key(device)
    result = await add_account(hass, cloud, f"  {master_key.upper()} ")

    assert result["type"] is FlowResultType.CREATE_ENTRY
    entry = result["result"]
    server = f"127.0.0.1:{cloud.http_url.rpartition(':')[2]}"
    assert entry.unique_id == f"{server}_{user.id}"
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


async def test_title_is_no_secret(
    hass: HomeAssistant, cloud: LocalCloud, device: Device
) -> None:
    """Home Assistant writes titles into its log, so the e-mail is none."""
    result = await add_account(hass, cloud, cloud.master_key(device))
    assert result["title"] == TITLE


async def test_title_of_an_account_without_an_email(
    hass: HomeAssistant, cloud: LocalCloud
) -> None:
    """A server may let people sign in with a name; that one is shown."""
    user = await cloud.add_account(EMAIL, PASSWORD)
    user.email = "victor"
    cloud.store.put(user)
    device = cloud.add_device("Desk lamp", user)
    result = await add_account(hass, cloud, cloud.master_key(device), email="victor")
    assert result["title"] == "victor"


@pytest.mark.parametrize(
    ("wrong", "errors"),
    [
        ({"password": "not the password"}, {"password": "invalid_auth"}),
        ({"email": "nobody@example.org"}, {"email": "unknown_account"}),
        ({"email": " "}, {"email": "email_missing"}),
        ({"password": ""}, {"password": "password_needed"}),
    ],
)
async def test_errors_land_on_their_field_and_can_be_put_right(
    hass: HomeAssistant,
    cloud: LocalCloud,
    device: Device,
    wrong: dict[str, str],
    errors: dict[str, str],
) -> None:
    """A wrong field is named, the rest stays typed in, and the same form goes on."""
    right = account_input(cloud)
    form = await sign_in(hass, right | wrong)
    assert form["step_id"] == "account"
    assert form["errors"] == errors
    shown = suggested(form)
    assert shown["email"] == (right | wrong)["email"]
    assert "password" not in shown
    assert PASSWORD not in str(shown)

    menu = await submit(hass, form, right)
    form = await choose(hass, menu, "device_key")
    result = await submit(hass, form, {"device_key": cloud.master_key(device)})
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("server", "error"),
    [
        ({"url": "http://127.0.0.1:1"}, "cannot_connect"),
        ({"url": "iot.espressif.cn"}, "invalid_url"),
        ({"url": "ftp://127.0.0.1"}, "invalid_url"),
        ({"url": "http://127.0.0.1:70000"}, "invalid_url"),
        ({"url": "http://[::1"}, "invalid_url"),
        ({"url": "http://me:secret@127.0.0.1"}, "url_with_user"),
        ({"url": "http://@127.0.0.1"}, "url_with_user"),
        ({"port": 70000}, "invalid_port"),
        ({"port": 0}, "invalid_port"),
        ({"port": -1}, "invalid_port"),
        ({"port": 8000.5}, "invalid_port"),
        ({"port": "inf"}, "invalid_port"),
    ],
)
async def test_server_errors_can_be_put_right(
    hass: HomeAssistant,
    cloud: LocalCloud,
    user: User,
    server: dict[str, Any],
    error: str,
) -> None:
    """A wrong server is explained at its section, and the same form goes on."""
    form = await sign_in(hass, account_input(cloud, server=server))
    assert form["errors"] == {"server": error}
    assert is_server_open(form)
    assert "secret" not in str(form["errors"])
    menu = await submit(hass, form, account_input(cloud))
    assert menu["step_id"] == "device"


async def test_https_to_a_port_without(
    hass: HomeAssistant, cloud: LocalCloud, user: User
) -> None:
    """It is told what to change."""
    url = cloud.http_url.replace("http:", "https:")
    form = await sign_in(hass, account_input(cloud, server={"url": url}))
    assert form["errors"] == {"server": "no_tls"}
    menu = await submit(hass, form, account_input(cloud))
    assert menu["step_id"] == "device"


@pytest.mark.parametrize("server", [{"port": 1}, {"ssl": True}])
async def test_password_is_not_asked_again(
    hass: HomeAssistant, cloud: LocalCloud, device: Device, server: dict[str, Any]
) -> None:
    """The sign-in has succeeded: what is wrong with the device port asks for no password."""
    form = await sign_in(hass, account_input(cloud, server=server))
    assert form["errors"] == {"server": "cannot_connect_device_port"}
    assert "password" not in fields(form)
    keys = len(cloud.store.keyring.keys)
    right = account_input(cloud)
    del right["password"]
    menu = await submit(hass, form, right)
    assert len(cloud.store.keyring.keys) == keys
    form = await choose(hass, menu, "device_key")
    result = await submit(hass, form, {"device_key": cloud.master_key(device)})
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("change", ["email", "url"])
async def test_key_goes_to_nobody_else(
    hass: HomeAssistant, cloud: LocalCloud, user: User, portal: str, change: str
) -> None:
    """A sign-in is for one account at one server; another one needs its password."""
    form = await sign_in(hass, account_input(cloud, server={"port": 1}))
    other = account_input(cloud)
    del other["password"]
    if change == "email":
        other["email"] = "nobody@example.org"
    else:
        other["server"]["url"] = portal
    form = await submit(hass, form, other)
    assert form["errors"] == {"password": "password_needed"}
    assert "password" in fields(form)
    menu = await submit(hass, form, account_input(cloud))
    assert menu["step_id"] == "device"


async def test_server_section_is_open_where_it_matters(
    hass: HomeAssistant, cloud: LocalCloud, user: User
) -> None:
    """Closed at first, open once the server was changed or may be to blame."""
    form = await open_dialog(hass)
    assert not is_server_open(form)
    data = account_input(cloud, password="not the password")
    form = await submit(hass, form, data)
    assert form["errors"] == {"password": "invalid_auth"}
    assert is_server_open(form)
    form = await submit(hass, form, data | {"server": {}, "email": ""})
    assert form["errors"] == {"email": "email_missing"}
    assert not is_server_open(form)


@pytest.mark.usefixtures("any_name")
async def test_clear_text_beyond_the_local_network_is_asked_for(
    hass: HomeAssistant, cloud: LocalCloud, user: User
) -> None:
    """Before the password leaves, and it leaves only when the person agrees."""
    url = cloud.http_url.replace("127.0.0.1", "cloud.example.org")
    data = account_input(cloud, server={"url": url})
    form = await sign_in(hass, data)
    assert form["errors"] == {"clear_text": "clear_text"}
    form = await submit(hass, form, data | {"clear_text": False})
    assert form["errors"] == {"clear_text": "clear_text"}
    assert not cloud.store.keyring.keys
    form = await submit(hass, form, account_input(cloud, password="not it"))
    assert "clear_text" not in fields(form)
    form = await submit(hass, form, data)
    menu = await submit(hass, form, data | {"clear_text": True})
    assert menu["step_id"] == "device"
    assert len(cloud.store.keyring.keys) == 1


async def test_captive_portal_is_no_cloud(
    hass: HomeAssistant, cloud: LocalCloud, user: User, portal: str
) -> None:
    """A web page instead of the API is an unexpected answer."""
    form = await sign_in(hass, account_input(cloud, server={"url": portal}))
    assert form["errors"] == {"server": "unexpected_answer"}
    menu = await submit(hass, form, account_input(cloud))
    assert menu["step_id"] == "device"


async def test_too_many_wrong_passwords(
    hass: HomeAssistant, cloud: LocalCloud, user: User
) -> None:
    """The cloud stops answering, and the form says that this passes."""
    data = account_input(cloud, password="guess")
    form = await sign_in(hass, data)
    for _ in range(10):
        form = await submit(hass, form, data)
    assert form["errors"] == {"password": "rate_limited"}


async def test_same_account_again_gets_the_device(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> None:
    """Another device of a known account joins it, and the account goes on as it was."""
    second = cloud.add_device("Floor lamp", user)
    first = await add_account(hass, cloud, cloud.master_key(device))
    await hass.async_block_till_done()
    await cloud.wait_online(device)
    connections = cloud.connection_count(device)

    result = await add_account(hass, cloud, cloud.master_key(second))
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "device_added"
    assert result["description_placeholders"] == {
        "device": "Floor lamp",
        # Markdown, in which an @ could be an address.
        "account": TITLE.replace("@", r"\@"),
    }
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    assert entry is first["result"]
    assert {subentry.title for subentry in entry.subentries.values()} == {
        "Desk lamp",
        "Floor lamp",
    }
    await wait_for_state(hass, "light.floor_lamp", "unknown")
    assert cloud.connection_count(device) == connections
