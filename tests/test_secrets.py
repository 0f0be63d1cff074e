"""No secret reaches a log, at any level, nor an exception, nor a repr."""

from collections.abc import Iterator
import logging

import pytest

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device, User
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .common import (
    account_input,
    http,
    let_time_pass,
    send_command,
    wait_for_coordinator,
    wait_for_issue,
    wait_for_state,
)
from .credentials import EMAIL, PASSWORD
from .dialogs.steps import (
    ACTIONS,
    choose,
    open_device_dialog,
    sign_in,
    submit,
    submit_device,
)
from .raw_device import RawDevice

LIGHT = "light.desk_lamp"
WRONG_PASSWORD = "a wrong invented password"


def texts(caplog: pytest.LogCaptureFixture) -> Iterator[str]:
    """Return all that was logged, tracebacks and arguments included."""
    formatter = logging.Formatter()
    for record in caplog.records:
        yield formatter.format(record)
        yield repr(record.args)


@pytest.mark.usefixtures("first_refusal_counts")
async def test_no_secret_in_the_log(
    hass: HomeAssistant,
    cloud: LocalCloud,
    user: User,
    device: Device,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """All that can happen to an account happens at DEBUG, and the log is searched."""
    caplog.set_level(logging.DEBUG)
    secrets = {PASSWORD, WRONG_PASSWORD, EMAIL, cloud.master_key(device)}
    owner_key = cloud.owner_key(device)
    assert owner_key is not None
    secrets.add(owner_key)

    # A wrong password, then the account.
    form = await sign_in(hass, account_input(cloud, password=WRONG_PASSWORD))
    assert form["errors"] == {"password": "invalid_auth"}
    menu = await submit(hass, form, account_input(cloud))
    form = await choose(hass, menu, "device_key")
    result = await submit(hass, form, {"device_key": cloud.master_key(device)})
    entry = result["result"]
    secrets.add(entry.data["user_key"])
    await wait_for_state(hass, LIGHT, "unknown")
    (coordinator,) = entry.runtime_data.virtual.coordinators.values()

    # A device of Home Assistant's own, whose key the cloud tells.
    menu = await open_device_dialog(hass, entry.entry_id)
    form = await submit_device(hass, menu, {"next_step_id": "create_device"})
    await submit_device(hass, form, {"name": "Hall lamp", **ACTIONS})
    (made,) = (each for each in cloud.store.devices.values() if each is not device)
    secrets.add(cloud.master_key(made))
    await wait_for_state(hass, "light.hall_lamp", "unknown")

    # Commands from both sides; somebody else's token comes along in the push.
    share = await http(
        cloud, "POST", "/v1/key/share/", owner_key, body={"scope": "device"}
    )
    secrets.add(share["token"])
    await send_command(cloud, device, "LED_ON", secret_parameter="not logged either")
    secrets.add("not logged either")
    await hass.services.async_call(
        "light", "turn_off", {"entity_id": LIGHT}, blocking=True
    )
    await wait_for_state(hass, LIGHT, "off")

    # Taken over twice, and back.
    for _ in range(2):
        async with RawDevice(cloud, cloud.master_key(device)) as intruder:
            intruder.send({"path": "/v1/ping/", "method": "POST"})
            await wait_for_coordinator(
                coordinator, lambda it: not it.availability.connected
            )
        await let_time_pass(hass, 400)
        await wait_for_coordinator(coordinator, lambda it: it.availability.connected)

    # Keys go, one after the other; commands fail.
    cloud.revoke_key(owner_key)
    cloud.revoke_key(entry.data["user_key"])
    with pytest.raises(HomeAssistantError):
        await coordinator.async_send_command("LED_ON", context=None)
    cloud.revoke_key(cloud.master_key(device))
    await wait_for_issue(hass, "device_key_refused")
    with pytest.raises(HomeAssistantError) as caught:
        await coordinator.async_send_command("LED_ON", context=None)
    await entry.runtime_data.account.async_refresh()
    await hass.async_block_till_done()
    (flow,) = hass.config_entries.flow.async_progress()
    result = await hass.config_entries.flow.async_configure(
        flow["flow_id"], {"password": PASSWORD}
    )
    assert result["reason"] == "reauth_successful"
    await hass.async_block_till_done()
    secrets.add(entry.data["user_key"])

    shown = [
        *texts(caplog),
        repr(coordinator.backend.session),
        repr(coordinator.data),
        repr(caught.value),
        repr(caught.value.__cause__),
    ]
    own = [
        record
        for record in caplog.records
        if record.name.startswith("custom_components")
    ]
    assert own, "the integration said nothing at all: the search proves nothing"
    for secret in secrets:
        found = [text for text in shown if secret in text]
        assert not found, f"a secret is in: {found[0][:200]}"
