"""Pushes, outages and what the log says of them."""

import asyncio
import logging
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from yarl import URL

from custom_components.espcloud import refusals
from custom_components.espcloud.backends import virtual
from custom_components.espcloud.cloud import Endpoint, stall
from custom_components.espcloud.const import DOMAIN, GRACE_TIME, LONG_OUTAGE
from custom_components.espcloud.coordinator import EspCloudCoordinator
from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device, User
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.event import async_track_state_change_event

from .common import (
    account_entry,
    http,
    let_time_pass,
    send_command,
    wait_for_coordinator,
    wait_for_state,
)
from .credentials import EMAIL, PASSWORD
from .raw_device import RawDevice

LIGHT = "light.desk_lamp"
LOGGER = "custom_components.espcloud"


@pytest.fixture
async def entry(
    hass: HomeAssistant, cloud: LocalCloud, user: User, device: Device
) -> MockConfigEntry:
    """Set up an account whose lamp is off."""
    entry = await account_entry(hass, cloud, user.id, device)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await cloud.wait_online(device)
    await send_command(cloud, device, "LED_OFF")
    await wait_for_state(hass, LIGHT, "off")
    return entry


def info_lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what the integration said at info level or above, without its cloud."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith(LOGGER)
        and ".local_cloud." not in record.name
        and record.levelno >= logging.INFO
    ]


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what the integration said where everybody sees it."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith(LOGGER) and record.levelno >= logging.WARNING
    ]


def issues(hass: HomeAssistant) -> list[str | None]:
    """Return what the integration asks people to put right."""
    return [
        issue.translation_key
        for issue in ir.async_get(hass).issues.values()
        if issue.domain == DOMAIN
    ]


async def wait_for_refusals(coordinator: EspCloudCoordinator, count: int) -> None:
    """Wait until the key of a device was refused so many times in a row."""
    async with asyncio.timeout(5):
        while coordinator.backend.session.attempts_refused < count:  # noqa: ASYNC110 - no event says
            await asyncio.sleep(0.005)


def light_changes(hass: HomeAssistant) -> list[str]:
    """Return a list that the light's state changes will be added to."""
    changes: list[str] = []

    @callback
    def changed(event: Event[EventStateChangedData]) -> None:
        assert event.data["new_state"] is not None
        changes.append(event.data["new_state"].state)

    async_track_state_change_event(hass, LIGHT, changed)
    return changes


@pytest.mark.usefixtures("entry")
async def test_same_command_again_writes_nothing(
    hass: HomeAssistant, cloud: LocalCloud, device: Device
) -> None:
    """An equal state is no news."""
    changes = light_changes(hass)
    await send_command(cloud, device, "LED_OFF")
    await send_command(cloud, device, "LED_OFF")
    await hass.async_block_till_done()
    assert changes == []


@pytest.mark.usefixtures("entry")
async def test_other_actions_are_acknowledged_and_change_nothing(
    hass: HomeAssistant, cloud: LocalCloud, device: Device
) -> None:
    """Any action is answered; only the two that the user named move the light."""
    answer = await send_command(cloud, device, "emulate_steps", count="3")
    assert answer["status"] == 200
    assert answer["deliver_to_device"] is True
    await hass.async_block_till_done()
    assert hass.states.get(LIGHT).state == "off"


@pytest.mark.usefixtures("entry")
async def test_changed_timers_are_acknowledged_and_change_nothing(
    hass: HomeAssistant, cloud: LocalCloud, device: Device
) -> None:
    """A push that is no command at all is answered, too."""
    answer = await http(
        cloud,
        "POST",
        "/v1/device/timers/",
        cloud.owner_key(device),
        query={"deliver_to_device": "true", "is_humanize_format": "true"},
        body={
            "timers": [
                {
                    "type": "LOOP_PERIOD",
                    "period": "minute",
                    "time": 1,
                    "action": "on_off_switch",
                }
            ]
        },
    )
    assert answer["status"] == 200
    assert hass.states.get(LIGHT).state == "off"


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize(
    ("method", "body", "datapoint"),
    [
        ("GET", None, {"x": 0}),
        ("POST", {"datapoint": {"x": 1, "y": 2}}, {"x": 1, "y": 2}),
    ],
)
async def test_datapoints_of_ones_own_streams_change_nothing(
    hass: HomeAssistant,
    cloud: LocalCloud,
    device: Device,
    method: str,
    body: dict[str, Any] | None,
    datapoint: dict[str, int],
) -> None:
    """A read gets the light's state, a write its own point (protocol.md §3.5)."""
    answer = await http(
        cloud,
        method,
        "/v1/datastreams/music/datapoint/",
        cloud.owner_key(device),
        query={"deliver_to_device": "true"},
        body=body,
    )
    assert answer["status"] == 200
    assert answer["deliver_to_device"] is True
    assert answer["datapoint"].items() >= datapoint.items()
    assert hass.states.get(LIGHT).state == "off"


async def test_blip_within_the_grace_time_writes_no_history(
    hass: HomeAssistant, cloud: LocalCloud, device: Device, entry: MockConfigEntry
) -> None:
    """A connection that is back soon was never gone."""
    changes = light_changes(hass)
    cloud.disconnect(device, abort=True)
    await cloud.wait_offline(device)
    await cloud.wait_online(device)
    await send_command(cloud, device, "LED_ON")
    await wait_for_state(hass, LIGHT, "on")
    assert changes == ["on"]


async def test_outage_is_seen_after_the_grace_time_and_heals_by_itself(
    hass: HomeAssistant,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Unavailable once the grace time is over, back at once; the log is short."""
    state_file = tmp_path / "cloud.json"
    cloud = LocalCloud(state_file=state_file)
    await cloud.start()
    user = await cloud.add_account(EMAIL, PASSWORD)
    device = cloud.add_device("Desk lamp", user)
    entry = await account_entry(hass, cloud, user.id, device)
    await hass.config_entries.async_setup(entry.entry_id)
    await wait_for_state(hass, LIGHT, "unknown")
    await send_command(cloud, device, "LED_ON")
    await wait_for_state(hass, LIGHT, "on")
    caplog.clear()

    await cloud.close()
    (coordinator,) = entry.runtime_data.virtual.coordinators.values()
    await wait_for_coordinator(coordinator, lambda it: not it.availability.connected)
    assert hass.states.get(LIGHT).state == "on"
    # Hours pass, attempt after attempt.
    for _ in range(60):
        await let_time_pass(hass, LONG_OUTAGE)
    assert hass.states.get(LIGHT).state == "unavailable"
    line, warning = info_lines(caplog)
    assert line.startswith("Desk lamp: not connected to the cloud: ")
    assert warning.startswith("Desk lamp: not connected to the cloud for 5 minutes: ")
    assert warnings(caplog) == [warning]

    restarted = LocalCloud(
        http_port=URL(cloud.http_url).port or 0,
        device_port=cloud.device_port,
        state_file=state_file,
    )
    await restarted.start()
    # Whatever the back-off has grown to, time cuts it short.
    await let_time_pass(hass, 60)
    await wait_for_state(hass, LIGHT, "on")
    # As loud as the outage was.
    again = "Desk lamp: connected to the cloud again"
    assert info_lines(caplog) == [line, warning, again]
    assert warnings(caplog) == [warning, again]
    await send_command(restarted, restarted.store.devices[device.id], "LED_OFF")
    await wait_for_state(hass, LIGHT, "off")
    await hass.config_entries.async_unload(entry.entry_id)
    await restarted.close()


async def test_outage_of_less_than_five_minutes_is_no_warning(
    hass: HomeAssistant,
    cloud: LocalCloud,
    device: Device,
    entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Each outage counts from its own beginning."""
    (coordinator,) = entry.runtime_data.virtual.coordinators.values()
    caplog.set_level(logging.INFO)
    for connections in (2, 3):
        caplog.clear()
        cloud.disconnect(device)
        await wait_for_coordinator(
            coordinator, lambda it: not it.availability.connected
        )
        await let_time_pass(hass, LONG_OUTAGE - 1)
        coordinator.backend.session.retry_now()
        await cloud.wait_online(device, connections=connections)
        await wait_for_coordinator(coordinator, lambda it: it.availability.connected)
        await let_time_pass(hass, 2 * LONG_OUTAGE)
        assert len(info_lines(caplog)) == 2
        assert warnings(caplog) == []


async def test_device_that_was_never_connected(
    hass: HomeAssistant,
    cloud: LocalCloud,
    user: User,
    device: Device,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """That is an outage, too."""
    entry = await account_entry(hass, cloud, user.id, device)
    cloud.revoke_key(cloud.master_key(device))
    await hass.config_entries.async_setup(entry.entry_id)
    (coordinator,) = entry.runtime_data.virtual.coordinators.values()
    await wait_for_refusals(coordinator, 1)
    await let_time_pass(hass, LONG_OUTAGE + 1)
    assert warnings(caplog) == [
        "Desk lamp: not connected to the cloud for 5 minutes: the master key is refused"
    ]


async def test_stall_of_home_assistant_is_no_outage(
    hass: HomeAssistant,
    cloud: LocalCloud,
    device: Device,
    entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What came while it stood still is not carried out, and no line says anything."""
    changes = light_changes(hass)
    caplog.clear()
    sleeping = 0.0
    monkeypatch.setattr(stall, "boot_time", lambda: monotonic() + sleeping)
    command = asyncio.create_task(send_command(cloud, device, "LED_ON"))
    sleeping = 60
    assert (await command)["status"] != 200
    await cloud.wait_online(device, connections=2)
    await send_command(cloud, device, "emulate_steps")
    assert changes == []
    assert info_lines(caplog) == []
    (coordinator,) = entry.runtime_data.virtual.coordinators.values()
    assert coordinator.availability.history.as_list()[-1]["event"] == "connected"
    await send_command(cloud, device, "LED_ON")
    await wait_for_state(hass, LIGHT, "on")


async def test_connection_that_dies_in_the_grace_time_again_and_again(
    hass: HomeAssistant,
    cloud: LocalCloud,
    device: Device,
    entry: MockConfigEntry,
) -> None:
    """The grace time starts anew with every connection that was made."""
    for connections in (2, 3):
        cloud.disconnect(device)
        await cloud.wait_offline(device)
        await cloud.wait_online(device, connections=connections)
        await send_command(cloud, device, "LED_ON")
    await let_time_pass(hass, GRACE_TIME + 1)
    assert hass.states.get(LIGHT).state == "on"


async def test_command_is_not_sent_while_not_connected(
    hass: HomeAssistant,
    cloud: LocalCloud,
    device: Device,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another client that holds the place just now does not receive it instead."""
    monkeypatch.setattr(virtual, "RECONNECT_WAIT", 0.2)
    (coordinator,) = entry.runtime_data.virtual.coordinators.values()
    # No way to the device port: the session cannot take its place back.
    monkeypatch.setattr(
        coordinator.backend.session, "_endpoint", Endpoint("127.0.0.1", 1)
    )
    async with RawDevice(cloud, cloud.master_key(device)) as rival:
        await wait_for_coordinator(
            coordinator, lambda it: not it.availability.connected
        )
        with pytest.raises(HomeAssistantError) as caught:
            await coordinator.async_send_command("LED_ON", context=None)
        assert caught.value.translation_key == "device_offline"
        # The next that it hears is what it asks: no command came before.
        rival.send({"path": "/v1/ping/", "method": "POST"})
        assert (await rival.receive())["message"] == "ping success"


async def test_refused_device_key(
    hass: HomeAssistant,
    cloud: LocalCloud,
    user: User,
    device: Device,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is tried after a minute, then the person is told; success needs nobody."""
    now = 1000.0
    monkeypatch.setattr(refusals, "monotonic", lambda: now)
    entry = await account_entry(hass, cloud, user.id, device)
    key = cloud.store.keyring.keys[cloud.master_key(device)]
    cloud.revoke_key(key.token)
    await hass.config_entries.async_setup(entry.entry_id)
    (coordinator,) = entry.runtime_data.virtual.coordinators.values()
    await wait_for_refusals(coordinator, 1)
    # A command makes no further attempt of it, and does not wait.
    with pytest.raises(HomeAssistantError) as caught:
        await coordinator.async_send_command("LED_ON", context=None)
    assert caught.value.translation_key == "key_refused"
    await let_time_pass(hass, 58)
    assert coordinator.backend.session.attempts_refused == 1
    assert issues(hass) == []

    now += 72
    await let_time_pass(hass, 72)
    await wait_for_refusals(coordinator, 2)
    assert issues(hass) == ["device_key_refused"]
    assert info_lines(caplog) == [
        "Desk lamp: not connected to the cloud: the master key is refused"
    ]
    assert hass.states.get(LIGHT).state == "unavailable"

    cloud.store.keyring.put(key)
    await let_time_pass(hass, 144)
    await cloud.wait_online(device)
    await wait_for_state(hass, LIGHT, "unknown")
    assert issues(hass) == []

    # The next refusal is a first one.
    now += 3600
    cloud.revoke_key(key.token)
    await wait_for_refusals(coordinator, 1)
    assert issues(hass) == []


async def test_device_key_refused_twice_within_a_minute(
    hass: HomeAssistant, cloud: LocalCloud, device: Device, entry: MockConfigEntry
) -> None:
    """A cloud that comes back without its state for seconds needs nobody."""
    key = cloud.store.keyring.keys[cloud.master_key(device)]
    cloud.revoke_key(key.token)
    (coordinator,) = entry.runtime_data.virtual.coordinators.values()
    for refusals_so_far in (1, 2, 3):
        await wait_for_refusals(coordinator, refusals_so_far)
        coordinator.backend.async_retry_refused_key()
    assert issues(hass) == []
