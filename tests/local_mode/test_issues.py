"""What a person has to put right: said once, and gone by itself."""

import socket

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    get_system_health_info,
)
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.espcloud import local_issues
from custom_components.espcloud.const import DEFAULT_URL
from homeassistant.components.network import async_get_source_ip
from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from tests.common import let_time_pass, wait_for_issue
from tests.firmware import kinds

from .home import HOST, Home


async def test_port_that_somebody_else_has(hass: HomeAssistant, home: Home) -> None:
    """Until it is free again; the entry says it as well."""
    with socket.create_server((HOST, home.port)):
        with pytest.raises(AssertionError):
            await home.set_up()
        issue = await wait_for_issue(hass, "local_port")
        assert issue.translation_placeholders == {"port": str(home.port)}
    assert home.entry.state is ConfigEntryState.SETUP_RETRY
    assert await hass.config_entries.async_reload(home.entry.entry_id)
    await wait_for_issue(hass, "local_port", is_there=False)


async def test_two_devices_with_one_key(hass: HomeAssistant, home: Home) -> None:
    """Somebody has copied a program with its key."""
    await home.set_up()
    await home.take_in("Plug", "plug")
    other = kinds.make(
        "plug", (HOST, home.port), home.keys["Plug"], bssid="18:fe:34:00:09:09"
    )
    async with other:
        issue = await wait_for_issue(hass, "key_contested")
        assert issue.translation_placeholders["device"] == "Plug"
        assert home.keys["Plug"] not in str(issue)
    home.coordinator("Plug").backend.note_stable()
    await wait_for_issue(hass, "key_contested", is_there=False)


@pytest.mark.parametrize("is_public", [True, False])
async def test_account_that_leads_here(
    hass: HomeAssistant,
    home: Home,
    monkeypatch: pytest.MonkeyPatch,
    is_public: bool,
) -> None:
    """The router says so for the devices, and Home Assistant asks the same router.

    A server of a person's own may well be on this machine.
    """
    own = await async_get_source_ip(hass)
    answers = [{own}, {"192.0.2.1"}]

    async def addresses(host: str) -> set[str]:
        return answers[0]

    monkeypatch.setattr(local_issues, "_addresses", addresses)
    url = DEFAULT_URL if is_public else "http://iot.example.org"
    MockConfigEntry(
        domain="espcloud",
        unique_id="iot_1",
        title="s…@…",
        data={
            "email": "somebody@example.org",
            "user_id": 1,
            "user_key": "0" * 40,
            "url": url,
            "port": 8000,
            "ssl": False,
            "verify_ssl": True,
        },
        disabled_by=ConfigEntryDisabler.USER,
    ).add_to_hass(hass)
    await home.set_up()
    await hass.async_block_till_done(wait_background_tasks=True)
    if not is_public:
        await wait_for_issue(hass, "own_address", is_there=False)
        return
    issue = await wait_for_issue(hass, "own_address")
    assert issue.translation_placeholders["host"] == "iot.espressif.cn"
    answers.pop(0)
    await let_time_pass(hass, 3601)
    await hass.async_block_till_done(wait_background_tasks=True)
    await wait_for_issue(hass, "own_address", is_there=False)


async def test_report(
    hass: HomeAssistant, home: Home, hass_client: ClientSessionGenerator
) -> None:
    """It says how the cloud is, and tells no key."""
    await home.set_up()
    await home.take_in("Plug", "plug")
    await home.add("Stranger", "plug")
    await home.wait_discovered("Stranger")
    assert await async_setup_component(hass, "diagnostics", {})
    report = await get_diagnostics_for_config_entry(hass, hass_client, home.entry)
    assert report["server"]["device_port"] == home.port
    assert report["server"]["identified"] == 1
    assert report["server"]["pending"] == 1
    (device,) = report["devices"]
    assert device["connection"]["address"] == HOST
    assert device["connection"]["history"]
    assert device["connected"]
    (subentry,) = home.entry.subentries.values()
    for secret in (*home.keys.values(), subentry.data["key_hash"]):
        assert secret not in str(report)
    assert home.entry.runtime_data.account.user_key not in str(report)


async def test_system_information(hass: HomeAssistant, home: Home) -> None:
    """Without an account there is no other cloud to reach."""
    await home.set_up()
    await home.take_in("Plug", "plug")
    assert await async_setup_component(hass, "system_health", {})
    await hass.async_block_till_done()
    info = await get_system_health_info(hass, "espcloud")
    assert info == {
        "devices_online": "1/1",
        "local_port": home.port,
        "local_pending": 0,
    }
