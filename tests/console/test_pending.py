"""Devices whose keys nobody knows: seen and taken in by the person who runs the server alone."""

import re

from tests.firmware.kinds import make

from .listening import Stream, event_stream
from .person import Page, Person
from .server import ConsoleServer

KEYS = {"plug": "1" * 40, "evil": "2" * 40, "other": "3" * 40}
EVIL = '"><img src=x onerror=alert(1)>'


def address(server: ConsoleServer) -> tuple[str, int]:
    """Return where devices connect."""
    return "127.0.0.1", server.device_port


async def appeared(operator: Person, stream: Stream, text: str) -> Page:
    """Wait until the list has a text, and return the list."""
    while True:
        await stream.next()
        page = await operator.get("/pending/list")
        if text in page.text:
            return page


def path_of(page: Page, source: str) -> str:
    """Return where the form of the device at an address is."""
    link = rf'href="(/pending/[0-9a-f]+)"(?:(?!href=).)*{re.escape(source)}'
    found = re.search(link, page.html, re.DOTALL)
    assert found is not None
    return found[1]


async def test_a_device_that_knocks_is_taken_in_and_works(
    server: ConsoleServer, operator: Person
) -> None:
    """It is seen at once with its kind and state, and comes back as a device of the operator."""
    key, source = KEYS["plug"], "127.0.2.1"
    async with (
        event_stream(operator, "/pending/events") as stream,
        make("plug", address(server), key, source=source, activates=True),
    ):
        page = await appeared(operator, stream, "x = 0")
        assert key not in page.html
        assert source in page.text
        path = path_of(page, source)
        page = await operator.get(path)
        assert "18:fe:34:" in page.text
        assert "v1.0.5t23701(a)" in page.text
        assert '<option value="plug" selected>' in page.html
        assert key not in page.html
        async with event_stream(operator, "/events") as devices:
            page = await operator.post(path, {"name": "Kettle", "kind": "plug"})
            assert page.path.endswith("?done=adopted")
            number = int(page.path.split("?")[0].rpartition("/")[2])
            while (await devices.next()) != (
                "online",
                {"id": number, "online": True, "seconds": 0},
            ):
                pass
        page = await operator.get(f"/devices/{number}")
        assert "Kettle" in page.text
        assert (await operator.secrets(number))["master_key"] == key
        assert source not in (await operator.get("/pending/list")).text
        # Who is late with the form is told so.
        page = await operator.post(path, {"name": "Again", "kind": "plug"})
        assert page.status == 404
        assert "does not wait any more" in page.text


async def test_what_a_device_says_is_never_markup(
    server: ConsoleServer, operator: Person
) -> None:
    """Whatever it names as its firmware; and a form without a kind is refused, with the name kept."""
    async with (
        event_stream(operator, "/pending/events") as stream,
        make(
            "self_made",
            address(server),
            KEYS["evil"],
            source="127.0.2.2",
            rom_version=EVIL,
        ),
    ):
        page = await appeared(operator, stream, "onerror=alert")
        assert "<img src=x" not in page.html
        path = path_of(page, "127.0.2.2")
        assert "<img src=x" not in (await operator.get(path)).html
        page = await operator.post(path, {"name": EVIL, "kind": ""})
        assert page.status == 400
        assert "<img src=x" not in page.html
        page = await operator.post(path, {"name": "Own", "kind": "other", "ptype": "7"})
        assert "Kind 7" in page.text


async def test_nobody_but_the_operator_sees_or_takes_them(
    server: ConsoleServer, operator: Person, person: Person
) -> None:
    """To others these pages are not there, nor in their menu."""
    async with (
        event_stream(operator, "/pending/events") as stream,
        make("plug", address(server), KEYS["other"], source="127.0.2.3"),
    ):
        path = path_of(await appeared(operator, stream, "127.0.2.3"), "127.0.2.3")
        for hidden in ("/pending", "/pending/list", "/pending/events", path):
            assert (await person.get(hidden)).status == 404
        page = await person.post(path, {"name": "Mine", "kind": "plug"})
        assert page.status == 404
        assert "127.0.2.3" in (await operator.get("/pending")).text
        page = await person.get("/devices")
        assert "/pending" not in page.html
