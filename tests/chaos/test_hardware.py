"""Twenty devices of an account are commanded while the cloud's HTTP API misbehaves.

Each seed is a program. ESPCLOUD_CHAOS=full runs more and longer ones; ESPCLOUD_CHAOS_SEED=7 runs
that one alone.
"""

from collections.abc import Awaitable, Callable
import logging
from pathlib import Path

import aiohttp
import pytest

from custom_components.espcloud import freshness
from custom_components.espcloud.backends import polling
from custom_components.espcloud.cloud import http_transport
from custom_components.espcloud.kinds.new_light import NewLightKind
from custom_components.espcloud.kinds.old_light import OldLightKind
from homeassistant.core import HomeAssistant

from . import faults
from .hardware_faults import connection_faults
from .hardware_orders import Order, explain
from .hardware_program import SEEDS, TIMEOUT, run
from .hardware_things import FADE
from .hardware_world import HardwareWorld
from .log import own_errors
from .proxy import Fault

HTTP_TIMEOUT = 1.0

RECEPTIONS: dict[str, Fault] = {
    "mute": faults.mute,
    "hang up": faults.hang_up,
    "reset": faults.reset,
    "500": faults.answer(faults.http(500)),
    "502": faults.answer(faults.http(502)),
    "429": faults.answer(faults.http(429, headers="Retry-After: 1\r\n")),
    "429, nobody says for how long": faults.answer(faults.http(429)),
    "portal": faults.answer(faults.http(200, b'{"status": 200}')),
    "half an answer": faults.answer(faults.http(200, b'{"status": 2', length=99)),
    "slow": faults.trickle(faults.http(200, b'{"status": 200}'), 0.05),
}


@pytest.fixture(autouse=True)
def quick_world(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten every interval and every deadline."""
    monkeypatch.setattr(polling, "SPACING", 0.005)
    monkeypatch.setattr(polling, "ROUND", 0.2)
    monkeypatch.setattr(polling, "REST", 0.5)
    monkeypatch.setattr(freshness, "LOOK_AGAIN", 0.05)
    for kind in (OldLightKind, NewLightKind):
        monkeypatch.setattr(kind, "settles", FADE)
    timeout = aiohttp.ClientTimeout(total=HTTP_TIMEOUT)
    monkeypatch.setattr(http_transport, "REQUEST_TIMEOUT", timeout)


# What may happen between Home Assistant and the cloud


async def swallow(here: HardwareWorld) -> None:
    """Let the cloud do what it is asked, and lose its answers."""
    here.proxy.fault = faults.swallow_answer(here.proxy.upstream)
    here.proxy.sever()


FAULTS: dict[str, Callable[[HardwareWorld], Awaitable[None]]] = {
    **connection_faults(RECEPTIONS),
    "swallow answers": swallow,
    "restart the cloud": HardwareWorld.restart_cloud,
}


@pytest.mark.timeout(TIMEOUT)
@pytest.mark.parametrize("seed", SEEDS)
async def test_commands_under_faults(
    hass: HomeAssistant, tmp_path: Path, caplog: pytest.LogCaptureFixture, seed: int
) -> None:
    """What is reported as done is done once, in order; an interval later all is shown right."""
    caplog.set_level(logging.WARNING)
    await run(HardwareWorld(hass, tmp_path / "cloud.db"), FAULTS, seed)
    errors = own_errors(caplog)
    assert errors == []


def order(value: int, *, done: bool, burst: int = 0, merges: bool = True) -> Order:
    """Return a command to become a number."""
    return Order(str(value), lambda each: each[1] == value, burst, merges, done)


@pytest.mark.parametrize(
    ("orders", "seen", "is_fine"),
    [
        pytest.param([order(1, done=True)], [1], True, id="done"),
        pytest.param([order(1, done=True)], [], False, id="lost"),
        pytest.param([order(1, done=True)], [1, 1], False, id="twice"),
        pytest.param([order(1, done=False)], [], True, id="failed"),
        pytest.param([order(1, done=False)], [1], True, id="answer-lost"),
        pytest.param([order(1, done=False)], [1, 1], False, id="failed-twice"),
        pytest.param([order(1, done=False)], [2], False, id="invented"),
        pytest.param(
            [order(1, done=True, burst=1), order(2, done=True, burst=2)],
            [2, 1],
            False,
            id="reordered",
        ),
        pytest.param(
            [order(1, done=True, burst=1), order(2, done=True, burst=2)],
            [2],
            False,
            id="not-given-together",
        ),
        pytest.param(
            [order(1, done=True), order(2, done=True)], [2], True, id="merged"
        ),
        pytest.param(
            [order(1, done=True), order(2, done=True)], [1], False, id="newer-lost"
        ),
        pytest.param(
            [order(1, done=True, merges=False), order(2, done=True, merges=False)],
            [2],
            False,
            id="never-merged",
        ),
        pytest.param(
            [order(1, done=False, burst=1), order(2, done=True, burst=2)],
            [2, 1],
            False,
            id="late",
        ),
    ],
)
def test_what_is_explained(orders: list[Order], seen: list[int], is_fine: bool) -> None:
    """The judge of the other test sees what went wrong."""
    assert explain(orders, [(None, value) for value in seen]) is is_fine
