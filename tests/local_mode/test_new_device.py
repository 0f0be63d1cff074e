"""A device that a person programs: Home Assistant makes its key, and says what it sends."""

import asyncio
import json
import re
from typing import Any

from custom_components.espcloud.const import SUBENTRY_TYPE_LOCAL
from homeassistant.config_entries import SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.common import wait_for_state

from .home import HOST, Home


async def test_tutorial(hass: HomeAssistant, home: Home) -> None:
    """The lines of the dialog, pasted as they are, make it a light with a sensor."""
    await home.set_up()
    manager = hass.config_entries.subentries
    form: Any = await manager.async_init(
        (home.entry.entry_id, SUBENTRY_TYPE_LOCAL), context={"source": SOURCE_USER}
    )
    form = await manager.async_configure(form["flow_id"], {"name": " "})
    assert form["errors"] == {"name": "name_missing"}
    form = await manager.async_configure(form["flow_id"], {"name": "My lamp"})
    assert form["step_id"] == "kind"
    form = await manager.async_configure(form["flow_id"], {"kind": "rpc"})
    assert form["step_id"] == "self_made"
    form = await manager.async_configure(form["flow_id"], form["data_schema"]({}))
    assert form["step_id"] == "frames"
    shown = form["description_placeholders"]
    frames = re.findall(r"^\{.*\}$", shown["frames"], re.MULTILINE)
    assert home.entry.subentries == {}
    result = await manager.async_configure(form["flow_id"], {})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert shown["key"] not in str(result["data"])
    await hass.async_block_till_done()
    await wait_for_state(hass, "light.my_lamp", "unavailable")

    assert len(frames) == 4
    assert all(shown["key"] in frame for frame in frames)
    reader, writer = await asyncio.open_connection(HOST, home.port)
    for frame in frames:
        writer.write(f"{frame}\n".encode())
        assert json.loads(await reader.readline())["status"] == 200
    await wait_for_state(hass, "light.my_lamp", "unknown")
    await wait_for_state(hass, "sensor.my_lamp_temperature_x", "21.5")
    writer.close()
    await writer.wait_closed()
    (subentry,) = home.entry.subentries.values()
    assert subentry.title == "My lamp"


async def test_dialog_that_is_left_makes_nothing(
    hass: HomeAssistant, home: Home
) -> None:
    """Neither a device, nor a key."""
    await home.set_up()
    manager = hass.config_entries.subentries
    form: Any = await manager.async_init(
        (home.entry.entry_id, SUBENTRY_TYPE_LOCAL), context={"source": SOURCE_USER}
    )
    form = await manager.async_configure(form["flow_id"], {"name": "My lamp"})
    form = await manager.async_configure(form["flow_id"], {"kind": "plug"})
    assert form["step_id"] == "frames"
    manager.async_abort(form["flow_id"])
    assert home.entry.runtime_data.account.owned == {}
    assert home.entry.subentries == {}


async def test_cloud_that_does_not_run(hass: HomeAssistant, home: Home) -> None:
    """Neither a dialog that begins, nor one that was left open, makes a device."""
    await home.set_up()
    manager = hass.config_entries.subentries
    handler = (home.entry.entry_id, SUBENTRY_TYPE_LOCAL)
    form: Any = await manager.async_init(handler, context={"source": SOURCE_USER})
    form = await manager.async_configure(form["flow_id"], {"name": "My lamp"})
    form = await manager.async_configure(form["flow_id"], {"kind": "plug"})
    assert form["step_id"] == "frames"
    assert await hass.config_entries.async_unload(home.entry.entry_id)
    result = await manager.async_configure(form["flow_id"], {})
    assert result["reason"] == "account_not_loaded"
    result = await manager.async_init(handler, context={"source": SOURCE_USER})
    assert result["reason"] == "account_not_loaded"
    assert home.entry.subentries == {}
