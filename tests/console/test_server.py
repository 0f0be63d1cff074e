"""The page of the person who runs the server."""

import json

from tests.firmware.kinds import make

from .listening import event_stream
from .person import Person
from .server import OPERATOR, ConsoleServer

NEWEST = "/server?page=99999"
"""The last page of accounts there is."""


async def test_the_operator_sees_accounts_and_what_they_use(
    person: Person, operator: Person
) -> None:
    """Every account, with the quotas; whose the server is, is marked."""
    await person.make_device("Desk lamp")
    page = await operator.get("/server")
    assert f"{OPERATOR} runs the server" in page.text
    page = await operator.get(NEWEST)
    assert f"{person.email} Reset the password… 1 of 100 1 of 1,000" in page.text
    assert "0 B of 32.0 MiB" in page.text


async def test_connections_come_and_go(server: ConsoleServer, operator: Person) -> None:
    """Each with its address and device, as it happens; names of devices are shown as they are."""
    number = await operator.make_device("<b>Lamp</b>")
    key = (await operator.secrets(number))["master_key"]
    async with event_stream(operator, "/server/events") as stream:
        assert await stream.next() == ("changed", {})
        async with make(
            "plug", ("127.0.0.1", server.device_port), key, source="127.0.2.9"
        ):
            assert await stream.next() == ("changed", {})
            page = await operator.get("/server/connections")
            assert "127.0.2.9 <b>Lamp</b>" in page.text
            assert "<b>Lamp" not in page.html
        assert await stream.next() == ("changed", {})
        assert "127.0.2.9" not in (await operator.get("/server")).text


async def test_its_facts(server: ConsoleServer, operator: Person) -> None:
    """The version, the ports and the place that it takes."""
    page = await operator.get("/server")
    text = page.text
    assert f"Device port {server.device_port}" in text
    assert "KiB" in text or "MiB" in text
    async with operator.session.get(f"{server.url}/v1/ping/") as response:
        assert json.loads(await response.text())["status"] == 200


async def test_to_others_it_is_not_there(person: Person, stranger: Person) -> None:
    """Nor are its parts; who is not signed in learns no more."""
    for path in ("/server", "/server/connections", "/server/events"):
        assert (await person.get(path)).status == 404
        assert (await stranger.get(path)).status == 404
    assert "/server" not in (await person.get("/devices")).html
