"""What may happen to the devices' connections, and that it heals by itself."""

import asyncio
from collections.abc import Callable, Iterable
import random

import pytest

from custom_components.espcloud.backends import virtual
from custom_components.espcloud.cloud import Timing
from custom_components.espcloud.const import GRACE_TIME
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from tests.common import let_time_pass, wait_for_state

from .faults import HTML, answer, hang_up, http, mute, reset
from .instance import Instance, said_of
from .pieces import bytewise, split_at, twice
from .proxy import ChaosProxy, Fault, Shape

QUICK = Timing(connect=1.0, answer=1.0, ping_after=0.3)


@pytest.mark.usefixtures("quick_retries")
@pytest.mark.parametrize(
    ("fault", "reason"),
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
    instance: Instance,
    caplog: pytest.LogCaptureFixture,
    fault: Fault | None,
    reason: str,
) -> None:
    """Unavailable after the grace time, one line each way, healed with no reload."""
    instance.hurry(QUICK)
    coordinators = instance.coordinators
    proxy = instance.proxies.device
    caplog.clear()
    instance.forget()

    if fault is None:
        proxy.refuse()
    proxy.fault = fault
    proxy.sever()
    await instance.all_connected(connected=False)
    assert instance.states() == {"off": len(instance.lamps)}
    await let_time_pass(instance.hass, GRACE_TIME + 1)
    assert instance.states() == {"unavailable": len(instance.lamps)}
    for lamp in instance.lamps:
        state = instance.hass.states.get(
            lamp.light.replace("light", "binary_sensor") + "_connectivity"
        )
        assert state is not None
        assert state.state == "off"

    if fault is None:
        await proxy.listen()
    proxy.fault = None
    await instance.all_are("off")
    for lost, back in said_of(caplog, instance.lamps):
        assert lost.startswith("not connected to the cloud: the connection broke")
        assert back == "connected to the cloud again"
    assert instance.coordinators == coordinators
    for lamp in instance.lamps:
        assert lamp.changes == ["unavailable", "off"]
    await instance.work()


@pytest.mark.usefixtures("quick_retries")
@pytest.mark.parametrize(
    "blip",
    [
        pytest.param(ChaosProxy.sever, id="reset"),
        pytest.param(ChaosProxy.half_close, id="half-closed"),
        pytest.param(lambda proxy: proxy.half_close(up=True), id="half-closed-above"),
        pytest.param(lambda proxy: proxy.cut_after(0), id="cut"),
    ],
)
async def test_blip_writes_no_history(
    instance: Instance, blip: Callable[[ChaosProxy], None]
) -> None:
    """A connection that is back within the grace time was never gone."""
    count = len(instance.lamps)
    blip(instance.proxies.device)
    # A cut is noticed with the next byte.
    await instance.press_all("LED_OFF", "lost or not")
    for lamp in instance.lamps:
        await instance.cloud.wait_online(lamp.device, connections=2)
    await instance.all_connected()
    await let_time_pass(instance.hass, GRACE_TIME + 1)
    assert instance.states() == {"off": count}
    assert [lamp.changes for lamp in instance.lamps] == [[]] * count
    await instance.work()
    assert [lamp.changes for lamp in instance.lamps] == [["on", "off"]] * count


@pytest.mark.usefixtures("quick_retries")
async def test_half_open_is_noticed(hass: HomeAssistant, instance: Instance) -> None:
    """A peer that is gone without a word is missed after ping interval and deadline."""
    instance.hurry(QUICK)
    await instance.reconnect()

    loop = asyncio.get_running_loop()
    instance.proxies.device.freeze()
    start = loop.time()
    await instance.all_connected(connected=False)
    # Any byte starts the interval anew, the last one came before the silence.
    assert QUICK.answer <= loop.time() - start < QUICK.ping_after + QUICK.answer + 1
    await let_time_pass(hass, GRACE_TIME + 1)
    assert instance.states() == {"unavailable": len(instance.lamps)}
    instance.proxies.device.thaw()
    await instance.all_are("off")
    await instance.work()


@pytest.mark.usefixtures("quick_retries")
async def test_pings_keep_a_quiet_connection(instance: Instance) -> None:
    """Slow is not dead: an answer that is late, but in time, keeps the connection."""
    instance.hurry(Timing(ping_after=0.1, answer=1.0))
    await instance.reconnect()
    instance.proxies.device.delay = 0.2
    await asyncio.sleep(1)
    counts = {instance.cloud.connection_count(lamp.device) for lamp in instance.lamps}
    assert counts == {2}
    instance.proxies.device.delay = 0.02
    await instance.work()


@pytest.mark.usefixtures("quick_retries")
async def test_one_byte_at_a_time(instance: Instance) -> None:
    """A frame is a line, however long it takes to arrive."""
    instance.proxies.device.shape = bytewise
    await instance.work()
    await instance.reconnect()
    await instance.work()


def one_after_the_other(shapes: list[Shape]) -> Shape:
    """Shape each piece of data in another way, the last way first."""

    def shape(data: bytes) -> Iterable[bytes]:
        return shapes.pop()(data)

    return shape


async def test_split_at_every_offset(instance: Instance) -> None:
    """Wherever a push is cut in two, it is one push."""
    count = len(instance.lamps)
    offsets = iter(range(320))
    for turn in range(320 // count):
        here = [next(offsets) for _ in range(count)]
        shapes: list[Shape] = [split_at(offset) for offset in here]
        # One push to each lamp: the nth that comes down is cut at the nth offset.
        instance.proxies.device.shape = one_after_the_other(shapes)
        for reply in await instance.press_all("emulate", f"{turn}"):
            assert reply["status"] == 200
        assert shapes == []
        instance.proxies.device.shape = bytewise
    for lamp in instance.lamps:
        assert lamp.heard == [str(turn) for turn in range(320 // count)]


async def test_merged_with_the_answer_to_identify(
    hass: HomeAssistant, instance: Instance
) -> None:
    """A push right behind the answer to identify is news to automations, too."""
    instance.proxies.device.sever()
    await instance.all_connected(connected=False)
    await let_time_pass(hass, GRACE_TIME + 1)
    assert instance.states() == {"unavailable": len(instance.lamps)}
    instance.proxies.device.freeze(up=False)
    await asyncio.gather(
        *(
            instance.cloud.wait_online(lamp.device, connections=2)
            for lamp in instance.lamps
        )
    )
    calls = [
        asyncio.create_task(instance.press(lamp, "LED_ON", str(n)))
        for n, lamp in enumerate(instance.lamps)
    ]
    # Long enough for all of it to gather.
    assert not (await asyncio.wait(calls, timeout=0.3))[0]
    instance.proxies.device.thaw()
    for reply in await asyncio.gather(*calls):
        assert reply["status"] == 200
    assert instance.states() == {"on": len(instance.lamps)}
    for n, lamp in enumerate(instance.lamps):
        assert lamp.heard == [str(n)]


@pytest.mark.usefixtures("quick_retries")
async def test_cut_in_the_middle_of_a_frame(instance: Instance) -> None:
    """Half a command is none: nothing happens, and the caller is told so."""
    for turn in range(3):
        instance.forget()
        sizes = random.Random(turn).sample(range(1, 230), len(instance.lamps))
        instance.proxies.device.cut_after(0)
        for link, size in zip(
            instance.proxies.device._links.values(), sizes, strict=True
        ):
            link.left = size
        for reply in await instance.press_all("LED_ON", "half"):
            assert reply == {"message": "remote peer is disconnected", "status": 404}
        await instance.all_connected()
        for lamp in instance.lamps:
            assert lamp.heard == lamp.changes == []
    await instance.work()


async def test_delivered_twice(instance: Instance) -> None:
    """TCP repeats nothing, so what comes twice was sent twice: both are commands.

    The cloud's nonces are no serial numbers (protocol.md §3.4): to drop the second of
    two would lose a command wherever a server takes one number again.
    """
    instance.proxies.device.shape = twice
    for reply in await instance.press_all("LED_ON", "1"):
        assert reply["status"] == 200
    for reply in await instance.press_all("LED_OFF", "2"):
        assert reply["status"] == 200
    assert instance.states() == {"off": len(instance.lamps)}
    for lamp in instance.lamps:
        assert lamp.heard == ["1", "1", "2", "2"]
        assert lamp.changes == ["on", "off"]


async def test_acknowledgement_that_is_lost(instance: Instance) -> None:
    """Nothing can be done for the caller; the command is done, and only once."""
    lamp = instance.lamps[0]
    instance.proxies.device.freeze(down=False)
    call = asyncio.ensure_future(instance.press(lamp, "LED_ON", "1"))
    await wait_for_state(instance.hass, lamp.light, "on")
    instance.proxies.device.sever()
    assert (await call)["status"] == 404
    instance.proxies.device.thaw()
    await instance.cloud.wait_online(lamp.device, connections=2)
    await instance.all_connected()
    assert lamp.heard == ["1"]
    await instance.work()


@pytest.mark.usefixtures("quick_retries")
async def test_call_without_a_connection(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits a little for a connection, then fails, and changes nothing."""
    instance.proxies.device.refuse()
    instance.proxies.device.sever()
    await instance.all_connected(connected=False)
    instance.forget()
    start = asyncio.get_running_loop().time()
    monkeypatch.setattr(virtual, "RECONNECT_WAIT", 0.3)
    with pytest.raises(HomeAssistantError) as caught:
        await instance.turn(instance.lamps[0], "turn_on")
    assert asyncio.get_running_loop().time() - start < 2
    assert caught.value.translation_key == "device_offline"
    assert instance.states() == {"off": len(instance.lamps)}
    monkeypatch.undo()
    await instance.proxies.device.listen()
    await instance.turn(instance.lamps[1], "turn_on")
    assert instance.states() == {"off": len(instance.lamps) - 1, "on": 1}
