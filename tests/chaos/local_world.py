"""Twenty simulated devices, a Home Assistant that is their cloud, and a bad network between them."""

from collections import Counter
from typing import Any, override
from unittest.mock import patch

from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.espcloud.backends.local import LocalAccount
from custom_components.espcloud.const import CONF_KIND, DOMAIN
from custom_components.espcloud.kinds import catalog
from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_hardware import LocalHardware
from homeassistant.core import HomeAssistant

from .hardware_base import World, until
from .hardware_things import NUMBERS, make, name_of
from .proxy import ChaosProxy

KINDS = {
    "plug": catalog.PLUG,
    "light": catalog.OLD_LIGHT,
    "light_nonos": catalog.OLD_LIGHT,
    "light_new": catalog.NEW_LIGHT,
    "strip": catalog.STRIP,
    "self_made": catalog.RPC,
    "tem_hum": catalog.TEM_HUM,
}
ANSWERS = 3
"""Answers of a device after which its state has to be right: one may have been on its way, and one
may be worth nothing because a light was still on its way to a color."""


class LocalWorld(World):
    """The devices connect through a proxy to the server in Home Assistant."""

    def __init__(self, hass: HomeAssistant, port: int) -> None:
        """Use `begin` to make it; `port` is the device port."""
        super().__init__(hass, ChaosProxy(port))
        self._port = port
        self._answers = Counter[int]()
        self._counting = patch.object(LocalAccount, "async_read", self._count())

    @override
    def hold_answers(self) -> None:
        # It is the devices that answer.
        self.proxy.freeze(down=False)

    @override
    async def begin(self) -> None:
        self._counting.start()
        await self.proxy.start()
        self.entry = MockConfigEntry(
            domain=DOMAIN, unique_id="local", data={"port": self._port}
        )
        self.entry.add_to_hass(self.hass)
        assert await self.hass.config_entries.async_setup(self.entry.entry_id)
        for kind, count in NUMBERS.items():
            for number in range(count):
                await self._add(kind, number)
        await self.settle()
        self._begin_to_follow()

    @override
    async def end(self) -> None:
        await self._dismiss_people()
        await self.hass.config_entries.async_unload(self.entry.entry_id)
        await self._devices.aclose()
        await self.proxy.close()
        self._counting.stop()

    async def _add(self, kind: str, number: int) -> None:
        """Have a person make a device and program it."""
        hardware = self.entry.runtime_data.hardware
        assert isinstance(hardware, LocalHardware)
        name = name_of(kind, number)
        key = f"{len(self.things):040x}"
        owned = await hardware.account.async_make_device(name, KINDS[kind], key)
        hardware.async_add_subentry(owned, {CONF_KIND: KINDS[kind]})
        device = self.cloud.store.devices[owned.device.id]
        address = ("127.0.0.1", self.proxy.port)
        thing = make(kind, number, device, address, key)
        self.things.append(thing)
        await self._devices.enter_async_context(thing.firmware)

    @property
    def cloud(self) -> LocalCloud:
        """The server that runs now."""
        cloud: LocalCloud = self.entry.runtime_data.server._cloud
        return cloud

    # What may happen

    async def reload(self) -> None:
        """The entry goes, with the server and all connections, and comes back."""
        assert await self.hass.config_entries.async_reload(self.entry.entry_id)

    @override
    async def _lift(self) -> None:
        self.proxy.delay = 0.0
        self.proxy.cut_after(None)
        self.proxy.thaw()
        if self.proxy.fault is not None:
            self.proxy.fault = None
            # Whoever is held by it would not find out for as long as it is patient.
            self.proxy.sever()
        await self.proxy.listen()
        for thing in self.things:
            if not thing.firmware.is_on:
                thing.firmware.power_on()

    # What has to be

    @override
    async def settle(self) -> None:
        """Let every device whose state is not right answer a few times; then it is.

        What is counted are answers, not seconds: how busy this machine is does not matter.
        """
        begin = self._answered()

        def is_over() -> bool:
            now = self._answered()
            return all(
                self._is_right(thing)
                or now[thing.device.id] >= begin[thing.device.id] + ANSWERS
                for thing in self.things
            )

        await until(is_over)
        wrong = self.wrong()
        assert wrong == [], f"{wrong} after {ANSWERS} answers"

    @override
    async def refresh(self) -> None:
        await self.entry.runtime_data.account.async_refresh()

    def _answered(self) -> Counter[int]:
        """Return how often each device has said how it is."""
        posts = {
            thing.device.id: thing.firmware.statuses.count(200)
            for thing in self.things
            if thing.kind == "tem_hum"
        }
        return self._answers + Counter(posts)

    def _count(self) -> Any:
        """Return what counts the questions that a device has answered, and asks them."""
        read, answers = LocalAccount.async_read, self._answers

        async def counting(
            account: LocalAccount, device_id: int, stream: str, **more: Any
        ) -> Any:
            answer = await read(account, device_id, stream, **more)
            answers[device_id] += 1
            return answer

        return counting
