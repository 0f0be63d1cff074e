"""The stream of events behind pages that change by themselves."""

import asyncio
from pathlib import Path

from tests.firmware.kinds import make

from .listening import event_stream
from .loading import events as console_events
from .person import Person
from .server import OPERATOR, ConsoleServer, running_server


async def test_a_stream_begins_with_what_is_and_goes_on_with_what_happens(
    server: ConsoleServer, person: Person
) -> None:
    """Who looks knows at once who is on-line, and then who comes, posts and goes."""
    device = await person.make_device("Lamp")
    key = (await person.secrets(device))["master_key"]
    address = ("127.0.0.1", server.device_port)
    async with event_stream(person) as events:
        await events.until("online", id=device, online=False)
        async with make("self_made", address, key):
            await events.until("online", id=device, online=True)
            async with event_stream(person) as later:
                await later.until("online", id=device, online=True)
            await _post(person, key, {"x": 7})
            told = await events.until("datapoint", id=device)
            assert (told["stream"], told["values"]) == ("numbers", {"x": 7})
        await events.until("online", id=device, online=False)


async def test_nobody_hears_of_the_devices_of_others(
    person: Person, guest: Person
) -> None:
    """Neither a device's number nor its values reach another account, until it is shared."""
    device = await person.make_device("Lamp")
    own = await guest.make_device("Mine")
    keys = await person.secrets(device), await guest.secrets(own)
    async with event_stream(guest) as events:
        await events.until("online", id=own)
        await _post(person, keys[0]["master_key"], {"x": 1})
        await _post(guest, keys[1]["master_key"], {"x": 2})
        name, told = await events.next() or ("", None)
        assert (name, told["id"]) == ("datapoint", own)
        _, share = await person.ask(f"/devices/{device}/share")
        await guest.post("/devices/join", {"token": share["text"]})
        await _post(person, keys[0]["master_key"], {"x": 3})
        assert (await events.until("datapoint", id=device))["values"] == {"x": 3}


async def test_a_stream_ends_with_its_session(person: Person) -> None:
    """Who has signed out hears nothing of what happens afterwards."""
    device = await person.make_device("Lamp")
    key = (await person.secrets(device))["master_key"]
    async with event_stream(person) as events:
        await events.until("online", id=device)
        await person.post("/sign-out")
        await _post(person, key, {"x": 1})
        assert await events.next() is None


async def test_an_account_has_so_many_streams_and_no_more(person: Person) -> None:
    """Further ones are refused, and there is room again when one is closed."""
    streams = [
        await person.session.get(f"{person.server.url}/events") for _ in range(16)
    ]
    refused = await person.get("/events")
    assert refused.status == 503
    for each in streams:
        each.close()
    for _ in range(200):
        async with person.session.get(f"{person.server.url}/events") as response:
            if response.status == 200:
                return
        await asyncio.sleep(0.05)
    raise AssertionError("closed streams take up room")


async def test_the_server_ends_although_somebody_looks(tmp_path: Path) -> None:
    """Open streams are ended, and do not keep it from ending."""
    with running_server(tmp_path) as server:
        async with Person(server, email=OPERATOR) as operator:
            await operator.sign_in()
            async with event_stream(operator) as events:
                await asyncio.to_thread(server.stop)
                assert await events.next() is None


def test_a_stream_that_nobody_reads_is_ended_by_its_bytes() -> None:
    """Long frames may not pile up in memory, however few they are."""
    waiting = console_events._Waiting()
    frame = {"text": "x" * (1 << 20)}
    for _ in range(2):
        console_events._put(waiting, "frame", frame)
    assert waiting.qsize() == 2
    console_events._put(waiting, "frame", frame)
    assert (waiting.get_nowait(), waiting.qsize(), waiting.size) == (None, 0, 0)


async def _post(person: Person, key: str, values: dict[str, int]) -> None:
    """Store a datapoint as a device or a program does."""
    async with person.session.post(
        f"{person.server.url}/v1/datastreams/numbers/datapoint/",
        json={"datapoint": values},
        headers={"Authorization": f"token {key}"},
    ) as response:
        assert response.status == 200


async def test_a_sensor_is_online_between_its_posts(
    server: ConsoleServer, person: Person
) -> None:
    """It never identifies; a page learns for how long it counts as on-line."""
    device = await person.make_device("Room", "humiture")
    key = (await person.secrets(device))["master_key"]
    address = ("127.0.0.1", server.device_port)
    async with event_stream(person) as events:
        await events.until("online", id=device, online=False)
        async with make("tem_hum", address, key, interval=60):
            told = await events.until("online", id=device, online=True)
            assert 290 <= told["seconds"] <= 300
    page = await person.get(f"/devices/{device}")
    assert "on-line" in page.text
