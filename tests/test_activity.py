"""Activity tells what caused what, and nothing that did not happen."""

from datetime import timedelta
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from custom_components.espcloud.const import GRACE_TIME
from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device, User
from homeassistant.components.logbook.processor import EventProcessor
from homeassistant.components.recorder import Recorder, get_instance
from homeassistant.const import EVENT_CALL_SERVICE
from homeassistant.core import Context, HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util

from .common import (
    account_entry,
    let_time_pass,
    send_command,
    wait_for_coordinator,
    wait_for_state,
)

LIGHT = "light.desk_lamp"
EVENT = "event.desk_lamp_command"


@pytest.fixture
def hass(recorder_db_url: str, hass: HomeAssistant) -> HomeAssistant:
    """Return a Home Assistant whose database was there before it."""
    return hass


@pytest.fixture
async def entry(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    cloud: LocalCloud,
    user: User,
    device: Device,
) -> MockConfigEntry:
    """Set up an account with its lamp, and what Activity needs."""
    assert await async_setup_component(hass, "logbook", {})
    entry = await account_entry(hass, cloud, user.id, device)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_for_state(hass, LIGHT, "unknown")
    await async_wait_recording_done(hass)
    return entry


async def activity(hass: HomeAssistant) -> list[dict[str, Any]]:
    """Return what Activity says of the lamp, oldest first."""
    await async_wait_recording_done(hass)
    processor = EventProcessor(hass, (EVENT_CALL_SERVICE,), [LIGHT, EVENT])
    now = dt_util.utcnow()
    return await get_instance(hass).async_add_executor_job(
        processor.get_events, now - timedelta(hours=1), now
    )


@pytest.mark.usefixtures("entry")
async def test_command_is_the_cause_of_the_change(
    hass: HomeAssistant, cloud: LocalCloud, device: Device
) -> None:
    """The command comes first, out of nothing; the light changes because of it."""
    before = len(await activity(hass))
    await send_command(cloud, device, "LED_ON")
    command, change = (await activity(hass))[before:]
    assert command["entity_id"] == EVENT
    assert command["attributes"]["event_type"] == "turn_on"
    assert not [name for name in command if name.startswith("context_")]
    assert change["entity_id"] == LIGHT
    assert change["state"] == "on"
    assert change["context_entity_id"] == EVENT
    assert change["context_state"] == command["state"]


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize(
    "service", ["light.turn_on", "light.turn_off", "espcloud.send_command"]
)
async def test_press_is_the_cause_of_the_command(
    hass: HomeAssistant,
    cloud: LocalCloud,
    device: Device,
    hass_admin_user: MockUser,
    service: str,
) -> None:
    """Command and change are both credited to whoever pressed the light."""
    before = len(await activity(hass))
    data = {"entity_id": LIGHT}
    if service == "espcloud.send_command":
        data["action"] = "LED_ON"
    await hass.services.async_call(
        *service.split("."),
        data,
        blocking=True,
        context=Context(user_id=hass_admin_user.id),
    )
    command, change = (await activity(hass))[before:]
    assert [command["entity_id"], change["entity_id"]] == [EVENT, LIGHT]
    for shown in (command, change):
        assert shown["context_user_id"] == hass_admin_user.id
        assert f"{shown['context_domain']}.{shown['context_service']}" == service

    # What somebody else sends right afterwards is not their doing.
    before = len(await activity(hass))
    other = "LED_OFF" if hass.states.get(LIGHT).state == "on" else "LED_ON"
    await send_command(cloud, device, other)
    command, change = (await activity(hass))[before:]
    assert "context_user_id" not in command
    assert "context_user_id" not in change
    assert change["context_entity_id"] == EVENT


async def test_reconnecting_is_no_command(
    hass: HomeAssistant, cloud: LocalCloud, device: Device, entry: MockConfigEntry
) -> None:
    """However long the outage was, and whatever became of the light meanwhile."""
    await send_command(cloud, device, "LED_ON")
    before = len(await activity(hass))
    seen = hass.states.get(EVENT)
    (coordinator,) = entry.runtime_data.virtual.coordinators.values()
    cloud.disconnect(device)
    await wait_for_coordinator(coordinator, lambda it: not it.availability.connected)
    await let_time_pass(hass, GRACE_TIME + 1)
    await wait_for_coordinator(coordinator, lambda it: it.availability.connected)
    assert hass.states.get(EVENT) is seen
    shown = [(it["entity_id"], it["state"]) for it in (await activity(hass))[before:]]
    assert shown == [(LIGHT, "unavailable"), (LIGHT, "on")]
