"""Each kind of device in Home Assistant: shown, commanded, read."""

import asyncio

import pytest

from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.event import async_track_state_change_event
from tests.common import wait_for_state
from tests.local_cloud.helpers import until

from .house import House


async def press(
    hass: HomeAssistant, entity_id: str, service: str, **data: object
) -> None:
    """Do what a person does in the user interface."""
    await hass.services.async_call(
        entity_id.partition(".")[0],
        service,
        {ATTR_ENTITY_ID: entity_id, **data},
        blocking=True,
    )


async def test_plug(hass: HomeAssistant, house: House) -> None:
    """It is switched, toggled, and read where somebody presses its button."""
    plug = await house.show("Kettle", "plug", activates=True, bssid="18:fe:34:00:00:99")
    switch = "switch.kettle"
    await wait_for_state(hass, switch, "off")
    await press(hass, switch, "turn_on")
    assert plug.appliance.is_on
    assert hass.states.get(switch).state == "on"
    await press(hass, switch, "toggle")
    assert hass.states.get(switch).state == "off"
    plug.press()
    await wait_for_state(hass, switch, "on")
    (device,) = dr.async_entries_for_config_entry(
        dr.async_get(hass), house.entry.entry_id
    )
    assert device.name == "Kettle"
    assert device.model == "Plug"
    assert device.sw_version == plug.rom_version
    assert device.connections == {("mac", "18:fe:34:00:00:99")}
    # There for whoever wants it.
    entity = er.async_get(hass).async_get("binary_sensor.kettle_connectivity")
    assert entity.disabled_by is er.RegistryEntryDisabler.INTEGRATION


@pytest.mark.parametrize("kind", ["light", "light_nonos"])
async def test_light_of_the_old_stream(
    hass: HomeAssistant, house: House, kind: str
) -> None:
    """What is sent is shown although it fades; a look after that changes nothing."""
    light = await house.show("Lamp", kind, activates=True)
    entity_id = "light.lamp"
    await wait_for_state(hass, entity_id, "off")
    await press(hass, entity_id, "turn_on", rgb_color=(255, 128, 0), brightness=128)
    sent = {"x": 1000, "y": 11155, "z": 5578, "k": 0, "l": 0}
    assert light.appliance.values == sent
    expected = {"rgb_color": (255, 128, 0), "brightness": 128, "color_mode": "rgb"}
    assert expected.items() <= hass.states.get(entity_id).attributes.items()
    # Whoever asks it now hears of a moment on the way: it has hardly begun.
    await house.coordinator("Lamp").backend.async_refresh()
    assert hass.states.get(entity_id).state == "on"
    assert expected.items() <= hass.states.get(entity_id).attributes.items()
    # The fade is over, and so is the second look.
    await house.wait_settled("Lamp")
    assert expected.items() <= hass.states.get(entity_id).attributes.items()
    await press(hass, entity_id, "turn_off")
    assert set(light.appliance.values.values()) == {0, 1000}
    await house.wait_settled("Lamp")
    assert hass.states.get(entity_id).state == "off"
    await press(hass, entity_id, "turn_on")
    assert light.appliance.values == sent


async def test_light_shows_white_once_it_has_some(
    hass: HomeAssistant, house: House
) -> None:
    """A lamp without white LEDs would be dark in it."""
    light = await house.show("Lamp", "light_nonos", activates=True)
    entity_id = "light.lamp"
    await wait_for_state(hass, entity_id, "off")
    assert hass.states.get(entity_id).attributes["supported_color_modes"] == ["rgb"]
    await house.write("Lamp", "light", {"x": 1000, "y": 0, "z": 0, "k": 0, "l": 22222})
    await wait_for_state(hass, entity_id, "on")
    attributes = hass.states.get(entity_id).attributes
    assert attributes["supported_color_modes"] == ["rgbw"]
    await press(hass, entity_id, "turn_on", rgbw_color=(0, 0, 255, 255))
    assert light.appliance.values == {"x": 1000, "y": 0, "z": 0, "k": 22222, "l": 22222}


async def test_light_of_the_new_stream(hass: HomeAssistant, house: House) -> None:
    """Color and white are modes of it."""
    light = await house.show("Lamp", "light_new", activates=True)
    entity_id = "light.lamp"
    await wait_for_state(hass, entity_id, "off")
    await press(hass, entity_id, "turn_on", rgb_color=(0, 255, 0), brightness=51)
    assert light.appliance.state["values"]["z"]["green"] == 51
    await house.wait_settled("Lamp")
    attributes = hass.states.get(entity_id).attributes
    assert attributes["color_mode"] == "rgb"
    assert attributes["brightness"] == 51
    await press(hass, entity_id, "turn_on", white=200)
    await house.wait_settled("Lamp")
    attributes = hass.states.get(entity_id).attributes
    assert attributes["color_mode"] == "white"
    assert attributes["brightness"] == 200


async def test_strip(hass: HomeAssistant, house: House) -> None:
    """Each socket is a switch; what somebody pressed meanwhile stays as it is."""
    strip = await house.show("Strip", "strip", activates=True, sockets=3)
    first, second, third = (f"switch.strip_socket_{number}" for number in (1, 2, 3))
    await wait_for_state(hass, third, "off")
    strip.press(1)
    await press(hass, first, "turn_on")
    assert strip.appliance.state["x"] == 0b011
    assert hass.states.get(second).state == "on"
    await press(hass, second, "toggle")
    assert strip.appliance.state["x"] == 0b001


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        (
            "tem_hum",
            {"thing_temperature": ("21.5", "°C"), "thing_humidity": ("48.0", "%")},
        ),
        ("gas", {"thing_flammable_gas": ("0.0", None)}),
        ("voltage", {"thing_voltage": ("3.2998046875", "V")}),
    ],
)
async def test_sensor(
    hass: HomeAssistant,
    house: House,
    kind: str,
    shown: dict[str, tuple[str, str | None]],
) -> None:
    """It posts and sleeps; Home Assistant shows what it posted last."""
    sensor = await house.add("Thing", kind, activates=True)
    await house.wait_posted("Thing")
    await house.set_up()
    for name, (value, unit) in shown.items():
        await wait_for_state(hass, f"sensor.{name}", value)
        state = hass.states.get(f"sensor.{name}")
        assert state.attributes.get("unit_of_measurement") == unit
        assert state.attributes["state_class"] == "measurement"
    if kind == "tem_hum":
        sensor.reading.x = -3.25
        await house.wait_posted("Thing", again=True)
        await wait_for_state(hass, "sensor.thing_temperature", "-3.25")


async def test_remote(hass: HomeAssistant, house: House) -> None:
    """Each button is sent as often as asked for."""
    remote = await house.show("Remote", "remote", activates=True)
    await wait_for_state(hass, "remote.remote", "on")
    await press(
        hass,
        "remote.remote",
        "send_command",
        device="0x20DF",
        command=["0x10EF", "2"],
        num_repeats=3,
        delay_secs=0,
    )
    assert remote.appliance.sent == [(0x20DF, 0x10EF, 2), (0x20DF, 2, 2)]


async def test_self_made(hass: HomeAssistant, house: House) -> None:
    """Two actions are a light, what it posts are sensors, its answer is a response."""
    device = await house.show("Thing", "self_made", members={"steps": {"done": 3}})
    light = "light.thing"
    await wait_for_state(hass, light, "unknown")
    assert hass.states.get(light).attributes["assumed_state"]
    await press(hass, light, "turn_on")
    assert device.pushes[-1]["get"] == {"action": "LED_ON"}
    assert hass.states.get(light).state == "on"
    assert "assumed_state" not in hass.states.get(light).attributes
    answer = await hass.services.async_call(
        "espcloud",
        "send_command",
        {ATTR_ENTITY_ID: light, "action": "emulate_steps"},
        blocking=True,
        return_response=True,
    )
    ((_, members),) = answer.items()
    assert members["steps"] == {"done": 3}


async def test_color_of_a_light_that_is_off_outlives_a_restart(
    hass: HomeAssistant, house: House
) -> None:
    """It does not say it, and turning on goes back to it."""
    light = await house.show("Lamp", "light", activates=True)
    entry = house.entry
    await wait_for_state(hass, "light.lamp", "off")
    await press(hass, "light.lamp", "turn_on", rgb_color=(0, 0, 255), brightness=255)
    await house.wait_settled("Lamp")
    await press(hass, "light.lamp", "turn_off")
    await house.wait_settled("Lamp")
    await hass.config_entries.async_reload(entry.entry_id)
    await wait_for_state(hass, "light.lamp", "off")
    await press(hass, "light.lamp", "turn_on")
    assert light.appliance.values == {"x": 1000, "y": 0, "z": 0, "k": 22222, "l": 0}


async def test_sockets_stay_over_a_restart(hass: HomeAssistant, house: House) -> None:
    """What a person called them is not lost while the strip has not answered yet."""
    strip = await house.show("Strip", "strip", activates=True, sockets=3)
    entity_id = "switch.strip_socket_2"
    await wait_for_state(hass, entity_id, "off")
    registry = er.async_get(hass)
    registry.async_update_entity(entity_id, name="Fan")
    await strip.power_off()
    assert await hass.config_entries.async_reload(house.entry.entry_id)
    # The device is shown once the templates of datastreams were read.
    await until(lambda: bool(house.entry.runtime_data.hardware.coordinators))
    entry = registry.async_get(entity_id)
    assert entry is not None and entry.name == "Fan"
    await house.back("Strip")
    await wait_for_state(hass, entity_id, "off")


async def test_voltage_is_the_newest_of_what_was_posted_together(
    hass: HomeAssistant, house: House
) -> None:
    """The 19 minutes before it are its past, and are not shown again and again."""
    sensor = await house.add("Thing", "voltage", activates=True)
    sensor.reading.y = [3000 + place for place in range(20)]
    await house.wait_posted("Thing", again=True)
    shown: list[str] = []

    @callback
    def note(event: Event[EventStateChangedData]) -> None:
        if (state := event.data["new_state"]) is not None:
            shown.append(state.state)

    remove = async_track_state_change_event(hass, "sensor.thing_voltage", note)
    await house.set_up()
    await wait_for_state(hass, "sensor.thing_voltage", str(3019 / 1024))
    for _ in range(2):
        await house.coordinator("Thing").backend.async_refresh()
    remove()
    assert [state for state in shown if state not in ("unavailable", "unknown")] == [
        str(3019 / 1024)
    ]


async def test_answer_that_a_command_has_overtaken(
    hass: HomeAssistant, house: House
) -> None:
    """What was asked before it, or while it was under way, is worth nothing."""
    await house.show("Kettle", "plug", activates=True)
    await wait_for_state(hass, "switch.kettle", "off")
    coordinator = house.coordinator("Kettle")
    reading = coordinator.begin_reading()
    await press(hass, "switch.kettle", "turn_on")
    coordinator.handle_datapoint("plug-status", {"x": 0}, reading)
    assert hass.states.get("switch.kettle").state == "on"
    with coordinator.freshness.overtaking():
        reading = coordinator.begin_reading()
    coordinator.handle_datapoint("plug-status", {"x": 0}, reading)
    assert hass.states.get("switch.kettle").state == "on"
    coordinator.handle_datapoint("plug-status", {"x": 0}, coordinator.begin_reading())
    assert hass.states.get("switch.kettle").state == "off"


async def test_toggles_are_never_taken_together(
    hass: HomeAssistant, house: House
) -> None:
    """Each is done; of others that wait, the outcome is enough."""
    plug = await house.show("Kettle", "plug", activates=True)
    switch = "switch.kettle"
    await wait_for_state(hass, switch, "off")
    await asyncio.gather(*(press(hass, switch, "toggle") for _ in range(5)))
    assert plug.appliance.history == [True, False, True, False, True]
    plug.appliance.history.clear()
    await asyncio.gather(
        *(press(hass, switch, f"turn_{to}") for to in ("off", "on", "off", "on"))
    )
    # The first was under way already.
    assert plug.appliance.history == [False, True]
