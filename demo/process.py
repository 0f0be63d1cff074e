"""A process that never outlives the demo."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
import os
from pathlib import Path
import signal
from typing import Any, Self

from .errors import DemoError

STOP_TIMEOUT = 20  # Home Assistant writes its states and closes its database
TAIL_LINES = 25

# stdin is a pipe whose other end the demo alone holds. When that closes, however the demo ended,
# the watcher kills its process group, which are the command and all that it started.
UNDER_WATCH = """\
exec 3<&0 </dev/null
{ read -r _; kill -9 0; } <&3 >/dev/null 2>&1 &
exec 3<&- "$@"
"""


class Process:
    """A child with its log in a file.

    It leads a session of its own: Ctrl-C in the terminal reaches the demo alone, which
    then ends its children in the right order. What it started ends with it, and all of it
    ends with the demo, even where that is killed.
    """

    def __init__(
        self, name: str, log: Path, process: asyncio.subprocess.Process
    ) -> None:
        """Take over a running child; `running` makes one."""
        self.name = name
        self.log = log
        self._process = process

    @classmethod
    @asynccontextmanager
    async def running(
        cls,
        name: str,
        command: Sequence[str | Path],
        log: Path,
        *,
        cwd: Path,
        announces: bool = False,
        listens: bool = False,
    ) -> AsyncIterator[Self]:
        """Run a command for as long as the block lasts, and add to its log.

        With `announces` its stdout is kept for `read_line` or `read_all`. One that `listens`
        takes lines on its stdin, and has to end when that does.
        """
        watched, held = os.pipe()
        try:
            try:
                with log.open("ab") as output:
                    process = await asyncio.create_subprocess_exec(
                        *(() if listens else ("/bin/sh", "-c", UNDER_WATCH, "sh")),
                        *command,
                        stdin=asyncio.subprocess.PIPE if listens else watched,
                        stdout=asyncio.subprocess.PIPE if announces else output,
                        stderr=output,
                        cwd=cwd,
                        start_new_session=True,
                    )
            finally:
                os.close(watched)
            child = cls(name, log, process)
            try:
                yield child
            finally:
                await child.stop()
        finally:
            os.close(held)

    @property
    def pid(self) -> int:
        """The number of the child."""
        return self._process.pid

    @property
    def status(self) -> int | None:
        """The exit status: negative for a signal, None as long as it lives."""
        return self._process.returncode

    async def write_line(self, line: str) -> None:
        """Write a line to the stdin of a child that listens."""
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        await self._process.stdin.drain()

    async def read_line(self) -> str:
        """Wait for a line on the child's stdout; empty when it closed that."""
        assert self._process.stdout is not None
        return (await self._process.stdout.readline()).decode(errors="replace")

    async def read_all(self) -> str:
        """Read the child's stdout to its end."""
        assert self._process.stdout is not None
        return (await self._process.stdout.read()).decode(errors="replace")

    async def ended(self) -> int:
        """Wait for the child's end and return its exit status."""
        return await self._process.wait()

    async def while_alive[T](self, work: Coroutine[Any, Any, T]) -> T:
        """Do something that makes no sense any more once the child has died."""
        task = asyncio.ensure_future(work)
        end = asyncio.ensure_future(self.ended())
        try:
            await asyncio.wait({task, end}, return_when=asyncio.FIRST_COMPLETED)
            if end.done() and not (task.done() and task.exception() is None):
                raise self.died()
            return await task
        finally:
            for unfinished in (task, end):
                unfinished.cancel()
            await asyncio.gather(task, end, return_exceptions=True)

    async def kill(self) -> None:
        """End the child as a power cut does, and whatever it started."""
        os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()

    def died(self) -> DemoError:
        """Describe the child's end, with the last lines that it wrote."""
        return DemoError(
            f"{self.name} ended unexpectedly with status {self.status}. "
            f"The end of {self.log}:\n\n{self.tail()}"
        )

    def tail(self) -> str:
        """Return the last lines of the log."""
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-TAIL_LINES:]) or "(nothing was written)"

    async def stop(self) -> None:
        """End the child, politely first, and whatever it started."""
        try:
            with suppress(ProcessLookupError):
                self._process.terminate()
            with suppress(TimeoutError):
                async with asyncio.timeout(STOP_TIMEOUT):
                    await self._process.wait()
        finally:
            # Also reached by a second, impatient Ctrl-C.
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
