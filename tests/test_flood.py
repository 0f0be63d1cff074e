"""More commands than are carried out: refused, said once, and over when it is over."""

from collections.abc import Callable
import json
import logging
from pathlib import Path

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components import espcloud
from custom_components.espcloud.backends import cloud_account
from custom_components.espcloud.cloud import PushLimits
from custom_components.espcloud.const import LONG_OUTAGE
from custom_components.espcloud.coordinator import EspCloudCoordinator
from custom_components.espcloud.flood import QUIET_TIME
from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device, User
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from .common import (
    account_entry,
    let_time_pass,
    send_command,
    wait_for_coordinator,
    wait_for_issue,
    wait_for_state,
)

LIGHT = "light.desk_lamp"
NEVER = 1e-9
"""Pushes a second, so that no test waits for one, however busy the machine is."""


@pytest.fixture(autouse=True)
def limit(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Set the limits of accounts to come: two commands, and no more, if not told otherwise."""

    def limit(**limits: float) -> None:
        monkeypatch.setattr(cloud_account, "PUSH_LIMITS", PushLimits(**limits))

    limit(device_burst=2, device_rate=NEVER)
    return limit


def flood_issues(hass: HomeAssistant) -> list[ir.IssueEntry]:
    """Return the repair issues of floods."""
    issues = ir.async_get(hass).issues.values()
    return [issue for issue in issues if issue.translation_key == "flood"]


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what the integration said at info level or above."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("custom_components.espcloud")
        and record.levelno >= logging.INFO
    ]


async def test_refused_command_changes_nothing(
    hass: HomeAssistant, cloud: LocalCloud, device: Device, entry: MockConfigEntry
) -> None:
    """Its sender hears 503; no state is written, so nothing is recorded."""
    assert (await send_command(cloud, device, "LED_ON"))["status"] == 200
    assert (await send_command(cloud, device, "BLINK"))["status"] == 200
    await wait_for_state(hass, LIGHT, "on")
    before = {state.entity_id: state for state in hass.states.async_all()}
    for action in ("LED_OFF", "BLINK", "LED_ON"):
        assert (await send_command(cloud, device, action))["status"] == 503
    assert {state.entity_id: state for state in hass.states.async_all()} == before
    (coordinator,) = entry.runtime_data.virtual.coordinators.values()
    assert coordinator.data.is_on is True


async def test_flood_is_said_once_and_goes_away(
    hass: HomeAssistant,
    cloud: LocalCloud,
    user: User,
    device: Device,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One line and one repair for all devices of an account, until a minute after it."""
    bulb = cloud.add_device("Bulb*", user)
    entry = await account_entry(hass, cloud, user.id, device, bulb)
    await hass.config_entries.async_setup(entry.entry_id)
    await cloud.wait_online(device)
    await cloud.wait_online(bulb)
    caplog.clear()
    for _ in range(2):
        for each in (bulb, bulb, bulb, device, device, device):
            await send_command(cloud, each, "LED_ON")
        (issue,) = flood_issues(hass)
        assert issue.severity is ir.IssueSeverity.WARNING
        assert issue.is_fixable is False
        assert issue.translation_placeholders == {
            "device": "Bulb*",
            "device_markdown": r"Bulb\*",
        }
        (line,) = warnings(caplog)
        assert line.startswith("Bulb*: more commands arrive")
        # It is not over: there was a refused one within this minute.
        await let_time_pass(hass, QUIET_TIME + 1)
    assert flood_issues(hass) == [issue]
    await let_time_pass(hass, QUIET_TIME + 1)
    assert flood_issues(hass) == []
    await send_command(cloud, device, "LED_ON")
    assert len(flood_issues(hass)) == 1
    assert len(warnings(caplog)) == 2


@pytest.fixture
async def flooded(
    hass: HomeAssistant,
    cloud: LocalCloud,
    user: User,
    device: Device,
    caplog: pytest.LogCaptureFixture,
    limit: Callable[..., None],
) -> EspCloudCoordinator:
    """Connect a device to which any command is a flood; the log has no line yet."""
    limit(flood_rate=0)
    entry = await account_entry(hass, cloud, user.id, device)
    await hass.config_entries.async_setup(entry.entry_id)
    await cloud.wait_online(device)
    caplog.clear()
    (coordinator,) = entry.runtime_data.virtual.coordinators.values()
    return coordinator


async def test_connection_that_is_closed(
    hass: HomeAssistant,
    cloud: LocalCloud,
    device: Device,
    flooded: EspCloudCoordinator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It comes back later; the one line is the flood's, if it does not last."""
    answer = await send_command(cloud, device, "LED_ON")
    assert "disconnected" in answer["message"]
    await wait_for_issue(hass, "flood")
    assert flooded.backend.session.attempts_failed == 1
    await cloud.wait_online(device, connections=2)
    await wait_for_coordinator(flooded, lambda it: it.availability.connected)
    (line,) = warnings(caplog)
    assert line.startswith("Desk lamp: more commands arrive")
    assert hass.states.get(LIGHT).state == "unknown"


async def test_flood_that_keeps_the_device_away(
    hass: HomeAssistant,
    cloud: LocalCloud,
    device: Device,
    flooded: EspCloudCoordinator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Then it is an outage like any other."""
    await send_command(cloud, device, "LED_ON")
    await wait_for_coordinator(flooded, lambda it: not it.availability.connected)
    await flooded.backend.session.close()
    await let_time_pass(hass, LONG_OUTAGE)
    await let_time_pass(hass, LONG_OUTAGE)
    flood, outage = warnings(caplog)
    assert "more commands arrive" in flood
    assert "not connected to the cloud for 5 minutes: a flood of commands" in outage


async def test_nothing_is_left_of_a_flood(
    hass: HomeAssistant, cloud: LocalCloud, device: Device, entry: MockConfigEntry
) -> None:
    """Neither the repair nor a timer, when the account is unloaded meanwhile."""
    for _ in range(3):
        await send_command(cloud, device, "LED_ON")
    assert len(flood_issues(hass)) == 1
    await hass.config_entries.async_unload(entry.entry_id)
    assert flood_issues(hass) == []


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_text_says_the_limits(language: str) -> None:
    """A person reads the numbers that apply."""
    folder = Path(espcloud.__file__).parent / "translations"
    texts = json.loads((folder / f"{language}.json").read_text(encoding="utf-8"))
    text = texts["issues"]["flood"]["description"].replace(",", "")
    limits = PushLimits()
    for number in (limits.device_rate, limits.account_rate, limits.flood_rate):
        assert f" {number:g} " in text
