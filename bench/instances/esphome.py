"""Home Assistant's own ESPHome integration, with one switch."""

import asyncio
from pathlib import Path
import sys

from bench.answering import Answer, answer
from bench.instances.calls import time_calls, wait_for_entity
from bench.instances.home import add_entry, running_home
from bench.paths import LOOPBACK
from homeassistant.setup import async_setup_component

# What it depends on for other devices than a switch: voices, and what hears Bluetooth.
UNUSED = ("assist_pipeline",)


async def main(folder: Path, port: int, mac: str, http_port: int) -> None:
    """Run until stdin ends; the device of this address listens on `port`."""
    async with running_home(folder) as hass:
        http = {"server_host": [LOOPBACK], "server_port": http_port}
        await async_setup_component(hass, "http", {"http": http})
        hass.config.components.update(UNUSED)
        # It is asked for its version, and not used.
        await async_setup_component(hass, "ffmpeg", {"ffmpeg": {"ffmpeg_bin": "true"}})
        data = {"host": LOOPBACK, "port": port, "password": "", "noise_psk": ""}
        await add_entry(hass, "esphome", data, [], unique_id=mac)
        entity_id = await wait_for_entity(hass, "switch", "off")

        async def call(count: int) -> Answer:
            return await time_calls(hass, entity_id, count)

        await answer({"call": call}, {})


if __name__ == "__main__":
    asyncio.run(
        main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
    )
