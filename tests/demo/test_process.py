"""Nothing that the demo starts outlives it."""

import asyncio
import os
from pathlib import Path
import sys

import pytest

from demo.errors import DemoError
from demo.paths import CHECKOUT
from demo.process import Process


def python(program: str) -> list[str | Path]:
    """Return the command that runs a program."""
    return [sys.executable, "-u", "-c", program]


def is_alive(pid: int) -> bool:
    """Return whether a process exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_child_ends_with_the_block(tmp_path: Path) -> None:
    """The child is asked to end, and its way of ending is known."""
    program = "import signal, sys; signal.signal(15, lambda *_: sys.exit(3)); print(); signal.pause()"
    async with Process.running(
        "child", python(program), tmp_path / "log", cwd=tmp_path, announces=True
    ) as child:
        await child.read_line()
        assert child.status is None
    assert child.status == 3


async def test_deaf_child_and_grandchild_are_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever does not listen is killed, with what it started."""
    monkeypatch.setattr("demo.process.STOP_TIMEOUT", 0.1)
    program = (
        "import os, signal; signal.signal(15, signal.SIG_IGN); os.fork();"
        # In one write each: the two share a pipe.
        "os.write(1, b'%d\\n' % os.getpid()); signal.pause()"
    )
    async with Process.running(
        "child", python(program), tmp_path / "log", cwd=tmp_path, announces=True
    ) as child:
        pids = [int(await child.read_line()) for _ in range(2)]
    assert child.status == -9
    async with asyncio.timeout(5):
        while any(is_alive(pid) for pid in pids):  # noqa: ASYNC110 (init reaps it)
            await asyncio.sleep(0.01)


async def test_death_during_work_shows_the_log(tmp_path: Path) -> None:
    """Work that needs the child ends with it, and says what its last words were."""
    program = "import sys; sys.exit('port 1 is taken')"
    async with Process.running(
        "the cloud", python(program), tmp_path / "log", cwd=tmp_path
    ) as child:
        with pytest.raises(DemoError, match=r"(?s)the cloud ended.*port 1 is taken"):
            await child.while_alive(asyncio.sleep(60))


async def test_work_returns_its_result(tmp_path: Path) -> None:
    """Work that succeeds is not disturbed."""
    async with Process.running(
        "child", python("import signal; signal.pause()"), tmp_path / "log", cwd=tmp_path
    ) as child:
        assert await child.while_alive(asyncio.sleep(0, "done")) == "done"


KILLED = """\
import asyncio, sys
from pathlib import Path
from demo.process import Process

async def main():
    log, child = Path(sys.argv[1]), sys.argv[2]
    async with Process.running("child", [sys.executable, "-c", child], log, cwd=log.parent, announces=True) as process:
        for _ in range(3):
            print(await process.read_line(), end="", flush=True)
        await process.ended()

asyncio.run(main())
"""
DEAF = """\
import os, signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
if os.fork() == 0:
    os.fork()
os.write(1, b"%d\\n" % os.getpid())
while True:
    signal.pause()
"""


async def test_a_killed_parent_leaves_nothing(tmp_path: Path) -> None:
    """`kill -9` gives it no chance to clean up; still child and grandchildren end."""
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", KILLED, tmp_path / "log", DEAF),
        stdout=asyncio.subprocess.PIPE,
        cwd=CHECKOUT,
    )
    assert parent.stdout is not None
    pids = [int(await parent.stdout.readline()) for _ in range(3)]
    assert all(is_alive(pid) for pid in pids)
    parent.kill()
    await parent.wait()
    async with asyncio.timeout(20):
        while any(is_alive(pid) for pid in pids):  # noqa: ASYNC110 (init reaps it)
            await asyncio.sleep(0.01)
