"""The demo for a person: a lamp in the browser, and curl lines that switch it."""

import asyncio
import json
from pathlib import Path
from time import perf_counter

from .cloud import Cloud, CloudSettings, running_cloud
from .errors import DemoError
from .home_assistant import running_home_assistant, write_configuration
from .lamp import Lamp, add_account, is_account_added
from .paths import DEMO_FOLDER
from .ports import LOOPBACK, find_free, is_free
from .process import Process
from .session import PASSWORD, USERNAME, sign_in
from .terminal import say

CLOUD_PORTS = {"http_port": 8080, "device_port": 8000}
HOME_PORT = 8123
CONNECT_TIMEOUT = 30
RESTART_STATUS = 100  # Home Assistant asks whoever started it to start it again


async def show(python: Path) -> None:
    """Run the demo until something ends it."""
    started = perf_counter()
    say("Starting the cloud and Home Assistant …")
    DEMO_FOLDER.mkdir(exist_ok=True)
    home, log = DEMO_FOLDER / "home-assistant", DEMO_FOLDER / "home-assistant.log"
    settings = CloudSettings(
        **_choose_cloud_ports(), password="demo", folder=DEMO_FOLDER
    )
    # Only now is it certain that no other demo writes them.
    for old in DEMO_FOLDER.glob("*.log"):
        old.unlink()
    async with running_cloud(settings) as cloud:
        while True:
            port = find_free(HOME_PORT)
            url = f"http://{LOOPBACK}:{port}"
            write_configuration(home, port, log_level="info")
            async with running_home_assistant(python, home, log, port) as process:
                await process.while_alive(_set_up(url, cloud))
                say(_instructions(url, cloud, perf_counter() - started))
                ended = await _first_to_end(process, cloud.process)
            if ended is not process or process.status != RESTART_STATUS:
                raise ended.died()
            started = perf_counter()
            say("\nHome Assistant restarts …")


async def _set_up(url: str, cloud: Cloud) -> None:
    """Do what a person would do at the first start; later ones find it done."""
    async with sign_in(url) as session:
        await session.wait_until_running()
        if await is_account_added(session):
            return
        # Without a country Home Assistant starts with something to repair.
        await session.call("config/core/update", country="CN", currency="CNY")
        await add_account(session, cloud)
        lamp = await Lamp.find(session)
        await lamp.place()
        # Before its first command nobody knows the lamp's state, and the button on the
        # overview would turn it off.
        await lamp.wait_for("unknown", seconds=CONNECT_TIMEOUT)
        await lamp.press("turn_off")


def _choose_cloud_ports() -> dict[str, int]:
    """Choose the cloud's ports once: Home Assistant's account entry remembers them."""
    memory = DEMO_FOLDER / "ports.json"
    if not memory.exists():
        chosen = {name: find_free(port) for name, port in CLOUD_PORTS.items()}
        memory.write_text(json.dumps(chosen))
        return chosen
    ports: dict[str, int] = json.loads(memory.read_text())
    for port in ports.values():
        if not is_free(port):
            raise DemoError(
                f"port {port}, which this demo has used since its first start, is taken. "
                "End the program that listens there (another scripts/demo?), or remove "
                f"the folder {DEMO_FOLDER} to start over with other ports."
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


def _instructions(url: str, cloud: Cloud, seconds: float) -> str:
    return f"""\
Ready after {seconds:.1f} s.

  Home Assistant   {url}
                   user {USERNAME}, password {PASSWORD}

  The lamp is on the overview. Press it there, or switch it from the cloud's side:

    {cloud.curl("LED_ON")}
    {cloud.curl("LED_OFF")}

  The cloud        {cloud.url}, devices at {LOOPBACK}:{cloud.device_port}
                   account {cloud.email}, password {cloud.password}
  Logs             {DEMO_FOLDER}/*.log

Ctrl-C ends all of it. The next start finds everything as it was left."""
