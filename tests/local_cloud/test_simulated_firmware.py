"""Espressif's firmware at the device server: it reads segments, not lines (protocol.md §10)."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from custom_components.espcloud.local_cloud import Limits, LocalCloud
from custom_components.espcloud.local_cloud.errors import ApiError
from custom_components.espcloud.local_cloud.models import Device
from tests.firmware.clock import ManualClock
from tests.firmware.connection import Firmware
from tests.firmware.fade import FADE
from tests.firmware.light import Light
from tests.firmware.plug import Plug

from .helpers import WAIT, Api, until

PLUG = "/v1/datastreams/plug-status/datapoint/?deliver_to_device=true"
LIGHT = "/v1/datastreams/light/datapoint/?deliver_to_device=true"
TIMERS = "/v1/device/timers/?deliver_to_device=true"
GAP = 1.0
PLAN = {"type": "LOOP_PERIOD", "period": "day", "time": 1, "action": "on_switch"}


@pytest.fixture
async def cloud() -> AsyncGenerator[LocalCloud]:
    """Run a cloud that gives firmware more time than usual, for a busy machine is slower than it."""
    cloud = LocalCloud(limits=Limits(gap=GAP))
    await cloud.start()
    yield cloud
    await cloud.close()


def firmware(
    cloud: LocalCloud, device: Device, appliance: Any, **options: Any
) -> Firmware:
    """Return a device that is not switched on yet."""
    address = cloud.device_host, cloud.device_port
    return Firmware(address, cloud.master_key(device), appliance, **options)


async def test_twenty_commands_at_once_after_a_reconnect(
    api: Api, cloud: LocalCloud, device: Device, owner_key: str
) -> None:
    """All succeed, each is carried out once, and the device still gets its timers."""
    await api.ok("POST", "/v1/device/timers/", {"timers": [PLAN]}, key=owner_key)
    plug = Plug()
    async with firmware(cloud, device, plug, busy=0.05) as simulated:
        for connections in (1, 2):
            await cloud.wait_online(device, connections=connections)
            replies = await asyncio.gather(
                *(
                    api.post(PLUG, {"datapoint": {"x": number % 2}}, key=owner_key)
                    for number in range(20)
                )
            )
            assert [reply.json["status"] for reply in replies] == [200] * 20
            assert sorted(plug.history) == [False] * 10 + [True] * 10
            assert simulated.timers == "l86400=on_switch"
            assert simulated.actions[0] == "fetch timers"
            plug.history.clear()
            simulated.actions.clear()
            simulated.timers = None
            simulated.disconnect()


async def test_a_new_light(
    api: Api, cloud: LocalCloud, device: Device, owner_key: str
) -> None:
    """It activates, identifies, and obeys; no color is lost, but the answer is from before its fade."""
    clock = ManualClock()
    light = Light(clock=clock)
    dark = light.values
    async with firmware(cloud, device, light, activates=True) as simulated:
        await cloud.wait_online(device)
        point = {"x": 1000, "y": 22222, "z": 2, "k": 3, "l": 4}
        reply = await api.post(LIGHT, {"datapoint": point}, key=owner_key)
        assert (reply.json["datapoint"], light.values) == (dark, point)
        clock.advance(FADE)
        reply = await api.get("/v1/device/rpc/?action=what", key=owner_key)
        assert reply.json["datapoint"] == {"x": 1000, "y": 1023, "z": 0, "k": 0, "l": 0}
        assert simulated.actions[:3] == ["activated", "fetch timers", "timers"]
    assert device.rom_version == light.rom_version


async def test_pongs_do_not_disturb_commands(
    api: Api, cloud: LocalCloud, device: Device, owner_key: str
) -> None:
    """A device that pings between any two commands loses none, and misses no pong."""
    plug = Plug()
    # More than the gap: who pings faster asks for more than spaced replies can give.
    beacon = 1.2 * GAP
    async with firmware(cloud, device, plug, beacon=beacon) as simulated:
        await cloud.wait_online(device)
        sent = []
        async with asyncio.timeout(40):
            while simulated.actions.count("pong") < 3:
                on = bool(len(sent) % 2)
                body = {"datapoint": {"x": int(on)}}
                reply = await api.post(PLUG, body, key=owner_key)
                assert reply.json["status"] == 200
                sent.append(on)
                # Now before its next ping, now after it.
                await asyncio.sleep(beacon + 0.02 * (len(sent) % 3))
        assert plug.history == sent


async def test_timers_that_change_between_commands(
    api: Api, cloud: LocalCloud, device: Device, owner_key: str
) -> None:
    """The device asks for them right behind its answer, and gets both, them and the next command."""
    plug = Plug()
    async with firmware(cloud, device, plug) as simulated:
        await cloud.wait_online(device)
        calls = [
            api.post(PLUG, {"datapoint": {"x": 1}}, key=owner_key) for _ in range(3)
        ]
        calls.insert(1, api.post(TIMERS, {"timers": [PLAN]}, key=owner_key))
        replies = await asyncio.gather(*calls)
        assert [reply.json["status"] for reply in replies] == [200] * 4
        await until(lambda: simulated.timers == "l86400=on_switch")
        assert plug.history == [True] * 3


async def test_a_button_is_reported_to_nobody(
    api: Api, cloud: LocalCloud, device: Device, owner_key: str
) -> None:
    """Who wants to know has to ask."""
    plug = Plug()
    async with firmware(cloud, device, plug):
        await cloud.wait_online(device)
        plug.press()
        reply = await api.get(PLUG, key=owner_key)
        assert reply.json["datapoint"] == {"x": 1}


class TestSpacing:
    """What a device gets when, by its kind."""

    async def test_the_first_push_waits_two_seconds_at_most(
        self, api: Api, socket: Any, master_key: str, owner_key: str
    ) -> None:
        """A device that says nothing has nothing to lose."""
        started = asyncio.get_running_loop().time()
        await socket.ask("/v1/device/identify", key=master_key)
        call = asyncio.ensure_future(api.get("/v1/device/rpc/?action=a", key=owner_key))
        socket.acknowledge(await socket.receive())
        assert asyncio.get_running_loop().time() - started > 1.9
        assert (await call).status == 200

    async def test_a_device_without_timers_is_not_spaced(
        self, api: Api, cloud: LocalCloud, device: Device, lamp: Any, owner_key: str
    ) -> None:
        """A push follows a pong at once, and a pong a push."""
        outbox = cloud._presence.link(device).outbox  # type: ignore[union-attr]
        for _ in range(5):
            lamp.send({"path": "/v1/ping/"})
            await lamp.receive()
            answer = outbox.push({"path": "/v1/device/rpc/"})
            assert outbox._current is not None
            push = await lamp.receive()
            assert (await lamp.ask("/v1/ping/"))["message"] == "ping success"
            lamp.acknowledge(push)
            await answer

    async def test_a_device_with_timers_is_spaced(
        self, cloud: LocalCloud, device: Device, lamp: Any, master_key: str
    ) -> None:
        """A push waits after a reply, and a reply for the answer to a push."""
        outbox = cloud._presence.link(device).outbox  # type: ignore[union-attr]
        await lamp.ask("/v1/device/timers/", key=master_key)
        answer = outbox.push({"path": "/v1/device/rpc/"})
        assert outbox._current is None
        push = await lamp.receive()
        lamp.send({"path": "/v1/ping/"})
        await until(lambda: bool(outbox._replies))
        lamp.acknowledge(push)
        assert (await lamp.receive())["message"] == "ping success"
        await answer

    async def test_who_asks_for_much_at_once_is_not_spaced(
        self, cloud: LocalCloud, device: Device, lamp: Any, master_key: str
    ) -> None:
        """It is no Espressif firmware; every question is answered, in order."""
        await lamp.ask("/v1/device/timers/", key=master_key)
        for nonce in range(500):
            lamp.send({"path": "/v1/ping/", "nonce": nonce})
        assert [(await lamp.receive())["nonce"] for _ in range(500)] == list(range(500))
        assert not cloud._presence.link(device).outbox.is_spaced  # type: ignore[union-attr]


class TestHold:
    """A cloud that would wait a minute before the first push."""

    @pytest.fixture
    async def cloud(self) -> AsyncGenerator[LocalCloud]:
        """Run it."""
        cloud = LocalCloud(limits=Limits(first_push=60), delivery_timeout=0.5)
        await cloud.start()
        yield cloud
        await cloud.close()

    async def test_the_first_push_waits_for_a_frame(
        self, cloud: LocalCloud, device: Device, socket: Any, master_key: str
    ) -> None:
        """Any frame will do: a device that pings at once has its push at once."""
        await socket.ask("/v1/device/identify", key=master_key)
        outbox = cloud._presence.link(device).outbox  # type: ignore[union-attr]
        answer = outbox.push({"path": "/v1/device/rpc/"})
        assert (await socket.ask("/v1/ping/"))["message"] == "ping success"
        socket.acknowledge(await socket.receive())
        assert (await answer)["status"] == 200

    async def test_waiting_counts_into_the_time_of_a_push(
        self, cloud: LocalCloud, device: Device, socket: Any, master_key: str
    ) -> None:
        """Its sender waits no longer than for any other, and it is not sent afterwards."""
        await socket.ask("/v1/device/identify", key=master_key)
        outbox = cloud._presence.link(device).outbox  # type: ignore[union-attr]
        with pytest.raises(ApiError, match="busy"):
            async with asyncio.timeout(WAIT):
                await outbox.push({"path": "/v1/device/rpc/"})
        assert (await socket.ask("/v1/ping/"))["message"] == "ping success"
        assert (await socket.ask("/v1/ping/"))["message"] == "ping success"
