"""The folder that Home Assistant lives in, and the process that lives there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
from pathlib import Path
import shutil

import aiohttp

from .errors import deadline
from .paths import BLUEPRINTS, CHECKOUT, INTEGRATION
from .ports import LOOPBACK
from .process import Process

START_TIMEOUT = 120

# default_config without what looks for the internet, radios or other machines.
INTEGRATIONS = ("frontend", "history", "logbook", "media_source", "my", "sun")

# What a person makes in the browser is saved in these files.
SAVED = {
    "automation": "automations.yaml",
    "scene": "scenes.yaml",
    "script": "scripts.yaml",
}

# The silenced ones miss ffmpeg and libturbojpeg, which only cameras and speakers need.
LOGGER = """\
logger:
  default: warning
  logs:
    custom_components.espcloud: {level}
    haffmpeg: critical
    homeassistant.components.camera.img_util: critical
"""


def write_configuration(folder: Path, port: int, log_level: str) -> None:
    """Write what Home Assistant reads at its start; whatever else is there stays."""
    storage = folder / ".storage"
    storage.mkdir(parents=True, exist_ok=True)
    (folder / "configuration.yaml").write_text(
        "# Written anew by scripts/demo at every start.\n"
        + "".join(f"{name}:\n" for name in INTEGRATIONS)
        + "".join(f"{name}: !include {file}\n" for name, file in SAVED.items())
        + LOGGER.format(level=log_level)
    )
    for name in SAVED.values():
        (folder / name).touch()
    # A copy: what a person does with it in the browser is not to change the checkout.
    shutil.copytree(BLUEPRINTS, folder / "blueprints", dirs_exist_ok=True)
    _link_integration(folder / "custom_components")
    # In configuration.yaml these settings would be on trial until somebody confirms
    # them in the browser. The oldest format of the store lets Home Assistant fill in
    # the rest, whatever its version.
    _store(storage, "http", 1, {"server_host": [LOOPBACK], "server_port": port})
    # Without any network there is no default interface, and HTTP clients of Home Assistant
    # look for one; on loopback alone it also tells nobody else that it is there.
    _store(storage, "core.network", 1, {"configured_adapters": ["lo"]})
    # Onboarding's own steps would add integrations that want the internet. Its first
    # step, the user, is left: it makes a person and the rooms.
    if not (storage / "onboarding").exists():
        done = ["core_config", "analytics", "integration"]
        _store(storage, "onboarding", 4, {"done": done})


@asynccontextmanager
async def running_home_assistant(
    python: Path, folder: Path, log: Path, port: int
) -> AsyncIterator[Process]:
    """Run a Home Assistant whose web server answers."""
    async with Process.running(
        "Home Assistant",
        # Everything is installed; a start that waits for a download would surprise.
        [python, "-m", "homeassistant", "--skip-pip", "--config", folder],
        log,
        cwd=CHECKOUT,
    ) as process:
        await process.while_alive(wait_for_web_server(port))
        yield process


async def wait_for_web_server(port: int) -> None:
    """Wait until it answers. Raises DemoError where that takes too long."""
    async with (
        deadline(START_TIMEOUT, "the start of Home Assistant's web server"),
        aiohttp.ClientSession() as http,
    ):
        while True:
            try:
                async with http.get(f"http://{LOOPBACK}:{port}/manifest.json"):
                    return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.1)


def _link_integration(folder: Path) -> None:
    """Show Home Assistant this checkout's integration, wherever the checkout moved."""
    folder.mkdir(exist_ok=True)
    link = folder / INTEGRATION.name
    link.unlink(missing_ok=True)
    link.symlink_to(INTEGRATION, target_is_directory=True)


def _store(storage: Path, key: str, version: int, data: dict[str, object]) -> None:
    content = {"version": version, "minor_version": 1, "key": key, "data": data}
    (storage / key).write_text(json.dumps(content, indent=2))
