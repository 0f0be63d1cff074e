"""Timers that a device runs by itself, and what they do to it (protocol.md §3.6, §10.2, 6)."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from custom_components.espcloud.local_cloud import Limits, LocalCloud
from tests.firmware import timers
from tests.firmware.clock import ManualClock
from tests.firmware.kinds import make

from .helpers import until
from .simulated import GAP, Home, Thing

NOW = 1_436_326_580
"""Wednesday, 8 July 2015, 11:36:20 in Shanghai."""
PATH = "/v1/device/timers/?deliver_to_device=true"
EACH_MINUTE = {
    "type": "LOOP_PERIOD",
    "period": "minute",
    "time": 1,
    "action": "on_off_switch",
}
IN_100_SECONDS = {
    "type": "FIXEDTIME",
    "time_actions": [{"time": "20150708113800", "action": "on_switch"}],
}


@pytest.fixture
async def cloud() -> AsyncGenerator[LocalCloud]:
    """Run a cloud whose time stands still, and which is patient with firmware."""
    cloud = LocalCloud(limits=Limits(gap=GAP))
    await cloud.start()
    cloud.store.context.clock = lambda: NOW
    yield cloud
    await cloud.close()


def text(*entries: str) -> str:
    """Return timers as the device reads them."""
    return ";".join(entries)


class TestReading:
    """How the text becomes entries."""

    def test_entries(self) -> None:
        """All three kinds; none where the text is empty."""
        assert timers.parse("", 10) == []
        assert timers.parse("l60=on_off_switch;w214694=off;f1=on", 10) == [
            timers.Entry("l", 60, "on_off_switch"),
            timers.Entry("w", 214694, "off"),
            timers.Entry("f", 1, "on"),
        ]

    @pytest.mark.parametrize(
        ("wrong", "complaint"),
        [
            (text(*["l60=on"] * 11), "11 timers overflow"),
            ("l60=" + "a" * 15, "action"),
            ("l" + "1" * 11 + "=on", "number"),
            ("l60=on;", "no timer"),
            ("x60=on", "no timer"),
            ("l=on", "no number"),
        ],
    )
    def test_what_would_crash(self, wrong: str, complaint: str) -> None:
        """It writes over other memory."""
        with pytest.raises(AssertionError, match=complaint):
            timers.parse(wrong, 10)

    @pytest.mark.parametrize(
        ("entry", "now", "wait"),
        [
            (timers.Entry("f", NOW, ""), NOW - 7, 7),
            (timers.Entry("f", NOW, ""), NOW, 0),
            (timers.Entry("l", 60, ""), NOW, 40),
            (timers.Entry("l", 20, ""), NOW, 20),
            # Wednesday 11:36:20 is 214580 s after Monday 00:00.
            (timers.Entry("w", 214694, ""), NOW, 114),
            (timers.Entry("w", 214580, ""), NOW, 7 * 86400),
            (timers.Entry("w", 0, ""), NOW, 7 * 86400 - 214580),
        ],
    )
    def test_waiting(self, entry: timers.Entry, now: int, wait: int) -> None:
        """Until the next time, never none but for a fixed time that has passed."""
        assert entry.wait(now) == wait


async def plan(thing: Thing, *plans: dict[str, Any]) -> None:
    """Give a device timers."""
    body = {"timers": list(plans)}
    await thing.home.api.ok("POST", PATH, body, key=thing.key)


async def test_a_plug_switches(home: Home) -> None:
    """When it is time, and each time again; not after its power was cut."""
    clock = ManualClock()
    plug, thing = home.add("plug", clock=clock)
    await plan(thing, EACH_MINUTE)
    async with plug:
        await until(lambda: clock.sleepers == [40])
        clock.advance(39)
        await asyncio.sleep(0)
        assert clock.sleepers == [1]
        assert plug.appliance.history == []
        clock.advance(1)
        await until(lambda: clock.sleepers == [60])
        clock.advance(60)
        await until(lambda: plug.appliance.history == [True, False])
        await plug.power_off()
        assert clock.sleepers == []


async def test_a_reboot(home: Home) -> None:
    """Timers are gone until the device has fetched them again."""
    clock = ManualClock()
    plug, thing = home.add("plug", clock=clock)
    await plan(thing, EACH_MINUTE)
    async with plug:
        await until(lambda: clock.sleepers == [40])
        call = "/v1/device/rpc/?deliver_to_device=true&action=sys_reboot"
        await home.api.ok("GET", call, key=thing.key)
        await thing.online(connections=2)
        await until(lambda: plug.timers == "l60=on_off_switch")
        await until(lambda: clock.sleepers == [40])
        clock.advance(40)
        await until(lambda: clock.sleepers == [60])
        assert plug.appliance.history == [True]


async def test_a_strip_switches(home: Home) -> None:
    """Two digits behind the action name the sockets."""
    clock = ManualClock()
    strip, thing = home.add("strip", clock=clock)
    weekly = {
        "type": "LOOP_IN_WEEK",
        "weekdays": [3],
        "time_actions": [
            {"time": "113700", "action": "on_switch0d"},
            {"time": "113800", "action": "off_switch04"},
        ],
    }
    await plan(thing, weekly)
    async with strip:
        await until(lambda: clock.sleepers == [40])
        clock.advance(40)
        await until(lambda: clock.sleepers == [60])
        clock.advance(60)
        await until(lambda: strip.appliance.history == [0b1101, 0b1001])
        # The soonest is next week's first.
        await until(lambda: clock.sleepers == [7 * 86400 - 60])


async def test_a_fired_fixed_time_stops_the_others(
    home: Home, cloud: LocalCloud
) -> None:
    """Until the device has fetched a list without it."""
    clock = ManualClock()
    plug, thing = home.add("plug", clock=clock)
    await plan(thing, IN_100_SECONDS, {**EACH_MINUTE, "time": 3})
    async with plug:
        await until(lambda: plug.timers == f"f{NOW + 100}=on_switch;l180=on_off_switch")
        await until(lambda: clock.sleepers == [100])
        clock.advance(100)
        await until(lambda: plug.appliance.history == [True])
        await until(lambda: clock.sleepers == [])
        clock.advance(1000)
        assert plug.appliance.history == [True]
        cloud.store.context.clock = lambda: NOW + 1100
        await plan(thing, {**EACH_MINUTE, "time": 2})
        await until(lambda: plug.timers == "l180=on_off_switch;l120=on_off_switch")
        # 1100 s after NOW is 11:54:40; minutes 56 and 57 come next.
        await until(lambda: clock.sleepers == [80])


async def test_the_cloud_tells_of_a_fixed_time_that_has_fired(
    home: Home, cloud: LocalCloud
) -> None:
    """By a push, upon which the other timers go on."""
    plug, thing = home.add("plug", clock=ManualClock())
    await plan(thing, IN_100_SECONDS, EACH_MINUTE)
    cloud.store.context.clock = lambda: NOW + 99.9
    async with plug:
        await until(lambda: plug.timers == f"f{NOW + 100}=on_switch;l60=on_off_switch")
        cloud.store.context.clock = lambda: NOW + 104
        await until(lambda: plug.timers == "l60=on_off_switch", 10)


async def test_room_for_ten(home: Home) -> None:
    """The cloud gives no more; a device that gets more has crashed, which no test passes with."""
    plug, thing = home.add("plug")
    await plan(thing, *[EACH_MINUTE] * 10)
    body = {"timers": [EACH_MINUTE]}
    assert (await home.api.post(PATH, body, key=thing.key)).status == 400
    async with plug:
        await until(lambda: plug.timers == text(*["l60=on_off_switch"] * 10))


@pytest.mark.parametrize(
    ("kind", "count", "crash"),
    [
        ("plug", 11, "11 timers overflow the room for 10"),
        ("light_nonos", 20, ""),
        ("light_nonos", 21, "21 timers overflow the room for 20"),
    ],
)
async def test_more_than_there_is_room_for(kind: str, count: int, crash: str) -> None:
    """RTOS has room for 10, NONOS for 20."""
    answer = b'{"status": 200, "timers": "%b", "timestamp": %d, "weekday": 3}\n' % (
        text(*["l60=on"] * count).encode(),
        NOW,
    )

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(answer)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        address = server.sockets[0].getsockname()
        simulated: Any = make(kind, address, "0" * 40)
        simulated.power_on()
        await until(lambda: simulated.timers is not None)
        await until(lambda: simulated.state["crash"] == crash)
        if crash:
            with pytest.raises(AssertionError, match=crash):
                await simulated.power_off()
        else:
            await simulated.power_off()


async def test_nonos_fetches_two_seconds_later(home: Home) -> None:
    """RTOS at once."""
    clock = ManualClock()
    light, thing = home.add("light_nonos", clock=clock)
    async with light:
        await until(lambda: light.timers == "")
        await plan(thing, EACH_MINUTE)
        await until(lambda: clock.sleepers == [2])
        assert light.timers == ""
        clock.advance(2)
        await until(lambda: light.timers == "l60=on_off_switch")
