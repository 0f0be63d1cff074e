"""Upgrading a simulated device from its page, and what the page says when that fails."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
import json
from typing import Any

from aiohttp import ClientResponse
import pytest

from tests.firmware import image
from tests.firmware.connection import Firmware
from tests.firmware.kinds import make

from .person import Person
from .server import ConsoleServer
from .test_firmware import NEW, send, uploaded
from .waiting import wait_for

STEPS = ["asked", "fetching", "reported", "restarting", "back"]
NOWHERE = 9
"""A port at which nothing is."""


@asynccontextmanager
async def running(
    server: ConsoleServer,
    person: Person,
    device: int,
    kind: str = "plug",
    *,
    http_port: int | None = None,
) -> AsyncGenerator[Firmware]:
    """Run a simulated device, and go on when it is on-line."""
    made = make(
        kind,
        ("127.0.0.1", server.device_port),
        (await person.secrets(device))["master_key"],
        http_port=http_port or int(server.url.rpartition(":")[2]),
    )
    assert isinstance(made, Firmware)
    async with made:
        await wait_for(lambda: made.timers is not None)
        yield made


@asynccontextmanager
async def silent_server() -> AsyncGenerator[tuple[int, list[asyncio.StreamWriter]]]:
    """Listen at a port where whoever asks for firmware waits; yield it and who is connected."""
    connections: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(
        lambda _, writer: connections.append(writer), "127.0.0.1", 0
    )
    async with server:
        yield server.sockets[0].getsockname()[1], connections
        for each in connections:
            each.close()


async def uploaded_large(person: Person, device: int) -> dict[str, bytes]:
    """Upload files that take more than a moment, and return them."""
    files = {
        f"user{slot}.bin": image.build(slot, size)
        for slot, size in ((1, 300_000), (2, 400_000))
    }
    page = await send(person, f"/devices/{device}", NEW, files)
    assert page.status == 200, page.text
    return files


async def next_event(response: ClientResponse) -> tuple[str, dict[str, Any]]:
    """Return the name and the data of the next event of a stream."""
    name = ""
    while line := (await response.content.readline()).decode().rstrip("\n"):
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            return name, json.loads(value)
    return await next_event(response)


async def begin(person: Person, device: int) -> None:
    """Press the button."""
    page = await person.post(f"/devices/{device}/upgrade", {"version": NEW})
    assert page.path == f"/devices/{device}/firmware", page.text


async def followed(
    person: Person, device: int, *, again: bool = False
) -> list[dict[str, Any]]:
    """Begin an upgrade, and return the events until its end.

    Of one that is done `again`, the stream tells first how it went before.
    """
    url = f"{person.server.url}/devices/{device}/upgrade/events"
    async with person.session.get(url) as response:
        assert response.content_type == "text/event-stream"
        assert await response.content.readline() == b": begin\n"
        await response.content.readline()
        if again:
            await next_event(response)
        await begin(person, device)
        events = []
        while not events or not (events[-1]["error"] or events[-1]["step"] == "back"):
            name, event = await next_event(response)
            assert name == "upgrade"
            events.append(event)
    return events


@pytest.mark.parametrize("kind", ["plug", "plug_nonos"])
async def test_a_device_is_upgraded_step_by_step(
    server: ConsoleServer, person: Person, kind: str
) -> None:
    """RTOS and NONOS alike: each step is told as it is reached, with how much has arrived."""
    device = await person.make_device("Fan", "plug")
    files = await uploaded_large(person, device)
    async with running(server, person, device, kind) as plug:
        events = await followed(person, device)
        assert plug.rom_version == NEW
        assert plug.flash == files["user2.bin"]
        assert plug.boots == 2
    seen = [event["step"] for event in events]
    assert list(dict.fromkeys(seen)) == STEPS
    percents = [event["percent"] for event in events]
    assert percents == sorted(percents)
    assert percents[-1] == 100
    assert events[-1]["version"] == events[-1]["running"] == NEW
    page = await person.get(f"/devices/{device}/firmware")
    assert f"The device runs {NEW}" in page.text
    states = [tags["data-state"] for _, tags in page.tags if "data-state" in tags]
    assert states == ["done"] * len(STEPS)


async def test_a_page_that_is_opened_later_is_told_where_the_upgrade_is(
    server: ConsoleServer, person: Person
) -> None:
    """The stream begins with it, also when it is over."""
    device = await person.make_device("Fan", "plug")
    await uploaded(person, f"/devices/{device}", NEW)
    async with running(server, person, device):
        await followed(person, device)
        url = f"{server.url}/devices/{device}/upgrade/events"
        async with person.session.get(url) as response:
            for _ in range(2):
                await response.content.readline()
            _, event = await next_event(response)
    assert event["step"] == "back"


async def test_a_device_that_is_away_is_not_upgraded(person: Person) -> None:
    """The page says so."""
    device = await person.make_device("Fan", "plug")
    await uploaded(person, f"/devices/{device}", NEW)
    events = await followed(person, device)
    assert [event["step"] for event in events] == ["asked", "asked"]
    page = await person.get(f"/devices/{device}/firmware")
    assert "The device is not connected." in page.text


async def test_a_device_that_cannot_fetch_says_so(
    server: ConsoleServer, person: Person
) -> None:
    """It runs on as it is, the page says what it needs, and another try may succeed."""
    device = await person.make_device("Fan", "plug")
    await uploaded(person, f"/devices/{device}", NEW)
    async with running(server, person, device, http_port=NOWHERE) as plug:
        events = await followed(person, device)
        assert plug.boots == 1
    assert events[-1]["step"] == "fetching"
    assert "could not fetch the firmware" in events[-1]["error"]
    assert "port 80" in events[-1]["error"]
    async with Person(server, email=person.email, language="zh") as chinese:
        await chinese.sign_in()
        page = await chinese.get(f"/devices/{device}/firmware")
    assert "设备未能下载固件" in page.text
    async with running(server, person, device):
        events = await followed(person, device, again=True)
        assert events[-1]["step"] == "back"


async def test_a_file_that_is_fetched_anew_does_not_take_the_bar_back(
    server: ConsoleServer, person: Person
) -> None:
    """Firmware that lost its connection begins at the first byte; what had arrived counts."""
    device = await person.make_device("Fan", "plug")
    await uploaded_large(person, device)
    key = (await person.secrets(device))["master_key"]
    url = f"{server.url}/v1/device/rom/"
    query = {"action": "download_rom", "version": NEW, "filename": "user2.bin"}
    async with (
        silent_server() as (silent, connections),
        running(server, person, device, http_port=silent),
    ):
        following = asyncio.create_task(followed(person, device))
        await wait_for(lambda: bool(connections))
        for _ in range(2):
            async with person.session.get(
                url, params=query, headers={"Authorization": f"token {key}"}
            ) as response:
                assert response.status == 200
                await response.read()
        connections[0].close()
        events = await following
    assert events[-1]["step"] == "fetching"
    assert events[-1]["error"]
    percents = [event["percent"] for event in events]
    assert percents == sorted(percents)
    assert percents[-1] == 100


async def test_a_device_upgrades_once_at_a_time_and_to_what_there_is(
    server: ConsoleServer, person: Person
) -> None:
    """A second upgrade is refused while one goes on; without files there is none."""
    device = await person.make_device("Fan", "plug")
    await uploaded(person, f"/devices/{device}", NEW)
    async with (
        silent_server() as (silent, _),
        running(server, person, device, http_port=silent),
    ):
        await begin(person, device)
        page = await person.post(f"/devices/{device}/upgrade", {"version": NEW})
        assert page.status == 409
        assert "The device is upgrading already." in page.text
    other = await person.make_device("Other", "plug")
    async with running(server, person, other):
        events = await followed(person, other)
    assert events[-1]["error"] == "There is no firmware of this version for the device."
