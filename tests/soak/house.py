"""Thirty simulated devices, each behind a proxy that misbehaves, and what they were told of their posts."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
import hashlib
from itertools import count
import json
from pathlib import Path
import random
import sqlite3
from typing import Any, Self

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device
from tests.chaos.proxy import ChaosProxy
from tests.firmware import kinds
from tests.firmware.self_made import SelfMade
from tests.firmware.sensor import Sensor

NUMBERS = {
    "plug": 6,
    "light": 4,
    "light_nonos": 3,
    "light_new": 3,
    "strip": 3,
    "tem_hum": 3,
    "gas": 2,
    "voltage": 1,
    "remote": 1,
    "self_made": 4,
}
NAMES = {
    "light": "old_light",
    "light_nonos": "old_light",
    "light_new": "new_light",
    "gas": "flammable_gas",
    "voltage": "supply_voltage",
    "self_made": "rpc",
}
"""What Home Assistant calls a kind, where that is another name."""
PAUSE = 0.03
"""Seconds between two posts of a device."""
FAULTS_AT_ONCE = 3


@dataclass(slots=True)
class Ledger:
    """The posts, each with a number of its own.

    Attributes:
        attempted: those that were sent, whatever became of them.
        acknowledged: those that were answered with 200.
        once: those that their device sent no more than once.
    """

    attempted: set[int] = field(default_factory=set)
    acknowledged: set[int] = field(default_factory=set)
    once: set[int] = field(default_factory=set)
    _numbers: count[int] = field(default_factory=lambda: count(1000))

    def next(self) -> int:
        """Return the number of another post."""
        number = next(self._numbers)
        self.attempted.add(number)
        return number

    def check(self, database: Path) -> str:
        """Hold the ledger against the database; return the figures.

        Raises AssertionError where a point is lost, invented or stored twice.
        """
        connection = sqlite3.connect(database)
        try:
            stored = [
                json.loads(row[0]).get("x")
                for row in connection.execute("SELECT point FROM datapoints")
            ]
        finally:
            connection.close()
        numbers = [int(x) for x in stored if isinstance(x, int | float) and x >= 1000]
        lost = self.acknowledged - set(numbers)
        assert not lost, f"{len(lost)} acknowledged points are lost: {sorted(lost)[:9]}"
        invented = set(numbers) - self.attempted
        assert not invented, f"points that nobody posted: {sorted(invented)[:9]}"
        twice = [each for each in self.once if numbers.count(each) > 1]
        assert not twice, f"points that are stored twice: {sorted(twice)[:9]}"
        return (
            f"{len(self.attempted)} posts, {len(self.acknowledged)} acknowledged, "
            f"{len(set(numbers))} stored"
        )


@dataclass(slots=True)
class Thing:
    """A device, what simulates it, and the proxy between it and Home Assistant."""

    kind: str
    name: str
    key: str
    proxy: ChaosProxy
    firmware: Any

    @property
    def chosen_kind(self) -> str:
        """What a person says that it is."""
        return NAMES.get(self.kind, self.kind)


class House:
    """The devices; they post all the while, and some of them are in trouble.

    Attributes:
        things: the devices.
        ledger: what they posted.
    """

    def __init__(self, seed: int) -> None:
        """Choose by chance."""
        self.things: list[Thing] = []
        self.ledger = Ledger()
        self._chance = random.Random(seed)

    @classmethod
    @asynccontextmanager
    async def running(cls, port: int, seed: int) -> AsyncGenerator[Self]:
        """Switch all devices on, which look for a server at a port of this machine."""
        house = cls(seed)
        try:
            for kind, number in NUMBERS.items():
                for index in range(number):
                    house.things.append(await house._make(kind, index, port))
            for thing in house.things:
                thing.firmware.power_on()
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(work)
                    for thing in house.things
                    if (work := house._posting(thing)) is not None
                ]
                yield house
                for task in tasks:
                    task.cancel()
        finally:
            for thing in house.things:
                await thing.firmware.power_off()
                await thing.proxy.close()

    async def _make(self, kind: str, index: int, port: int) -> Thing:
        name = f"{kind} {index}".replace("_", " ")
        key = hashlib.sha1(name.encode()).hexdigest()
        proxy = ChaosProxy(port)
        await proxy.start()
        options: dict[str, Any] = {"bssid": f"18:fe:34:00:03:{len(self.things):02x}"}
        firmware = kinds.make(kind, ("127.0.0.1", proxy.port), key, **options)
        return Thing(kind, name, key, proxy, firmware)

    def add_to(self, cloud: LocalCloud) -> dict[str, Device]:
        """Have a server know the devices; return its records by their names."""
        user = cloud.operator.user
        return {
            thing.name: cloud.add_device(
                thing.name, user, kinds.PTYPES[thing.kind], master_key=thing.key
            )
            for thing in self.things
        }

    # What they do

    def _posting(self, thing: Thing) -> Coroutine[Any, Any, None] | None:
        match thing.firmware:
            case SelfMade() as self_made:
                return self._post(lambda: self._post_number(self_made))
            case Sensor() as sensor:
                return self._post(lambda: self._post_reading(sensor))
        return None

    async def _post(self, post: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await post()
            except ValueError, OSError, TimeoutError:
                # It has no power or no connection, or nobody has answered.
                await asyncio.sleep(PAUSE)
            await asyncio.sleep(PAUSE)

    async def _post_number(self, self_made: SelfMade) -> None:
        if not self_made.is_identified:
            return
        number = self.ledger.next()
        self.ledger.once.add(number)
        answer = await self_made.post("soak", x=number)
        if answer.get("status") == 200:
            self.ledger.acknowledged.add(number)

    async def _post_reading(self, sensor: Sensor) -> None:
        if sensor.rom_version != kinds.TemHum.rom_version or not hasattr(
            sensor.reading, "y"
        ):
            await sensor.post()
            return
        number = self.ledger.next()
        sensor.reading.x = float(number)
        if await sensor.post() == 200:
            self.ledger.acknowledged.add(number)

    # What happens to them

    @asynccontextmanager
    async def in_trouble(self) -> AsyncGenerator[None]:
        """Have one fault after the other for as long as the block lasts; then all is well."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._trouble()) for _ in range(FAULTS_AT_ONCE)]
            yield
            for task in tasks:
                task.cancel()
        for thing in self.things:
            await self._lift(thing)

    async def _trouble(self) -> None:
        while True:
            thing = self._chance.choice(self.things)
            await self._chance.choice(
                [self._power, self._reset, self._silence, self._deaf, self._refuse]
            )(thing)
            await asyncio.sleep(self._chance.uniform(0.05, 2.0))
            await self._lift(thing)

    async def _lift(self, thing: Thing) -> None:
        thing.proxy.thaw()
        await thing.proxy.listen()
        if not thing.firmware.is_on:
            thing.firmware.power_on()

    async def _power(self, thing: Thing) -> None:
        await thing.firmware.power_off()

    async def _reset(self, thing: Thing) -> None:
        thing.proxy.sever()

    async def _silence(self, thing: Thing) -> None:
        thing.proxy.freeze()

    async def _deaf(self, thing: Thing) -> None:
        thing.proxy.freeze(up=False)

    async def _refuse(self, thing: Thing) -> None:
        thing.proxy.refuse()
        thing.proxy.sever()
