"""What a person has to put right, and the way there."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.espcloud.const import ACCOUNT_INTERVAL, DOMAIN
from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device
from custom_components.espcloud.repairs import DeviceRepairFlow
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component

from .common import let_time_pass, wait_for_coordinator, wait_for_issue
from .raw_device import RawDevice

LIGHT = "light.desk_lamp"

pytestmark = pytest.mark.usefixtures("first_refusal_counts")


@pytest.fixture
async def intruders() -> AsyncGenerator[AsyncExitStack]:
    """Hold connections that throw the device out, until the end of the test."""
    async with AsyncExitStack() as stack:
        yield stack


async def test_refused_key_leads_to_the_reconfigure_dialog(
    hass: HomeAssistant,
    cloud: LocalCloud,
    device: Device,
    entry: MockConfigEntry,
    hass_client: ClientSessionGenerator,
) -> None:
    """The account stays up; the repair goes on in the device's dialog and clears itself."""
    assert await async_setup_component(hass, "repairs", {})
    client = await hass_client()
    new_key = cloud.regenerate_master_key(device)
    issue = await wait_for_issue(hass, "device_key_refused")
    assert issue.severity is ir.IssueSeverity.ERROR
    assert issue.translation_placeholders["device"] == "Desk lamp"
    assert entry.state.recoverable

    response = await client.post(
        "/api/repairs/issues/fix", json={"handler": DOMAIN, "issue_id": issue.issue_id}
    )
    form = await response.json()
    assert form["step_id"] == "confirm"
    assert form["description_placeholders"]["device"] == "Desk lamp"
    response = await client.post(f"/api/repairs/issues/fix/{form['flow_id']}", json={})
    result = await response.json()
    assert result["type"] == "abort"
    assert result["reason"] == "continue_in_dialog"
    kind, dialog_id = result["next_flow"]
    assert kind == "config_subentries_flow"

    actions = {"turn_on_action": "LED_ON", "turn_off_action": "LED_OFF"}
    result = await hass.config_entries.subentries.async_configure(
        dialog_id, {"device_key": new_key, **actions}
    )
    assert result["reason"] == "reconfigure_successful"
    await wait_for_issue(hass, "device_key_refused", is_there=False)
    await cloud.wait_online(device)


async def test_repair_of_a_device_that_is_gone(
    hass: HomeAssistant,
    cloud: LocalCloud,
    device: Device,
    entry: MockConfigEntry,
    hass_client: ClientSessionGenerator,
) -> None:
    """A repair that was open when the device was removed says so."""
    assert await async_setup_component(hass, "repairs", {})
    client = await hass_client()
    cloud.revoke_key(cloud.master_key(device))
    issue = await wait_for_issue(hass, "device_key_refused")
    response = await client.post(
        "/api/repairs/issues/fix", json={"handler": DOMAIN, "issue_id": issue.issue_id}
    )
    form = await response.json()
    (subentry_id,) = entry.subentries
    hass.config_entries.async_remove_subentry(entry, subentry_id)
    await wait_for_issue(hass, "device_key_refused", is_there=False)
    response = await client.post(f"/api/repairs/issues/fix/{form['flow_id']}", json={})
    assert (await response.json())["reason"] == "device_gone"


async def test_key_that_works_again_needs_nobody(
    hass: HomeAssistant, cloud: LocalCloud, device: Device, entry: MockConfigEntry
) -> None:
    """A refused key is tried again every few minutes."""
    key = cloud.store.keyring.keys[cloud.master_key(device)]
    cloud.revoke_key(key.token)
    await wait_for_issue(hass, "device_key_refused")
    cloud.store.keyring.put(key)
    await let_time_pass(hass, ACCOUNT_INTERVAL.total_seconds())
    await wait_for_issue(hass, "device_key_refused", is_there=False)
    await cloud.wait_online(device)


async def test_same_key_typed_again(
    hass: HomeAssistant, cloud: LocalCloud, device: Device, entry: MockConfigEntry
) -> None:
    """Typing the key that works again connects at once; while it is in use, nothing."""
    key = cloud.store.keyring.keys[cloud.master_key(device)]
    (subentry_id,) = entry.subentries
    data = {
        "device_key": key.token,
        "turn_on_action": "LED_ON",
        "turn_off_action": "LED_OFF",
    }
    form = await entry.start_subentry_reconfigure_flow(hass, subentry_id)
    await hass.config_entries.subentries.async_configure(form["flow_id"], data)
    assert cloud.connection_count(device) == 1

    cloud.revoke_key(key.token)
    await wait_for_issue(hass, "device_key_refused")
    cloud.store.keyring.put(key)
    form = await entry.start_subentry_reconfigure_flow(hass, subentry_id)
    await hass.config_entries.subentries.async_configure(form["flow_id"], data)
    await wait_for_issue(hass, "device_key_refused", is_there=False)
    assert cloud.connection_count(device) == 2


async def test_taken_over_is_explained_and_not_fought(
    hass: HomeAssistant,
    cloud: LocalCloud,
    device: Device,
    entry: MockConfigEntry,
    intruders: AsyncExitStack,
) -> None:
    """The first loss may be chance; the second in a row raises the issue and yields."""
    (coordinator,) = entry.runtime_data.virtual.coordinators.values()
    master_key = cloud.master_key(device)
    await intruders.enter_async_context(RawDevice(cloud, master_key))
    await wait_for_coordinator(coordinator, lambda it: not it.availability.connected)
    await wait_for_coordinator(coordinator, lambda it: it.availability.connected)
    registry = ir.async_get(hass)
    assert not [issue for issue in registry.issues.values() if issue.domain == DOMAIN]

    await intruders.enter_async_context(RawDevice(cloud, master_key))
    issue = await wait_for_issue(hass, "taken_over")
    assert issue.severity is ir.IssueSeverity.WARNING
    connections = cloud.connection_count(device)
    # A minute on, it still leaves the place to the other.
    await let_time_pass(hass, 70)
    assert cloud.connection_count(device) == connections
    assert hass.states.get(LIGHT).state == "unavailable"

    # Minutes later it tries once more; the other has given up.
    await let_time_pass(hass, 400)
    await cloud.wait_online(device, connections=connections + 1)
    await wait_for_coordinator(coordinator, lambda it: it.availability.connected)
    assert await wait_for_issue(hass, "taken_over") is not None
    await let_time_pass(hass, 61)
    await wait_for_issue(hass, "taken_over", is_there=False)
    assert hass.states.get(LIGHT).state == "unknown"


@asynccontextmanager
async def contested_place(
    hass: HomeAssistant, cloud: LocalCloud, device: Device, entry: MockConfigEntry
) -> AsyncGenerator[RawDevice]:
    """Have another client take the device's place twice and keep it."""
    (coordinator,) = entry.runtime_data.virtual.coordinators.values()
    master_key = cloud.master_key(device)
    async with RawDevice(cloud, master_key):
        await wait_for_coordinator(
            coordinator, lambda it: not it.availability.connected
        )
        await wait_for_coordinator(coordinator, lambda it: it.availability.connected)
    async with RawDevice(cloud, master_key) as rival:
        await wait_for_issue(hass, "taken_over")
        yield rival


async def test_commands_do_not_fight_for_the_place(
    hass: HomeAssistant, cloud: LocalCloud, device: Device, entry: MockConfigEntry
) -> None:
    """They fail at once, name the other client, and neither hurry nor reach it."""
    async with contested_place(hass, cloud, device, entry) as rival:
        connections = cloud.connection_count(device)
        for _ in range(10):
            with pytest.raises(HomeAssistantError) as caught:
                await hass.services.async_call(
                    "espcloud",
                    "send_command",
                    {"entity_id": LIGHT, "action": "LED_ON"},
                    blocking=True,
                )
            assert caught.value.translation_key == "taken_over"
            placeholders = caught.value.translation_placeholders
            assert placeholders["device"] == "Desk lamp"
            assert placeholders["action"] == "LED_ON"
        assert cloud.connection_count(device) == connections
        # The next that it hears is what it asks: no command came before.
        rival.send({"path": "/v1/ping/", "method": "POST"})
        assert (await rival.receive())["message"] == "ping success"


@pytest.mark.parametrize("is_back", [True, False])
async def test_connecting_now(
    hass: HomeAssistant,
    cloud: LocalCloud,
    device: Device,
    entry: MockConfigEntry,
    hass_client: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
    is_back: bool,
) -> None:
    """The issue offers to take the place back at once, and says where that fails."""
    assert await async_setup_component(hass, "repairs", {})
    client = await hass_client()
    (coordinator,) = entry.runtime_data.virtual.coordinators.values()
    async with contested_place(hass, cloud, device, entry):
        issue = await wait_for_issue(hass, "taken_over")
        assert issue.is_fixable
        response = await client.post(
            "/api/repairs/issues/fix",
            json={"handler": DOMAIN, "issue_id": issue.issue_id},
        )
        form = await response.json()
        assert form["step_id"] == "confirm"
        assert form["description_placeholders"] == {
            "device": "Desk lamp",
            "device_markdown": "Desk lamp",
        }
        if not is_back:
            monkeypatch.setattr(
                "custom_components.espcloud.backends.virtual.CONNECT_NOW_WAIT", 0.1
            )
            cloud.revoke_key(cloud.master_key(device))
        response = await client.post(
            f"/api/repairs/issues/fix/{form['flow_id']}", json={}
        )
        result = await response.json()
        if is_back:
            assert result["type"] == "create_entry"
            assert coordinator.availability.connected
            await wait_for_issue(hass, "taken_over", is_there=False)
        else:
            assert result["reason"] == "not_connected"
            assert result["description_placeholders"] == {
                "device_markdown": "Desk lamp"
            }
            assert await wait_for_issue(hass, "taken_over") is not None
            await hass.config_entries.async_unload(entry.entry_id)


async def test_connecting_now_an_account_that_is_not_loaded(
    hass: HomeAssistant, cloud: LocalCloud, device: Device, entry: MockConfigEntry
) -> None:
    """A repair that was open when the account was unloaded says that it failed."""
    flow = DeviceRepairFlow()
    flow.hass = hass
    flow.context = {"issue_id": "taken_over_x"}
    (subentry_id,) = entry.subentries
    flow.data = {"entry_id": entry.entry_id, "subentry_id": subentry_id}
    await hass.config_entries.async_unload(entry.entry_id)
    result = await flow.async_step_confirm({})
    assert result["reason"] == "not_connected"


async def test_issues_go_with_their_device(
    hass: HomeAssistant, cloud: LocalCloud, device: Device, entry: MockConfigEntry
) -> None:
    """An account that is unloaded complains of nothing."""
    cloud.revoke_key(cloud.master_key(device))
    await wait_for_issue(hass, "device_key_refused")
    await hass.config_entries.async_unload(entry.entry_id)
    await wait_for_issue(hass, "device_key_refused", is_there=False)
