"""What the owner of a device does, against a real cloud and a simulated device."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import datetime, time, timedelta
from typing import Any

import aiohttp
import pytest

from custom_components.espcloud.cloud import (
    AuthenticationError,
    CloudClient,
    CommandRejectedError,
    DeviceBusyError,
    DeviceOfflineError,
    FixedAction,
    FixedTimer,
    LoopPeriod,
    LoopTimer,
    OtherTimer,
    OwnerClient,
    RequestRefusedError,
    UnexpectedAnswerError,
    WeeklyAction,
    WeeklyTimer,
)
from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device, User
from custom_components.espcloud.local_cloud.roms import Model
from tests.credentials import EMAIL, PASSWORD
from tests.firmware import image
from tests.firmware.connection import Firmware
from tests.firmware.light import Light
from tests.firmware.plug import Plug
from tests.raw_device import RawDevice

from .helpers import BSSID

LIGHT = 45772
VERSION = "v1.0.6t45772(a)"


@pytest.fixture
def owner(client: CloudClient) -> OwnerClient:
    """Return the owner's side of the client."""
    return client.owner


@pytest.fixture
async def user_key(client: CloudClient, user: User, secrets: list[str]) -> str:
    """Sign in."""
    key = await client.create_user_key(EMAIL, PASSWORD)
    secrets.append(key.token)
    return key.token


@pytest.fixture
async def plug(
    cloud: LocalCloud, device: Device, master_key: str
) -> AsyncGenerator[Plug]:
    """Switch a simulated plug on."""
    plug = Plug()
    async with Firmware((cloud.device_host, cloud.device_port), master_key, plug):
        await cloud.wait_online(device)
        yield plug


# The live device


async def test_plug(owner: OwnerClient, owner_key: str, plug: Plug) -> None:
    """It is read, written, and read again; a press of its button shows when it is read."""
    assert await owner.read_live(owner_key, "plug-status") == {"x": 0}
    answer = await owner.write_live(owner_key, "plug-status", {"x": 1})
    assert answer["datapoint"] == {"x": 1}
    assert plug.history == [True]
    plug.press()
    assert await owner.read_live(owner_key, "plug-status") == {"x": 0}


async def test_light(
    owner: OwnerClient,
    cloud: LocalCloud,
    device: Device,
    master_key: str,
    owner_key: str,
) -> None:
    """All five values arrive in firmware that loses the last one of some orders."""
    light = Light(scale=None, fade=0)
    point = {"l": 4, "k": 3, "z": 2, "y": 22222, "x": 1000}
    async with Firmware((cloud.device_host, cloud.device_port), master_key, light):
        await cloud.wait_online(device)
        await owner.write_live(owner_key, "light", point)
        assert await owner.read_live(owner_key, "light") == point
    assert light.values == point


async def test_device_that_is_away(owner: OwnerClient, owner_key: str) -> None:
    """Neither read nor commanded."""
    for call in (
        owner.read_live(owner_key, "light"),
        owner.write_live(owner_key, "light", {"x": 1}),
        owner.call(owner_key, "LED_ON", {}),
    ):
        with pytest.raises(DeviceOfflineError):
            await call


async def test_device_that_does_not_answer(web: aiohttp.ClientSession) -> None:
    """It is connected, but nothing comes of it."""
    cloud = LocalCloud(delivery_timeout=0.05)
    await cloud.start()
    try:
        user = await cloud.add_account(EMAIL, PASSWORD)
        device = cloud.add_device("Desk lamp", user)
        key = cloud.owner_key(device) or ""
        owner = CloudClient.over_http(web, cloud.http_url).owner
        async with RawDevice(cloud, cloud.master_key(device)):
            with pytest.raises(DeviceBusyError):
                await owner.write_live(key, "light", {"x": 1})
            with pytest.raises(DeviceBusyError):
                await owner.read_live(key, "light")
    finally:
        await cloud.close()


async def answered(
    call: Any, device: RawDevice, **members: Any
) -> tuple[dict[str, Any], Any]:
    """Make a call, let the device answer it; return the push, and the result or the error."""
    task = asyncio.ensure_future(call)
    push = await device.receive()
    device.send({"nonce": push["nonce"], **members})
    (outcome,) = await asyncio.gather(task, return_exceptions=True)
    return push, outcome


async def test_answers_of_other_firmware(
    owner: OwnerClient, cloud: LocalCloud, master_key: str, owner_key: str
) -> None:
    """The reference clients in Lua acknowledge with a status and the nonce alone."""
    async with RawDevice(cloud, master_key) as device:
        point = {"x": 2, "z": {"red": 255}}
        call = owner.write_live(owner_key, "light", point)
        push, answer = await answered(call, device, status=200)
        assert push["method"] == "POST"
        assert push["body"]["datapoint"].items() >= point.items()
        assert "deliver_to_device" not in push["get"]
        assert answer == {"status": 200, "nonce": push["nonce"]}
        _, answer = await answered(
            owner.call(owner_key, "LED_ON", {"level": "7"}), device, status=200
        )
        assert answer["status"] == 200
        # But what was asked for has to be there.
        call = owner.read_live(owner_key, "light")
        _, error = await answered(call, device, status=200)
        assert type(error) is UnexpectedAnswerError
        call = owner.read_live(owner_key, "light")
        _, error = await answered(call, device, status=200, datapoint=[5])
        assert type(error) is UnexpectedAnswerError


@pytest.mark.parametrize("status", [400, 403, 422])
async def test_device_that_rejects(
    owner: OwnerClient,
    cloud: LocalCloud,
    master_key: str,
    owner_key: str,
    status: int,
) -> None:
    """Its own status says nothing of the key."""
    async with RawDevice(cloud, master_key) as device:
        for call in (
            owner.read_live(owner_key, "light"),
            owner.write_live(owner_key, "light", {"x": 1}),
        ):
            _, error = await answered(
                call, device, status=status, deliver_to_device=True
            )
            assert isinstance(error, CommandRejectedError)
            assert error.status == status


async def test_stored_point_is_not_the_devices(
    owner: OwnerClient, cloud: LocalCloud, device: Device
) -> None:
    """What the cloud has stored is another call, and is not taken for the state."""
    key = cloud.owner_key(device) or ""
    cloud.store.streams.add(device, "light", {"x": 1}, 5)
    with pytest.raises(DeviceOfflineError):
        await owner.read_live(key, "light")


@pytest.mark.parametrize("stream", ["", "a/b", "..", "a b", "a?b", "a%2e"])
async def test_stream_of_no_name(
    owner: OwnerClient, owner_key: str, stream: str
) -> None:
    """It would be another path."""
    for call in (
        owner.read_live(owner_key, stream),
        owner.write_live(owner_key, stream, {"x": 1}),
        owner.history(owner_key, stream, start=0, end=1),
    ):
        with pytest.raises(ValueError, match="datastream"):
            await call


async def test_stream_of_any_name(
    owner: OwnerClient, cloud: LocalCloud, master_key: str, owner_key: str
) -> None:
    """All that a name may hold arrives."""
    async with RawDevice(cloud, master_key) as device:
        push, _ = await answered(
            owner.read_live(owner_key, "a+b:c.d-E_9"), device, status=200
        )
    assert push["path"] == "/v1/datastreams/a+b:c.d-E_9/datapoint/"


# What is stored


async def test_history(
    owner: OwnerClient, cloud: LocalCloud, device: Device, owner_key: str
) -> None:
    """From start to end, both included, the newest first, page by page."""
    begin = int(datetime.now().timestamp()) - 3600
    for number in range(5):
        values = {"x": number, "y": "25.5"}
        cloud.store.streams.add(device, "tem_hum", values, begin + number)
    await cloud.flush()
    points = await owner.history(owner_key, "tem_hum", start=begin + 1, end=begin + 3)
    assert [(point.at - begin, point.values) for point in points] == [
        (number, {"x": number, "y": 25.5}) for number in (3, 2, 1)
    ]
    page = await owner.history(
        owner_key, "tem_hum", start=begin, end=begin + 9, offset=1, count=2
    )
    assert [point.at - begin for point in page] == [3, 2]
    assert await owner.history(owner_key, "other", start=0, end=begin) == []


async def test_history_of_more_than_a_page(
    owner: OwnerClient, cloud: LocalCloud, device: Device, owner_key: str
) -> None:
    """A cloud gives 1000 points at most, whatever is asked for."""
    begin = int(datetime.now().timestamp()) - 3600
    values = {"x": 1, "z": {"red": 1}}
    for number in range(1001):
        cloud.store.streams.add(device, "light", values, begin + number)
    await cloud.flush()
    times = [
        point.at - begin
        for offset in (0, 1000)
        for point in await owner.history(
            owner_key, "light", start=begin, end=begin + 5000, offset=offset, count=5000
        )
    ]
    assert times == list(range(1000, -1, -1))


@pytest.mark.parametrize("end", [10**12, 10**30, -(10**30)])
async def test_time_without_a_date(
    owner: OwnerClient, owner_key: str, end: int
) -> None:
    """There is no text for it."""
    with pytest.raises(ValueError, match="date"):
        await owner.history(owner_key, "light", start=0, end=end)


async def test_device_of_a_key(
    owner: OwnerClient,
    client: CloudClient,
    cloud: LocalCloud,
    device: Device,
    owner_key: str,
    user_key: str,
) -> None:
    """It is the same device in every answer, and its address is read."""
    device.bssid = BSSID
    before = await client.ping()
    async with RawDevice(cloud, cloud.master_key(device)):
        pass
    await cloud.wait_offline(device)
    shown = await owner.get_device(owner_key)
    assert (shown.id, shown.serial, shown.bssid) == (device.id, device.serial, BSSID)
    assert before <= shown.last_active <= await client.ping()
    (owned,) = await client.list_devices(user_key)
    assert owned.device == shown
    assert owned.is_owner


async def test_rename(owner: OwnerClient, device: Device, owner_key: str) -> None:
    """The name is another one."""
    await owner.rename(owner_key, "走廊")
    assert device.name == "走廊"
    with pytest.raises(RequestRefusedError) as caught:
        await owner.rename(owner_key, " ")
    assert caught.value.status == 400


async def test_groups(
    client: CloudClient, cloud: LocalCloud, user: User, device: Device, user_key: str
) -> None:
    """A device in two groups is there once, with the first."""
    other = cloud.add_device("Hall lamp", user)
    for name in ("Hall", "Upstairs"):
        cloud.store.add_group(user, name, "").device_ids.append(other.id)
    assert [
        (owned.device.id, owned.group) for owned in await client.list_devices(user_key)
    ] == [(device.id, ""), (other.id, "Hall")]


async def test_templates(
    client: CloudClient, cloud: LocalCloud, user: User, device: Device, user_key: str
) -> None:
    """What the product says of its streams is listed with its devices."""
    product = cloud.store.add_product(user, "Sensor", 12335, 1)
    cloud.store.add_template(
        product, "tem_hum", 2, unit="celsius", symbol="℃", description="air"
    )
    made = await client.create_product_device(user_key, product.id, "Sensor")
    token = "t" * 40
    await client.activate(made.master_key, BSSID, token)
    await client.authorize(user_key, token)
    templates = await client.list_templates(user_key)
    assert templates[device.id] == []
    (template,) = templates[made.device.id]
    assert (template.stream, template.dimension) == ("tem_hum", 2)
    assert (template.unit, template.symbol) == ("celsius", "℃")
    assert template.description == "air"


async def test_firmware(
    owner: OwnerClient, cloud: LocalCloud, user: User, device: Device, owner_key: str
) -> None:
    """None is there, and then a version that can be fetched and is the latest."""
    assert (await owner.list_roms(owner_key)).versions == ()
    files = {f"user{slot}.bin": image.build(slot) for slot in (1, 2)}
    cloud.store.add_firmware(user, Model(0, LIGHT), VERSION, files)
    roms = await owner.list_roms(owner_key)
    assert roms.recommended == VERSION
    assert roms.has(VERSION)
    assert [each.files for each in roms.versions] == [frozenset(files)]
    assert (await owner.get_device(owner_key)).latest_rom_version == VERSION
    # What is not there is not delivered.
    with pytest.raises(RequestRefusedError) as caught:
        await owner.call(owner_key, "sys_upgrade", {"version": "v1.0.7t45772(a)"})
    assert caught.value.status == 404


# Keys


async def test_sharing(
    owner: OwnerClient,
    client: CloudClient,
    cloud: LocalCloud,
    device: Device,
    owner_key: str,
    secrets: list[str],
) -> None:
    """Another account gets a key of its own, gives it up, and the device is the owner's still."""
    await cloud.add_account("guest@example.org", PASSWORD)
    guest = await client.create_user_key("guest@example.org", PASSWORD)
    token = await owner.share(owner_key)
    secrets += [guest.token, token]
    await client.authorize(guest.token, token)
    (shared,) = await client.list_devices(guest.token)
    secrets.append(shared.owner_key)
    assert shared.device.id == device.id
    assert not shared.is_owner
    assert shared.owner_key not in ("", owner_key)
    with pytest.raises(AuthenticationError):
        await owner.share(shared.owner_key)
    for _ in range(2):
        # The second time it is gone already.
        await owner.delete_key(shared.owner_key)
        assert await client.list_devices(guest.token) == []
    assert (await owner.get_device(owner_key)).id == device.id


# Timers


async def test_timers(
    owner: OwnerClient, device: Device, owner_key: str, plug: Plug
) -> None:
    """Each kind is added, listed, changed and deleted, in the zone of its user."""
    tomorrow = datetime.now().replace(microsecond=0) + timedelta(days=2)
    timers = [
        FixedTimer((FixedAction(tomorrow, "on_switch"),)),
        WeeklyTimer((0, 3), (WeeklyAction(time(7, 30), "on_off_switch"),)),
        LoopTimer(90, LoopPeriod.MINUTE, "off_switch"),
    ]
    ids = [
        await owner.add_timer(owner_key, timer, time_zone="Europe/Berlin")
        for timer in timers
    ]
    listed = await owner.list_timers(owner_key)
    assert [timer.id for timer in listed] == ids
    assert [
        (type(timer), timer.record(), timer.time_zone)
        for timer in listed
        if not isinstance(timer, OtherTimer)
    ] == [(type(timer), timer.record(), "Europe/Berlin") for timer in timers]

    daily = LoopTimer(1, LoopPeriod.DAY, "on_switch", ids[2])
    await owner.change_timer(owner_key, daily, time_zone="Asia/Shanghai")
    for number in ids[:2]:
        assert number is not None
        await owner.delete_timer(owner_key, number)
    (left,) = await owner.list_timers(owner_key)
    assert left == LoopTimer(1, LoopPeriod.DAY, "on_switch", ids[2], "Asia/Shanghai")


async def test_timers_reach_the_device(
    owner: OwnerClient,
    cloud: LocalCloud,
    device: Device,
    master_key: str,
    owner_key: str,
) -> None:
    """In Beijing time, as the call asks for: it is told at once, and has them at the end."""
    weekly = WeeklyTimer((1,), (WeeklyAction(time(1), "on_switch"),))
    async with RawDevice(cloud, master_key) as raw:
        call = owner.add_timer(owner_key, weekly, time_zone="Asia/Tokyo")
        push, added = await answered(call, raw, status=200, deliver_to_device=True)
        assert isinstance(added, int)
        assert (push["path"], push["method"]) == ("/v1/device/timers/", "POST")
        assert push["meta"]["Time-Zone"] == "Asia/Tokyo"
        raw.send(
            {
                "path": "/v1/device/timers/",
                "method": "GET",
                "get": {"is_humanize_format_simple": "true"},
                "meta": {"Authorization": f"token {master_key}"},
            }
        )
        # Monday 01:00 in Tokyo is midnight in Beijing.
        assert (await raw.receive())["timers"] == "w0=on_switch"
        call = owner.delete_timer(owner_key, added)
        push, _ = await answered(call, raw, status=200, deliver_to_device=True)
        assert push["method"] == "DELETE"


async def test_timer_for_a_device_that_is_away(
    owner: OwnerClient, owner_key: str
) -> None:
    """The cloud keeps it until the device comes."""
    added = await owner.add_timer(owner_key, LoopTimer(1, LoopPeriod.DAY, "on_switch"))
    (timer,) = await owner.list_timers(owner_key)
    assert timer.id == added


async def test_timer_that_the_cloud_refuses(owner: OwnerClient, owner_key: str) -> None:
    """Too long an action, and a timer that is not there."""
    with pytest.raises(RequestRefusedError) as caught:
        await owner.add_timer(
            owner_key, LoopTimer(1, LoopPeriod.DAY, "longer_than_firmware_takes")
        )
    assert caught.value.status == 400
    with pytest.raises(RequestRefusedError) as caught:
        await owner.delete_timer(owner_key, 2**53 + 1)
    assert caught.value.status == 404
    assert await owner.list_timers(owner_key) == []


async def test_timer_that_cannot_be_sent(owner: OwnerClient, owner_key: str) -> None:
    """Without an id there is nothing to change, and a zone has to have a name."""
    timer = LoopTimer(1, LoopPeriod.DAY, "on_switch")
    with pytest.raises(ValueError, match="cannot be changed"):
        await owner.change_timer(owner_key, timer)
    for zone in ("", "Europe/Berlin\r\nCookie: x", "Europe Berlin", "é"):
        with pytest.raises(ValueError, match="time zone"):
            await owner.add_timer(owner_key, timer, time_zone=zone)
    assert await owner.list_timers(owner_key) == []
