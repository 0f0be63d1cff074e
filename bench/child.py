"""A process that is asked things, and that never outlives the benchmark."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
import os
from pathlib import Path
import signal
import sys
from typing import Any, Self

import orjson

from .errors import BenchError
from .paths import CHECKOUT

STOP_TIMEOUT = 20  # seconds
TAIL_LINES = 25
_TICKS = os.sysconf("SC_CLK_TCK")


class Child:
    """A child process, with what it complains of in a log.

    Attributes:
        name: how it is called when it fails.
        greeting: the first line of JSON that it wrote, empty where it writes none.
    """

    def __init__(
        self, name: str, log: Path, process: asyncio.subprocess.Process
    ) -> None:
        """Take over a running child; `running` makes one."""
        self.name = name
        self.greeting: dict[str, Any] = {}
        self._log = log
        self._process = process

    @classmethod
    @asynccontextmanager
    async def running(
        cls,
        name: str,
        command: Sequence[str | Path],
        folder: Path,
        *,
        greets: bool = True,
    ) -> AsyncIterator[Self]:
        """Run a command for as long as the block lasts, its log in `folder`.

        With `greets` it is waited for until it has written its first line.
        """
        log = folder / f"{name}.log"
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=output,
                cwd=CHECKOUT,
                start_new_session=True,
                # A thousand devices make one long line.
                limit=16 * 1024 * 1024,
            )
        child = cls(name, log, process)
        try:
            if greets:
                child.greeting = await child.read(timeout=60)
            yield child
        finally:
            await child.stop()

    @classmethod
    @asynccontextmanager
    async def program(
        cls, module: str, folder: Path, *arguments: str
    ) -> AsyncIterator[Self]:
        """Run one of the benchmark's own programs, named as below `bench`."""
        command = [sys.executable, "-m", f"bench.{module}", *arguments]
        async with cls.running(module, command, folder) as child:
            yield child

    async def ask(
        self, what: str, *, timeout: float = 60, **details: Any
    ) -> dict[str, Any]:
        """Ask the child to do something and return its answer.

        Raises:
            BenchError: there was none within `timeout` seconds.
        """
        assert self._process.stdin is not None
        self._process.stdin.write(orjson.dumps({"do": what, **details}) + b"\n")
        return await self.read(timeout=timeout, what=what)

    async def read(self, *, timeout: float, what: str = "start") -> dict[str, Any]:
        """Return the child's next line of JSON; raises BenchError as `ask`."""
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(timeout):
                line = await self._process.stdout.readline()
        except TimeoutError:
            raise BenchError(
                f"{self.name}: no answer to {what} in {timeout:g} s\n{self._tail()}"
            ) from None
        if not line:
            raise BenchError(f"{self.name} has ended at {what}\n{self._tail()}")
        answer: dict[str, Any] = orjson.loads(line)
        return answer

    def cpu_seconds(self) -> float:
        """Return the processor time that it has used, all threads, in whole ticks."""
        text = Path(f"/proc/{self._process.pid}/stat").read_text()
        user, system = text.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / _TICKS

    def written_bytes(self) -> int:
        """Return how many bytes it has had written to a disk."""
        lines = Path(f"/proc/{self._process.pid}/io").read_text().splitlines()
        return int(dict(line.split(": ") for line in lines)["write_bytes"])

    def resident_bytes(self) -> int:
        """Return its resident memory."""
        pages = Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    async def stop(self) -> None:
        """End it, politely first, and whatever it started."""
        try:
            with suppress(ProcessLookupError):
                self._process.terminate()
            with suppress(TimeoutError):
                async with asyncio.timeout(STOP_TIMEOUT):
                    await self._process.wait()
        finally:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()

    def _tail(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-TAIL_LINES:]) or "(its log is empty)"
