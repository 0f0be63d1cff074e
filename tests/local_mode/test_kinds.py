"""Every kind of device, from what it is taken for to what it is used for."""

from typing import Any

import pytest

from custom_components.espcloud.identity import key_hash
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from tests.common import wait_for_state
from tests.firmware.readings import Gas, Reading, TemHum, Voltage
from tests.local_cloud.helpers import until

from .home import Home


@pytest.mark.parametrize(
    ("kind", "suggested", "entity", "before", "seen"),
    [
        ("plug", "plug", "switch.thing", "off", {"x": 1}),
        ("plug_nonos", "plug", "switch.thing", "off", {"x": 1}),
        ("light", "old_light", "light.thing", "off", {"y": 22222}),
        ("light_nonos", "old_light", "light.thing", "off", {"y": 22222}),
        ("light_new", "new_light", "light.thing", "off", {"red": 255}),
        ("strip", "strip", "switch.thing_socket_3", "off", {"x": 4}),
        ("remote", "remote", "remote.thing", "on", {"sent": [[18, 5, 2]]}),
        ("self_made", "rpc", "light.thing", "unknown", {"rpcs": ["LED_ON"]}),
    ],
)
async def test_command(
    hass: HomeAssistant,
    home: Home,
    kind: str,
    suggested: str,
    entity: str,
    before: str,
    seen: dict[str, Any],
) -> None:
    """It arrives as the device understands it."""
    await home.set_up()
    # Nothing but its version tells what a remote control is.
    simulated = await home.add("Thing", kind, activates=kind in ("remote", "self_made"))
    await confirm(hass, home, suggested)
    await home.wait_available("Thing")
    await wait_for_state(hass, entity, before)
    assert_kept(hass, home, entity)
    await command(hass, entity)
    assert seen.items() <= effect_on(simulated).items()


async def test_remote_that_does_not_say_what_it_is(
    hass: HomeAssistant, home: Home
) -> None:
    """Its owner does."""
    await home.set_up()
    simulated = await home.add("Thing", "remote")
    await confirm(hass, home, "rpc", chosen="remote")
    await home.wait_available("Thing")
    await wait_for_state(hass, "remote.thing", "on")
    await command(hass, "remote.thing")
    assert simulated.appliance.sent == [(18, 5, 2)]


@pytest.mark.parametrize(
    ("kind", "suggested", "reading", "shown"),
    [
        (
            "tem_hum",
            "tem_hum",
            TemHum(x=-3.5, y=61.0),
            {"temperature": ("-3.5", "°C"), "humidity": ("61.0", "%")},
        ),
        ("gas", "flammable_gas", Gas(x=0.625), {"flammable_gas": ("0.625", None)}),
        (
            "voltage",
            "supply_voltage",
            Voltage(y=[3379] * 19 + [3328]),
            {"voltage": ("3.25", "V")},
        ),
    ],
)
async def test_reading(
    hass: HomeAssistant,
    home: Home,
    kind: str,
    suggested: str,
    reading: Reading,
    shown: dict[str, tuple[str, str | None]],
) -> None:
    """What it posts next is shown, with its unit."""
    await home.set_up()
    simulated = await home.add("Thing", kind)
    await confirm(hass, home, suggested)
    simulated.reading = reading
    # It does so by itself only every few minutes.
    assert await simulated.post() == 200
    await home.wait_available("Thing")
    for key, (value, unit) in shown.items():
        entity = f"sensor.thing_{key}"
        await wait_for_state(hass, entity, value)
        state = hass.states.get(entity)
        assert state is not None
        assert state.attributes.get("unit_of_measurement") == unit
        assert_kept(hass, home, entity)


async def confirm(
    hass: HomeAssistant, home: Home, suggested: str, *, chosen: str | None = None
) -> None:
    """Confirm the device, as what it is suggested to be where nothing else is chosen."""
    flow = await home.wait_discovered("Thing")
    form = await hass.config_entries.flow.async_configure(flow["flow_id"])
    assert form["step_id"] == "adopt"
    markers = {str(each): each.description for each in form["data_schema"].schema}
    assert markers["kind"]["suggested_value"] == suggested
    registry = dr.async_get(hass)
    assert dr.async_entries_for_config_entry(registry, home.entry.entry_id) == []
    result = await home.confirm("Thing", kind=chosen)
    assert result["reason"] == "device_taken_in"
    await until(lambda: home.coordinator("Thing") is not None)


def assert_kept(hass: HomeAssistant, home: Home, entity: str) -> None:
    """Assert that the entity is of a subentry that knows the key's hash alone."""
    (subentry,) = home.entry.subentries.values()
    assert subentry.title == "Thing"
    assert subentry.unique_id == key_hash(home.keys["Thing"])
    assert home.keys["Thing"] not in str(subentry.data)
    registered = er.async_get(hass).async_get(entity)
    assert registered is not None
    assert registered.config_subentry_id == subentry.subentry_id


async def command(hass: HomeAssistant, entity: str) -> None:
    """Turn on what can be turned on; a remote control sends a signal."""
    domain = entity.partition(".")[0]
    action, data = "turn_on", {}
    if domain == "remote":
        action = "send_command"
        data = {"device": "0x12", "command": ["5"], "num_repeats": 3}
    await hass.services.async_call(
        domain, action, {"entity_id": entity, **data}, blocking=True
    )


def effect_on(simulated: Any) -> dict[str, Any]:
    """Return what commands have made of a simulated device."""
    state = simulated.state
    if "rpcs" in state:
        return {"rpcs": [each["action"] for each in state["rpcs"]]}
    appliance: dict[str, Any] = state["appliance"]
    values: dict[str, Any] = appliance.get("values", appliance)
    # The newer lights have their colors in there.
    nested = values.get("z")
    return values | nested if isinstance(nested, dict) else values
