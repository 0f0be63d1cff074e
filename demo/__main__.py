"""The command line of scripts/demo."""

import argparse
import asyncio
from pathlib import Path
import signal
import sys

import aiohttp

from .check import check
from .environment import prepare
from .errors import DemoError
from .local_show import show_local
from .show import show
from .terminal import say

INTERRUPTED = 130


def main() -> int:
    """Run the demo or the check; both end with everything that they started."""
    parser = argparse.ArgumentParser(
        prog="scripts/demo",
        description="Devices in Home Assistant, through a local Espressif cloud.",
    )
    parser.add_argument(
        "--check", action="store_true", help="try all of it without a person"
    )
    parser.add_argument(
        "--local",
        action="store_true",
        help="local mode alone: Home Assistant is the cloud",
    )
    parser.add_argument(
        "--ha", metavar="VERSION", help="with another release of Home Assistant"
    )
    arguments = parser.parse_args()
    try:
        asyncio.run(_run(arguments))
    except (DemoError, aiohttp.ClientError) as err:
        say(f"\n{parser.prog}: {err}")
        return 1
    except asyncio.CancelledError:
        say(f"{parser.prog}: stopped, with all that it started.")
        return INTERRUPTED if arguments.check else 0
    return 0


async def _run(arguments: argparse.Namespace) -> None:
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    version = arguments.ha
    python = await prepare(version) if version else Path(sys.executable)
    if arguments.check:
        await check(python, only_local=arguments.local)
    else:
        await (show_local if arguments.local else show)(python)


if __name__ == "__main__":
    sys.exit(main())
