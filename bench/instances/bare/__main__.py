"""A Home Assistant with bare devices and entities, to compare others with."""

import asyncio
from pathlib import Path
import sys

from bench.answering import Answer, answer
from bench.instances.bare import DOMAIN, Counts
from bench.instances.costs import idle, memory
from bench.instances.home import add_entry, running_home
from homeassistant.core import HomeAssistant
from homeassistant.loader import DATA_INTEGRATIONS, Integration, Manifest
from homeassistant.setup import async_setup_component


async def main(folder: Path) -> None:
    """Run until stdin ends."""
    async with running_home(folder) as hass:

        async def add(entities: dict[str, list[int]]) -> Answer:
            """Add so many entities of each domain: how many are enabled, and are not."""
            hass.data[DOMAIN] = {
                domain: Counts(enabled, enabled + disabled)
                for domain, (enabled, disabled) in entities.items()
            }
            await add_entry(hass, DOMAIN, {}, [])
            await hass.async_block_till_done()
            return {}

        async def load(domains: list[str]) -> Answer:
            """Import what is needed for entities of these domains."""
            for domain in domains:
                await async_setup_component(hass, domain, {})
            await _integration(hass).async_get_platforms(domains)
            return {}

        await answer({"load": load, "add": add, "memory": memory, "idle": idle}, {})


def _integration(hass: HomeAssistant) -> Integration:
    """Make the integration known, which is in no folder of Home Assistant's."""
    folder = Path(__file__).parent
    integration = Integration(
        hass,
        "bench.instances.bare",
        folder,
        Manifest(domain=DOMAIN, name="Bare", version="1.0.0"),
        {each.name for each in folder.iterdir()},
    )
    hass.data[DATA_INTEGRATIONS][DOMAIN] = integration
    return integration


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
