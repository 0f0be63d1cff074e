"""A device that somebody built after the tutorial (protocol.md §3.2, §3.5)."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from custom_components.espcloud.local_cloud import Limits, LocalCloud

from .helpers import until
from .simulated import Home

RPC = "/v1/device/rpc/?deliver_to_device=true&action="


@pytest.fixture
async def cloud() -> AsyncGenerator[LocalCloud]:
    """Run a cloud that does not wait long for those who say nothing by themselves, or never answer."""
    cloud = LocalCloud(limits=Limits(first_push=0.1), delivery_timeout=1.5)
    await cloud.start()
    yield cloud
    await cloud.close()


async def test_an_rpc(home: Home) -> None:
    """Its parameters arrive as texts, and what it answers is handed to the caller as it is."""
    steps = {"emulating_steps": {"count": 3}}
    made, thing = home.add("self_made", members=steps, bssid="5c:cf:7f:00:00:01")
    async with made:
        await thing.online()
        reply = await home.api.ok("GET", f"{RPC}emulate_steps&count=3", key=thing.key)
        assert reply.pop("nonce") == made.pushes[-1]["nonce"]
        assert reply == {"status": 200, "deliver_to_device": True, **steps}
        assert made.rpcs == [{"action": "emulate_steps", "count": "3"}]
    assert (thing.device.rom_version, thing.device.bssid) == ("V1.0", made.bssid)


async def test_an_error(home: Home) -> None:
    """A status of its own, with an `error`."""
    error = {"error": {"code": 422, "message": "no such action"}}
    made, thing = home.add("self_made", status=422, members=error)
    async with made:
        await thing.online()
        reply = await home.api.get(f"{RPC}LED_ON", key=thing.key)
        assert reply.json["status"] == 422
        assert reply.json["error"] == error["error"]


async def test_no_answer(home: Home) -> None:
    """The caller hears that it is busy, though it did what it was told."""
    made, thing = home.add("self_made", answers=False)
    async with made:
        await thing.online()
        reply = await home.api.get(f"{RPC}LED_ON", key=thing.key)
        assert (reply.status, reply.json["message"]) == (
            500, "remote device is busy or some errors occured",
        )  # fmt: skip
        assert made.rpcs == [{"action": "LED_ON"}]


async def test_streams_of_its_own(home: Home) -> None:
    """It posts when it is told to; without a connection it cannot."""
    made, thing = home.add("self_made")
    with pytest.raises(ValueError, match="not connected"):
        await made.post("light", x=1)
    async with made:
        await until(lambda: made.is_identified)
        answer = await made.post("steps", x=7, y=-1.5)
        assert (answer["status"], answer["datapoint"]["x"]) == (200, 7)
        assert await thing.points("steps", "x", "y") == [(7, -1.5)]
        await made.power_off()
        made.power_on()
        await thing.online(connections=2)
    assert (made.boots, thing.device.activated_at > 0) == (2, True)


async def test_pings(home: Home, cloud: LocalCloud) -> None:
    """They are answered; after a loss it comes back."""
    made, thing = home.add("self_made", beacon=0.02, activates=False)
    pings: list[str] = []
    async with made:
        await thing.online()
        stop = cloud.tap(thing.device, lambda frame: pings.append(str(frame)))
        await until(lambda: len(pings) >= 6)
        stop()
        made.disconnect()
        await thing.online(connections=2)
        await until(lambda: made.is_identified)
        async with asyncio.timeout(5):
            assert (await made.post("steps", x=1))["status"] == 200
    assert all("ping" in ping for ping in pings)
