"""The demo for a person: devices in the browser, and lines that use them from outside."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
import json
from pathlib import Path
from textwrap import indent
from time import perf_counter
from typing import Any

from .cloud import COLOUR_LAMP, LAMPS, SPARE, Cloud, CloudSettings, running_cloud
from .devices import ENTITIES, running_devices
from .dialogs import account_id, add_account, add_device
from .entity import find_entities, show_on_overview, wait_for_entities
from .errors import DemoError
from .home_assistant import running_home_assistant, write_configuration
from .paths import DEMO_FOLDER
from .ports import LOOPBACK, find_free, is_free
from .process import Process
from .session import PASSWORD, USERNAME, Session, sign_in
from .terminal import say
from .typed import HELP, obey, obey_typed

CLOUD_PORTS = {"http_port": 8080, "device_port": 8000}
HOME_PORT = 8123
CONNECT_TIMEOUT = 30
RESTART_STATUS = 100  # Home Assistant asks whoever started it to start it again


async def show(python: Path, folder: Path = DEMO_FOLDER) -> None:
    """Run the demo until something ends it; all that it keeps is in the folder."""
    say("Starting the cloud and Home Assistant …")
    ports = prepare_folder(folder, CLOUD_PORTS)
    settings = CloudSettings(**ports, password="demo", folder=folder)
    async with (
        running_cloud(settings) as cloud,
        running_devices(cloud, folder) as devices,
        in_background(obey_typed(partial(obey, devices))),
    ):
        await keep_running(
            python,
            folder,
            (cloud.process, devices.process),
            lambda url: _set_up(url, cloud, folder),
            lambda url: _instructions(url, cloud, folder),
        )


async def keep_running(
    python: Path,
    folder: Path,
    others: Sequence[Process],
    set_up: Callable[[str], Coroutine[Any, Any, str]],
    instructions: Callable[[str], str],
) -> None:
    """Run Home Assistant, again where it wants to be restarted, until anything else ends.

    Args:
        python: runs Home Assistant.
        folder: what the demo keeps.
        others: the demo's other processes.
        set_up: does at the address what there is to do, and returns how the devices are.
        instructions: what a person is told then.
    """
    home, log = folder / "home-assistant", folder / "home-assistant.log"
    started = perf_counter()
    while True:
        port = find_free(HOME_PORT)
        url = f"http://{LOOPBACK}:{port}"
        write_configuration(home, port, log_level="info")
        async with running_home_assistant(python, home, log, port) as process:
            there = await process.while_alive(set_up(url))
            say(f"Ready after {perf_counter() - started:.1f} s; {there}.")
            say(instructions(url))
            ended = await _first_to_end(process, *others)
        if ended is not process or process.status != RESTART_STATUS:
            raise ended.died()
        started = perf_counter()
        say("\nHome Assistant restarts …")


async def _set_up(url: str, cloud: Cloud, folder: Path) -> str:
    """Do what a person would do at the first start, and say how the devices are."""
    done = folder / "set-up"
    async with sign_in(url) as session:
        await session.wait_until_running()
        # Killed soon after its first start, Home Assistant has not saved the account yet.
        if not done.exists() or await account_id(session) is None:
            await set_country(session)
            await _set_up_once(session, cloud)
            done.touch()
        return await describe_devices(session)


async def describe_devices(session: Session) -> str:
    """Say how the devices are, once they are connected: Home Assistant answers before."""
    entities = await find_entities(session)
    try:
        for each in entities:
            await each.wait_until_there(CONNECT_TIMEOUT)
    except DemoError as err:
        # Whoever played with the settings wants to go on from there.
        return f"not all devices are connected: {err}"
    return f"connected devices: {len({each.device_name for each in entities})}"


async def set_country(session: Session) -> None:
    """Say where this is: without that Home Assistant starts with something to repair."""
    await session.call("config/core/update", country="CN", currency="CNY")


async def _set_up_once(session: Session, cloud: Cloud) -> None:
    """Add the account and the lamps; a start that was cut off in between is continued."""
    first, *others = LAMPS
    if await account_id(session) is None:
        await add_account(session, cloud, cloud[first])
    await wait_for_entities(session, {first: 1})
    present = {each.device_name for each in await find_entities(session)}
    for name in others:
        if name not in present:
            await add_device(session, cloud[name])
    lamps = await wait_for_entities(session, dict.fromkeys(LAMPS, 1))
    for lamp in lamps:
        # Before its first command nobody knows a lamp's state, and the button on the
        # overview would turn it off.
        await lamp.wait_until_there(CONNECT_TIMEOUT)
        await lamp.call("turn_off")
    others_own = await wait_for_entities(session, ENTITIES, CONNECT_TIMEOUT)
    for each in (*lamps, *others_own):
        await each.place()
    await show_on_overview(session, [*lamps, *others_own])


def prepare_folder(folder: Path, wanted: Mapping[str, int]) -> dict[str, int]:
    """Clear the folder of old logs, and return the cloud's ports: the wanted ones, if free."""
    folder.mkdir(exist_ok=True)
    ports = _choose_cloud_ports(folder, wanted)
    # Only now is it certain that no other demo writes them.
    for old in folder.glob("*.log"):
        old.unlink()
    return ports


def _choose_cloud_ports(folder: Path, wanted: Mapping[str, int]) -> dict[str, int]:
    """Choose the cloud's ports once: Home Assistant's entry remembers them."""
    memory = folder / "ports.json"
    if not memory.exists():
        chosen = {name: find_free(port) for name, port in wanted.items()}
        memory.write_text(json.dumps(chosen))
        return chosen
    ports: dict[str, int] = json.loads(memory.read_text())
    for port in ports.values():
        if not is_free(port):
            raise DemoError(
                f"port {port}, which this demo has used since its first start, is taken. "
                "End the program that listens there (another scripts/demo?), or remove "
                f"the folder {folder} to start over with other ports."
            )
    return ports


async def _first_to_end(*processes: Process) -> Process:
    tasks = {asyncio.create_task(process.ended()): process for process in processes}
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return tasks[done.pop()]
    finally:
        for task in tasks:
            task.cancel()


@asynccontextmanager
async def in_background(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Do something beside the block, until that ends."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def _instructions(url: str, cloud: Cloud, folder: Path) -> str:
    lamp, colour = cloud[LAMPS[0]], cloud[COLOUR_LAMP]
    red = {"x": 1000, "y": 22222, "z": 0, "k": 0, "l": 0}
    typed = indent(HELP, " " * 4)
    return f"""
  Home Assistant   {url}
                   user {USERNAME}, password {PASSWORD}

  {" and ".join(LAMPS)} are Home Assistant itself. Press them on the overview, or
  switch the {lamp.name} from the cloud's side:

    {lamp.curl("LED_ON")}
    {lamp.curl("LED_OFF")}

  {", ".join(ENTITIES)} are devices of their own (simulated),
  which the account has. Use them in Home Assistant, or make the {colour.name} red as the phone app does:

    {colour.curl_datapoint("light", red)}

  Or use your hands: type here

{typed}

  Try the form     Settings > Devices & services > Espressif IoT Cloud > Add device
                   {SPARE}'s key: {cloud[SPARE].master_key}
  Automations      Settings > Automations & scenes; the blueprint is there, too.

  The cloud        {cloud.url}, devices at {LOOPBACK}:{cloud.device_port}
  Its web site     {cloud.web_site}
                   account {cloud.email}, password {cloud.password}
  Logs             {folder}/*.log

Ctrl-C ends all of it. The next start finds everything as it was left."""
