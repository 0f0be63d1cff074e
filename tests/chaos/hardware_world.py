"""Twenty simulated devices on one account, Home Assistant, and a bad network between it and the cloud."""

import asyncio
from pathlib import Path
import time
from typing import Any, override
from unittest.mock import patch

from custom_components.espcloud.backends import polling
from custom_components.espcloud.local_cloud import LocalCloud
from homeassistant.core import HomeAssistant
from tests.common import account_entry
from tests.credentials import EMAIL, PASSWORD
from tests.firmware.connection import Firmware
from tests.firmware.kinds import PTYPES

from .hardware_base import DELIVERY_TIMEOUT, World, until
from .hardware_things import NUMBERS, Thing, make, name_of
from .proxy import ChaosProxy

ROUNDS = 3
"""Rounds of polling in which a state has to be right: the one in which an outage ends, and the
next for what is asked every second time."""


class HardwareWorld(World):
    """The account, its devices, and what may happen to both."""

    def __init__(self, hass: HomeAssistant, state_file: Path) -> None:
        """Use `begin` to make it."""
        super().__init__(hass, ChaosProxy())
        self.cloud: LocalCloud
        self._state_file = state_file
        self._ports: tuple[int | None, int | None] = (None, None)
        self._passed = 0.0
        self._clock: Any = None

    @override
    def hold_answers(self) -> None:
        self.proxy.freeze(up=False)

    @override
    async def begin(self) -> None:
        """Set everything up, and wait until every device is known."""
        await self._open_cloud()
        user = await self.cloud.add_account(EMAIL, PASSWORD)
        await self.proxy.start()
        for kind, count in NUMBERS.items():
            for number in range(count):
                device = self.cloud.add_device(
                    name_of(kind, number), user, ptype=PTYPES[kind]
                )
                address = self.cloud.device_host, self.cloud.device_port
                thing = make(
                    kind, number, device, address, self.cloud.master_key(device)
                )
                self.things.append(thing)
                await self._devices.enter_async_context(thing.firmware)
        await until(lambda: all(self._last_active(thing) for thing in self.things))
        self.entry = await account_entry(self.hass, self.cloud, user.id)
        url = f"http://127.0.0.1:{self.proxy.port}"
        self.hass.config_entries.async_update_entry(
            self.entry, data={**self.entry.data, "url": url}
        )
        assert await self.hass.config_entries.async_setup(self.entry.entry_id)
        await self.settle()
        self._begin_to_follow()

    @override
    async def end(self) -> None:
        """Take everything down."""
        await self._dismiss_people()
        if hasattr(self, "entry"):
            await self.hass.config_entries.async_unload(self.entry.entry_id)
        await self._devices.aclose()
        await self.proxy.close()
        await self._close_cloud()

    # What may happen

    async def restart_cloud(self) -> None:
        """The cloud goes, with all its connections, and comes back with what it knew."""
        await self._close_cloud()
        await asyncio.sleep(0.02)
        await self._open_cloud()

    @override
    async def _lift(self) -> None:
        self.proxy.fault, self.proxy.delay = None, 0.0
        self.proxy.cut_after(None)
        self.proxy.thaw()
        await self.proxy.listen()

    # What has to be

    @override
    async def settle(self) -> None:
        """Let an interval of polling pass; then every state is right.

        What is counted are the rounds of questions, not seconds: how busy this machine is
        does not matter.
        """
        await self._are_heard()
        poller = self.entry.runtime_data.account.poller
        await until(lambda: poller._rests_until <= polling.monotonic())
        if poller._tasks:
            # What was asked in the outage ends by its deadline, a third of a real round
            # and five of these.
            await asyncio.wait(set(poller._tasks.values()))
        await self.refresh()
        begin = poller._rounds
        await until(lambda: not self.wrong() or poller._rounds > begin + ROUNDS)
        wrong = self.wrong()
        assert wrong == [], f"{wrong} after {poller._rounds - begin} rounds"

    @override
    async def refresh(self) -> None:
        """Read the list, as happens every minute."""
        await self.entry.runtime_data.account.async_refresh()

    async def _are_heard(self) -> None:
        """Let time pass at the cloud, and every device say something after that."""
        self._passed += 5
        heard = int(self._clock())
        for thing in self.things:
            if isinstance(thing.firmware, Firmware):
                await self.cloud.wait_online(thing.device)
        await until(
            lambda: all(self._last_active(thing) >= heard for thing in self.things)
        )

    def _last_active(self, thing: Thing) -> int:
        return self.cloud.store.devices[thing.device.id].last_active

    # How it works

    async def _open_cloud(self) -> None:
        http_port, device_port = self._ports
        self.cloud = LocalCloud(
            http_port=http_port,
            device_port=device_port,
            state_file=self._state_file,
            delivery_timeout=DELIVERY_TIMEOUT,
        )
        self._clock = lambda: time.time() + self._passed
        self._patch = patch.object(self.cloud.store.context, "clock", self._clock)
        self._patch.start()
        await self.cloud.start()
        http = int(self.cloud.http_url.rpartition(":")[2])
        self._ports = http, self.cloud.device_port
        self.proxy.upstream = http

    async def _close_cloud(self) -> None:
        await self.cloud.close()
        self._patch.stop()
