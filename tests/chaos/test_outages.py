"""Long outages, clouds that restart or refuse, and rivals for the lamps' places."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from itertools import pairwise
from pathlib import Path

import pytest

from custom_components.espcloud import account
from custom_components.espcloud.cloud import ConnectPacer
from custom_components.espcloud.const import ACCOUNT_INTERVAL, DOMAIN, STABLE_TIME
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from local_cloud import LocalCloud
from tests.conftest import EMAIL, PASSWORD
from tests.raw_device import RawDevice

from .house import Doors, House, Phone, said_of

MANY = 120


def issues(hass: HomeAssistant) -> list[str]:
    """Return what the integration asks people to put right."""
    return [
        str(issue.translation_key)
        for issue in ir.async_get(hass).issues.values()
        if issue.domain == DOMAIN
    ]


async def until_issues(hass: HomeAssistant, expected: list[str]) -> None:
    """Wait until the integration asks people to put exactly that right."""
    changed = asyncio.Event()

    @callback
    def updated(_event: Event[ir.EventIssueRegistryUpdatedData]) -> None:
        changed.set()

    remove = hass.bus.async_listen(ir.EVENT_REPAIRS_ISSUE_REGISTRY_UPDATED, updated)
    try:
        async with asyncio.timeout(10):
            while issues(hass) != expected:
                changed.clear()
                await changed.wait()
    finally:
        remove()


def most_within(seconds: float, times: Sequence[float]) -> int:
    """Return how many of the times fall within so many seconds, at most."""
    return max(
        sum(start <= time < start + seconds for time in times) for start in times
    )


async def test_outage_of_days(
    hass: HomeAssistant, house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """However long it lasts: one line each way, and back within the back-off."""
    coordinators = house.coordinators
    caplog.clear()
    house.doors.device.refuse()
    house.doors.http.refuse()
    house.doors.device.sever()
    await house.all_connected(connected=False)
    for _ in range(48):
        await house.let_time_pass(3600)
    assert house.states() == {"unavailable": len(house.lamps)}
    assert (
        min(each.session.attempts_failed for each in coordinators if each.session) > 3
    )

    await house.doors.device.listen()
    await house.doors.http.listen()
    await house.heal()
    assert house.states() == {"off": len(house.lamps)}
    assert house.coordinators == coordinators
    for lines in said_of(caplog, house.lamps):
        assert len(lines) == 2
    assert issues(hass) == []
    await house.work()


async def test_cloud_that_restarts(
    hass: HomeAssistant, tmp_path: Path, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All lamps are back soon, spread out, however many there are."""
    monkeypatch.setattr(account, "ConnectPacer", ConnectPacer)
    state_file = tmp_path / "cloud.json"
    cloud = LocalCloud(state_file=state_file)
    await cloud.start()
    user = await cloud.add_account(EMAIL, PASSWORD)
    async with Doors.of(cloud) as doors:
        house = await House.build(hass, cloud, user, doors, phone, MANY)
        await house.set_up()
        loop = asyncio.get_running_loop()
        doors.device.arrivals.clear()
        start = loop.time()
        await cloud.close()
        house.cloud = LocalCloud(state_file=state_file)
        await house.cloud.start()
        doors.lead_to(house.cloud)
        await house.all_connected(connected=False)
        await house.all_connected()
        # The first waits are up to a second; more than a hundred a second is too many.
        assert loop.time() - start < 20
        assert len(doors.device.arrivals) >= MANY
        assert most_within(1.0, doors.device.arrivals) <= 100
        gaps = [later - sooner for sooner, later in pairwise(doors.device.arrivals)]
        assert sum(gap > 0.01 for gap in gaps) > MANY / 3
        await house.work()
        assert await hass.config_entries.async_unload(house.entry.entry_id)
    await house.cloud.close()


async def test_cloud_that_refuses_every_key(
    hass: HomeAssistant, house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody tries again and again; once it knows the keys again, nobody is needed."""
    caplog.clear()
    stranger = LocalCloud()
    await stranger.start()
    house.doors.lead_to(stranger)
    await house.doors.http.empty()
    house.doors.device.arrivals.clear()
    house.doors.device.sever()
    await until_issues(hass, ["device_key_refused"] * len(house.lamps))
    assert len(house.doors.device.arrivals) == len(house.lamps)
    for _ in range(10):
        await house.let_time_pass(ACCOUNT_INTERVAL.total_seconds() + 1)
    assert len(house.doors.device.arrivals) == len(house.lamps)
    assert house.states() == {"unavailable": len(house.lamps)}

    house.doors.lead_to(house.cloud)
    await house.doors.http.empty()
    await house.heal(ACCOUNT_INTERVAL.total_seconds() + 1)
    assert issues(hass) == []
    assert house.states() == {"off": len(house.lamps)}
    for lost, refused, back in said_of(caplog, house.lamps):
        assert "connection broke" in lost
        assert "key is refused" in refused
        assert back == "connected to the cloud again"
    await house.work()
    await stranger.close()


async def test_rivals(hass: HomeAssistant, house: House) -> None:
    """Whoever takes every lamp's place twice keeps it for minutes, and is not fought."""
    keys = [house.cloud.master_key(lamp.device) for lamp in house.lamps]
    async with AsyncExitStack() as rivals:
        for key in keys:
            await rivals.enter_async_context(RawDevice(house.cloud, key))
        for lamp in house.lamps:
            # The lamp itself, a rival, and the lamp once more: chance, so far.
            await house.cloud.wait_online(lamp.device, connections=3)
        assert issues(hass) == []
        for key in keys:
            await rivals.enter_async_context(RawDevice(house.cloud, key))
        await until_issues(hass, ["taken_over"] * len(house.lamps))
        house.doors.device.arrivals.clear()
        for _ in range(10):
            await house.let_time_pass(29)
        assert house.doors.device.arrivals == []
        assert house.states() == {"unavailable": len(house.lamps)}
    await house.heal(400)
    await house.let_time_pass(STABLE_TIME + 1)
    assert issues(hass) == []
    assert house.states() == {"off": len(house.lamps)}
    await house.work()
