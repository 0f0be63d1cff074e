"""The simulated devices as a process of their own: `python -m tests.firmware`."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
import json
from pathlib import Path
import signal
import sys
from typing import Any

import pytest

from custom_components.espcloud.local_cloud import LocalCloud
from tests.firmware.control import read_devices
from tests.firmware.kinds import PTYPES

from .helpers import until
from .simulated import Home

ROOT = Path(__file__).parents[2]
KEY = "00112233445566778899aabbccddeeff00112233"
PLUG = {"name": "plug", "kind": "plug", "key": KEY}
WAIT = 20


class Process:
    """The process, told line by line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """Talk to a running one."""
        self._process = process

    def write(self, line: Any) -> None:
        """Write a line, bytes as they are."""
        assert self._process.stdin is not None
        text = line if isinstance(line, bytes) else json.dumps(line).encode()
        self._process.stdin.write(text + b"\n")

    async def read(self) -> Any:
        """Return the next line."""
        assert self._process.stdout is not None
        async with asyncio.timeout(WAIT):
            return json.loads(await self._process.stdout.readline())

    async def do(self, device: str, do: str, **options: Any) -> Any:
        """Give a command, and return its answer."""
        self.write({"device": device, "do": do, **options})
        answer = await self.read()
        assert (answer["device"], answer["do"]) == (device, do)
        return answer

    def kill(self, number: int) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    async def end(self) -> tuple[int | None, str, str]:
        """Close stdin, and return the exit status, and what it still wrote, errors last."""
        async with asyncio.timeout(WAIT):
            out, error = await self._process.communicate()
        return self._process.returncode, out.decode(), error.decode()


@asynccontextmanager
async def running(*options: str) -> AsyncGenerator[Process]:
    """Run the command."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.firmware", *options,
        cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe,
    )  # fmt: skip
    try:
        yield Process(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


def at(cloud: LocalCloud, *options: str) -> list[str]:
    """Return the arguments for devices of a cloud."""
    return ["--server", f"{cloud.device_host}:{cloud.device_port}", *options]


async def test_one_of_each_kind(home: Home, cloud: LocalCloud) -> None:
    """All come to the cloud; each does what it is told, and tells its state; none is left."""
    things = {kind: home.add(kind)[1] for kind in PTYPES}
    described = [
        {
            "name": kind,
            "kind": kind,
            "key": cloud.master_key(thing.device),
            "bssid": f"18:fe:34:00:01:{number:02x}",
            "activates": True,
        }
        for number, (kind, thing) in enumerate(things.items())
    ]
    async with running(*at(cloud, "--control")) as process:
        process.write(described)
        assert await process.read() == {"ready": True, "devices": [*PTYPES]}
        for each in described:
            device = things[each["kind"]].device
            await until(lambda device=device: device.bssid != "", WAIT)  # type: ignore[misc]  # its default
            assert device.bssid == each["bssid"]
            if each["kind"] not in {"tem_hum", "gas", "voltage"}:
                await cloud.wait_online(device, timeout=WAIT)
        answer = await process.do("plug", "press")
        assert answer["state"]["appliance"] == {"x": 1}
        assert await things["plug"].ask("plug-status") == {"x": 1}
        answer = await process.do("strip", "press", button=2)
        assert answer["state"]["appliance"] == {"x": 4, "y": 4}
        answer = await process.do("tem_hum", "post", reading={"x": -5})
        assert (answer["status"], answer["state"]["reading"]["x"]) == (200, -5)
        assert (await things["tem_hum"].points("tem_hum", "x"))[0] == (-5,)
        answer = await process.do("voltage", "post", reading={"y": [*range(20)]})
        assert answer["status"] == 200
        await process.do("self_made", "answer", status=409, members={"busy": True})
        reply = await home.api.get(
            "/v1/device/rpc/?deliver_to_device=true&action=LED_ON",
            key=things["self_made"].key,
        )
        assert (reply.json["status"], reply.json["busy"]) == (409, True)
        answer = await process.do("self_made", "post", stream="steps", values={"x": 3})
        assert answer["status"] == 200
        assert answer["state"]["rpcs"] == [{"action": "LED_ON"}]
        answer = await process.do("light", "power_off")
        assert answer["state"]["is_on"] is False
        await cloud.wait_offline(things["light"].device, timeout=WAIT)
        answer = await process.do("light", "power_on")
        await cloud.wait_online(things["light"].device, connections=2, timeout=WAIT)
        await process.do("plug", "disconnect")
        await cloud.wait_online(things["plug"].device, connections=2, timeout=WAIT)
        assert (await process.do("remote", "state"))["state"]["crash"] == ""
        assert await process.end() == (0, "", "")
    for thing in things.values():
        await cloud.wait_offline(thing.device)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal(home: Home, cloud: LocalCloud, number: int) -> None:
    """It ends it as well."""
    _, thing = home.add("plug")
    async with running(*at(cloud)) as process:
        process.write([{**PLUG, "key": cloud.master_key(thing.device)}])
        assert (await process.read())["ready"]
        await cloud.wait_online(thing.device, timeout=WAIT)
        process.kill(number)
        await cloud.wait_offline(thing.device, timeout=WAIT)
        assert await process.end() == (0, "", "")


async def test_without_control(home: Home, cloud: LocalCloud) -> None:
    """It does nothing that it is told."""
    async with running(*at(cloud)) as process:
        process.write([PLUG])
        assert (await process.read())["ready"]
        process.write({"device": "plug", "do": "press"})
        assert await process.end() == (0, "", "")


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"[{", "a command must be JSON"),
        ([], "a command must be an object"),
        ({"do": "state"}, "no such device"),
        ({"device": [], "do": "state"}, "no such device"),
        ({"device": "plug"}, "no such thing"),
        ({"device": "plug", "do": "post", "reading": {}}, "no such thing"),
        ({"device": "plug", "do": "press", "button": 1}, "no button 1"),
        ({"device": "plug", "do": "press", "button": True}, "button must be of type int"),
        ({"device": "plug", "do": "press", "knob": 1}, "knob is not known"),
        ({"device": "gas", "do": "post", "reading": {"x": "1"}}, "int or float"),
        ({"device": "gas", "do": "post", "reading": {"y": 1}}, "y is not known"),
        ({"device": "volt", "do": "post", "reading": {"y": [1]}}, "20 readings"),
        ({"device": "volt", "do": "post", "reading": {"y": [""] * 20}}, "type int"),
        ({"device": "made", "do": "post"}, "stream and values"),
        (
            {"device": "made", "do": "post", "stream": "s", "values": {"x": 1}},
            "not connected",
        ),
    ],
)  # fmt: skip
async def test_commands_that_cannot_be(line: Any, error: str) -> None:
    """Each is answered by an error, and the next one is heard."""
    others = (("gas", "gas"), ("volt", "voltage"), ("made", "self_made"))
    described = [PLUG, *({**PLUG, "name": name, "kind": kind} for name, kind in others)]
    async with running("--server", "127.0.0.1:1", "--control") as process:
        process.write(described)
        assert (await process.read())["ready"]
        process.write(line)
        assert error in (await process.read())["error"]
        assert "error" not in await process.do("plug", "state")
        assert await process.end() == (0, "", "")


@pytest.mark.parametrize(
    ("described", "error"),
    [
        ("", "no JSON"),
        ("{}", "must be a list"),
        ([PLUG, PLUG], "device 2: the name plug"),
        ([[]], "device 1: it must be an object"),
        ([{**PLUG, "kind": "lamp"}], "kind must be one of plug, light"),
        ([{**PLUG, "kind": []}], "kind must be one of plug, light"),
        ([{**PLUG, "name": ""}], "name is missing"),
        ([{**PLUG, "key": KEY[1:]}], "key must be 40"),
        ([{**PLUG, "activates": 1}], "activates must be of type bool"),
        ([{**PLUG, "sockets": 3}], "sockets is not known"),
        ([{**PLUG, "kind": "gas", "beacon": 3}], "beacon is not known"),
    ],
)
def test_devices_that_cannot_be(described: Any, error: str) -> None:
    """The text says which and why, and no key."""
    text = described if isinstance(described, str) else json.dumps(described)
    with pytest.raises(ValueError, match=error) as raised:
        read_devices(text, ("127.0.0.1", 1), 80)
    assert KEY[1:] not in str(raised.value)


async def test_called_wrongly() -> None:
    """It says so on stderr, and nothing on stdout."""
    async with running("--server", "127.0.0.1:1") as process:
        process.write({})
        assert await process.end() == (2, "", "the devices must be a list\n")
    async with running("--server", "127.0.0.1") as process:
        code, out, error = await process.end()
    assert (code, out) == (2, "")
    assert "it must be HOST:PORT" in error


async def test_a_crash() -> None:
    """It shows in the state, and in how the process ends."""
    timers = ";".join(["l60=on_switch"] * 11)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(
            b'{"timers": "%b", "timestamp": 1, "weekday": 3}\n' % timers.encode()
        )
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, running("--server", f"127.0.0.1:{port}", "--control") as process:
        process.write([PLUG])
        assert (await process.read())["ready"]
        async with asyncio.timeout(WAIT):
            while not (crash := (await process.do("plug", "state"))["state"]["crash"]):
                pass
        assert crash == "11 timers overflow the room for 10"
        assert await process.end() == (1, "", f"plug has crashed: {crash}\n")
