"""Long outages, clouds that restart or refuse, and rivals for the lamps' places."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from itertools import pairwise
from pathlib import Path

import pytest

from custom_components.espcloud.backends import cloud_account
from custom_components.espcloud.cloud import ConnectPacer
from custom_components.espcloud.const import ACCOUNT_INTERVAL, DOMAIN, STABLE_TIME
from custom_components.espcloud.local_cloud import LocalCloud
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from tests.credentials import EMAIL, PASSWORD
from tests.raw_device import RawDevice

from .instance import Instance, Phone, Proxies, said_of

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
    hass: HomeAssistant, instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    """However long it lasts: a line each way and a warning, and back within the back-off."""
    coordinators = instance.coordinators
    caplog.clear()
    instance.proxies.device.refuse()
    instance.proxies.http.refuse()
    instance.proxies.device.sever()
    await instance.all_connected(connected=False)
    for _ in range(48):
        await instance.let_time_pass(3600)
    assert instance.states() == {"unavailable": len(instance.lamps)}
    for each in coordinators:
        assert each.backend.session.attempts_failed > 3

    await instance.proxies.device.listen()
    await instance.proxies.http.listen()
    await instance.heal()
    assert instance.states() == {"off": len(instance.lamps)}
    assert instance.coordinators == coordinators
    for _lost, warning, _back in said_of(caplog, instance.lamps):
        assert "for 5 minutes" in warning
    assert issues(hass) == []
    await instance.work()


async def test_cloud_that_restarts(
    hass: HomeAssistant, tmp_path: Path, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All lamps are back soon, spread out, however many there are."""
    monkeypatch.setattr(cloud_account, "ConnectPacer", ConnectPacer)
    state_file = tmp_path / "cloud.json"
    cloud = LocalCloud(state_file=state_file)
    await cloud.start()
    user = await cloud.add_account(EMAIL, PASSWORD)
    async with Proxies.of(cloud) as proxies:
        instance = await Instance.build(hass, cloud, user, proxies, phone, MANY)
        await instance.set_up()
        loop = asyncio.get_running_loop()
        proxies.device.arrivals.clear()
        start = loop.time()
        await cloud.close()
        instance.cloud = LocalCloud(state_file=state_file)
        await instance.cloud.start()
        proxies.lead_to(instance.cloud)
        await instance.all_connected(connected=False)
        await instance.all_connected()
        # The first waits are up to a second; more than a hundred a second is too many.
        assert loop.time() - start < 20
        assert len(proxies.device.arrivals) >= MANY
        assert most_within(1.0, proxies.device.arrivals) <= 100
        gaps = [later - sooner for sooner, later in pairwise(proxies.device.arrivals)]
        assert sum(gap > 0.01 for gap in gaps) > MANY / 3
        await instance.work()
        assert await hass.config_entries.async_unload(instance.entry.entry_id)
    await instance.cloud.close()


@pytest.mark.usefixtures("first_refusal_counts")
async def test_cloud_that_refuses_every_key(
    hass: HomeAssistant, instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    """It is tried every few minutes; once it knows the keys again, nobody is needed."""
    caplog.clear()
    stranger = LocalCloud()
    await stranger.start()
    instance.proxies.lead_to(stranger)
    await instance.proxies.http.empty()
    instance.proxies.device.arrivals.clear()
    instance.proxies.device.sever()
    await until_issues(hass, ["device_key_refused"] * len(instance.lamps))
    assert len(instance.proxies.device.arrivals) == len(instance.lamps)
    for _ in range(10):
        await instance.let_time_pass(ACCOUNT_INTERVAL.total_seconds() + 1)
    assert len(instance.proxies.device.arrivals) <= 11 * len(instance.lamps)
    assert instance.states() == {"unavailable": len(instance.lamps)}
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == "reauth"

    instance.proxies.lead_to(instance.cloud)
    await instance.proxies.http.empty()
    await instance.heal(ACCOUNT_INTERVAL.total_seconds() + 1)
    assert issues(hass) == []
    assert hass.config_entries.flow.async_progress() == []
    assert instance.states() == {"off": len(instance.lamps)}
    for lost, refused, warning, back in said_of(caplog, instance.lamps):
        assert "connection broke" in lost
        assert "key is refused" in refused
        assert "for 5 minutes" in warning
        assert back == "connected to the cloud again"
    await instance.work()
    await stranger.close()


async def test_rivals(hass: HomeAssistant, instance: Instance) -> None:
    """Whoever takes every lamp's place twice keeps it for minutes, and is not fought."""
    keys = [instance.cloud.master_key(lamp.device) for lamp in instance.lamps]
    async with AsyncExitStack() as rivals:
        for key in keys:
            await rivals.enter_async_context(RawDevice(instance.cloud, key))
        for lamp in instance.lamps:
            # The lamp itself, a rival, and the lamp once more: chance, so far.
            await instance.cloud.wait_online(lamp.device, connections=3)
        assert issues(hass) == []
        for key in keys:
            await rivals.enter_async_context(RawDevice(instance.cloud, key))
        await until_issues(hass, ["taken_over"] * len(instance.lamps))
        instance.proxies.device.arrivals.clear()
        for _ in range(10):
            await instance.let_time_pass(29)
        assert instance.proxies.device.arrivals == []
        assert instance.states() == {"unavailable": len(instance.lamps)}
    await instance.heal(400)
    await instance.let_time_pass(STABLE_TIME + 1)
    assert issues(hass) == []
    assert instance.states() == {"off": len(instance.lamps)}
    await instance.work()
