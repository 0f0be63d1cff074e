"""The floor: what nobody who writes these states can do without.

An asyncio.Protocol that splits lines, orjson, a bare light and a bare event entity that
write their states, and one acknowledgement per command. No registry, no restoring, no
checks, no reconnecting.
"""

import asyncio
import logging
from pathlib import Path
import sys
from typing import cast, override

import orjson

from bench.answering import answer
from bench.instances.home import Meter, running_home
from homeassistant.components.event import EventEntity
from homeassistant.components.light import ColorMode, LightEntity
from homeassistant.helpers.entity_component import EntityComponent

_LOGGER = logging.getLogger(__name__)


class FloorLight(LightEntity):
    """A light that has nothing but a state."""

    _attr_name = "Floor"
    _attr_should_poll = False
    _attr_color_mode = ColorMode.ONOFF
    _attr_supported_color_modes = {ColorMode.ONOFF}


class FloorEvent(EventEntity):
    """The event entity beside it."""

    _attr_name = "Floor"
    _attr_should_poll = False
    _attr_event_types = ["turn_on", "turn_off"]

    def fire(self, action: str, parameters: dict[str, str]) -> None:
        """Write a command, with the attributes that espcloud writes."""
        self._trigger_event(
            "turn_on" if action == "LED_ON" else "turn_off",
            {"action": action, "parameters": parameters},
        )
        self.async_write_ha_state()


class Floor(asyncio.Protocol):
    """One connection that knows nothing but well-formed pushes."""

    def __init__(self, light: FloorLight, event: FloorEvent) -> None:
        """Write to these entities."""
        self._light = light
        self._event = event
        self._rest = b""
        self._transport: asyncio.Transport

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(
            b'{"nonce": 1, "path": "/v1/device/identify", "method": "GET"}\n'
        )

    @override
    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        acknowledgements = []
        for line in lines:
            frame = orjson.loads(line)
            if "get" not in frame:
                continue
            parameters = frame["get"]
            action = parameters.pop("action")
            self._light._attr_is_on = action == "LED_ON"  # noqa: SLF001 - as a floor may
            self._light.async_write_ha_state()
            self._event.fire(action, parameters)
            acknowledgements.append(
                orjson.dumps(
                    {"status": 200, "nonce": frame["nonce"], "deliver_to_device": True},
                    option=orjson.OPT_APPEND_NEWLINE,
                )
            )
        self._transport.write(b"".join(acknowledgements))


async def main(folder: Path, port: int) -> None:
    """Run until stdin ends; the pusher listens on `port`."""
    async with running_home(folder) as hass:
        light, event = FloorLight(), FloorEvent()
        lights = EntityComponent[LightEntity](_LOGGER, "light", hass)
        events = EntityComponent[EventEntity](_LOGGER, "event", hass)
        await lights.async_add_entities([light])
        await events.async_add_entities([event])
        transport, _ = await hass.loop.create_connection(
            lambda: Floor(light, event), "127.0.0.1", port
        )
        meter = Meter(hass)
        await answer({"begin": meter.begin, "end": meter.end}, {})
        transport.abort()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
