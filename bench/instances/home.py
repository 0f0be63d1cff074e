"""A Home Assistant core with nothing in it: no recorder, no web page."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
import gc
import logging
from pathlib import Path
import resource
import signal
from time import perf_counter, process_time
from types import MappingProxyType
from typing import Any, override

from bench.answering import Answer
from bench.errors import BenchError
from homeassistant import bootstrap, config_entries, loader
from homeassistant.config_entries import (
    ConfigEntry,
    ConfigEntryState,
    ConfigSubentryData,
)
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.core_config import async_process_ha_core_config
from homeassistant.setup import async_setup_component


@asynccontextmanager
async def running_home(folder: Path) -> AsyncIterator[HomeAssistant]:
    """Run a core, built as homeassistant.bootstrap builds it, with `folder` for its files."""
    logging.basicConfig(level=logging.WARNING)
    # Each connection of a device is an open file; Home Assistant's own start does this too.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    # Some integrations look whether they are configured there.
    (folder / "configuration.yaml").touch()
    hass = HomeAssistant(str(folder))
    loader.async_setup(hass)
    hass.config.skip_pip = True
    hass.config_entries = config_entries.ConfigEntries(hass, {})
    await loader.async_get_custom_components(hass)
    await bootstrap.async_load_base_functionality(hass)
    await async_process_ha_core_config(hass, {})
    # HTTP requests need to know the network.
    for domain in (*sorted(bootstrap.CORE_INTEGRATIONS), "network"):
        await async_setup_component(hass, domain, {})
    await hass.async_start()
    # The parent says "end" with a signal, as a person does.
    task = asyncio.current_task()
    assert task is not None
    hass.loop.add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        yield hass
    except asyncio.CancelledError:
        pass
    finally:
        await hass.async_stop(force=True)


async def add_entry(
    hass: HomeAssistant,
    domain: str,
    data: Mapping[str, Any],
    subentries: list[ConfigSubentryData],
    *,
    version: tuple[int, int] = (1, 1),
    unique_id: str | None = None,
) -> ConfigEntry:
    """Add a config entry as a finished flow does, which sets it up.

    Its unique id is the domain where none is given.
    """
    entry = ConfigEntry(
        data=data,
        discovery_keys=MappingProxyType({}),
        domain=domain,
        version=version[0],
        minor_version=version[1],
        options=None,
        source=config_entries.SOURCE_USER,
        subentries_data=subentries,
        title=domain,
        unique_id=unique_id or domain,
    )
    await hass.config_entries.async_add(entry)
    if entry.state is not ConfigEntryState.LOADED:
        raise BenchError(f"{domain} was not set up: {entry.reason}")
    return entry


class Meter:
    """Counts the states that are written, and measures what that costs this process."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Listen to every change of a state, as the recorder would."""
        self._written = 0
        self._wanted = 0
        self._reached = asyncio.Event()
        self._cpu = self._wall = 0.0
        hass.bus.async_listen(EVENT_STATE_CHANGED, self._async_count)

    async def begin(self, states: int) -> Answer:
        """Begin a measurement that ends when so many states are written."""
        gc.collect()
        self._written, self._wanted = 0, states
        self._reached.clear()
        self._cpu, self._wall = process_time(), perf_counter()
        return {}

    async def end(self) -> Answer:
        """Return what it took, in seconds, and how many states were written in the end."""
        await self._reached.wait()
        cpu, wall = process_time() - self._cpu, perf_counter() - self._wall
        # One more than expected would mean that something else was measured.
        await asyncio.sleep(0.05)
        return {"cpu": cpu, "wall": wall, "written": self._written}

    @callback
    def _async_count(self, _event: Event[EventStateChangedData]) -> None:
        self._written += 1
        if self._written == self._wanted:
            self._reached.set()


class StampingMeter(Meter):
    """Knows when each state was written as well, by the clock of `perf_counter`.

    That clock is one for all processes of a machine.
    """

    def __init__(self, hass: HomeAssistant) -> None:
        """Listen, as `Meter` does."""
        super().__init__(hass)
        self._written_at: list[float] = []

    @override
    async def begin(self, states: int) -> Answer:
        """Begin a measurement, as `Meter` does."""
        self._written_at = []
        return await super().begin(states)

    @override
    async def end(self) -> Answer:
        """Return what `Meter` does, and when each state was written as `written_at`."""
        return {**await super().end(), "written_at": self._written_at}

    @override
    @callback
    def _async_count(self, event: Event[EventStateChangedData]) -> None:
        self._written_at.append(perf_counter())
        super()._async_count(event)


class LazyMeter:
    """A meter that is made when it is needed: other measurements go without its listener."""

    def __init__(
        self, hass: HomeAssistant, make: Callable[[HomeAssistant], Meter]
    ) -> None:
        """Make it by `make`, once."""
        self._hass = hass
        self._make = make
        self._meter: Meter | None = None

    async def begin(self, states: int) -> Answer:
        """Begin, as the meter does."""
        self._meter = self._meter or self._make(self._hass)
        return await self._meter.begin(states)

    async def end(self) -> Answer:
        """End, as the meter does."""
        assert self._meter is not None
        return await self._meter.end()
