"""espcloud, with as many devices as it is given."""

import asyncio
from importlib import import_module
from pathlib import Path
import sys
from time import perf_counter
from typing import TYPE_CHECKING, Any

import aiohttp

from bench.answering import Answer, answer
from bench.instances.attempts import Attempts
from bench.instances.calls import time_calls, wait_for_entity, wait_for_light
from bench.instances.costs import idle, memory
from bench.instances.home import LazyMeter, Meter, add_entry, running_home
from homeassistant.config_entries import ConfigEntry, ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.loader import async_get_integration
from homeassistant.setup import async_setup_component

if TYPE_CHECKING:
    from custom_components.espcloud.devices import EspCloudDevices

DOMAIN = "espcloud"
# Home Assistant's own parts that ours build on. Every instance loads them: these are among
# its default integrations, and another of those, backup, has a coordinator.
PLATFORMS = ("binary_sensor", "event", "light")
# Pushes a second, and at once, beyond what any row sends.
RAISED = 10_000_000


class Instance:
    """An instance whose lamps hang on the cloud."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Know nothing of any account yet."""
        self._hass = hass
        self._entry: ConfigEntry[EspCloudDevices]
        self._attempts = Attempts()
        self._requests = 0
        self._trace: aiohttp.TraceConfig | None = None
        self._light = ""

    async def load(self) -> Answer:
        """Import the integration; return how long that took, in milliseconds.

        Home Assistant's own parts that the platforms build on are imported before.
        """
        for domain in PLATFORMS:
            await async_setup_component(self._hass, domain, {})
        import_module("homeassistant.helpers.update_coordinator")
        async_get_clientsession(self._hass)
        begin = perf_counter()
        integration = await async_get_integration(self._hass, DOMAIN)
        await integration.async_get_component()
        await integration.async_get_platforms(["config_flow", *PLATFORMS])
        return {"ms": (perf_counter() - begin) * 1000}

    async def add(self, account: dict[str, Any], *, virtual: bool = True) -> Answer:
        """Set an account up; return how long until Home Assistant may go on, in ms.

        Home Assistant takes the devices' places, or shows them as they are.
        """
        self._attempts.watch(account["port"])
        _raise_push_limits()
        begin = perf_counter()
        self._entry = await add_entry(
            self._hass,
            DOMAIN,
            {
                **{
                    name: account[name]
                    for name in ("url", "port", "email", "user_id", "user_key")
                },
                "ssl": False,
                "verify_ssl": True,
            },
            [_subentry(device) for device in account["devices"] if virtual],
        )
        return {"ms": (perf_counter() - begin) * 1000}

    async def wait(self, connected: int) -> Answer:
        """Wait until exactly so many devices are connected; return the seconds it took."""
        begin = perf_counter()
        devices = self._entry.runtime_data
        # An event would have to be measured with everything else.
        while (  # noqa: ASYNC110 - as said
            sum(one.availability.connected for one in devices) != connected
        ):
            await asyncio.sleep(0.05)
        return {"seconds": perf_counter() - begin}

    async def attempts(self) -> Answer:
        """Return the most connection attempts within any second, and forget them."""
        return {"per_second": self._attempts.take_peak()}

    async def call(self, count: int) -> Answer:
        """Switch the light; see `time_calls`."""
        light = await wait_for_light(self._hass, "on", "off", "unknown")
        return await time_calls(self._hass, light, count)

    async def known(self, switches: int) -> Answer:
        """Wait until so many switches have said how they are."""
        while (  # noqa: ASYNC110 - as in `wait`
            sum(
                state.state in ("on", "off")
                for state in self._hass.states.async_all("switch")
            )
            < switches
        ):
            await asyncio.sleep(0.5)
        return {}

    async def switch(self, count: int) -> Answer:
        """Switch one of the switches; see `time_calls`."""
        switch = await wait_for_entity(self._hass, "switch", "off")
        return await time_calls(self._hass, switch, count)

    async def count_requests(self) -> Answer:
        """Return how many HTTP requests were made since this was asked last."""
        if self._trace is None:
            self._trace = aiohttp.TraceConfig()
            self._trace.on_request_start.append(self._note_request)
            self._trace.freeze()
            session = async_get_clientsession(self._hass)
            session.trace_configs.append(self._trace)
        count, self._requests = self._requests, 0
        return {"requests": count}

    async def _note_request(self, *_: object) -> None:
        self._requests += 1


def _raise_push_limits() -> None:
    """Let accounts to come carry out whatever comes; each push is counted as ever.

    Imported here, since `load` measures how long the import takes.
    """
    account = import_module(f"custom_components.{DOMAIN}.backends.cloud_account")
    push_limits = import_module(f"custom_components.{DOMAIN}.cloud").PushLimits
    account.PUSH_LIMITS = push_limits(  # type: ignore[attr-defined]  # a module's
        device_rate=RAISED,
        device_burst=RAISED,
        account_rate=RAISED,
        account_burst=RAISED,
        flood_rate=RAISED,
    )


def _subentry(device: dict[str, Any]) -> ConfigSubentryData:
    return ConfigSubentryData(
        subentry_type="device",
        unique_id=str(device["id"]),
        title=device["name"],
        data={
            "device_id": device["id"],
            "device_key": device["master_key"],
            "serial": device["serial"],
            "turn_on_action": "LED_ON",
            "turn_off_action": "LED_OFF",
        },
    )


async def main(folder: Path) -> None:
    """Run until stdin ends."""
    async with running_home(folder) as hass:
        instance = Instance(hass)
        meter = LazyMeter(hass, Meter)
        await answer(
            {
                "load": instance.load,
                "add": instance.add,
                "wait": instance.wait,
                "attempts": instance.attempts,
                "memory": memory,
                "idle": idle,
                "call": instance.call,
                "known": instance.known,
                "switch": instance.switch,
                "count_requests": instance.count_requests,
                "begin": meter.begin,
                "end": meter.end,
            },
            {},
        )


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
