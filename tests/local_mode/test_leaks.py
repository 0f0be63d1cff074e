"""Nothing is left of the cloud once its entry is unloaded, whatever was under way."""

import asyncio
from dataclasses import dataclass
import gc
import logging
from pathlib import Path
import threading
from typing import Any

import pytest

from custom_components.espcloud.backends.local import LocalBackend, LocalServer
from custom_components.espcloud.const import CONF_KIND
from custom_components.espcloud.coordinator import EspCloudCoordinator
from custom_components.espcloud.discoveries import Discoveries
from custom_components.espcloud.kinds import catalog
from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.device_connection import DeviceConnection
from homeassistant.core import HassJob, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util.async_ import get_scheduled_timer_handles
from tests.firmware.self_made import SelfMade
from tests.local_cloud.helpers import until

from .home import HOST, Home, new_key

OURS = (
    LocalServer,
    LocalCloud,
    DeviceConnection,
    LocalBackend,
    EspCloudCoordinator,
    Discoveries,
)
PACKAGE = "custom_components.espcloud"


@dataclass(frozen=True, slots=True)
class Holdings:
    """What the integration has: its tasks, timers and objects; and the threads and files of all."""

    tasks: list[str]
    timers: list[str]
    objects: dict[str, int]
    threads: list[str]
    files: list[str]

    @classmethod
    def now(cls) -> Holdings:
        """Look."""
        while gc.collect():
            # What had to be finalized goes in a later pass.
            pass
        loop = asyncio.get_running_loop()
        found = [type(each) for each in gc.get_objects()]
        return cls(
            tasks=sorted(
                task.get_name() for task in asyncio.all_tasks() if _is_our_task(task)
            ),
            timers=sorted(
                repr(handle)
                for handle in get_scheduled_timer_handles(loop)
                if not handle.cancelled() and _is_our_timer(handle)
            ),
            objects={kind.__name__: found.count(kind) for kind in OURS},
            threads=sorted(
                thread.name
                for thread in threading.enumerate()
                # Home Assistant's own come when they are needed.
                if "local_cloud" in thread.name
            ),
            files=sorted(
                target
                for link in Path("/proc/self/fd").iterdir()
                if link.is_symlink()
                and (target := str(link.readlink())).startswith(("socket", "/"))
                and (target.startswith("socket") or "espcloud" in target)
            ),
        )


def _is_our_task(task: asyncio.Task[Any]) -> bool:
    code = getattr(task.get_coro(), "cr_code", None)
    return code is not None and "custom_components" in Path(code.co_filename).parts


def _is_our_timer(handle: asyncio.TimerHandle) -> bool:
    """Tell whether a timer calls the integration, itself or by way of Home Assistant."""
    reached: list[Any] = [handle._callback, *(handle._args or ())]
    for each in list(reached):
        # What `async_call_later` schedules is a method of an object that holds the job.
        reached += [getattr(each, "__self__", None), getattr(each, "func", None)]
    for each in list(reached):
        reached += [
            getattr(each, name, None) for name in ("job", "action", "__wrapped__")
        ]
    reached += [each.target for each in list(reached) if isinstance(each, HassJob)]
    return any(
        str(getattr(each, "__module__", "")).startswith(PACKAGE)
        or type(getattr(each, "__self__", None)).__module__.startswith(PACKAGE)
        for each in reached
    )


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Keep asyncio from logging its servers: what is logged is kept, and what it mentions."""
    caplog.set_level(logging.CRITICAL)
    caplog.set_level(logging.CRITICAL, "asyncio")


@pytest.fixture
def silent_plug(home: Home) -> SelfMade:
    """Return a device that says once how it is, and then nothing any more."""
    return SelfMade(
        (HOST, home.port),
        new_key("Silent"),
        activates=True,
        members={"datapoint": {"x": 1}},
    )


@pytest.mark.parametrize("is_removed", [False, True])
async def test_nothing_is_left(
    hass: HomeAssistant, home: Home, silent_plug: SelfMade, is_removed: bool
) -> None:
    """Not with a command, a question, a discovery and a post under way either."""
    before = Holdings.now()
    await home.set_up(api_port=0)
    hardware = home.hardware
    for name, kind in (("Silent", catalog.PLUG), ("Lamp", catalog.NEW_LIGHT)):
        owned = await hardware.account.async_make_device(name, kind, new_key(name))
        hardware.async_add_subentry(owned, {CONF_KIND: kind})
    async with silent_plug:
        await home.add("Lamp", "light_new")
        await home.wait_available("Lamp")
        home.keys["Silent"] = new_key("Silent")
        await home.wait_available("Silent")
        await until(lambda: hass.states.get("switch.silent").state == "on")
        # A question waits, and then a command.
        silent_plug.answers = False
        pushes = len(silent_plug.pushes)
        await until(lambda: len(silent_plug.pushes) > pushes)
        command = asyncio.ensure_future(
            hass.services.async_call(
                "switch", "turn_off", {"entity_id": "switch.silent"}, blocking=True
            )
        )
        # One that has not told what it is, and one that is offered already.
        await home.add("Offered", "plug")
        await home.wait_discovered("Offered")
        await home.add("Unknown", "self_made", answers=False)
        await until(lambda: len(home.entry.runtime_data.server.pending()) == 2)
        running = Holdings.now()
        assert running.tasks
        assert running.timers
        assert all(running.objects.values())
        assert running.threads
        assert len(running.files) > len(before.files)
        del hardware, owned
        if is_removed:
            await hass.config_entries.async_remove(home.entry.entry_id)
        else:
            assert await hass.config_entries.async_unload(home.entry.entry_id)
        with pytest.raises(HomeAssistantError):
            await command
        del command
        for simulated in home.simulated.values():
            await simulated.power_off()
    await hass.async_block_till_done()
    after = Holdings.now()
    assert after.tasks == before.tasks
    assert after.timers == before.timers
    assert after.threads == before.threads
    assert len(after.files) == len(before.files)
    assert after.objects == before.objects
