"""What tests of the integration do again and again."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import aiohttp
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)
from yarl import URL

from custom_components.espcloud.const import DOMAIN
from custom_components.espcloud.coordinator import EspCloudCoordinator
from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device
from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util import dt as dt_util

from .credentials import EMAIL, PASSWORD

TITLE = "s…@…"
"""What the entry of an account is called: its e-mail is nobody else's business."""


def server_data(cloud: LocalCloud) -> dict[str, Any]:
    """Return the server part of an account's entry data."""
    return {
        "url": cloud.http_url,
        "port": cloud.device_port,
        "ssl": False,
        "verify_ssl": True,
    }


def account_input(cloud: LocalCloud, **changes: Any) -> dict[str, Any]:
    """Return what a person types into the first form; `server` holds changes to that."""
    server = server_data(cloud) | changes.pop("server", {})
    return {"email": EMAIL, "password": PASSWORD, "server": server, **changes}


def device_subentry(cloud: LocalCloud, device: Device) -> ConfigSubentryData:
    """Return the subentry of a device."""
    return ConfigSubentryData(
        subentry_type="device",
        unique_id=str(device.id),
        title=device.name,
        data={
            "device_id": device.id,
            "device_key": cloud.master_key(device),
            "serial": device.serial,
            "turn_on_action": "LED_ON",
            "turn_off_action": "LED_OFF",
        },
    )


async def account_entry(
    hass: HomeAssistant,
    cloud: LocalCloud,
    user_id: int,
    *devices: Device,
    email: str = EMAIL,
) -> MockConfigEntry:
    """Return an account's entry as the flow leaves it, added but not set up."""
    key = (await sign_in(cloud, email))["keys"][0]["token"]
    entry = MockConfigEntry(
        domain=DOMAIN,
        title=TITLE,
        unique_id=f"{URL(cloud.http_url).authority}_{user_id}",
        data={
            "email": email,
            "user_id": user_id,
            "user_key": key,
            **server_data(cloud),
        },
        subentries_data=[device_subentry(cloud, device) for device in devices],
    )
    entry.add_to_hass(hass)
    return entry


async def sign_in(cloud: LocalCloud, email: str = EMAIL) -> dict[str, Any]:
    """Sign in as the app does and return the answer."""
    return await http(
        cloud,
        "POST",
        "/v1/keys/",
        body={"email": email, "password": PASSWORD, "scope": "user"},
    )


async def http(
    cloud: LocalCloud,
    method: str,
    path: str,
    key: str | None = None,
    *,
    query: dict[str, str] | None = None,
    body: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Make an HTTP request to the cloud, as `curl` would, and return its JSON."""
    headers = {"Authorization": f"token {key}"} if key else {}
    async with (
        aiohttp.ClientSession() as session,
        session.request(
            method,
            URL(cloud.http_url).with_path(path),
            params=query,
            json=body,
            headers=headers,
        ) as response,
    ):
        answer: dict[str, Any] = await response.json(content_type=None)
        return answer


async def send_command(
    cloud: LocalCloud, device: Device, action: str, **parameters: str
) -> dict[str, Any]:
    """Send a command as the phone app does and return the answer."""
    return await http(
        cloud,
        "GET",
        "/v1/device/rpc/",
        cloud.owner_key(device),
        query={"deliver_to_device": "true", "action": action, **parameters},
    )


async def wait_for_state(
    hass: HomeAssistant,
    entity_id: str,
    is_reached: str | Callable[[str], bool],
    timeout: float = 5.0,
) -> None:
    """Wait until an entity's state is reached; it may be already."""

    def matches() -> bool:
        state = hass.states.get(entity_id)
        if state is None:
            return False
        if callable(is_reached):
            return is_reached(state.state)
        return state.state == is_reached

    reached = asyncio.Event()

    @callback
    def changed(_event: Event[EventStateChangedData]) -> None:
        if matches():
            reached.set()

    remove = async_track_state_change_event(hass, entity_id, changed)
    try:
        if not matches():
            async with asyncio.timeout(timeout):
                await reached.wait()
    except TimeoutError:
        raise AssertionError(
            f"{entity_id} is {hass.states.get(entity_id)}, not {is_reached}"
        ) from None
    finally:
        remove()


async def wait_for_coordinator(
    coordinator: EspCloudCoordinator,
    is_reached: Callable[[EspCloudCoordinator], bool],
) -> None:
    """Wait until a coordinator has published what the test waits for."""
    reached = asyncio.Event()

    def published() -> None:
        if is_reached(coordinator):
            reached.set()

    remove = coordinator.async_add_listener(published)
    try:
        published()
        async with asyncio.timeout(5):
            await reached.wait()
    finally:
        remove()


async def let_time_pass(hass: HomeAssistant, seconds: float) -> None:
    """Fire every timer that is due within so many seconds, Home Assistant's and ours."""
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=seconds))
    await hass.async_block_till_done()


async def wait_for_issue(
    hass: HomeAssistant, key: str, *, is_there: bool = True
) -> ir.IssueEntry | None:
    """Wait until a repair issue of that kind is there, or is not any more."""
    registry = ir.async_get(hass)
    changed = asyncio.Event()

    def find() -> ir.IssueEntry | None:
        return next(
            (
                issue
                for issue in registry.issues.values()
                if issue.domain == DOMAIN and issue.translation_key == key
            ),
            None,
        )

    @callback
    def updated(_event: Event[ir.EventIssueRegistryUpdatedData]) -> None:
        changed.set()

    remove = hass.bus.async_listen(ir.EVENT_REPAIRS_ISSUE_REGISTRY_UPDATED, updated)
    try:
        async with asyncio.timeout(5):
            while (find() is not None) != is_there:
                changed.clear()
                await changed.wait()
    finally:
        remove()
    return find()
