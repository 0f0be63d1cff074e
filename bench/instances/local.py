"""A Home Assistant that is the cloud, with devices that were confirmed before."""

import asyncio
from pathlib import Path
import sys
from time import perf_counter
from typing import Any

from bench.answering import Answer, answer
from bench.instances.calls import time_calls, wait_for_entity
from bench.instances.costs import idle, memory
from bench.instances.home import LazyMeter, StampingMeter, add_entry, running_home
from custom_components.espcloud.const import (
    CONF_DEVICE_ID,
    CONF_KEY_HASH,
    CONF_KIND,
    CONF_SERIAL,
    DOMAIN,
    LOCAL_UNIQUE_ID,
    SUBENTRY_TYPE_LOCAL,
)
from custom_components.espcloud.entries import local_entry
from custom_components.espcloud.identity import key_hash
from homeassistant.config_entries import (
    SOURCE_INTEGRATION_DISCOVERY,
    ConfigSubentryData,
)
from homeassistant.const import CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.loader import async_get_integration
from homeassistant.setup import async_setup_component

# What Home Assistant's own parts take is not the integration's.
COMPONENTS = ("binary_sensor", "event", "light", "remote", "sensor", "switch", "update")


class Instance:
    """An instance in whose storage folder a database of the devices is."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Have no devices yet."""
        self._hass = hass

    async def load(self) -> Answer:
        """Import all that the integration needs, so that it is not taken for the devices'."""
        for domain in COMPONENTS:
            await async_setup_component(self._hass, domain, {})
        integration = await async_get_integration(self._hass, DOMAIN)
        await integration.async_get_component()
        await integration.async_get_platforms(["config_flow", *COMPONENTS])
        return {}

    async def add(self, port: int, devices: list[dict[str, Any]]) -> Answer:
        """Set the cloud up with the devices of its database, as if a person had confirmed them.

        Each has the `id`, `serial`, `name` and `master_key` of local_cloud's and a `kind`. Returns
        how long until Home Assistant may go on, in milliseconds.
        """
        begin = perf_counter()
        await add_entry(
            self._hass,
            DOMAIN,
            {CONF_PORT: port},
            [_subentry(device) for device in devices],
            unique_id=LOCAL_UNIQUE_ID,
        )
        return {"ms": (perf_counter() - begin) * 1000}

    async def start(self) -> Answer:
        """Set up what an instance before this one has stored."""
        await async_setup_component(self._hass, DOMAIN, {})
        return {}

    async def wait(self, connected: int) -> Answer:
        """Wait until exactly so many devices are connected."""
        entry = local_entry(self._hass)
        assert entry is not None
        # An event would have to be measured with everything else.
        while (  # noqa: ASYNC110 - as said
            sum(one.availability.connected for one in entry.runtime_data) != connected
        ):
            await asyncio.sleep(0.05)
        return {}

    async def call(self, count: int) -> Answer:
        """Switch the only switch; see `time_calls`."""
        switch = await wait_for_entity(self._hass, "switch", "on", "off")
        return await time_calls(self._hass, switch, count)

    async def entities(self) -> Answer:
        """Return how many entities there are, enabled and not, by their domains."""
        counts: dict[str, list[int]] = {}
        for entity in er.async_get(self._hass).entities.values():
            counts.setdefault(entity.domain, [0, 0])[entity.disabled] += 1
        return {"entities": counts}

    async def discovered(self, count: int) -> Answer:
        """Wait until so many devices are offered, and return how many are."""
        while (shown := self._discovered()) < count:  # noqa: ASYNC110 - as in `wait`
            await asyncio.sleep(0.2)
        return {"shown": shown}

    def _discovered(self) -> int:
        flows = self._hass.config_entries.flow.async_progress_by_handler(
            DOMAIN, match_context={"source": SOURCE_INTEGRATION_DISCOVERY}
        )
        return len(list(flows))


def _subentry(device: dict[str, Any]) -> ConfigSubentryData:
    hashed = key_hash(device["master_key"])
    return ConfigSubentryData(
        subentry_type=SUBENTRY_TYPE_LOCAL,
        unique_id=hashed,
        title=device["name"],
        data={
            CONF_DEVICE_ID: device["id"],
            CONF_SERIAL: device["serial"],
            CONF_KEY_HASH: hashed,
            CONF_KIND: device["kind"],
        },
    )


async def main(folder: Path) -> None:
    """Run until stdin ends."""
    async with running_home(folder) as hass:
        instance = Instance(hass)
        meter = LazyMeter(hass, StampingMeter)
        await answer(
            {
                "load": instance.load,
                "add": instance.add,
                "start": instance.start,
                "wait": instance.wait,
                "call": instance.call,
                "entities": instance.entities,
                "discovered": instance.discovered,
                "memory": memory,
                "idle": idle,
                "begin": meter.begin,
                "end": meter.end,
            },
            {},
        )


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
