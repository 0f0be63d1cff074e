"""Firmware from Home Assistant itself: taken in, offered, fetched, and refused."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
import socket
import tempfile
from typing import Any

import aiohttp
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.espcloud.backends.local import server
from custom_components.espcloud.local_cloud.listeners import CommandAnswered
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
from tests.common import wait_for_state
from tests.firmware import image
from tests.firmware.new_light import NewLight
from tests.hardware.test_update import swap_on_boot

from .home import HOST, Home

OLD, NEW = "v1.0.5t23701(a)", "v1.0.6t23701(a)"
UPDATE = "update.plug_firmware"
IMAGES = {"user1": image.build(1), "user2": image.build(2)}


@pytest.fixture
def firmware_port(monkeypatch: pytest.MonkeyPatch) -> int:
    """Return a port in place of 80, which tests may not have."""
    with socket.create_server((HOST, 0)) as free:
        port = int(free.getsockname()[1])
    monkeypatch.setattr(server, "FIRMWARE_PORT", port)
    return port


async def submit(hass: HomeAssistant, form: Any, data: dict[str, Any]) -> Any:
    """Submit a form of the options."""
    return await hass.config_entries.options.async_configure(form["flow_id"], data)


async def open_form(hass: HomeAssistant, home: Home, step: str) -> Any:
    """Open the options, and choose."""
    menu = await hass.config_entries.options.async_init(home.entry.entry_id)
    assert menu["step_id"] == "firmware"
    return await submit(hass, menu, {"next_step_id": step})


type Upload = Callable[[dict[str, bytes]], Awaitable[dict[str, str]]]


@pytest.fixture
async def upload(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Upload:
    """Return what uploads files as the browser does, and gives what the form then has."""
    # Home Assistant has one folder for them, and removes it with its end.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    async def upload(files: dict[str, bytes]) -> dict[str, str]:
        client = await hass_client()
        ids = {}
        for name, content in files.items():
            data = aiohttp.FormData()
            data.add_field("file", content, filename=f"{name}.bin")
            response = await client.post("/api/file_upload", data=data)
            ids[name] = (await response.json())["file_id"]
        return ids

    return upload


async def add(hass: HomeAssistant, home: Home, upload: Upload, version: str) -> Any:
    """Add firmware; return how the dialog ended or went on."""
    form = await open_form(hass, home, "add_firmware")
    return await submit(hass, form, {"version": version, **await upload(IMAGES)})


async def pass_time(hass: HomeAssistant, reached: Callable[[], bool]) -> None:
    """Let the seconds pass in which the update asks how far the device is."""
    for _ in range(200):
        if reached():
            return
        async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=6))
        await asyncio.sleep(0.05)
    raise AssertionError("it never came to that")


async def test_upgrade(
    hass: HomeAssistant, home: Home, firmware_port: int, upload: Upload
) -> None:
    """It is offered, fetched with progress from a port that closes after it, and runs."""
    await home.set_up()
    plug = await home.take_in("Plug", "plug", activates=True, http_port=firmware_port)
    assert hass.states.get(UPDATE) is None
    assert (await add(hass, home, upload, NEW))["reason"] == "firmware_added"
    await wait_for_state(hass, UPDATE, "on")
    state = hass.states.get(UPDATE)
    assert state.attributes["installed_version"] == OLD
    assert state.attributes["latest_version"] == NEW

    seen: list[int] = []

    def note(event: Any) -> None:
        if event.data["entity_id"] == UPDATE:
            seen.append(event.data["new_state"].attributes.get("update_percentage"))

    hass.bus.async_listen("state_changed", note)
    boots = plug.boots
    task = asyncio.ensure_future(
        hass.services.async_call(
            "update", "install", {"entity_id": UPDATE}, blocking=True
        )
    )
    await pass_time(hass, lambda: plug.boots > boots)
    await pass_time(hass, task.done)
    await task
    percentages = [each for each in seen if each is not None]
    assert percentages == sorted(percentages)
    assert percentages[-1] == 100
    await wait_for_state(hass, UPDATE, "off")
    assert hass.states.get(UPDATE).attributes["installed_version"] == NEW
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(HOST, firmware_port)


async def test_port_that_somebody_else_has(
    hass: HomeAssistant, home: Home, firmware_port: int, upload: Upload
) -> None:
    """The device is told nothing: what that port says would end up in its flash."""
    await home.set_up()
    plug = await home.take_in("Plug", "plug", activates=True, http_port=firmware_port)
    await add(hass, home, upload, NEW)
    await wait_for_state(hass, UPDATE, "on")
    heard: list[Any] = []
    home.entry.runtime_data.server._cloud.listeners.add(heard.append)
    with (
        socket.create_server((HOST, firmware_port)),
        pytest.raises(HomeAssistantError) as raised,
    ):
        await hass.services.async_call(
            "update", "install", {"entity_id": UPDATE}, blocking=True
        )
    assert raised.value.translation_key == "firmware_port_taken"
    actions = [each.action for each in heard if isinstance(each, CommandAnswered)]
    assert "sys_upgrade" not in actions
    assert plug.rom_version == OLD
    assert hass.states.get(UPDATE).attributes["in_progress"] is False


@pytest.mark.parametrize(
    ("version", "files", "errors"),
    [
        ("1.0", IMAGES, {"version": "firmware_bad_version"}),
        ("v1.0.600t23701(a)", IMAGES, {"version": "firmware_bad_version"}),
        (
            NEW,
            {"user1": b"text" * 99, "user2": IMAGES["user2"]},
            {"base": "firmware_no_image"},
        ),
        (
            NEW,
            {"user1": IMAGES["user1"][:-9], "user2": IMAGES["user2"]},
            {"base": "firmware_damaged"},
        ),
        (
            NEW,
            {"user1": IMAGES["user1"], "user2": IMAGES["user1"]},
            {"base": "firmware_same_file"},
        ),
        (
            NEW,
            {"user1": b"\xe9" + bytes(1 << 20), "user2": IMAGES["user2"]},
            {"base": "firmware_too_large"},
        ),
        (NEW, {"user1": IMAGES["user1"]}, {"base": "firmware_file_missing"}),
    ],
)
async def test_what_is_no_firmware(
    hass: HomeAssistant,
    home: Home,
    upload: Upload,
    version: str,
    files: dict[str, bytes],
    errors: dict[str, str],
) -> None:
    """It is said what is wrong, and the same form goes on."""
    await home.set_up()
    form = await open_form(hass, home, "add_firmware")
    unknown = {"user2": "0" * 32}
    form = await submit(
        hass, form, {"version": version, **unknown, **await upload(files)}
    )
    assert form["errors"] == errors
    result = await submit(hass, form, {"version": NEW, **await upload(IMAGES)})
    assert result["reason"] == "firmware_added"


async def test_removal(hass: HomeAssistant, home: Home, upload: Upload) -> None:
    """What is gone is offered no more, and a version can only be there once."""
    await home.set_up()
    await home.take_in("Plug", "plug", activates=True)
    result = await open_form(hass, home, "remove_firmware")
    assert result["reason"] == "no_firmware"
    await add(hass, home, upload, NEW)
    form = await add(hass, home, upload, NEW)
    assert form["errors"] == {"version": "firmware_exists"}
    await wait_for_state(hass, UPDATE, "on")
    form = await open_form(hass, home, "remove_firmware")
    result = await submit(hass, form, {"version": [NEW]})
    assert result["reason"] == "firmware_removed"
    await wait_for_state(hass, UPDATE, "off")


async def test_cloud_that_does_not_run(
    hass: HomeAssistant, home: Home, upload: Upload
) -> None:
    """The dialog says so."""
    await home.set_up()
    form = await open_form(hass, home, "add_firmware")
    menu = await hass.config_entries.options.async_init(home.entry.entry_id)
    assert await hass.config_entries.async_unload(home.entry.entry_id)
    result = await submit(hass, form, {"version": NEW, **await upload(IMAGES)})
    assert result["reason"] == "cloud_not_running"
    result = await submit(hass, menu, {"next_step_id": "remove_firmware"})
    assert result["reason"] == "cloud_not_running"
    result = await hass.config_entries.options.async_init(home.entry.entry_id)
    assert result["reason"] == "cloud_not_running"


async def test_light_that_becomes_a_new_one(
    hass: HomeAssistant, home: Home, firmware_port: int, upload: Upload
) -> None:
    """Its stream changes with its version; it is the same light to people."""
    await home.set_up()
    lamp = await home.take_in("Lamp", "light", activates=True, http_port=firmware_port)
    (subentry,) = home.entry.subentries.values()
    assert subentry.data["kind"] == "old_light"
    before = er.async_get(hass).async_get("light.lamp").id
    await add(hass, home, upload, "b1.3.0t45772(o)")
    await wait_for_state(hass, "update.lamp_firmware", "on")
    swap_on_boot(lamp, NewLight)
    boots = lamp.boots
    task = asyncio.ensure_future(
        hass.services.async_call(
            "update", "install", {"entity_id": "update.lamp_firmware"}, blocking=True
        )
    )
    await pass_time(hass, lambda: lamp.boots > boots)
    await pass_time(hass, task.done)
    await task
    await wait_for_state(hass, "light.lamp", lambda state: state != "unavailable")
    (subentry,) = home.entry.subentries.values()
    assert subentry.data["kind"] == "new_light"
    assert er.async_get(hass).async_get("light.lamp").id == before
    await hass.services.async_call(
        "light",
        "turn_on",
        {"entity_id": "light.lamp", "rgb_color": (0, 0, 255), "brightness": 255},
        blocking=True,
    )
    assert lamp.appliance.values["z"]["blue"] == 255
