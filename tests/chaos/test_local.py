"""Twenty devices of the cloud in Home Assistant are commanded while the network misbehaves.

Each seed is a program. ESPCLOUD_CHAOS=full runs more and longer ones; ESPCLOUD_CHAOS_SEED=7 runs
that one alone.
"""

from collections.abc import Awaitable, Callable
from functools import partial
import logging
from pathlib import Path
import random

import pytest

from custom_components.espcloud import freshness
from custom_components.espcloud.backends.local import backend, server
from custom_components.espcloud.kinds.new_light import NewLightKind
from custom_components.espcloud.kinds.old_light import OldLightKind
from custom_components.espcloud.local_cloud import LocalCloud
from demo.ports import find_free
from homeassistant.core import HomeAssistant

from . import faults
from .hardware_base import DELIVERY_TIMEOUT
from .hardware_faults import connection_faults
from .hardware_program import SEEDS, TIMEOUT, run
from .hardware_things import FADE
from .local_world import LocalWorld
from .log import own_errors
from .proxy import Fault

RECEPTIONS: dict[str, Fault] = {
    "mute": faults.mute,
    "hang up": faults.hang_up,
    "reset": faults.reset,
}


@pytest.fixture(autouse=True)
def quick_world(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten every interval and every deadline."""
    monkeypatch.setattr(server, "HOSTS", ("127.0.0.1",))
    quick = partial(LocalCloud, delivery_timeout=DELIVERY_TIMEOUT)
    monkeypatch.setattr(server, "LocalCloud", quick)
    monkeypatch.setattr(backend, "READ_BUTTON_EVERY", 0.2)
    monkeypatch.setattr(backend, "READ_EVERY", 0.2)
    monkeypatch.setattr(freshness, "LOOK_AGAIN", 0.05)
    for kind in (OldLightKind, NewLightKind):
        monkeypatch.setattr(kind, "settles", FADE)


# What may happen between the devices and Home Assistant


async def power_off(here: LocalWorld) -> None:
    """Take the power of a few devices away."""
    for thing in random.Random(len(here.proxy.arrivals)).sample(here.things, 5):
        await thing.firmware.power_off()


FAULTS: dict[str, Callable[[LocalWorld], Awaitable[None]]] = {
    **connection_faults(RECEPTIONS),
    "power off": power_off,
    "reload": LocalWorld.reload,
    "reload, again": LocalWorld.reload,
}


@pytest.mark.timeout(TIMEOUT)
@pytest.mark.parametrize("seed", SEEDS)
async def test_commands_under_faults(
    hass: HomeAssistant, tmp_path: Path, caplog: pytest.LogCaptureFixture, seed: int
) -> None:
    """What is reported as done is done once, in order; some answers later all is shown right."""
    caplog.set_level(logging.WARNING)
    hass.config.config_dir = str(tmp_path)
    (tmp_path / ".storage").mkdir()
    await run(LocalWorld(hass, find_free()), FAULTS, seed)
    errors = own_errors(caplog)
    assert errors == []
