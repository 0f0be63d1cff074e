"""Home Assistant's own MQTT light or switch, found by discovery."""

import asyncio
from pathlib import Path
import sys

from bench.answering import Answer, answer
from bench.instances.calls import time_calls, wait_for_entity
from bench.instances.home import Meter, add_entry, running_home
from bench.paths import LOOPBACK
from homeassistant.setup import async_setup_component


async def main(folder: Path, broker_port: int, http_port: int, domain: str) -> None:
    """Run until stdin ends; the lamp has announced itself to the broker already."""
    async with running_home(folder) as hass:
        # MQTT depends on the web server, which nobody visits here.
        http = {"server_host": [LOOPBACK], "server_port": http_port}
        await async_setup_component(hass, "http", {"http": http})
        data = {"broker": LOOPBACK, "port": broker_port}
        await add_entry(hass, "mqtt", data, [], version=(2, 1))
        # The lamp's retained state arrives once Home Assistant has subscribed to it.
        entity_id = await wait_for_entity(hass, domain, "off")
        meter = Meter(hass)

        async def call(count: int) -> Answer:
            return await time_calls(hass, entity_id, count)

        await answer({"begin": meter.begin, "end": meter.end, "call": call}, {})


if __name__ == "__main__":
    asyncio.run(
        main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
    )
