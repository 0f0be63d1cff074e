"""A call in Home Assistant while the cloud's HTTP side misbehaves."""

import asyncio

import pytest

from custom_components.espcloud.const import ACCOUNT_INTERVAL
from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import User
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from tests.common import let_time_pass

from .conftest import LAMPS
from .faults import HTML, answer, hang_up, http, mute, reset, swallow_answer, trickle
from .instance import Instance, Phone, Proxies
from .proxy import Fault

JSON = b'{"status": 200, "message": "welcome to the hotel"}'


@pytest.mark.parametrize(
    ("fault", "key"),
    [
        pytest.param(None, "cannot_connect", id="refused"),
        pytest.param(mute, "timeout", id="mute"),
        pytest.param(hang_up, "cannot_connect", id="hangs-up"),
        pytest.param(reset, "cannot_connect", id="resets"),
        pytest.param(answer(http(500)), "unexpected_answer", id="500"),
        pytest.param(answer(http(502)), "cannot_connect", id="502"),
        pytest.param(answer(http(429)), "rate_limited", id="429"),
        pytest.param(answer(http(200)), "unexpected_answer", id="html"),
        pytest.param(answer(http(200, JSON)), "unexpected_answer", id="portal"),
        pytest.param(answer(http(200, b"{}")), "unexpected_answer", id="empty"),
        pytest.param(
            answer(http(200, JSON, length=1000)), "unexpected_answer", id="truncated"
        ),
        pytest.param(
            answer(http(302, headers="Location: /elsewhere\r\n")),
            "unexpected_answer",
            id="redirect",
        ),
        pytest.param(answer(b"\0\1\2\3"), "unexpected_answer", id="noise"),
        pytest.param(trickle(http(200, JSON), 0.1), "timeout", id="slow"),
    ],
)
async def test_call_fails_and_changes_nothing(
    instance: Instance, impatient: float, fault: Fault | None, key: str
) -> None:
    """It ends in time, says so, and leaves light and connection alone."""
    proxy, loop = instance.proxies.http, asyncio.get_running_loop()
    if fault is None:
        proxy.refuse()
    proxy.fault = fault
    await proxy.empty()
    start = loop.time()
    results = await asyncio.gather(
        *(instance.turn(lamp, "turn_on") for lamp in instance.lamps),
        return_exceptions=True,
    )
    assert loop.time() - start < impatient + 2
    for result in results:
        assert isinstance(result, HomeAssistantError)
        assert result.translation_key == key
    await instance.entry.runtime_data.account.async_refresh()
    assert instance.states() == {"off": len(instance.lamps)}
    for lamp in instance.lamps:
        assert lamp.heard == lamp.changes == []

    if fault is None:
        await proxy.listen()
    proxy.fault = None
    await asyncio.gather(*(instance.turn(lamp, "turn_on") for lamp in instance.lamps))
    assert instance.states() == {"on": len(instance.lamps)}
    for lamp in instance.lamps:
        # Not even late: what failed was never sent.
        assert len(lamp.heard) == 1
        assert instance.cloud.connection_count(lamp.device) == 1


async def test_answer_that_is_lost(instance: Instance) -> None:
    """The call fails, for nobody knows; the command arrived, and once only."""
    proxy = instance.proxies.http
    proxy.fault = swallow_answer(proxy.upstream)
    await proxy.empty()
    for lamp in instance.lamps:
        with pytest.raises(HomeAssistantError):
            await instance.turn(lamp, "turn_on")
        state = instance.hass.states.get(lamp.light)
        assert state is not None
        assert state.state == "on"
    for lamp in instance.lamps:
        assert len(lamp.heard) == 1


async def test_connection_lost_during_a_call(instance: Instance) -> None:
    """Pushed or not, a call whose command was not acknowledged fails at once."""
    instance.proxies.device.freeze(down=True, up=False)
    calls = [
        asyncio.create_task(instance.turn(lamp, "turn_on")) for lamp in instance.lamps
    ]
    assert not (await asyncio.wait(calls, timeout=0.3))[0]
    instance.proxies.device.sever()
    for result in await asyncio.gather(*calls, return_exceptions=True):
        assert isinstance(result, HomeAssistantError)
        assert result.translation_key == "device_offline"
    instance.proxies.device.thaw()
    await instance.all_connected()
    assert instance.states() == {"off": len(instance.lamps)}
    await instance.work()


async def test_set_up_while_the_cloud_is_down(
    hass: HomeAssistant, cloud: LocalCloud, user: User, proxies: Proxies, phone: Phone
) -> None:
    """However long it takes and whatever answers, the account is set up in the end."""
    instance = await Instance.build(hass, cloud, user, proxies, phone, LAMPS)
    proxies.http.fault = reset
    assert not await hass.config_entries.async_setup(instance.entry.entry_id)
    assert instance.entry.state is ConfigEntryState.SETUP_RETRY
    for fault in (answer(http(500)), answer(http(502)), answer(HTML)):
        proxies.http.fault = fault
        for _ in range(5):
            await let_time_pass(hass, 600)
            await instance.entry_is(ConfigEntryState.SETUP_RETRY)
    assert proxies.device.arrivals == []
    proxies.http.fault = None
    await let_time_pass(hass, 600)
    await instance.entry_is(ConfigEntryState.LOADED)
    await instance.all_connected()
    await instance.work()


@pytest.mark.usefixtures("first_refusal_counts")
async def test_account_that_is_refused_and_accepted_again(
    hass: HomeAssistant, instance: Instance
) -> None:
    """People are asked to sign in, once; the lamps work all the while."""
    key = instance.cloud.store.keyring.keys[instance.entry.data["user_key"]]
    instance.cloud.revoke_key(key.token)
    for _ in range(3):
        await let_time_pass(hass, ACCOUNT_INTERVAL.total_seconds() + 1)
        await instance.entry.runtime_data.account.async_refresh()
    assert len(hass.config_entries.flow.async_progress()) == 1
    await instance.work()
    instance.cloud.store.keyring.put(key)
    await instance.entry.runtime_data.account.async_refresh()
    await instance.work()
    await asyncio.gather(*(instance.turn(lamp, "turn_on") for lamp in instance.lamps))
    assert instance.states() == {"on": len(instance.lamps)}
