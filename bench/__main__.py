"""The command line of scripts/bench."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
import json
from pathlib import Path
import signal
import sys
import tempfile
from time import perf_counter

from . import document, report
from .errors import BenchError
from .machine import describe
from .paths import DOCUMENT
from .result import Result
from .rows import call, cloud, devices, hardware, household, local, points, push, start
from .scale import FULL, QUICK, Scale

type Measure = Callable[[Scale, Path], Awaitable[Result]]

ROWS: dict[str, Measure] = {
    "push": push.measure,
    "call": call.measure,
    "devices": devices.measure,
    "start": start.measure,
    "cloud": cloud.measure,
    "points": points.measure,
    "hardware": hardware.measure,
    "local": local.measure,
    "household": household.measure,
}
INTERRUPTED = 130


def main() -> int:
    """Measure, and return the exit status."""
    arguments = _parser().parse_args()
    names = arguments.rows or list(ROWS)
    if unknown := set(names) - set(ROWS):
        _parser().error(f"there is no row {', '.join(sorted(unknown))}")
    is_complete = set(names) == set(ROWS)
    if arguments.write and not is_complete:
        _parser().error("the document has all rows or none")
    machine = describe()
    _say("\n".join(machine))
    try:
        results = asyncio.run(_measure(names, QUICK if arguments.quick else FULL))
    except BenchError as err:
        _say(f"bench: {err}")
        return 1
    except asyncio.CancelledError:
        _say("bench: stopped, with all that it started.")
        return INTERRUPTED
    sys.stdout.write(report.as_text(results) + "\n")
    if arguments.write or (is_complete and not arguments.quick):
        document.write(results, machine)
        _say(f"Written: docs/{DOCUMENT.name}")
    if arguments.json:
        sys.stdout.write(json.dumps(report.figures(results)) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="espcloud beside a bare floor, Home Assistant's MQTT and its ESPHome.",
        epilog="A full run writes docs/benchmarks.md. For the MQTT rows it needs mosquitto "
        "(Debian: apt-get install mosquitto), for the ESPHome row bench/requirements.txt; without "
        "them they are marked as not measured.",
    )
    parser.add_argument(
        "--quick", action="store_true", help="fewer repetitions, a few minutes"
    )
    parser.add_argument(
        "--json", action="store_true", help="end with the figures as one JSON object"
    )
    parser.add_argument(
        "--write",
        action="store_true",
        help="write docs/benchmarks.md after --quick too",
    )
    parser.add_argument(
        "rows", nargs="*", metavar="ROW", help=f"only some of: {', '.join(ROWS)}"
    )
    return parser


async def _measure(names: list[str], scale: Scale) -> list[Result]:
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    results = []
    for name in names:
        begin = perf_counter()
        with tempfile.TemporaryDirectory(prefix="espcloud-bench-") as folder:
            results.append(await ROWS[name](scale, Path(folder)))
        _say(f"measured {name} in {perf_counter() - begin:.0f} s")
    return results


def _say(text: str) -> None:
    """Say something that is not a result."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
