"""Simulated devices as a process of their own, for demonstrations.

    python -m tests.firmware --server HOST:PORT [--http-port N] [--control]

The first line of stdin is a JSON list of devices, as `control.read_devices` says; keys are nowhere
else to be seen. When they have power, the line `{"ready": true, "devices": [names]}` is written. With
`--control` each further line is a command for a device, as `control.obey` says, answered by one line
of JSON. It ends, and all devices with it, when stdin does or on SIGTERM: with 1 where a device has
crashed, with 2 where it was called wrongly, else with 0.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
from typing import Any

from . import control
from .device import Device

_LONGEST_LINE = 16 << 20


def _server(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise argparse.ArgumentTypeError("it must be HOST:PORT")
    return host, int(port)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.firmware",
        description="Simulated devices. The first line of stdin describes them in JSON.",
    )
    parser.add_argument(
        "--server", type=_server, required=True, help="device server, HOST:PORT"
    )
    parser.add_argument(
        "--http-port",
        type=int,
        default=80,
        help="where on the same host they fetch firmware (80)",
    )
    parser.add_argument(
        "--control",
        action="store_true",
        help="take a command from each further line of stdin",
    )
    return parser.parse_args()


def _say(answer: dict[str, Any]) -> None:
    # Not through sys.stdout, which complains at exit where nobody reads any longer.
    os.write(sys.stdout.fileno(), json.dumps(answer).encode() + b"\n")


async def _stdin() -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=_LONGEST_LINE)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    return reader


async def _serve(arguments: argparse.Namespace, devices: dict[str, Device]) -> None:
    """Run devices until stdin ends. Raises ValueError where they are described wrongly."""
    stdin = await _stdin()
    line = await stdin.readline()
    devices |= control.read_devices(line, arguments.server, arguments.http_port)
    for device in devices.values():
        device.power_on()
    try:
        _say({"ready": True, "devices": [*devices]})
        while line := await stdin.readline():
            if arguments.control and line.strip():
                _say(await control.obey(devices, line))
    except BrokenPipeError:
        pass  # nobody reads the answers


async def _run(arguments: argparse.Namespace) -> int:
    devices: dict[str, Device] = {}
    serving = asyncio.ensure_future(_serve(arguments, devices))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
    await asyncio.wait({serving})
    code = 0
    for name, device in devices.items():
        try:
            await device.power_off()
        except Exception as crash:  # noqa: BLE001 - it may have crashed of anything
            sys.stderr.write(f"{name} has crashed: {crash}\n")
            code = 1
    try:
        serving.result()
    except asyncio.CancelledError:
        pass
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        code = 2
    return code


if __name__ == "__main__":
    sys.exit(asyncio.run(_run(_arguments())))
