"""An environment of its own for another release of Home Assistant."""

import os
from pathlib import Path
import re
import shutil
import sys

from .errors import DemoError
from .home_assistant import INTEGRATIONS, SAVED
from .paths import CHECKOUT, TOOLS
from .process import Process
from .terminal import say


async def prepare(version: str) -> Path:
    """Install a release where it is not yet, and return the Python that runs it."""
    if not re.fullmatch(r"\d{4}\.\d+\.\d+(b\d+)?", version):
        raise DemoError(f"{version} is not a release of Home Assistant, like 2026.11.0")
    folder = TOOLS / f"ha-{version}"
    python, stamp = folder / "bin" / "python", folder / "ready"
    if stamp.exists():
        return python
    say(f"Installing Home Assistant {version} into {folder.relative_to(CHECKOUT)} …")
    _help_the_compiler()
    uv = shutil.which("uv") or TOOLS / "uv" / "bin" / "uv"
    install = [uv, "pip", "install", "--python", python]
    wanted = folder / "requirements.txt"
    await _run("uv venv", [uv, "venv", "--clear", "--python", sys.executable, folder])
    await _run("uv", [*install, f"homeassistant=={version}"])
    wanted.write_text(
        await _run(
            "the list of requirements",
            [
                python,
                Path(__file__).with_name("release_requirements.py"),
                *INTEGRATIONS,
                *SAVED,
            ],
        )
    )
    [constraints] = folder.glob(
        "lib/*/site-packages/homeassistant/package_constraints.txt"
    )
    await _run("uv", [*install, "--requirement", wanted, "--constraint", constraints])
    stamp.touch()
    return python


async def _run(name: str, command: list[str | Path]) -> str:
    """Run a command to its end and return what it printed."""
    log = TOOLS / "ha-install.log"
    async with Process.running(
        name, command, log, cwd=CHECKOUT, announces=True
    ) as process:
        output = await process.read_all()
        if await process.ended() != 0:
            raise process.died()
    return output


def _help_the_compiler() -> None:
    """Name the headers of scripts/debian-python, which no compiler looks for by itself."""
    include = TOOLS / "debian" / "usr" / "include"
    if Path(sys.base_prefix).is_relative_to(TOOLS / "debian"):
        os.environ["CPATH"] = str(include)
