"""Every kind of device that keeps a connection: connected, read, set, read back (protocol.md §10)."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from custom_components.espcloud.local_cloud import Limits, LocalCloud
from tests.firmware import image
from tests.firmware.clock import ManualClock
from tests.firmware.fade import FADE
from tests.firmware.kinds import make

from .helpers import firmware_body, until
from .simulated import GAP, Home

PLUG, LIGHT, STRIP, REMOTE = "plug-status", "light", "plugs", "remote"
FIRMWARE = ["plug", "light", "light_nonos", "light_new", "strip", "remote"]
RPC = "/v1/device/rpc/?deliver_to_device=true&action="


@pytest.fixture
async def cloud() -> AsyncGenerator[LocalCloud]:
    """Run a cloud that is patient with firmware."""
    cloud = LocalCloud(limits=Limits(gap=GAP))
    await cloud.start()
    yield cloud
    await cloud.close()


@pytest.mark.parametrize("activates", [False, True])
@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("plug", {"x": 0}),
        ("light", {"x": 1000, "y": 0, "z": 0, "k": 0, "l": 0}),
        ("light_nonos", {"x": 1000, "y": 0, "z": 0, "k": 0, "l": 0}),
        (
            "light_new",
            {
                "x": 0,
                "y": 1000,
                "z": {"red": 0, "green": 0, "blue": 0, "white": 0},
            },
        ),
        ("strip", {"x": 0, "y": 4}),
        ("remote", {"x": 0, "y": 0, "z": 0}),
    ],
)
async def test_any_get_is_answered_with_the_state(
    home: Home, kind: str, state: dict[str, Any], activates: bool
) -> None:
    """An RPC that it does not know included; a new one is known by what it activated with."""
    bssid = "18:fe:34:00:00:99"
    simulated, thing = home.add(kind, activates=activates, bssid=bssid)
    async with simulated:
        await thing.online()
        reply = await home.api.ok("GET", f"{RPC}what", key=thing.key)
        assert reply["datapoint"] == state
        assert simulated.actions.count("activated") == activates
        # One of NONOS starts anew once it has activated.
        assert simulated.boots == 1 + (activates and kind == "light_nonos")
    if activates:
        assert thing.device.bssid == bssid
        assert thing.device.rom_version == simulated.rom_version


@pytest.mark.parametrize("kind", ["plug", "self_made"])
async def test_an_address_of_its_own(home: Home, kind: str) -> None:
    """Servers that count connections of an address see as many devices as there are."""
    simulated, thing = home.add(kind, source="127.0.1.9")
    async with simulated:
        await thing.online()
        (connection,) = home.cloud.operator.connections()
        assert connection.address == "127.0.1.9"


async def test_a_strip(home: Home) -> None:
    """Bits are sockets; one that is not there is not switched; its buttons tell nobody."""
    strip, thing = home.add("strip", sockets=3)
    async with strip:
        await thing.online()
        assert await thing.tell(STRIP, x=0b1101) == {"x": 0b101, "y": 3}
        strip.press(1)
        assert await thing.ask(STRIP) == {"x": 0b111, "y": 3}
        strip.press(0)
        assert await thing.ask(STRIP) == {"x": 0b110, "y": 3}
        assert strip.appliance.history == [0b101, 0b111, 0b110]
        with pytest.raises(ValueError, match="no button 3"):
            strip.press(3)


@pytest.mark.parametrize(
    ("kind", "half", "full"),
    [
        ("light", (511, 255, 0, 0), (1023, 511, 0, 4)),
        ("light_nonos", (11111, 5556, 0, 50), (22222, 11111, 0, 100)),
    ],
)
async def test_an_old_light(
    home: Home, kind: str, half: tuple[int, ...], full: tuple[int, ...]
) -> None:
    """It answers from its fade; the scale that it reports on is that of its firmware."""
    clock = ManualClock()
    light, thing = home.add(kind, clock=clock)
    async with light:
        await thing.online()
        values = {"x": 1000, "y": 22222, "z": 11111, "k": 0, "l": 100}
        answer = await thing.tell(LIGHT, **values)
        assert tuple(answer[name] for name in "xyzkl") == (1000, 0, 0, 0, 0)
        assert light.appliance.values == values
        clock.advance(FADE / 2)
        report = await thing.ask(LIGHT)
        assert tuple(report[name] for name in "yzk") == half[:3]
        clock.advance(FADE / 2)
        report = await thing.ask(LIGHT)
        assert tuple(report[name] for name in "xyzkl") == (1000, *full)
        # From there, not from the dark, to the next one.
        answer = await thing.tell(LIGHT, x=1000, y=0, z=0, k=0, l=0)
        assert tuple(answer[name] for name in "yzkl") == full
        clock.advance(FADE)
        report = await thing.ask(LIGHT)
        assert not any(report[name] for name in "yzkl")


async def test_a_light_that_is_set_while_it_fades(home: Home) -> None:
    """It goes on from where it is."""
    clock = ManualClock()
    light, thing = home.add("light_nonos", clock=clock)
    async with light:
        await thing.online()
        await thing.tell(LIGHT, x=1000, y=1000, z=0, k=0, l=0)
        clock.advance(FADE / 2)
        assert (await thing.tell(LIGHT, x=1000, y=0, z=0, k=0, l=0))["y"] == 500
        clock.advance(FADE / 2)
        assert (await thing.ask(LIGHT))["y"] == 250


async def test_a_light_whose_period_changes(home: Home) -> None:
    """Its full channel changes likewise; a period that it cannot have is the usual one."""
    clock = ManualClock()
    light, thing = home.add("light", clock=clock)
    async with light:
        await thing.online()
        for period, taken, full in ((2000, 2000, 44444), (999, 1000, 22222)):
            await thing.tell(LIGHT, x=period, y=full, z=0, k=0, l=0)
            clock.advance(FADE)
            report = await thing.ask(LIGHT)
            assert (report["x"], report["y"]) == (taken, 1023)


async def test_a_light_of_the_new_stream(home: Home) -> None:
    """Off, on, a color, white; a status that there is not is ignored."""
    clock = ManualClock()
    light, thing = home.add("light_new", clock=clock)
    dark = {"red": 0, "green": 0, "blue": 0, "white": 0}
    color = {"red": 255, "green": 128, "blue": 1}
    async with light:
        await thing.online()
        answer = await thing.tell(LIGHT, x=2, y=1000, z={**color, "white": 9})
        assert answer == {"x": 2, "y": 1000, "z": dark}
        for told, report in (
            ({}, {"x": 2, "z": {**color, "white": 0}}),
            ({"x": 0, "y": 1000}, {"x": 0, "z": dark}),
            ({"x": 1, "y": 1000}, {"x": 1, "z": {**color, "white": 0}}),
            (
                {"x": 3, "y": 1000, "z": {"white": 7}},
                {"x": 3, "z": {**dark, "white": 7}},
            ),
            ({"x": 4, "y": 1000}, {"x": 3, "z": {**dark, "white": 7}}),
        ):
            if told:
                await thing.tell(LIGHT, **told)
            clock.advance(FADE)
            assert await thing.ask(LIGHT) == {"y": 1000, **report}


async def test_a_remote_control(home: Home) -> None:
    """It sends what it is told."""
    remote, thing = home.add("remote")
    async with remote:
        await thing.online()
        assert await thing.tell(REMOTE, x=1, y=2, z=3) == {"x": 1, "y": 2, "z": 3}
        await thing.tell(REMOTE, x=4, y=5)
        await thing.tell(REMOTE, x=4, y=5, z=0)
        assert remote.appliance.sent == [(1, 2, 3), (4, 5, 0)]


@pytest.mark.parametrize("kind", FIRMWARE)
async def test_an_upgrade_of_every_kind(home: Home, user_key: str, kind: str) -> None:
    """It fetches, tells, and after a reboot it is the new one; a short version is no obstacle."""
    port = int(home.cloud.http_url.rpartition(":")[2])
    simulated, thing = home.add(kind, http_port=port)
    new = simulated.rom_version.replace(".0t", ".7t").replace(".5t", ".7t")
    images = [image.build(slot) for slot in (1, 2)]
    path = f"/v1/roms/?ptype={thing.device.ptype}"
    await home.api.ok("POST", path, firmware_body(new, *images), key=user_key)
    async with simulated:
        await thing.online()
        call = f"{RPC}sys_upgrade&version={new}"
        await home.api.ok("GET", call, key=thing.key)
        await until(lambda: "message sent" in simulated.actions)
        assert simulated.flash == images[1]
        await home.api.ok("GET", f"{RPC}sys_reboot", key=thing.key)
        await thing.online(connections=2)
        assert simulated.rom_version == thing.device.rom_version == new


async def test_a_power_cut(home: Home) -> None:
    """The device is away; its button is dead; with power it is back, its timers fetched anew."""
    plug, thing = home.add("plug")
    async with plug:
        await thing.online()
        await until(lambda: plug.timers is not None)
        await plug.power_off()
        await home.cloud.wait_offline(thing.device)
        path = f"/v1/datastreams/{PLUG}/datapoint/?deliver_to_device=true"
        reply = await home.api.get(path, key=thing.key)
        assert (reply.status, plug.state["is_on"]) == (404, False)
        with pytest.raises(ValueError, match="no power"):
            plug.press()
        plug.power_on()
        await until(lambda: plug.boots == 2)
        assert plug.timers is None
        await thing.online(connections=2)
        plug.press()
        assert await thing.ask(PLUG) == {"x": 1}
        assert (plug.boots, plug.connections) == (2, 2)


async def test_two_with_one_key(home: Home, cloud: LocalCloud) -> None:
    """The first one is told to go, and comes back by itself; both have no end of it."""
    first, thing = home.add("plug")
    second = make("plug", (cloud.device_host, cloud.device_port), first.master_key)
    async with first:
        await thing.online()
        async with second:
            await until(lambda: first.connections > 1 and second.connections > 1, 20)
        assert first.state["crash"] == ""


@pytest.mark.parametrize(("kind", "connections"), [("light", 1), ("light_nonos", 2)])
async def test_unanswered_pings(kind: str, connections: int) -> None:
    """NONOS leaves a server that does not answer, RTOS never does."""
    pings: list[int] = [0]
    reached = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            pings[-1] += b"/v1/ping/" in line
            if sum(pings) >= 4:
                reached.set()
        pings.append(0)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        address = server.sockets[0].getsockname()
        simulated: Any = make(kind, address, "0" * 40, beacon=0.05)
        async with simulated, asyncio.timeout(10):
            await reached.wait()
    # The one that leaves has sent one ping on each connection.
    assert max(pings) == (1 if connections > 1 else 4)
    assert (simulated.connections > 1) == (connections > 1)


async def test_a_frame_of_a_whole_segment_is_held() -> None:
    """A device does nothing about 1460 bytes until more comes."""
    received = asyncio.Event()
    frames: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        push = b'{"method": "GET", "nonce": 5, "path": "/v1/device/rpc/"}'
        writer.write(push.ljust(1459) + b"\n")
        await writer.drain()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                frames.append(await reader.readline())
        writer.write(b"\n")
        frames.append(await reader.readline())
        received.set()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        plug: Any = make("plug", server.sockets[0].getsockname(), "0" * 40)
        async with plug, asyncio.timeout(10):
            await received.wait()
    assert [b'"nonce": 5' in frame for frame in frames] == [True]
