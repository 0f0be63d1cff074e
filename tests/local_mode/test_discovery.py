"""Devices that knock are offered, and nothing of them is kept before they are confirmed."""

import pytest

from custom_components.espcloud import discoveries
from custom_components.espcloud.identity import key_hash
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import UnknownFlow
from homeassistant.helpers import area_registry as ar, device_registry as dr
from tests.local_cloud.helpers import until

from .home import Home, new_key


async def test_cards_of_two_of_a_kind_differ(hass: HomeAssistant, home: Home) -> None:
    """Where a card's title is cut, its beginning is left: the device's address."""
    await home.set_up()
    for number, name in enumerate(("Left", "Right"), 1):
        await home.add(name, "light", activates=True, source=f"127.0.1.{number}")
    titles = [
        (await home.wait_discovered(name))["context"]["title_placeholders"]["name"]
        for name in ("Left", "Right")
    ]
    assert titles == [
        "127.0.1.1 · Light (older firmware) · 18:fe:34:00:02:00",
        "127.0.1.2 · Light (older firmware) · 18:fe:34:00:02:01",
    ]


async def test_ignored_device_is_not_offered_until_it_is_not_ignored(
    hass: HomeAssistant, home: Home
) -> None:
    """Not after a restart either; then its next knock is enough."""
    await home.set_up()
    await home.add("Plug", "plug")
    flow = await home.wait_discovered("Plug")
    await hass.config_entries.flow.async_init(
        "espcloud",
        context={"source": "ignore"},
        data={"unique_id": flow["context"]["unique_id"], "title": "Plug"},
    )
    assert home.discovered("Plug") is None
    assert await hass.config_entries.async_reload(home.entry.entry_id)
    server = home.entry.runtime_data.server
    simulated = home.simulated["Plug"]
    # By the time that another one is offered, this one would be as well.
    await home.add("Lamp", "light")
    await home.wait_discovered("Lamp")
    assert [each.key_hash for each in server.pending()] == [key_hash(home.keys["Lamp"])]
    assert home.discovered("Plug") is None
    ignored = hass.config_entries.async_entry_for_domain_unique_id(
        "espcloud", key_hash(home.keys["Plug"])
    )
    await hass.config_entries.async_remove(ignored.entry_id)
    await simulated.power_off()
    simulated.power_on()
    await home.wait_discovered("Plug")


async def test_dialog_ends_with_the_cloud(hass: HomeAssistant, home: Home) -> None:
    """Where nothing knocks any more, nothing is offered."""
    await home.set_up()
    await home.add("Plug", "plug")
    await home.wait_discovered("Plug")
    assert await hass.config_entries.async_unload(home.entry.entry_id)
    assert home.discovered("Plug") is None


async def test_nothing_tells_the_key(hass: HomeAssistant, home: Home) -> None:
    """What Home Assistant keeps and shows of a device that is offered is a hash."""
    await home.set_up()
    await home.add("Plug", "plug")
    flow = await home.wait_discovered("Plug")
    form = await hass.config_entries.flow.async_configure(flow["flow_id"])
    assert new_key("Plug") not in str(flow)
    assert new_key("Plug") not in str(form)
    assert flow["context"]["discovery_key"].key == flow["context"]["unique_id"]


async def test_area_and_name(hass: HomeAssistant, home: Home) -> None:
    """Both are what was typed; a name of blanks is none."""
    await home.set_up()
    await home.add("Plug", "plug")
    flow = await home.wait_discovered("Plug")
    kitchen = ar.async_get(hass).async_create("Kitchen")
    manager = hass.config_entries.flow
    typed = {"kind": "plug", "name": "  ", "area": kitchen.id}
    form = await manager.async_configure(flow["flow_id"], typed)
    assert form["errors"] == {"name": "name_missing"}
    result = await manager.async_configure(
        flow["flow_id"], typed | {"name": " Kettle "}
    )
    assert result["reason"] == "device_taken_in"
    await hass.async_block_till_done()
    (device,) = dr.async_entries_for_config_entry(
        dr.async_get(hass), home.entry.entry_id
    )
    assert device.name == "Kettle"
    assert device.area_id == kitchen.id


async def test_device_that_is_gone(hass: HomeAssistant, home: Home) -> None:
    """Who has its dialog open is told so."""
    await home.set_up()
    await home.add("Plug", "plug")
    flow = await home.wait_discovered("Plug")
    server = home.entry.runtime_data.server
    pending = server._cloud.operator.pending_devices()
    # Another way to take it in: over the console, or by another dialog.
    server._cloud.add_device("Plug", None, 23701, master_key=pending[0].key)
    assert home.discovered("Plug") is None
    with pytest.raises(UnknownFlow):
        await hass.config_entries.flow.async_configure(flow["flow_id"])


async def test_title(hass: HomeAssistant, home: Home) -> None:
    """It says what the device is, and which one."""
    await home.set_up()
    await home.add("Plug", "plug", activates=True)
    flow = await home.wait_discovered("Plug")
    title = flow["context"]["title_placeholders"]["name"]
    assert title == f"127.0.0.1 · Plug · {home.simulated['Plug'].bssid}"


async def test_device_that_told_nothing_yet(
    hass: HomeAssistant, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cloud ends before it is offered; what is left of that the test plugin would see."""
    monkeypatch.setattr(discoveries, "MOST_PATIENCE", 3600.0)
    await home.set_up()
    await home.add("Lamp", "self_made")
    server = home.entry.runtime_data.server
    await until(lambda: len(server.pending()) == 1)
    assert home.discovered("Lamp") is None
    assert await hass.config_entries.async_unload(home.entry.entry_id)
    assert home.discovered("Lamp") is None


async def test_dialogs_that_come_too_late(
    hass: HomeAssistant, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What they are about is gone, and nobody has closed them yet."""
    monkeypatch.setattr(discoveries.Discoveries, "_flows", lambda *_: [])
    await home.set_up()
    manager = hass.config_entries.flow
    flows = {}
    for name in ("Plug", "Lamp", "Gate"):
        await home.add(name, "plug")
        flows[name] = await home.wait_discovered(name)
    typed = {"kind": "rpc", "name": "Thing"}
    form = await manager.async_configure(flows["Lamp"]["flow_id"], typed)
    assert form["step_id"] == "self_made"
    gate = await manager.async_configure(flows["Gate"]["flow_id"], typed)
    server = home.entry.runtime_data.server
    for pending in server._cloud.operator.pending_devices():
        server._cloud.add_device("Taken", None, 23701, master_key=pending.key)
    result = await manager.async_configure(flows["Plug"]["flow_id"], typed)
    assert result["reason"] == "device_gone"
    result = await manager.async_configure(form["flow_id"], form["data_schema"]({}))
    assert result["reason"] == "device_gone"
    assert await hass.config_entries.async_unload(home.entry.entry_id)
    result = await manager.async_configure(gate["flow_id"], gate["data_schema"]({}))
    assert result["reason"] == "device_gone"
    for key_hash_of in (key_hash("0" * 40), key_hash(home.keys["Plug"])):
        result = await manager.async_init(
            "espcloud",
            context={"source": "integration_discovery"},
            data={"key_hash": key_hash_of},
        )
        assert result["reason"] == "device_gone"
    assert home.entry.subentries == {}
