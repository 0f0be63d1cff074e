"""A call in Home Assistant while the cloud's HTTP side misbehaves."""

import asyncio

import pytest

from custom_components.espcloud.const import ACCOUNT_INTERVAL
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from local_cloud import LocalCloud
from local_cloud.models import User
from tests.common import let_time_pass

from .conftest import LAMPS
from .house import Doors, House, Phone
from .manners import HTML, answer, hang_up, http, mute, reset, swallow_answer, trickle
from .proxy import Manner

JSON = b'{"status": 200, "message": "welcome to the hotel"}'


@pytest.mark.parametrize(
    ("manner", "key"),
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
    house: House, impatient: float, manner: Manner | None, key: str
) -> None:
    """It ends in time, says so, and leaves light and connection alone."""
    door, loop = house.doors.http, asyncio.get_running_loop()
    if manner is None:
        door.refuse()
    door.manner = manner
    await door.empty()
    start = loop.time()
    results = await asyncio.gather(
        *(house.turn(lamp, "turn_on") for lamp in house.lamps), return_exceptions=True
    )
    assert loop.time() - start < impatient + 2
    for result in results:
        assert isinstance(result, HomeAssistantError)
        assert result.translation_key == key
    await house.entry.runtime_data.account.async_refresh()
    assert house.states() == {"off": len(house.lamps)}
    for lamp in house.lamps:
        assert lamp.heard == lamp.changes == []

    if manner is None:
        await door.listen()
    door.manner = None
    await asyncio.gather(*(house.turn(lamp, "turn_on") for lamp in house.lamps))
    assert house.states() == {"on": len(house.lamps)}
    for lamp in house.lamps:
        # Not even late: what failed was never sent.
        assert len(lamp.heard) == 1
        assert house.cloud.connection_count(lamp.device) == 1


async def test_answer_that_is_lost(house: House) -> None:
    """The call fails, for nobody knows; the command arrived, and once only."""
    door = house.doors.http
    door.manner = swallow_answer(door.upstream)
    await door.empty()
    for lamp in house.lamps:
        with pytest.raises(HomeAssistantError):
            await house.turn(lamp, "turn_on")
        state = house.hass.states.get(lamp.light)
        assert state is not None
        assert state.state == "on"
    for lamp in house.lamps:
        assert len(lamp.heard) == 1


async def test_connection_lost_during_a_call(house: House) -> None:
    """Pushed or not, a call whose command was not acknowledged fails at once."""
    house.doors.device.freeze(down=True, up=False)
    calls = [asyncio.create_task(house.turn(lamp, "turn_on")) for lamp in house.lamps]
    assert not (await asyncio.wait(calls, timeout=0.3))[0]
    house.doors.device.sever()
    for result in await asyncio.gather(*calls, return_exceptions=True):
        assert isinstance(result, HomeAssistantError)
        assert result.translation_key == "device_offline"
    house.doors.device.thaw()
    await house.all_connected()
    assert house.states() == {"off": len(house.lamps)}
    await house.work()


async def test_set_up_while_the_cloud_is_down(
    hass: HomeAssistant, cloud: LocalCloud, user: User, doors: Doors, phone: Phone
) -> None:
    """However long it takes and whatever answers, the account is set up in the end."""
    house = await House.build(hass, cloud, user, doors, phone, LAMPS)
    doors.http.manner = reset
    assert not await hass.config_entries.async_setup(house.entry.entry_id)
    assert house.entry.state is ConfigEntryState.SETUP_RETRY
    for manner in (answer(http(500)), answer(http(502)), answer(HTML)):
        doors.http.manner = manner
        for _ in range(5):
            await let_time_pass(hass, 600)
            await house.entry_is(ConfigEntryState.SETUP_RETRY)
    assert doors.device.arrivals == []
    doors.http.manner = None
    await let_time_pass(hass, 600)
    await house.entry_is(ConfigEntryState.LOADED)
    await house.all_connected()
    await house.work()


async def test_account_that_is_refused_and_accepted_again(
    hass: HomeAssistant, house: House
) -> None:
    """People are asked to sign in, once; the lamps work all the while."""
    key = house.cloud.store.keyring.keys[house.entry.data["user_key"]]
    house.cloud.revoke_key(key.token)
    for _ in range(3):
        await let_time_pass(hass, ACCOUNT_INTERVAL.total_seconds() + 1)
        await house.entry.runtime_data.account.async_refresh()
    assert len(hass.config_entries.flow.async_progress()) == 1
    await house.work()
    house.cloud.store.keyring.put(key)
    await house.entry.runtime_data.account.async_refresh()
    await house.work()
    await asyncio.gather(*(house.turn(lamp, "turn_on") for lamp in house.lamps))
    assert house.states() == {"on": len(house.lamps)}
