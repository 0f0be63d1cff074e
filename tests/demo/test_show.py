"""The demo for a person: what it says, when it says so, and what is left of it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
import re
import sys
from typing import Any, cast

import pytest

from demo.paths import CHECKOUT
from demo.session import Session
from demo.show import describe_devices

from .test_process import is_alive

# Without any network, where this may be tried: in a network namespace with its own loopback.
SHOW = """\
import asyncio, contextlib, fcntl, os, shlex, signal, socket, struct, sys
from pathlib import Path
from urllib.request import Request, urlopen
from demo import show

with contextlib.suppress(OSError):
    os.unshare(os.CLONE_NEWNET if os.geteuid() == 0 else os.CLONE_NEWUSER | os.CLONE_NEWNET)
    with socket.socket() as any_socket:  # 0x8914 is SIOCSIFFLAGS, 1 is IFF_UP
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh", b"lo", 1))

def say(text):
    for line in text.splitlines():
        if line.startswith("    curl "):  # what a person would try now
            _, _, header, *body, url = shlex.split(line)
            data = body[1].encode() if body else None
            with urlopen(Request(url, data, dict([header.split(": ")]))) as answer:
                line = answer.read().decode()
        print(line, flush=True)

show.say = say

async def main():
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asyncio.current_task().cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await show.show(Path(sys.executable), Path(sys.argv[1]))

asyncio.run(main())
"""
READY_TIMEOUT = 240


@asynccontextmanager
async def running_demo(folder: Path) -> AsyncGenerator[asyncio.subprocess.Process]:
    """Run the demo in a folder; it is there when the block begins."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SHOW, folder),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=CHECKOUT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def read_until(process: asyncio.subprocess.Process, word: str) -> str:
    """Return what the demo says, up to the line with a word."""
    assert process.stdout is not None
    text = ""
    async with asyncio.timeout(READY_TIMEOUT):
        while line := (await process.stdout.readline()).decode():
            text += line
            if word in line:
                return text
    raise AssertionError(text)


def descendants(pid: int) -> set[int]:
    """Return the processes that a process has started, and those that these have."""
    folder = Path(f"/proc/{pid}/task")
    children = {
        int(child)
        for task in folder.iterdir()
        for child in (task / "children").read_text().split()
    }
    return children.union(*(descendants(child) for child in children))


@pytest.mark.timeout(2 * READY_TIMEOUT + 60)
async def test_first_start_and_second_start_which_is_killed(tmp_path: Path) -> None:
    """Ready means that the devices are connected; SIGKILL leaves nothing that runs."""
    async with running_demo(tmp_path) as demo:
        said = await read_until(demo, "Ctrl-C")
        assert "; connected devices: 6.\n" in said
        assert "Spare lamp's key: " in said
        assert re.search(r"Its web site +http://127\.0\.0\.1:\d+/\n", said)
        assert said.count('"status": 200') == 3
        demo.terminate()
        async with asyncio.timeout(60):
            assert await demo.wait() == 0
    async with running_demo(tmp_path) as demo:
        said = await read_until(demo, "Ctrl-C")
        assert "; connected devices: 6.\n" in said
        assert said.count('"status": 200') == 3
        started = descendants(demo.pid)
        # The cloud and Home Assistant, each with its watcher, and the simulated devices.
        assert len(started) >= 5
        demo.kill()
        await demo.wait()
        async with asyncio.timeout(30):
            while any(is_alive(pid) for pid in started):  # noqa: ASYNC110 (init reaps)
                await asyncio.sleep(0.05)


class ScriptedSession:
    """Home Assistant with a lamp that is switched on, and one that is disabled."""

    def __init__(self) -> None:
        """Start with a lamp of which nothing is known."""
        self.events: asyncio.Queue[Any] = asyncio.Queue()

    async def call(self, kind: str) -> list[dict[str, Any]]:
        """Return what is in a registry."""
        names = ("desk", "reading")
        if kind == "config/device_registry/list":
            return [{"id": name, "name": name} for name in names]
        return [
            {
                "entity_id": f"light.{name}",
                "device_id": name,
                "platform": "espcloud",
                "disabled_by": "user" if name == "reading" else None,
            }
            for name in names
        ]

    async def subscribe(self, kind: str, entity_ids: list[str]) -> asyncio.Queue[Any]:
        """Return the events of the lamp."""
        assert entity_ids == ["light.desk"]
        return self.events


async def test_ready_waits_for_the_connection() -> None:
    """A lamp that is still unavailable is waited for; a disabled one is not."""
    session = ScriptedSession()
    session.events.put_nowait({"a": {"light.desk": {"s": "unavailable"}}})
    telling = asyncio.ensure_future(describe_devices(cast(Session, session)))
    for _ in range(20):
        await asyncio.sleep(0)
    assert session.events.empty() and not telling.done()
    session.events.put_nowait({"c": {"light.desk": {"+": {"s": "on"}}}})
    assert await telling == "connected devices: 1"


async def test_a_lamp_that_does_not_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo goes on, and says which."""
    monkeypatch.setattr("demo.show.CONNECT_TIMEOUT", 0.01)
    told = await describe_devices(cast(Session, ScriptedSession()))
    assert told.startswith("not all devices are connected: light.desk ")
