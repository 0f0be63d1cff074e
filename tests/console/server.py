"""The command `local-cloud` with its web site, in a process of its own as everywhere."""

from collections.abc import Generator
from contextlib import contextmanager
import json
from pathlib import Path
import signal
import subprocess
import sys
from typing import Any

CHECKOUT = Path(__file__).parents[2]
OPERATOR = "operator@example.com"
PASSWORD = "an invented password"


class ConsoleServer:
    """A running server.

    Attributes:
        url: where its web site and its API are, without a slash at the end.
        device_port: where devices connect, at the same host.
        log: the file that has what it logs.
    """

    def __init__(self, folder: Path, *arguments: str) -> None:
        """Start it with its state in `folder`, and return when it is ready."""
        self.log = folder / "log"
        with self.log.open("a") as log:
            self._process = subprocess.Popen(
                [
                    *(
                        sys.executable,
                        "-P",
                        CHECKOUT / "scripts" / "run_local_cloud.py",
                    ),
                    *("--state", folder / "state.db", "--json"),
                    *("--http-port", "0", "--device-port", "0"),
                    *("--account", f"{OPERATOR}:{PASSWORD}"),
                    *arguments,
                ],
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert self._process.stdout is not None
        ready: dict[str, Any] = json.loads(self._process.stdout.readline())
        self.url: str = ready["http"]
        self.device_port = int(ready["device"].rpartition(":")[2])

    def stop(self) -> None:
        """End it as Ctrl-C does, once. Raises AssertionError where it does not end well."""
        if self._process.returncode is not None:
            return
        self._process.send_signal(signal.SIGINT)
        assert self._process.wait(20) == 0
        assert self._process.stdout is not None
        self._process.stdout.close()


@contextmanager
def running_server(folder: Path, *arguments: str) -> Generator[ConsoleServer]:
    """Run a server."""
    server = ConsoleServer(folder, *arguments)
    try:
        yield server
    finally:
        server.stop()
