"""The demo without a person: every step that it promises, tried and timed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
import secrets
import shutil
import tempfile
from time import perf_counter
from typing import Any

from . import log_review
from .cloud import LAMPS, SPARE, Cloud, CloudSettings, running_cloud
from .devices import running_devices
from .dialogs import DOMAIN, add_account, add_device
from .editor import check_editors
from .entity import Entity, wait_for_entities
from .errors import DemoError
from .hardware_check import check_hardware
from .home_assistant import running_home_assistant, write_configuration
from .local_check import check_local_in
from .ports import LOOPBACK, find_free
from .process import Process
from .relay import Delivery, Relay, running_relay
from .session import sign_in
from .terminal import report, say, step
from .web_site import check_web_site

SWITCH_TIMEOUT = 10
UNAVAILABLE_TIMEOUT = 40  # the integration waits 15 s before it says so
RETURN_TIMEOUT = 60  # the connection is tried again at growing distances


async def check(python: Path, *, only_local: bool = False) -> None:
    """Try everything in folders that stay only when something fails.

    Much of the time of the account's check is waiting, so local mode is tried meanwhile.
    """
    folder = Path(tempfile.mkdtemp(prefix="demo-check-"))
    started = perf_counter()
    try:
        async with asyncio.TaskGroup() as checks:
            for name, check_in in (("account", _check_in), ("local", check_local_in)):
                if name == "local" or not only_local:
                    (folder / name).mkdir()
                    checks.create_task(check_in(folder / name, python))
    except BaseException as err:
        say(f"The logs of this check are in {folder}.")
        if isinstance(err, BaseExceptionGroup):
            # The first failure, which has ended the other check.
            raise err.exceptions[0] from None
        raise
    shutil.rmtree(folder)
    report("everything; the check has passed", perf_counter() - started)


async def _check_in(folder: Path, python: Path) -> None:
    home, log, port = folder / "home", folder / "home-assistant.log", find_free()
    password = secrets.token_urlsafe(16)
    settings = CloudSettings(
        http_port=0, device_port=0, password=password, folder=folder
    )
    write_configuration(home, port, log_level="debug")
    begin = perf_counter()
    async with running_home_assistant(python, home, log, port) as process:
        report("Home Assistant's web server answers", perf_counter() - begin)
        cloud = await process.while_alive(_drive(f"http://{LOOPBACK}:{port}", settings))
        begin = perf_counter()
    report("Home Assistant has ended", perf_counter() - begin)
    _expect_clean_end(process)
    with step("Home Assistant's log has no complaint and no secret"):
        devices = cloud.devices.values()
        keys = [key for each in devices for key in (each.master_key, each.owner_key)]
        log_review.review(log, [password, *keys])


async def _drive(url: str, settings: CloudSettings) -> Cloud:
    """Switch the lamp from both sides, take the cloud away, and switch it again."""
    async with sign_in(url) as session:
        with step("Home Assistant has started, with a user"):
            await session.wait_until_running()
        async with (
            _running_cloud_and_relay(settings) as (cloud, relay),
            running_devices(cloud, settings.folder) as devices,
        ):
            with step("the cloud's web site shows the devices to who signs in"):
                await check_web_site(cloud)
            first, *others = (*LAMPS, SPARE)
            with step("the account is added through the integration's form"):
                relayed = replace(cloud, device_port=relay.port)
                await add_account(session, relayed, cloud[first])
                [lamp] = await wait_for_entities(session, {first: 1})
                await lamp.wait_until_there(SWITCH_TIMEOUT)
            for name in others:
                with step(f"{name} is added with its key"):
                    await add_device(session, cloud[name])
                    [other] = await wait_for_entities(session, {name: 1})
                    await other.wait_until_there(SWITCH_TIMEOUT)
            with step(
                "automations, scenes and scripts are saved; the blueprint is there"
            ):
                await check_editors(session)
            await _switch_from_both_sides(lamp, cloud, relay)
            await check_hardware(session, cloud, devices)
        _expect_clean_end(devices.process)
        _expect_clean_end(cloud.process)
        changes = await session.subscribe("config_entries/subscribe")
        with step("the cloud is gone: the lamp is unavailable"):
            await lamp.wait_for("unavailable", seconds=UNAVAILABLE_TIMEOUT)
        settings = replace(
            settings, http_port=cloud.http_port, device_port=cloud.device_port
        )
        async with _running_cloud_and_relay(settings, relay.port) as (cloud, relay):
            with step("the cloud is back: so is the lamp, as it was, without a reload"):
                await lamp.wait_for("on", seconds=RETURN_TIMEOUT)
                _expect_no_reload(changes)
            await _switch_from_both_sides(lamp, cloud, relay)
        _expect_clean_end(cloud.process)
    return cloud


@asynccontextmanager
async def _running_cloud_and_relay(
    settings: CloudSettings, relay_port: int = 0
) -> AsyncIterator[tuple[Cloud, Relay]]:
    async with AsyncExitStack() as stack:
        with step("the cloud has started"):
            cloud = await stack.enter_async_context(running_cloud(settings))
            relay = await stack.enter_async_context(
                running_relay(cloud.device_port, relay_port)
            )
        yield cloud, relay


async def _switch_from_both_sides(lamp: Entity, cloud: Cloud, relay: Relay) -> None:
    """Switch it off and on again, from each side; it is on in the end."""
    for state, action in (("off", "LED_OFF"), ("on", "LED_ON")):
        with step(f"pressed {state} in Home Assistant: the cloud delivers {action}"):
            await lamp.call(f"turn_{state}")
            await _expect_delivery(relay, action)
            await lamp.wait_for(state, seconds=SWITCH_TIMEOUT)
    for state, action in (("off", "LED_OFF"), ("on", "LED_ON")):
        with step(f"{action} sent to the cloud: {state} in Home Assistant"):
            await cloud[LAMPS[0]].send(action)
            await _expect_delivery(relay, action)
            await lamp.wait_for(state, seconds=SWITCH_TIMEOUT)


async def _expect_delivery(relay: Relay, action: str) -> None:
    delivery = await relay.next_delivery(SWITCH_TIMEOUT)
    if delivery != Delivery(action, 200):
        raise DemoError(f"expected {action}, acknowledged with 200, but saw {delivery}")


def _expect_no_reload(changes: asyncio.Queue[Any]) -> None:
    """Fail when the account's entry has been in any state but loaded."""
    while not changes.empty():
        for change in changes.get_nowait():
            entry = change["entry"]
            if entry["domain"] == DOMAIN and entry["state"] != "loaded":
                raise DemoError(f"the account was reloaded: it became {entry['state']}")


def _expect_clean_end(process: Process) -> None:
    if process.status != 0:
        raise DemoError(f"{process.name} ended with status {process.status}")
