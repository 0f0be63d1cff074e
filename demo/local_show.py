"""The demo of local mode for a person: devices knock at Home Assistant, and wait to be confirmed."""

from functools import partial
import json
from pathlib import Path
from textwrap import indent

from .devices import Devices
from .errors import DemoError
from .firmware_files import NEW_VERSION, make_files
from .local_devices import (
    FIRMWARE,
    OLD_PLUG,
    OWN_LAMP,
    PLUG,
    THERMOMETER,
    invent_keys,
    running_local_devices,
)
from .local_dialogs import add_local_cloud, discovered, local_id, wait_discovered
from .paths import LOCAL_DEMO_FOLDER
from .ports import LOOPBACK
from .session import PASSWORD, USERNAME, Session, sign_in
from .show import in_background, keep_running, prepare_folder, set_country
from .terminal import say
from .typed import obey_typed

PORTS = {"device_port": 8000}
DISCOVER_TIMEOUT = 60
NAMES = {name.lower().replace(" ", "-"): name for name in FIRMWARE}
HELP = f"""\
press plug             press its button; press old-plug likewise
measure 25.5 60        let the thermometer feel 25.5 °C and 60 % of humidity
post 19.5              let your own lamp post a temperature
off plug, on plug      take the power away, and give it back, of
                       {", ".join(NAMES)}"""


async def show_local(python: Path, folder: Path = LOCAL_DEMO_FOLDER) -> None:
    """Run the demo until something ends it; all that it keeps is in the folder."""
    say("Starting the devices and Home Assistant …")
    port = prepare_folder(folder, PORTS)["device_port"]
    keys = _remember_keys(folder)
    _write_firmware(folder)
    async with (
        running_local_devices(keys, port, folder) as devices,
        in_background(obey_typed(partial(obey, devices))),
    ):
        await keep_running(
            python,
            folder,
            (devices.process,),
            lambda url: _set_up(url, keys, port),
            lambda url: _instructions(url, port, folder),
        )


async def obey(devices: Devices, line: str) -> str:
    """Do what a line says, and say what happened."""
    try:
        match line.lower().split():
            case ["press", name] if NAMES.get(name) in (PLUG, OLD_PLUG):
                await devices.press(NAMES[name])
                return "Its button was pressed. It tells nobody, so Home Assistant asks: up to 10 s."
            case ["measure", temperature, humidity]:
                await devices.measure(THERMOMETER, float(temperature), float(humidity))
                return "The thermometer has posted that: Home Assistant has heard it."
            case ["post", value]:
                values = {"x": float(value)}
                await devices.do(OWN_LAMP, "post", stream="temperature", values=values)
                return "Your own lamp has posted that: Home Assistant has heard it."
            case ["off" | "on" as power, name] if name in NAMES:
                await devices.power(NAMES[name], on=power == "on")
                return f"Its power is {power}."
    except (DemoError, ValueError) as err:
        return f"That did not work: {err}."
    return f"To type:\n{HELP}"


async def _set_up(url: str, keys: dict[str, str], port: int) -> str:
    """Add the cloud where it is not yet, and say how many devices are offered."""
    async with sign_in(url) as session:
        await session.wait_until_running()
        if await local_id(session) is None:
            await set_country(session)
            await add_local_cloud(session, port)
            await wait_discovered(session, keys, keys, DISCOVER_TIMEOUT)
        return await _describe(session, keys)


async def _describe(session: Session, keys: dict[str, str]) -> str:
    offered = await discovered(session, keys)
    if not offered:
        return "no device waits to be confirmed"
    titles = ",\n    ".join(
        flow["context"]["title_placeholders"]["name"] for flow in offered.values()
    )
    return f"these devices wait to be confirmed:\n    {titles}"


def _remember_keys(folder: Path) -> dict[str, str]:
    """Return the keys in the devices' flash: they are the same at every start."""
    memory = folder / "flash.json"
    if not memory.exists():
        memory.write_text(json.dumps(invent_keys()))
    keys: dict[str, str] = json.loads(memory.read_text())
    return keys


def _write_firmware(folder: Path) -> None:
    """Write files to upload."""
    for name, content in make_files().items():
        (folder / f"{name}.bin").write_bytes(content)


def _instructions(url: str, port: int, folder: Path) -> str:
    typed = indent(HELP, " " * 4)
    return f"""
  Home Assistant   {url}
                   user {USERNAME}, password {PASSWORD}

  It is the cloud: the devices connect to port {port} of it, with keys of which it knows
  nothing. A real one needs a line in your router for that: docs/local-mode.md.

  Discovered       Settings > Devices & services: a card for each. Add one, say what it
                   is and give it a name; it is there with its next connection.
  New device       Settings > Devices & services > Espressif IoT Cloud > Add device makes
                   a key for one that you program; it connects to {LOOPBACK}:{port}.
  Firmware         The gear beside the cloud there, Add firmware: version {NEW_VERSION}
                   with {folder}/user1.bin and user2.bin.
                   The plugs offer it then. They fetch it from port 80 of this machine,
                   which only root may open on most.

  And use your hands: type here

{typed}

  Logs             {folder}/*.log

Ctrl-C ends all of it. The next start finds everything as it was left."""
