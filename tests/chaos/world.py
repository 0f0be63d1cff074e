"""A house, the people in it and on the road, and what may happen to all of it."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from custom_components.espcloud.cloud import Timing
from homeassistant.config_entries import ConfigEntryState
from local_cloud import LocalCloud
from tests.conftest import EMAIL, PASSWORD

from .home import home_assistant
from .house import Doors, House, Phone
from .ledger import Ledger
from .pieces import whole

LAMPS = 20

DELIVERY_TIMEOUT = 0.4
TIMING = Timing(connect=0.6, answer=0.6, ping_after=0.3)
RECONNECT_WAIT = 0.3
HTTP_TIMEOUT = 1.0
DEADLINE = RECONNECT_WAIT + 3 * HTTP_TIMEOUT + 3
"""A call asks twice at most, and once for new keys; the rest is for slow machines."""


class World:
    """Whoever sends commands to a lamp sends one after the other, whatever happens.

    Attributes:
        house: the house; its cloud and its Home Assistant are replaced as they restart.
    """

    def __init__(self, state_file: Path, phone: Phone) -> None:
        """Use `begin` to make it."""
        self._state_file = state_file
        self._phone = phone
        self._home = AsyncExitStack()
        self._home_is_up = True
        self._calls = 0
        self._calls_changed = asyncio.Condition()
        self._orders: list[asyncio.Queue[tuple[str, bool]]] = []
        self._people: list[asyncio.Task[None]] = []
        self._ledgers: list[Ledger] = []
        self.house: House

    async def begin(self) -> None:
        """Set everything up."""
        cloud = await self._open_cloud()
        user = await cloud.add_account(EMAIL, PASSWORD)
        doors = Doors()
        doors.lead_to(cloud)
        await doors.http.start()
        await doors.device.start()
        hass = await self._home.enter_async_context(home_assistant())
        self.house = await House.build(hass, cloud, user, doors, self._phone, LAMPS)
        await self.house.set_up()
        for lamp in self.house.lamps:
            ledger = Ledger(lamp, "off")
            orders: asyncio.Queue[tuple[str, bool]] = asyncio.Queue()
            self._ledgers.append(ledger)
            self._orders.append(orders)
            self._people.append(asyncio.create_task(self._follow(orders, ledger)))

    async def end(self) -> None:
        """Take everything down."""
        for person in self._people:
            person.cancel()
        await asyncio.gather(*self._people, return_exceptions=True)
        await self._home.aclose()
        await self.house.doors.http.close()
        await self.house.doors.device.close()
        await self.house.cloud.close()

    # What may happen

    def order(self, number: int, action: str, *, from_home: bool) -> None:
        """Have a command sent to a lamp when those before it are through."""
        self._orders[number].put_nowait((action, from_home))

    async def restart_cloud(self) -> None:
        """The cloud goes, with all its connections, and comes back elsewhere."""
        await self.house.cloud.close()
        self.house.cloud = await self._open_cloud()
        self.house.doors.lead_to(self.house.cloud)

    async def restart_home(self) -> None:
        """Home Assistant stops and starts again."""
        async with self._calls_changed:
            self._home_is_up = False
            await self._calls_changed.wait_for(lambda: self._calls == 0)
        await self._home.aclose()
        hass = await self._home.enter_async_context(home_assistant())
        await self.house.move(hass)
        async with self._calls_changed:
            self._home_is_up = True
            self._calls_changed.notify_all()

    async def reload(self) -> None:
        """The account is reloaded."""
        house = self.house
        await house.hass.config_entries.async_reload(house.entry.entry_id)

    async def lift(self) -> None:
        """Every fault is over."""
        for door in (self.house.doors.http, self.house.doors.device):
            door.thaw()
            door.shape, door.manner, door.delay = whole, None, 0.0
            await door.listen()

    async def check(self) -> None:
        """Check every lamp once everything is over; none needs to be helped."""
        await asyncio.gather(*(orders.join() for orders in self._orders))
        for person in self._people:
            if person.done():
                person.result()
        for _ in range(50):
            if self.house.entry.state is ConfigEntryState.LOADED:
                break
            await self.house.let_time_pass(300)
        for ledger in self._ledgers:
            # A connection that is dead may not be known to be, yet.
            for _ in range(100):
                if (await ledger.send(self.house, "emulate")).acknowledged:
                    break
                await asyncio.sleep(0.05)
            else:
                raise AssertionError(f"{ledger.lamp.light} does not heal")
        for ledger in self._ledgers:
            ledger.check(self.house)

    async def _open_cloud(self) -> LocalCloud:
        cloud = LocalCloud(
            state_file=self._state_file, delivery_timeout=DELIVERY_TIMEOUT
        )
        await cloud.start()
        return cloud

    async def _follow(
        self, orders: asyncio.Queue[tuple[str, bool]], ledger: Ledger
    ) -> None:
        while True:
            action, from_home = await orders.get()
            try:
                if from_home:
                    await self._call(ledger, action)
                else:
                    await ledger.send(self.house, action)
            finally:
                orders.task_done()

    async def _call(self, ledger: Ledger, action: str) -> None:
        """Send from Home Assistant, which has to be there for as long as that takes."""
        async with self._calls_changed:
            await self._calls_changed.wait_for(lambda: self._home_is_up)
            self._calls += 1
        try:
            start = asyncio.get_running_loop().time()
            await ledger.call(self.house, action)
            assert asyncio.get_running_loop().time() - start < DEADLINE
        finally:
            async with self._calls_changed:
                self._calls -= 1
                self._calls_changed.notify_all()
