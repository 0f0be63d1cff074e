"""The check of the devices that Home Assistant shows without becoming them."""

from collections.abc import Callable
from typing import Any

from .cloud import COLOUR_LAMP, PLUG, STRIP, THERMOMETER, Cloud
from .devices import ENTITIES, Devices
from .entity import Entity, wait_for_entities
from .errors import DemoError
from .session import Session
from .terminal import step

# A list of devices a minute, the first question behind it, and a slow machine.
APPEAR_TIMEOUT = 90
SHOWN_TIMEOUT = 75
ANSWER_TIMEOUT = 10
ORANGE = (255, 128, 0)
# On the wire a full channel of the old stream is 22,222.
WIRE_ORANGE = {"x": 1000, "y": 22222, "z": 11155, "k": 0, "l": 0}
WIRE_BLUE = {"x": 1000, "y": 0, "z": 0, "k": 22222, "l": 0}
BLUE = [0, 0, 255]


async def check_hardware(session: Session, cloud: Cloud, devices: Devices) -> None:
    """Use each device from both sides, and take the power of one."""
    with step("the account's devices appear by themselves"):
        found = await wait_for_entities(session, ENTITIES, APPEAR_TIMEOUT)
        by_id = {each.entity_id: each for each in found}
        for each in found:
            await each.wait_until_there(APPEAR_TIMEOUT)
    lamp, plug = by_id["light.colour_lamp"], by_id["switch.plug"]
    second = by_id["switch.power_strip_socket_2"]
    third = by_id["switch.power_strip_socket_3"]
    temperature = by_id["sensor.thermometer_temperature"]
    with step("the thermometer shows what it has posted"):
        await temperature.wait_for("21.5", seconds=ANSWER_TIMEOUT)
    with step("used in Home Assistant, the lamp, the plug and the strip follow"):
        await lamp.call("turn_on", rgb_color=ORANGE, brightness=255)
        await _expect(devices, COLOUR_LAMP, lambda state: state["values"], WIRE_ORANGE)
        await plug.call("turn_on")
        await _expect(devices, PLUG, lambda state: state["x"], 1)
        await second.call("turn_on")
        await _expect(devices, STRIP, lambda state: state["x"], 0b010)
        for each in (lamp, plug, second):
            await each.wait_for("on", seconds=ANSWER_TIMEOUT)
    with step("without power the plug is unavailable as soon as somebody presses it"):
        await devices.power(PLUG, on=False)
        try:
            await plug.call("turn_off")
        except DemoError:
            await plug.wait_for("unavailable", seconds=ANSWER_TIMEOUT)
        else:
            raise DemoError("a plug without power was switched")
    with step("used by the app and by hand, they are shown so; the plug is back"):
        await devices.power(PLUG, on=True)
        await devices.press(PLUG)
        await cloud[COLOUR_LAMP].write("light", **WIRE_BLUE)
        await cloud[STRIP].write("plugs", x=0b110)
        await devices.measure(THERMOMETER, 25.25, 40)
        await lamp.wait_until(_is_blue, "blue", SHOWN_TIMEOUT)
        await third.wait_for("on", seconds=SHOWN_TIMEOUT)
        await temperature.wait_for("25.25", seconds=SHOWN_TIMEOUT)
        await plug.wait_for("off", seconds=SHOWN_TIMEOUT)


def _is_blue(lamp: Entity) -> bool:
    return list(lamp.attributes.get("rgb_color") or ()) == BLUE


async def _expect(
    devices: Devices, name: str, read: Callable[[dict[str, Any]], Any], wanted: object
) -> None:
    state = read((await devices.state(name))["appliance"])
    if state != wanted:
        raise DemoError(f"{name} should be {wanted}, but is {state}")
