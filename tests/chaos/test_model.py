"""Any program of commands, faults, reloads and restarts, held against a model.

Ten times as many programs run with ESPCLOUD_CHAOS=full.
"""

import asyncio
from collections.abc import Awaitable, Callable
import logging
import os
from pathlib import Path
import tempfile
from typing import override

import aiohttp
from hypothesis import HealthCheck, Phase, given, note, settings, strategies as st
import pytest

from custom_components.espcloud.backends import virtual
from custom_components.espcloud.cloud import Backoff, http_transport, session

from . import faults, world
from .command_log import ACTIONS
from .instance import Phone
from .log import own_errors
from .pieces import bytewise, split_at, whole
from .proxy import Fault
from .world import World

PROGRAMS = 60 if os.environ.get("ESPCLOUD_CHAOS") == "full" else 6

type Step = Callable[[World], Awaitable[None]]

SHAPES = {
    "whole": whole,
    "bytewise": bytewise,
    **{f"split at {offset}": split_at(offset) for offset in (1, 40, 150)},
}
RECEPTIONS: dict[str, Fault | None] = {
    "pass on": None,
    "mute": faults.mute,
    "hang up": faults.hang_up,
    "reset": faults.reset,
    "502": faults.answer(faults.http(502)),
    "portal": faults.answer(faults.http(200, b'{"status": 200}')),
}


class Doing:
    """A step of a program: its name, and what it does."""

    def __init__(self, name: str, step: Step) -> None:
        """Name the step."""
        self.name = name
        self.step = step

    @override
    def __repr__(self) -> str:
        return self.name


def doing(name: str, do: Callable[[World], object]) -> Doing:
    """Return a step that takes no time."""

    async def step(here: World) -> None:
        do(here)

    return Doing(name, step)


def burst(orders: list[tuple[str, bool]]) -> Doing:
    """Return the step of sending every lamp the same few commands."""

    def order(here: World) -> None:
        for number in range(world.LAMPS):
            for action, from_home in orders:
                here.order(number, action, from_home=from_home)

    names = [f"{action} from {'home' if home else 'phone'}" for action, home in orders]
    return doing(f"send {', '.join(names)}", order)


def receive(port: str, name: str) -> Doing:
    """Return the step of ending a proxy's connections and receiving others anew."""

    def change(here: World) -> None:
        proxy = getattr(here.instance.proxies, port)
        proxy.fault = RECEPTIONS[name]
        proxy.sever()

    return doing(f"{port} port: {name}", change)


def at_devices(name: str, call: str, *args: object, **options: object) -> Doing:
    """Return the step of a fault at the device port."""

    def change(here: World) -> None:
        getattr(here.instance.proxies.device, call)(*args, **options)

    return doing(name, change)


def reshape(name: str) -> Doing:
    """Return the step of cutting the stream to the devices up in another way."""

    def change(here: World) -> None:
        here.instance.proxies.device.shape = SHAPES[name]

    return doing(name, change)


BURSTS = st.lists(
    st.tuples(st.sampled_from(list(ACTIONS)), st.booleans()), min_size=1, max_size=4
).map(burst)
PAUSES = st.sampled_from([0.0, 0.001, 0.005, 0.02, 0.1, 0.7]).map(
    lambda seconds: Doing(f"wait {seconds}", lambda _: asyncio.sleep(seconds))
)
FAULTS = st.one_of(
    st.sampled_from(
        [
            at_devices("sever", "sever"),
            at_devices("half-close below", "half_close"),
            at_devices("half-close above", "half_close", up=True),
            at_devices("freeze", "freeze"),
            at_devices("freeze up", "freeze", down=False),
            at_devices("freeze down", "freeze", up=False),
            at_devices("thaw", "thaw"),
            at_devices("refuse", "refuse"),
        ]
    ),
    st.integers(0, 400).map(lambda size: at_devices(f"cut {size}", "cut_after", size)),
    st.sampled_from(list(SHAPES)).map(reshape),
    st.builds(
        receive, st.sampled_from(["http", "device"]), st.sampled_from([*RECEPTIONS])
    ),
)
LIVES = st.sampled_from(
    [
        Doing("restart the cloud", World.restart_cloud),
        Doing("restart Home Assistant", World.restart_home),
        Doing("reload", World.reload),
        Doing("lift every fault", World.lift),
    ]
)
# Whatever happens, happens while commands are under way.
SCENES = st.tuples(BURSTS, PAUSES, st.one_of(FAULTS, LIVES))


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten every deadline."""
    timeout = aiohttp.ClientTimeout(total=world.HTTP_TIMEOUT)
    monkeypatch.setattr(session, "Backoff", lambda: Backoff(first=0.05, limit=0.2))
    monkeypatch.setattr(session, "Timing", lambda: world.TIMING)
    monkeypatch.setattr(virtual, "RECONNECT_WAIT", world.RECONNECT_WAIT)
    monkeypatch.setattr(http_transport, "REQUEST_TIMEOUT", timeout)


@pytest.mark.timeout(1800)
@pytest.mark.usefixtures("hass_storage", "hasty", "slow_platforms")
@settings(
    max_examples=PROGRAMS,
    deadline=None,
    database=None,
    # Sockets never do the same thing twice, so that shrinking would lead nowhere.
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(program=st.lists(SCENES, min_size=1, max_size=8))
async def test_any_program(
    phone: Phone, caplog: pytest.LogCaptureFixture, program: list[tuple[Doing, ...]]
) -> None:
    """What is acknowledged has happened, once and in order; nothing else ever has."""
    caplog.set_level(logging.WARNING)
    caplog.clear()
    with tempfile.TemporaryDirectory() as folder:
        here = World(Path(folder) / "cloud.json", phone)
        await here.begin()
        try:
            for scene in program:
                for each in scene:
                    await each.step(here)
            await here.lift()
            await here.check()
        finally:
            await here.end()
    errors = own_errors(caplog)
    note(f"errors: {errors}")
    assert errors == []
