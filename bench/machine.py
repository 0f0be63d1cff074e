"""What the figures were measured on; nothing that names the machine."""

from importlib.metadata import version
import os
from pathlib import Path
import platform
import subprocess

from .broker import find_mosquitto


def describe() -> list[str]:
    """Return the lines that say what was measured on, and how busy it was before."""
    return [
        f"{_processor()}, {os.cpu_count()} cores, Linux {platform.release()}",
        f"Python {platform.python_version()}, Home Assistant {version('homeassistant')}",
        f"{_mosquitto()}, paho-mqtt {version('paho-mqtt')}",
        f"load average before the run: {os.getloadavg()[0]:.2f}",
    ]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def _mosquitto() -> str:
    program = find_mosquitto()
    if program is None:
        return "no mosquitto"
    shown = subprocess.run(
        [program, "-h"], capture_output=True, text=True, check=False, timeout=10
    )
    return shown.stdout.partition("\n")[0].replace(" version", "") or "mosquitto"
