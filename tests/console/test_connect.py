"""The page that helps to connect a device: its facts are this server's, and its frames work."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from html import unescape
import json
from pathlib import Path
import re
from typing import Any

from tests.firmware.kinds import make

from .listening import WAIT, event_stream
from .person import Person
from .server import OPERATOR, ConsoleServer, running_server

UNKNOWN_KEY = "4" * 40
IDENTIFY = json.dumps(
    {
        "path": "/v1/device/identify/",
        "method": "GET",
        "meta": {"Authorization": "token MASTER_DEVICE_KEY"},
    }
)
"""What somebody pastes who has forgotten to put the key in."""


class Assistant:
    """A TCP assistant: what is pasted is sent, and what comes is read."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Use a connection."""
        self._reader = reader
        self._writer = writer

    def send(self, text: str) -> None:
        """Send a text, as it stands in the window."""
        self._writer.write(text.encode() + b"\n")

    async def receive(self) -> Any:
        """Return the next frame."""
        async with asyncio.timeout(WAIT):
            return json.loads(await self._reader.readline())

    async def ask(self, text: str) -> Any:
        """Send a text, and return the frame that answers."""
        self.send(text)
        return await self.receive()


@asynccontextmanager
async def tcp_assistant(
    server: ConsoleServer, source: str = "127.0.0.1"
) -> AsyncGenerator[Assistant]:
    """Connect."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", server.device_port, local_addr=(source, 0)
    )
    yield Assistant(reader, writer)
    writer.close()


def pasted(html: str, key: str) -> list[str]:
    """Return what the page has to paste, with a key in place."""
    texts = re.findall(r"<pre[^>]*>([^<]*)</pre>", html)
    return [unescape(text).replace("MASTER_DEVICE_KEY", key) for text in texts]


async def test_the_frames_of_the_page_are_a_session(
    server: ConsoleServer, person: Person
) -> None:
    """Pasted in their order they activate, identify, post, answer a command and ping."""
    number = await person.make_device("Own lamp")
    key = (await person.secrets(number))["master_key"]
    page = await person.get("/connect")
    assert "Waiting for a first frame" in page.text
    frames = [each for each in pasted(page.html, key) if each.startswith("{")]
    activate, identify, datapoint, answer, ping = frames
    async with tcp_assistant(server) as assistant:
        assert (await assistant.ask(activate))["device"]["activate_status"] == 1
        assert (await assistant.ask(identify))["device"]["name"] == "Own lamp"
        assert (await assistant.ask(datapoint))["datapoint"]["x"] == 25
        assert (await assistant.ask(ping))["message"] == "ping success"
        assert "Own lamp" in (await person.get("/connect")).text
        call = asyncio.create_task(
            person.session.get(
                f"{server.url}/v1/device/rpc/",
                params={"deliver_to_device": "true", "action": "LED_ON"},
                headers={
                    "Authorization": f"token {(await person.secrets(number))['device_key']}"
                },
            )
        )
        push = await assistant.receive()
        assistant.send(answer.replace("912639262", str(push["nonce"])))
        async with await call as response:
            assert (await response.json())["status"] == 200


async def test_the_first_frame_is_seen_at_once(
    server: ConsoleServer, person: Person, guest: Person
) -> None:
    """By whose device it is; others see nothing of it."""
    number = await person.make_device("Own lamp")
    key = (await person.secrets(number))["master_key"]
    async with (
        event_stream(person, "/connect/events") as stream,
        event_stream(guest, "/connect/events") as other,
    ):
        assert await stream.next() == await other.next() == ("changed", {})
        async with make("plug", ("127.0.0.1", server.device_port), key):
            assert await stream.next() == ("changed", {})
            page = await person.get("/connect/heard")
            assert f'href="/devices/{number}"' in page.html
            assert "Own lamp" not in (await guest.get("/connect/heard")).text
        # The first thing that the guest hears of.
        async with tcp_assistant(server, guest.address) as assistant:
            await assistant.ask(IDENTIFY)
        assert await other.next() == ("unknown", {"address": guest.address})


async def test_a_wrong_key_is_told_to_who_uses_it_and_to_the_operator(
    server: ConsoleServer, person: Person, guest: Person, operator: Person
) -> None:
    """A key of no form that a device has; one that could be taken in is offered to the operator."""
    source = person.address
    async with (
        event_stream(person, "/connect/events") as own,
        event_stream(guest, "/connect/events") as others,
        event_stream(operator, "/connect/events") as all_of_them,
        tcp_assistant(server, source) as assistant,
    ):
        for stream in (own, others, all_of_them):
            assert await stream.next() == ("changed", {})
        assert (await assistant.ask(IDENTIFY))["status"] >= 400
        assert await own.next() == ("unknown", {"address": source})
        assert await all_of_them.next() == ("unknown", {"address": source})
        answer = await assistant.ask(IDENTIFY.replace("MASTER_DEVICE_KEY", UNKNOWN_KEY))
        assert answer["status"] >= 400
        assert await own.next() == ("unknown", {"address": source})
        assert await all_of_them.next() == ("changed", {})
        page = await operator.get("/connect")
        assert source in page.text
        assert UNKNOWN_KEY not in page.html
        assert source not in (await person.get("/connect/heard")).text
        async with tcp_assistant(server, guest.address) as another:
            await another.ask(IDENTIFY)
        assert await others.next() == ("unknown", {"address": guest.address})


async def test_where_no_device_can_come_the_page_says_so(
    person: Person, tmp_path: Path
) -> None:
    """A server at the loopback interface alone says how to open it; another one does not."""
    page = await person.get("/connect")
    assert "No device can reach this server." in page.text
    assert "--host 0.0.0.0" in page.text
    assert "knows port 8000 alone" in page.text
    with running_server(tmp_path, "--host", "0.0.0.0") as server:
        async with Person(server, email=OPERATOR) as operator:
            page = await (await operator.sign_in()).get("/connect")
            assert "No device can reach this server." not in page.text
            # Where the browser names an address of the network, it is the server's.
            for host, address in (
                ("198.51.100.7:8080", "198.51.100.7"),
                ("cloud.example", ""),
                ("[2001:db8::7]", ""),
                ("[broken", ""),
            ):
                page = await operator.get("/connect", headers={"Host": host})
                found = re.search(r"iot\.espressif\.cn → ([0-9.]+)", page.text)
                assert found is not None, host
                assert found[1] == address if address else found[1][:4] != "127."
