"""The floor of a posted datapoint: what nobody who writes it as a state can do without.

A server whose asyncio.Protocol splits lines, orjson, a bare sensor entity that writes its
state, and one acknowledgement per datapoint. No keys, no registry, no checks; and nothing is
kept, unless there is a file: then each is in SQLite before it is acknowledged.
"""

import asyncio
import logging
from pathlib import Path
import sqlite3
import sys
from typing import cast, override

import orjson

from bench.answering import answer
from bench.instances.home import StampingMeter, running_home
from bench.paths import LOOPBACK
from homeassistant.components.sensor import SensorEntity
from homeassistant.helpers.entity_component import EntityComponent

_LOGGER = logging.getLogger(__name__)


class FloorSensor(SensorEntity):
    """A sensor that has nothing but a state."""

    _attr_name = "Floor"
    _attr_should_poll = False


class Floor(asyncio.Protocol):
    """One connection that knows nothing but well-formed datapoints."""

    def __init__(
        self, sensor: FloorSensor, database: sqlite3.Connection | None
    ) -> None:
        """Write to this entity, and into the database first where there is one."""
        self._sensor = sensor
        self._database = database
        self._rest = b""
        self._transport: asyncio.Transport

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    @override
    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        acknowledgements = []
        for line in lines:
            frame = orjson.loads(line)
            value = frame["body"]["datapoint"]["x"]
            if self._database is not None:
                with self._database:
                    self._database.execute("INSERT INTO points VALUES (?)", (value,))
            self._sensor._attr_native_value = value  # noqa: SLF001 - as a floor may
            self._sensor.async_write_ha_state()
            acknowledgements.append(
                orjson.dumps(
                    {"status": 200, "nonce": frame["nonce"]},
                    option=orjson.OPT_APPEND_NEWLINE,
                )
            )
        self._transport.write(b"".join(acknowledgements))


def _open(path: Path) -> sqlite3.Connection:
    """Return a database that keeps what it keeps as local_cloud's does."""
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE points (x)")
    return database


async def main(folder: Path, *, keeps: bool) -> None:
    """Run until stdin ends."""
    async with running_home(folder) as hass:
        sensor = FloorSensor()
        sensors = EntityComponent[SensorEntity](_LOGGER, "sensor", hass)
        await sensors.async_add_entities([sensor])
        database = _open(folder / "floor.db") if keeps else None
        server = await hass.loop.create_server(
            lambda: Floor(sensor, database), LOOPBACK, 0
        )
        async with server:
            port = server.sockets[0].getsockname()[1]
            meter = StampingMeter(hass)
            await answer({"begin": meter.begin, "end": meter.end}, {"port": port})
            server.abort_clients()
        if database is not None:
            database.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), keeps=len(sys.argv) > 2))
