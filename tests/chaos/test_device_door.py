"""What may happen to the devices' connections, and that it heals by itself."""

import asyncio
from collections.abc import Callable, Iterable
import random

import pytest

from custom_components.espcloud import coordinator
from custom_components.espcloud.cloud import Timing
from custom_components.espcloud.const import GRACE_TIME
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from tests.common import let_time_pass, wait_for_state

from .house import House, said_of
from .manners import HTML, answer, hang_up, http, mute, reset
from .pieces import bytewise, split_at, twice
from .proxy import ChaosProxy, Manner, Shape

QUICK = Timing(connect=1.0, answer=1.0, ping_after=0.3)


@pytest.mark.usefixtures("quick_retries")
@pytest.mark.parametrize(
    ("manner", "reason"),
    [
        pytest.param(None, "the device port was not reached", id="refused"),
        pytest.param(mute, "the cloud did not answer in time", id="mute"),
        pytest.param(hang_up, "the c", id="hangs-up"),
        pytest.param(reset, "the c", id="resets"),
        pytest.param(answer(http(502)), "the c", id="speaks-http"),
        pytest.param(answer(b"\0\1\2"), "binary noise", id="speaks-binary"),
        pytest.param(answer(HTML + b'\n{"status": 200}\n'), "the c", id="nonsense"),
    ],
)
async def test_outage(
    house: House,
    caplog: pytest.LogCaptureFixture,
    manner: Manner | None,
    reason: str,
) -> None:
    """Unavailable after the grace time, one line each way, healed with no reload."""
    house.hurry(QUICK)
    coordinators = house.coordinators
    door = house.doors.device
    caplog.clear()
    house.forget()

    if manner is None:
        door.refuse()
    door.manner = manner
    door.sever()
    await house.all_connected(connected=False)
    assert house.states() == {"off": len(house.lamps)}
    await let_time_pass(house.hass, GRACE_TIME + 1)
    assert house.states() == {"unavailable": len(house.lamps)}
    for lamp in house.lamps:
        state = house.hass.states.get(
            lamp.light.replace("light", "binary_sensor") + "_connectivity"
        )
        assert state is not None
        assert state.state == "off"

    if manner is None:
        await door.listen()
    door.manner = None
    await house.all_are("off")
    for lost, back in said_of(caplog, house.lamps):
        assert lost.startswith("not connected to the cloud: the connection broke")
        assert back == "connected to the cloud again"
    assert house.coordinators == coordinators
    for lamp in house.lamps:
        assert lamp.changes == ["unavailable", "off"]
    await house.work()


@pytest.mark.usefixtures("quick_retries")
@pytest.mark.parametrize(
    "blip",
    [
        pytest.param(ChaosProxy.sever, id="reset"),
        pytest.param(ChaosProxy.half_close, id="half-closed"),
        pytest.param(lambda door: door.half_close(up=True), id="half-closed-above"),
        pytest.param(lambda door: door.cut_after(0), id="cut"),
    ],
)
async def test_blip_writes_no_history(
    house: House, blip: Callable[[ChaosProxy], None]
) -> None:
    """A connection that is back within the grace time was never gone."""
    count = len(house.lamps)
    blip(house.doors.device)
    # A cut is noticed with the next byte.
    await house.press_all("LED_OFF", "lost or not")
    for lamp in house.lamps:
        await house.cloud.wait_online(lamp.device, connections=2)
    await house.all_connected()
    await let_time_pass(house.hass, GRACE_TIME + 1)
    assert house.states() == {"off": count}
    assert [lamp.changes for lamp in house.lamps] == [[]] * count
    await house.work()
    assert [lamp.changes for lamp in house.lamps] == [["on", "off"]] * count


@pytest.mark.usefixtures("quick_retries")
async def test_half_open_is_noticed(hass: HomeAssistant, house: House) -> None:
    """A peer that is gone without a word is missed after ping interval and deadline."""
    house.hurry(QUICK)
    await house.reconnect()

    loop = asyncio.get_running_loop()
    house.doors.device.freeze()
    start = loop.time()
    await house.all_connected(connected=False)
    # Any byte starts the interval anew, the last one came before the silence.
    assert QUICK.answer <= loop.time() - start < QUICK.ping_after + QUICK.answer + 1
    await let_time_pass(hass, GRACE_TIME + 1)
    assert house.states() == {"unavailable": len(house.lamps)}
    house.doors.device.thaw()
    await house.all_are("off")
    await house.work()


@pytest.mark.usefixtures("quick_retries")
async def test_pings_keep_a_quiet_connection(house: House) -> None:
    """Slow is not dead: an answer that is late, but in time, keeps the connection."""
    house.hurry(Timing(ping_after=0.1, answer=1.0))
    await house.reconnect()
    house.doors.device.delay = 0.2
    await asyncio.sleep(1)
    counts = {house.cloud.connection_count(lamp.device) for lamp in house.lamps}
    assert counts == {2}
    house.doors.device.delay = 0.02
    await house.work()


@pytest.mark.usefixtures("quick_retries")
async def test_one_byte_at_a_time(house: House) -> None:
    """A frame is a line, however long it takes to arrive."""
    house.doors.device.shape = bytewise
    await house.work()
    await house.reconnect()
    await house.work()


def one_after_the_other(shapes: list[Shape]) -> Shape:
    """Shape each piece of data in another way, the last way first."""

    def shape(data: bytes) -> Iterable[bytes]:
        return shapes.pop()(data)

    return shape


async def test_split_at_every_offset(house: House) -> None:
    """Wherever a push is cut in two, it is one push."""
    count = len(house.lamps)
    offsets = iter(range(320))
    for turn in range(320 // count):
        here = [next(offsets) for _ in range(count)]
        shapes: list[Shape] = [split_at(offset) for offset in here]
        # One push to each lamp: the nth that comes down is cut at the nth offset.
        house.doors.device.shape = one_after_the_other(shapes)
        for reply in await house.press_all("emulate", f"{turn}"):
            assert reply["status"] == 200
        assert shapes == []
        house.doors.device.shape = bytewise
    for lamp in house.lamps:
        assert lamp.heard == [str(turn) for turn in range(320 // count)]


async def test_merged_with_the_answer_to_identify(
    hass: HomeAssistant, house: House
) -> None:
    """A push right behind the answer to identify is news to automations, too."""
    house.doors.device.sever()
    await house.all_connected(connected=False)
    await let_time_pass(hass, GRACE_TIME + 1)
    assert house.states() == {"unavailable": len(house.lamps)}
    house.doors.device.freeze(up=False)
    await asyncio.gather(
        *(house.cloud.wait_online(lamp.device, connections=2) for lamp in house.lamps)
    )
    calls = [
        asyncio.create_task(house.press(lamp, "LED_ON", str(n)))
        for n, lamp in enumerate(house.lamps)
    ]
    # Long enough for all of it to gather.
    assert not (await asyncio.wait(calls, timeout=0.3))[0]
    house.doors.device.thaw()
    for reply in await asyncio.gather(*calls):
        assert reply["status"] == 200
    assert house.states() == {"on": len(house.lamps)}
    for n, lamp in enumerate(house.lamps):
        assert lamp.heard == [str(n)]


@pytest.mark.usefixtures("quick_retries")
async def test_cut_in_the_middle_of_a_frame(house: House) -> None:
    """Half a command is none: nothing happens, and the caller is told so."""
    for turn in range(3):
        house.forget()
        sizes = random.Random(turn).sample(range(1, 230), len(house.lamps))
        house.doors.device.cut_after(0)
        for link, size in zip(house.doors.device._links.values(), sizes, strict=True):
            link.left = size
        for reply in await house.press_all("LED_ON", "half"):
            assert reply == {"message": "remote peer is disconnected", "status": 404}
        await house.all_connected()
        for lamp in house.lamps:
            assert lamp.heard == lamp.changes == []
    await house.work()


async def test_delivered_twice(house: House) -> None:
    """TCP repeats nothing, so what comes twice was sent twice: both are commands.

    The cloud's nonces are no serial numbers (protocol.md §3.4): to drop the second of
    two would lose a command wherever a server takes one number again.
    """
    house.doors.device.shape = twice
    for reply in await house.press_all("LED_ON", "1"):
        assert reply["status"] == 200
    for reply in await house.press_all("LED_OFF", "2"):
        assert reply["status"] == 200
    assert house.states() == {"off": len(house.lamps)}
    for lamp in house.lamps:
        assert lamp.heard == ["1", "1", "2", "2"]
        assert lamp.changes == ["on", "off"]


async def test_acknowledgement_that_is_lost(house: House) -> None:
    """Nothing can be done for the caller; the command is done, and only once."""
    lamp = house.lamps[0]
    house.doors.device.freeze(down=False)
    call = asyncio.ensure_future(house.press(lamp, "LED_ON", "1"))
    await wait_for_state(house.hass, lamp.light, "on")
    house.doors.device.sever()
    assert (await call)["status"] == 404
    house.doors.device.thaw()
    await house.cloud.wait_online(lamp.device, connections=2)
    await house.all_connected()
    assert lamp.heard == ["1"]
    await house.work()


@pytest.mark.usefixtures("quick_retries")
async def test_call_without_a_connection(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits a little for a connection, then fails, and changes nothing."""
    house.doors.device.refuse()
    house.doors.device.sever()
    await house.all_connected(connected=False)
    house.forget()
    start = asyncio.get_running_loop().time()
    monkeypatch.setattr(coordinator, "RECONNECT_WAIT", 0.3)
    with pytest.raises(HomeAssistantError) as caught:
        await house.turn(house.lamps[0], "turn_on")
    assert asyncio.get_running_loop().time() - start < 2
    assert caught.value.translation_key == "device_offline"
    assert house.states() == {"off": len(house.lamps)}
    monkeypatch.undo()
    await house.doors.device.listen()
    await house.turn(house.lamps[1], "turn_on")
    assert house.states() == {"off": len(house.lamps) - 1, "on": 1}
