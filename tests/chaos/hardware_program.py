"""What happens in a chaos run: by chance, but the same for the same seed."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
import os
import random

from .hardware_base import World
from .hardware_people import People, touch

FULL = os.environ.get("ESPCLOUD_CHAOS") == "full"
SEEDS = (
    [int(os.environ["ESPCLOUD_CHAOS_SEED"])]
    if "ESPCLOUD_CHAOS_SEED" in os.environ
    else list(range(20 if FULL else 2))
)
SCENES = 20 if FULL else 6
TIMEOUT = 3600 if FULL else 600
"""Seconds that a run may take, however busy the machine is."""


async def run[WorldT: World](
    here: WorldT, faults: Mapping[str, Callable[[WorldT], Awaitable[None]]], seed: int
) -> None:
    """Command the devices under faults, and check what became of it after each scene."""
    chance = random.Random(seed)
    people = People(chance)
    story: list[str] = []
    try:
        await here.begin()
        commanded = [thing for thing in here.things if thing.kind != "tem_hum"]
        for _ in range(SCENES):
            touch(chance, here)
            for thing in chance.sample(commanded, chance.randint(5, len(commanded))):
                for _ in range(chance.randint(1, 3)):
                    here.order(thing, people.burst(thing))
            for _ in range(chance.randint(1, 3)):
                await asyncio.sleep(chance.choice([0, 0.002, 0.01, 0.05, 0.2]))
                name = chance.choice(list(faults))
                story.append(name)
                await faults[name](here)
                if chance.random() < 0.5:
                    await here.refresh()
            await asyncio.sleep(chance.choice([0, 0.05, 0.3]))
            await here.lift()
            story.append("lift")
            here.check()
            touch(chance, here)
            await here.settle()
        done = sum(bool(order.is_done) for thing in commanded for order in thing.orders)
        failed = sum(len(thing.orders) for thing in commanded) - done
        # Else nothing was tried.
        assert done
        assert failed
    except BaseException as err:
        err.add_note(f"seed {seed}: {', '.join(story)}")
        raise
    finally:
        await here.end()
