"""An instance, the people in it and on the road, and what may happen to all of it."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from custom_components.espcloud.cloud import Timing
from custom_components.espcloud.local_cloud import LocalCloud
from homeassistant.config_entries import ConfigEntryState
from tests.credentials import EMAIL, PASSWORD

from .command_log import CommandLog
from .home import home_assistant
from .instance import Instance, Phone, Proxies
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
        instance: the instance; its cloud and its Home Assistant are replaced as they restart.
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
        self._logs: list[CommandLog] = []
        self.instance: Instance

    async def begin(self) -> None:
        """Set everything up."""
        cloud = await self._open_cloud()
        user = await cloud.add_account(EMAIL, PASSWORD)
        proxies = Proxies()
        proxies.lead_to(cloud)
        await proxies.http.start()
        await proxies.device.start()
        hass = await self._home.enter_async_context(home_assistant())
        self.instance = await Instance.build(
            hass, cloud, user, proxies, self._phone, LAMPS
        )
        await self.instance.set_up()
        for lamp in self.instance.lamps:
            log = CommandLog(lamp, "off")
            orders: asyncio.Queue[tuple[str, bool]] = asyncio.Queue()
            self._logs.append(log)
            self._orders.append(orders)
            self._people.append(asyncio.create_task(self._follow(orders, log)))

    async def end(self) -> None:
        """Take everything down."""
        for person in self._people:
            person.cancel()
        await asyncio.gather(*self._people, return_exceptions=True)
        await self._home.aclose()
        await self.instance.proxies.http.close()
        await self.instance.proxies.device.close()
        await self.instance.cloud.close()

    # What may happen

    def order(self, number: int, action: str, *, from_home: bool) -> None:
        """Have a command sent to a lamp when those before it are through."""
        self._orders[number].put_nowait((action, from_home))

    async def restart_cloud(self) -> None:
        """The cloud goes, with all its connections, and comes back elsewhere."""
        await self.instance.cloud.close()
        self.instance.cloud = await self._open_cloud()
        self.instance.proxies.lead_to(self.instance.cloud)

    async def restart_home(self) -> None:
        """Home Assistant stops and starts again."""
        async with self._calls_changed:
            self._home_is_up = False
            await self._calls_changed.wait_for(lambda: self._calls == 0)
        await self._home.aclose()
        hass = await self._home.enter_async_context(home_assistant())
        await self.instance.move(hass)
        async with self._calls_changed:
            self._home_is_up = True
            self._calls_changed.notify_all()

    async def reload(self) -> None:
        """The account is reloaded."""
        instance = self.instance
        await instance.hass.config_entries.async_reload(instance.entry.entry_id)

    async def lift(self) -> None:
        """Every fault is over."""
        for proxy in (self.instance.proxies.http, self.instance.proxies.device):
            proxy.thaw()
            proxy.shape, proxy.fault, proxy.delay = whole, None, 0.0
            await proxy.listen()

    async def check(self) -> None:
        """Check every lamp once everything is over; none needs to be helped."""
        await asyncio.gather(*(orders.join() for orders in self._orders))
        for person in self._people:
            if person.done():
                person.result()
        for _ in range(50):
            if self.instance.entry.state is ConfigEntryState.LOADED:
                break
            await self.instance.let_time_pass(300)
        for log in self._logs:
            # A connection that is dead may not be known to be, yet.
            for _ in range(100):
                if (await log.send(self.instance, "emulate")).acknowledged:
                    break
                await asyncio.sleep(0.05)
            else:
                raise AssertionError(f"{log.lamp.light} does not heal")
        for log in self._logs:
            log.check(self.instance)

    async def _open_cloud(self) -> LocalCloud:
        cloud = LocalCloud(
            state_file=self._state_file, delivery_timeout=DELIVERY_TIMEOUT
        )
        await cloud.start()
        return cloud

    async def _follow(
        self, orders: asyncio.Queue[tuple[str, bool]], log: CommandLog
    ) -> None:
        while True:
            action, from_home = await orders.get()
            try:
                if from_home:
                    await self._call(log, action)
                else:
                    await log.send(self.instance, action)
            finally:
                orders.task_done()

    async def _call(self, log: CommandLog, action: str) -> None:
        """Send from Home Assistant, which has to be there for as long as that takes."""
        async with self._calls_changed:
            await self._calls_changed.wait_for(lambda: self._home_is_up)
            self._calls += 1
        try:
            start = asyncio.get_running_loop().time()
            await log.call(self.instance, action)
            assert asyncio.get_running_loop().time() - start < DEADLINE
        finally:
            async with self._calls_changed:
                self._calls -= 1
                self._calls_changed.notify_all()
