"""The dialogs of the cloud: its ports, who may use its HTTP API, what the router has to say."""

import asyncio
import socket
from typing import Any

import aiohttp
import pytest

from custom_components.espcloud.backends.local import database_path
from custom_components.espcloud.const import DOMAIN
from custom_components.espcloud.local_cloud import LocalCloud
from homeassistant.config_entries import SOURCE_USER, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.credentials import EMAIL, PASSWORD

from .home import HOST, Home

NO_API = {"serve_api": False, "port": 8080}


async def open_form(hass: HomeAssistant) -> Any:
    """Choose to run the cloud in Home Assistant."""
    manager = hass.config_entries.flow
    menu = await manager.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert menu["type"] is FlowResultType.MENU
    assert menu["menu_options"] == ["account", "local"]
    form = await manager.async_configure(menu["flow_id"], {"next_step_id": "local"})
    assert form["step_id"] == "local"
    assert form["errors"] == {}
    return form


async def submit(hass: HomeAssistant, form: Any, data: dict[str, Any]) -> Any:
    """Submit a form."""
    return await hass.config_entries.flow.async_configure(form["flow_id"], data)


async def sign_in(port: int, email: str, password: str) -> dict[str, Any]:
    """Sign in to the HTTP API as the phone app does."""
    body = {"email": email, "password": password, "scope": "user"}
    url = f"http://{HOST}:{port}/v1/keys/"
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, json=body) as reply,
    ):
        answer: dict[str, Any] = await reply.json(content_type=None)
        return answer


@pytest.fixture
def api_port() -> int:
    """Return another port that is free."""
    with socket.create_server((HOST, 0)) as server:
        return int(server.getsockname()[1])


async def test_cloud_without_an_api(hass: HomeAssistant, port: int) -> None:
    """A port is all that it needs; the router comes last, then it runs."""
    form = await open_form(hass)
    form = await submit(hass, form, {"port": port, "api": NO_API})
    assert form["step_id"] == "router"
    assert form["description_placeholders"]["address"].count(".") == 3
    assert hass.config_entries.async_entries(DOMAIN) == []
    result = await submit(hass, form, {})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    entry = result["result"]
    assert entry.unique_id == "local"
    assert dict(entry.data) == {"port": port}
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    _, writer = await asyncio.open_connection(HOST, port)
    writer.close()
    await writer.wait_closed()


async def test_there_is_no_second_one(hass: HomeAssistant, home: Home) -> None:
    """The choice is not offered; who had the form open already is told."""
    form = await open_form(hass)
    await home.set_up()
    result = await submit(hass, form, {"port": home.port, "api": NO_API})
    assert result["reason"] == "local_already_configured"
    form = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    assert form["step_id"] == "account"


@pytest.mark.parametrize("wrong", [0, 65536, 80.5])
async def test_port_that_is_none(hass: HomeAssistant, port: int, wrong: float) -> None:
    """It is said on its field, and the same form goes on."""
    form = await open_form(hass)
    form = await submit(hass, form, {"port": wrong, "api": NO_API})
    assert form["errors"] == {"port": "invalid_port"}
    form = await submit(hass, form, {"port": port, "api": NO_API})
    assert form["step_id"] == "router"


async def test_taken_port(hass: HomeAssistant, port: int) -> None:
    """It is tried before anything is kept."""
    form = await open_form(hass)
    with socket.create_server((HOST, port)):
        form = await submit(hass, form, {"port": port, "api": NO_API})
        assert form["errors"] == {"port": "port_taken"}
    form = await submit(hass, form, {"port": port, "api": NO_API})
    assert form["step_id"] == "router"


async def test_api(hass: HomeAssistant, port: int, api_port: int) -> None:
    """Its account is that of the devices; the entry does not keep the password."""
    form = await open_form(hass)
    api = {"serve_api": True, "port": api_port}
    for missing, error in (
        ({}, "email_missing"),
        ({"email": EMAIL}, "password_missing"),
    ):
        form = await submit(hass, form, {"port": port, "api": api | missing})
        assert form["errors"] == {"api": error}
    same = {"serve_api": True, "port": port, "email": EMAIL, "password": PASSWORD}
    form = await submit(hass, form, {"port": port, "api": same})
    assert form["errors"] == {"api": "same_port"}
    assert PASSWORD not in str(form["data_schema"].schema)
    right = api | {"email": EMAIL, "password": PASSWORD}
    with socket.create_server((HOST, api_port)):
        form = await submit(hass, form, {"port": port, "api": right})
        assert form["errors"] == {"api": "port_taken"}
    form = await submit(hass, form, {"port": port, "api": right})
    result = await submit(hass, form, {})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    assert PASSWORD not in str(result["data"])
    assert (await sign_in(api_port, EMAIL, PASSWORD))["status"] == 200
    assert (await sign_in(api_port, EMAIL, "wrong"))["status"] == 403
    # Nobody makes an account of their own in somebody's house.
    other = {"email": "stranger@example.com", "password": PASSWORD}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"http://{HOST}:{api_port}/v1/user/join/", json=other) as response,
    ):
        assert response.status == 403


async def test_bad_email(hass: HomeAssistant, port: int, api_port: int) -> None:
    """The form comes back with what was typed, and nothing is made."""
    form = await open_form(hass)
    api = {"serve_api": True, "port": api_port, "password": PASSWORD}
    form = await submit(hass, form, {"port": port, "api": api | {"email": "nobody"}})
    form = await submit(hass, form, {})
    assert form["errors"] == {"api": "bad_credentials"}
    form = await submit(hass, form, {"port": port, "api": api | {"email": EMAIL}})
    result = await submit(hass, form, {})
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_changes(
    hass: HomeAssistant, home: Home, port: int, api_port: int
) -> None:
    """Ports and credentials change, and devices are as they were."""
    await home.set_up()
    await home.take_in("Plug", "plug")
    form = await home.entry.start_reconfigure_flow(hass)
    assert form["step_id"] == "local_reconfigure"
    api = {"serve_api": True, "port": api_port}
    form = await submit(hass, form, {"port": port, "api": api | {"email": EMAIL}})
    assert form["errors"] == {"api": "password_missing"}
    api |= {"email": EMAIL, "password": PASSWORD}
    result = await submit(hass, form, {"port": port, "api": api})
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert (await sign_in(api_port, EMAIL, PASSWORD))["status"] == 200
    await home.wait_available("Plug")

    # Without a password the one that there is stays; another one takes its place.
    form = await home.entry.start_reconfigure_flow(hass)
    result = await submit(
        hass,
        form,
        {"port": port, "api": {"serve_api": True, "port": api_port, "email": EMAIL}},
    )
    await hass.async_block_till_done()
    assert (await sign_in(api_port, EMAIL, PASSWORD))["status"] == 200
    form = await home.entry.start_reconfigure_flow(hass)
    await submit(hass, form, {"port": port, "api": api | {"password": "another"}})
    await hass.async_block_till_done()
    assert (await sign_in(api_port, EMAIL, "another"))["status"] == 200
    assert (await sign_in(api_port, EMAIL, PASSWORD))["status"] == 403
    form = await home.entry.start_reconfigure_flow(hass)
    await submit(hass, form, {"port": port, "api": NO_API})
    await hass.async_block_till_done()
    assert dict(home.entry.data) == {"port": port}
    with pytest.raises(aiohttp.ClientConnectionError):
        await sign_in(api_port, EMAIL, "another")


async def test_database_that_is_in_use(
    hass: HomeAssistant, port: int, api_port: int
) -> None:
    """The password has nowhere to go; the form says so, and goes on after that."""
    form = await open_form(hass)
    api = {
        "serve_api": True,
        "port": api_port,
        "email": EMAIL,
        "password": PASSWORD,
    }
    form = await submit(hass, form, {"port": port, "api": api})
    holder = LocalCloud(state_file=database_path(hass))
    await holder.start()
    form = await submit(hass, form, {})
    assert form["errors"] == {"base": "database_unusable"}
    await holder.close()
    form = await submit(hass, form, {"port": port, "api": api})
    result = await submit(hass, form, {})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    assert (await sign_in(api_port, EMAIL, PASSWORD))["status"] == 200
