"""The check of local mode: devices knock, are confirmed and used; Home Assistant is killed."""

import asyncio
from collections.abc import Callable
import json
from pathlib import Path
import socket
from typing import Any

from . import log_review
from .devices import Devices
from .entity import GONE, Entity, wait_for_entities
from .errors import DemoError
from .firmware_files import NEW_VERSION, make_files
from .home_assistant import running_home_assistant, write_configuration
from .local_devices import (
    ENTITIES,
    FETCH_PORT,
    LAMP,
    OLD_LAMP,
    OLD_PLUG,
    OWN_LAMP,
    PLUG,
    THERMOMETER,
    invent_keys,
    running_local_devices,
)
from .local_dialogs import (
    add_firmware,
    add_local_cloud,
    confirm,
    discovered,
    local_id,
    wait_discovered,
)
from .paths import INTEGRATION
from .ports import LOOPBACK, find_free
from .session import Session, sign_in
from .terminal import step

DISCOVER_TIMEOUT = 60
APPEAR_TIMEOUT = 60
SHOWN_TIMEOUT = 30
RETURN_TIMEOUT = 60  # what an owner is promised
UPGRADE_TIMEOUT = 120
RED = (255, 0, 0)
# On the wire a full channel of the old stream is 22,222.
WIRE_RED = {"x": 1000, "y": 22222, "z": 0, "k": 0, "l": 0}


async def check_local_in(folder: Path, python: Path) -> None:
    """Go the whole way of an owner, in a folder."""
    home, log, port = folder / "home", folder / "home-assistant.log", find_free()
    url, device_port, keys = f"http://{LOOPBACK}:{port}", find_free(), invent_keys()
    write_configuration(home, port, log_level="debug")
    async with running_local_devices(keys, device_port, folder) as devices:
        async with running_home_assistant(python, home, log, port) as process:
            await process.while_alive(_confirm_and_use(url, device_port, keys, devices))
            await process.kill()
        async with running_home_assistant(python, home, log, port) as process:
            await process.while_alive(_return_and_upgrade(url, keys, devices))
        if process.status != 0:
            raise DemoError(f"{process.name} ended with status {process.status}")
    with step("local: Home Assistant's log has no complaint and no key"):
        log_review.review(log, keys.values())


async def _confirm_and_use(
    url: str, device_port: int, keys: dict[str, str], devices: Devices
) -> None:
    """Begin with nothing, and end with every device in use."""
    async with sign_in(url) as session:
        with step("local: Home Assistant has started, with a user"):
            await session.wait_until_running()
        with step("local: Home Assistant is the cloud"):
            await add_local_cloud(session, device_port)
        with step("local: every device that knocks is discovered"):
            flows = await wait_discovered(session, keys, keys, DISCOVER_TIMEOUT)
        with step("local: confirmed as what they are, all are there"):
            for name in keys:
                await confirm(session, flows[name], name)
            entities = await _wait_until_there(session, APPEAR_TIMEOUT)
        await _use(session, entities, devices)


async def _use(session: Session, entities: dict[str, Entity], devices: Devices) -> None:
    """Use them from Home Assistant and by hand; the plugs and lamps are on in the end."""
    switched = (PLUG, OLD_PLUG, LAMP, OLD_LAMP, OWN_LAMP)
    with step("local: commands arrive at the firmware"):
        for name in (PLUG, OLD_PLUG):
            await entities[name].call("turn_on")
            await _expect(devices, name, lambda state: state["appliance"]["x"], 1)
        for name in (LAMP, OLD_LAMP):
            await entities[name].call("turn_on", rgb_color=RED, brightness=255)
            await _expect(devices, name, _colours, WIRE_RED)
        await entities[OWN_LAMP].call("turn_on")
        await _expect(devices, OWN_LAMP, _last_action, "LED_ON")
        for name in switched:
            await entities[name].wait_for("on", seconds=SHOWN_TIMEOUT)
    with step("local: pressed buttons are shown"):
        for name in (PLUG, OLD_PLUG):
            await devices.press(name)
            await entities[name].wait_for("off", seconds=SHOWN_TIMEOUT)
    with step("local: what is posted is shown"):
        await devices.measure(THERMOMETER, 25.25, 40)
        await entities[THERMOMETER].wait_for("25.25", seconds=SHOWN_TIMEOUT)
        await devices.do(OWN_LAMP, "post", stream="temperature", values={"x": 19.5})
        [posted] = await wait_for_entities(session, {OWN_LAMP: 1}, domains=["sensor"])
        await posted.wait_for("19.5", seconds=SHOWN_TIMEOUT)
    for name in (PLUG, OLD_PLUG):
        await entities[name].call("turn_on")


async def _return_and_upgrade(url: str, keys: dict[str, str], devices: Devices) -> None:
    """Find all as it was, and give the plugs new firmware."""
    async with sign_in(url) as session:
        with step("local: Home Assistant was killed: all devices are back"):
            entities = await _wait_until_there(session, RETURN_TIMEOUT)
            for name in (PLUG, OLD_PLUG, LAMP, OLD_LAMP):
                await entities[name].wait_for("on", seconds=SHOWN_TIMEOUT)
            await session.wait_until_running()
            if again := await discovered(session, keys):
                raise DemoError(f"{', '.join(again)} should not be offered again")
        with step("local: firmware is uploaded and offered to both plugs"):
            entry_id = await local_id(session)
            assert entry_id is not None
            await add_firmware(session, entry_id, NEW_VERSION, make_files())
            wanted = {PLUG: 1, OLD_PLUG: 1}
            updates = await wait_for_entities(session, wanted, domains=["update"])
            for update in updates:
                await update.wait_for("on", seconds=SHOWN_TIMEOUT)
        with step("local: while something else has port 80 nothing is installed"):
            await _expect_refusal(updates[0])
        if not _is_fetch_port_free():
            return
        with step("local: both plugs are upgraded at once, with their progress"):
            await asyncio.gather(*(_upgrade(update, devices) for update in updates))


async def _upgrade(update: Entity, devices: Devices) -> None:
    await update.call("install", seconds=UPGRADE_TIMEOUT)
    await update.wait_until(
        lambda entity: entity.attributes.get("update_percentage") is not None,
        "in progress",
        SHOWN_TIMEOUT,
    )
    await update.wait_for("off", seconds=SHOWN_TIMEOUT)
    if update.attributes["installed_version"] != NEW_VERSION:
        raise DemoError(f"{update.entity_id} has {update.attributes}")
    state = await devices.state(update.device_name)
    if (state["rom_version"], state["boots"]) != (NEW_VERSION, 2):
        raise DemoError(f"{update.device_name} does not run the firmware: {state}")


async def _expect_refusal(update: Entity) -> None:
    """Take port 80, unless somebody has it or nobody may: an upgrade is refused for it."""
    texts = json.loads((INTEGRATION / "translations" / "en.json").read_text())
    message: str = texts["exceptions"]["firmware_port_taken"]["message"]
    # Home Assistant sends it without its full stop.
    text = message.format(device=update.device_name).rstrip(".")
    with socket.socket() as taken:
        if _is_fetch_port_free():
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(("", FETCH_PORT))
            taken.listen()
        try:
            await update.call("install")
        except DemoError as err:
            if text not in str(err):
                raise
        else:
            raise DemoError("an upgrade began, though port 80 was taken")


def _is_fetch_port_free() -> bool:
    """Return whether this user may listen at port 80, and nobody does."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", FETCH_PORT))
        except OSError:
            return False
    return True


async def _wait_until_there(session: Session, seconds: float) -> dict[str, Entity]:
    """Return the first entity of each device, once all are available."""
    found = await wait_for_entities(session, ENTITIES, seconds)
    shown: dict[str, Entity] = {}
    for each in sorted(found, key=lambda each: each.entity_id):
        if each.entity_id.endswith("_humidity"):
            continue
        await each.wait_until(
            lambda entity: entity.state not in GONE, "available", seconds
        )
        # A self-made device may have a sensor behind its light by now.
        shown.setdefault(each.device_name, each)
    return shown


def _colours(state: dict[str, Any]) -> Any:
    return state["appliance"]["values"]


def _last_action(state: dict[str, Any]) -> Any:
    return state["rpcs"][-1]["action"] if state["rpcs"] else None


async def _expect(
    devices: Devices, name: str, read: Callable[[dict[str, Any]], Any], wanted: object
) -> None:
    state = read(await devices.state(name))
    if state != wanted:
        raise DemoError(f"{name} should be {wanted}, but is {state}")
