"""The soak as a command; scripts/soak says how to call it."""

import argparse
import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
import random
from tempfile import TemporaryDirectory
from typing import Any

from demo.errors import DemoError
from demo.home_assistant import wait_for_web_server
from demo.ports import LOOPBACK
from demo.session import Session, sign_in

from .home import ENTRY_ID, Figures, Home, Life
from .house import House

START = 120
"""Seconds that Home Assistant may take to start."""
GROWTH = 1.10
"""How much larger its memory may be in the end than after the warm-up."""
FILES = 4
"""Open files that may come and go: the web server's, the recorder's."""
SETTLE = 150
"""Seconds until what was cut off is closed: the server misses it after a minute of silence."""
RELOAD_EVERY = 8.0
"""Seconds between two reloads of the entry."""


async def soak(seconds: float, kills: int, seed: int) -> None:
    """Run it. Raises AssertionError where a promise is broken."""
    with TemporaryDirectory() as folder:
        home = Home(Path(folder))
        async with House.running(home.device_port, seed) as house:
            await home.write(house)
            chance = random.Random(seed)
            for number in range(kills):
                async with house.in_trouble(), home.life() as life:
                    await _kill(life, house, chance.randrange(50, 500))
                say(f"kill {number + 1}: {len(house.ledger.acknowledged)} acknowledged")
            async with home.life() as life, signed_in(home, life) as session:
                await _endure(life, house, session, seconds)
        say(house.ledger.check(home.database))
        complaints = home.complaints()
        assert not complaints, "\n".join(complaints[:20])


async def _kill(life: Life, house: House, posts: int) -> None:
    """Kill Home Assistant once so many more posts were acknowledged."""
    ledger = house.ledger
    wanted = len(ledger.acknowledged) + posts
    await life.until(lambda: len(ledger.acknowledged) >= wanted, START)
    await life.kill()


async def _endure(life: Life, house: House, session: Session, seconds: float) -> None:
    """Let faults, commands and reloads happen; look at what that costs."""
    entities = await _available(session, house)
    say(f"{len(entities)} entities, all available after the kills")
    await _trouble(house, session, entities, seconds / 3)
    before = Figures.of(life.pid)
    say(f"after the warm-up: {before}")
    done, failed = await _trouble(house, session, entities, seconds * 2 / 3)
    after = await _settled(life, before.files + FILES)
    say(f"in the end:        {after}")
    say(f"{done} commands done, {failed} failed")
    # Else nothing was tried.
    assert done
    assert after.kib <= before.kib * GROWTH, f"{before} became {after}"
    assert after.files <= before.files + FILES, f"{before} became {after}"


async def _settled(life: Life, files: int) -> Figures:
    """Look at Home Assistant as soon as it has so few files open, and in any case in the end.

    A sensor connects for each of its posts: at some moments none has a connection, at others all have.
    """
    figures = Figures.of(life.pid)
    with suppress(TimeoutError):
        async with asyncio.timeout(SETTLE):
            while figures.files > files:
                await asyncio.sleep(0.1)
                figures = Figures.of(life.pid)
    return figures


async def _trouble(
    house: House, session: Session, entities: list[str], seconds: float
) -> tuple[int, int]:
    """Have trouble for a while, then everything available; return the commands done and failed."""
    counts = [0, 0]
    plugs = [each for each in entities if each.startswith("switch.plug")]

    async def command() -> None:
        while True:
            try:
                data = {"entity_id": random.choice(plugs)}
                await session.post("/api/services/switch/toggle", data)
                counts[0] += 1
            except DemoError:
                counts[1] += 1
            await asyncio.sleep(0.1)

    async def reload() -> None:
        while True:
            await asyncio.sleep(min(RELOAD_EVERY, seconds / 3))
            path = f"/api/config/config_entries/entry/{ENTRY_ID}/reload"
            await session.post(path, {})

    async with house.in_trouble(), asyncio.TaskGroup() as group:
        tasks = [group.create_task(work()) for work in (command, reload)]
        await asyncio.sleep(seconds)
        for task in tasks:
            task.cancel()
    await _available(session, house)
    return counts[0], counts[1]


async def _available(session: Session, house: House) -> list[str]:
    """Wait until every entity of every device is available; return them."""
    names = tuple(thing.name.replace(" ", "_") for thing in house.things)
    left: list[str] = []
    try:
        async with asyncio.timeout(START):
            while True:
                states: list[dict[str, Any]] = await session.call("get_states")
                ours = [
                    state
                    for state in states
                    if state["entity_id"].partition(".")[2].startswith(names)
                ]
                left = [
                    each["entity_id"]
                    for each in ours
                    if each["state"] == "unavailable"
                    and not each["attributes"].get("restored")
                ]
                found = {
                    name
                    for name in names
                    for each in ours
                    if each["entity_id"].partition(".")[2].startswith(name)
                }
                if not left and len(found) == len(names):
                    return [each["entity_id"] for each in ours]
                await asyncio.sleep(0.2)
    except TimeoutError:
        missing = set(names) - found
        raise AssertionError(
            f"unavailable: {left}; without entities: {missing}"
        ) from None


@asynccontextmanager
async def signed_in(home: Home, life: Life) -> AsyncGenerator[Session]:
    """Sign in once Home Assistant runs."""
    url = f"http://{LOOPBACK}:{home.web_port}"
    await life.process.while_alive(wait_for_web_server(home.web_port))
    async with sign_in(url) as session:
        await session.wait_until_running()
        yield session


def say(text: str) -> None:
    """Tell whoever waits."""
    print(text, flush=True)  # noqa: T201 - a command


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))
    arguments = parser.parse_args()
    say(f"seed {arguments.seed}")
    asyncio.run(soak(arguments.seconds, arguments.kills, arguments.seed))


if __name__ == "__main__":
    main()
