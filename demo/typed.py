"""What a person types while the demo runs: the hands in front of the simulated devices."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
import os
import sys

from .cloud import COLOUR_LAMP, PLUG, STRIP, THERMOMETER
from .devices import SOCKETS, Devices
from .errors import DemoError
from .terminal import say

NAMES = {"lamp": COLOUR_LAMP, "plug": PLUG, "strip": STRIP, "thermometer": THERMOMETER}
HELP = f"""\
press plug             press its button
press strip 2          press the button of a socket, 1 to {SOCKETS}
measure 25.5 60        let the thermometer feel 25.5 °C and 60 % of humidity
off lamp, on lamp      take the power of lamp, plug, strip or thermometer away, and give it back"""


async def obey_typed(obey_line: Callable[[str], Awaitable[str]]) -> None:
    """Do what is typed, until that ends: `obey_line` does a line and says what happened."""
    async for line in _typed_lines():
        if line.strip():
            say(await obey_line(line))


async def obey(devices: Devices, line: str) -> str:
    """Do what a line says, and say what happened."""
    try:
        match line.lower().split():
            case ["press", "plug"]:
                await devices.press(PLUG)
                return "The plug's button was pressed. It tells nobody, so Home Assistant asks: up to 30 s."
            case ["press", "strip", number] if number.isdecimal():
                await devices.press(STRIP, int(number) - 1)
                return "The button was pressed. The strip tells nobody, so Home Assistant asks: up to 30 s."
            case ["measure", temperature, humidity]:
                await devices.measure(THERMOMETER, float(temperature), float(humidity))
                return "The thermometer has posted that. Home Assistant asks for it: up to 60 s."
            case ["off", name] if name in NAMES:
                await devices.power(NAMES[name], on=False)
                return "It has no power. Home Assistant sees it after a minute or two, or as soon as somebody commands it."
            case ["on", name] if name in NAMES:
                await devices.power(NAMES[name], on=True)
                return "It has power. Home Assistant sees it within a minute."
    except (DemoError, ValueError) as err:
        return f"That did not work: {err}."
    return f"To type:\n{HELP}"


async def _typed_lines() -> AsyncIterator[str]:
    """Yield the lines of stdin, where that is a terminal or a pipe.

    It is left as it is: a terminal that does not block would not block for stdout either.
    """
    loop = asyncio.get_running_loop()
    pieces: asyncio.Queue[bytes] = asyncio.Queue()
    stdin = sys.stdin.fileno()
    with suppress(PermissionError):  # a file or /dev/null, where nobody types
        loop.add_reader(stdin, lambda: pieces.put_nowait(os.read(stdin, 4096)))
        try:
            text = b""
            while piece := await pieces.get():
                *lines, text = (text + piece).split(b"\n")
                for line in lines:
                    yield line.decode(errors="replace")
        finally:
            loop.remove_reader(stdin)
