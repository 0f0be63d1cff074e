"""mosquitto, the MQTT broker that most people run beside Home Assistant."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
import shutil
import socket

from .child import Child
from .errors import BenchError
from .paths import LOOPBACK

HOW_TO_INSTALL = "mosquitto is missing: apt-get install mosquitto (Debian)"

# Without a limit on what waits, or QoS 0 loses messages in a burst; and without Nagle's
# algorithm, which could only slow small messages down.
_SETTINGS = """\
listener {port} {host}
allow_anonymous true
persistence false
max_queued_messages 0
set_tcp_nodelay true
log_type error
"""


def find_mosquitto() -> str | None:
    """Return where mosquitto is; Debian keeps it where only root looks."""
    return shutil.which("mosquitto") or shutil.which(
        "mosquitto", path="/usr/sbin:/usr/local/sbin"
    )


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def running_broker(folder: Path) -> AsyncIterator[int]:
    """Run a broker and return its port."""
    program = find_mosquitto()
    if program is None:
        raise BenchError(HOW_TO_INSTALL)
    port = free_port()
    settings = folder / "mosquitto.conf"
    settings.write_text(_SETTINGS.format(port=port, host=LOOPBACK))
    async with Child.running(
        "mosquitto", [program, "-c", settings], folder, greets=False
    ):
        for _ in range(100):
            try:
                _, writer = await asyncio.open_connection(LOOPBACK, port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                break
        else:
            raise BenchError("mosquitto does not listen")
        yield port
