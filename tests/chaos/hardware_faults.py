"""What may happen to the connections of a world, wherever its proxy stands."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from .hardware_base import World
from .proxy import Fault

type Step = Callable[[World], Awaitable[None]]


def connection_faults(receptions: Mapping[str, Fault]) -> dict[str, Step]:
    """Return them by their names.

    Args:
        receptions: how connections may be received from then on.
    """
    return {
        **{name: _receive(fault) for name, fault in receptions.items()},
        "sever": _sever,
        **{f"cut after {size}": _cut(size) for size in (0, 30, 200, 500)},
        "delay": _delay,
        "cut late": _cut_late,
        "freeze answers": _freeze,
        "refuse": _refuse,
    }


def _receive(fault: Fault) -> Step:
    """Receive connections so from now on, and end those that are there."""

    async def step(here: World) -> None:
        here.proxy.fault = fault
        here.proxy.sever()

    return step


async def _sever(here: World) -> None:
    """Cut every connection, whatever is under way."""
    here.proxy.sever()


def _cut(size: int) -> Step:
    """Cut each connection in the middle of what is delivered next."""

    async def step(here: World) -> None:
        here.proxy.cut_after(size)

    return step


async def _delay(here: World) -> None:
    """Let everything be late."""
    here.proxy.delay = 0.2


async def _cut_late(here: World) -> None:
    """Cut every connection once the far end has done what it was told, before it can say so."""
    here.hold_answers()
    await asyncio.sleep(0.1)
    here.proxy.sever()
    here.proxy.thaw()


async def _freeze(here: World) -> None:
    """Hold every answer back."""
    here.hold_answers()


async def _refuse(here: World) -> None:
    """Let nobody in."""
    here.proxy.refuse()
    here.proxy.sever()
