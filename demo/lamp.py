"""A lamp in Home Assistant: how its state is followed, and how it is pressed."""

import asyncio
from collections.abc import Iterable
from typing import Any, Self

from .dialogs import DOMAIN
from .errors import DemoError, deadline
from .session import Session

AREA = "living_room"  # Home Assistant's onboarding makes it
CONNECTED = ("unknown", "on", "off")  # it is unavailable until then
FIND_TIMEOUT = 30


async def find_lamps(session: Session) -> list[Lamp]:
    """Return the integration's lights that are enabled."""
    return [await Lamp.follow(session, e) for e in (await _lights(session)).values()]


async def wait_for_lamps(session: Session, names: Iterable[str]) -> list[Lamp]:
    """Return the lamps of these devices, as soon as all of them are there."""
    wanted = list(names)
    changes = await session.subscribe(
        "subscribe_events", event_type="entity_registry_updated"
    )
    async with deadline(FIND_TIMEOUT, f"the arrival of {', '.join(wanted)}"):
        while not set(wanted) <= (lights := await _lights(session)).keys():
            await changes.get()
    return [await Lamp.follow(session, lights[name]) for name in wanted]


async def _lights(session: Session) -> dict[str, dict[str, Any]]:
    """Return the integration's lights in the registry, by the names of their devices."""
    devices = await session.call("config/device_registry/list")
    names = {device["id"]: device["name"] for device in devices}
    return {
        names[entry["device_id"]]: entry | {"device_name": names[entry["device_id"]]}
        for entry in await session.call("config/entity_registry/list")
        if entry["platform"] == DOMAIN
        and entry["entity_id"].startswith("light.")
        and not entry["disabled_by"]
    }


async def show_on_overview(session: Session, lamps: Iterable[Lamp]) -> None:
    """Put lamps where the overview shows them at once."""
    await session.call(
        "frontend/set_system_data",
        key="home",
        value={
            "favorite_entities": [lamp.entity_id for lamp in lamps],
            "hide_suggested_entities": True,
            "welcome_banner_dismissed": True,
        },
    )


class Lamp:
    """The lamp's entity, with its state as Home Assistant's events tell it."""

    def __init__(
        self, session: Session, entry: dict[str, Any], events: asyncio.Queue[Any]
    ) -> None:
        """Take over a subscription; `follow` makes it."""
        self.entity_id: str = entry["entity_id"]
        self.device_name: str = entry["device_name"]
        self._device_id: str = entry["device_id"]
        self._session = session
        self._events = events
        self._state = "missing"

    @classmethod
    async def follow(cls, session: Session, entry: dict[str, Any]) -> Self:
        """Follow the state of an entity in the registry."""
        events = await session.subscribe(
            "subscribe_entities", entity_ids=[entry["entity_id"]]
        )
        return cls(session, entry, events)

    async def place(self) -> None:
        """Put the lamp into a room."""
        await self._session.call(
            "config/device_registry/update", device_id=self._device_id, area_id=AREA
        )

    async def press(self, service: str) -> None:
        """Do what pressing the lamp in the browser does."""
        await self._session.call(
            "call_service",
            domain="light",
            service=service,
            target={"entity_id": self.entity_id},
        )

    async def wait_for(self, *states: str, seconds: float) -> None:
        """Wait until the lamp is in one of these states, without missing any between."""
        wanted = " or ".join(states)
        try:
            async with deadline(seconds, f"{self.entity_id} becoming {wanted}"):
                while self._state not in states:
                    self._follow(await self._events.get())
        except DemoError as err:
            raise DemoError(f"{err}; it is {self._state}") from err

    def _follow(self, event: dict[str, Any]) -> None:
        """Read one event of subscribe_entities: added, changed or removed."""
        if added := event.get("a"):
            self._state = added[self.entity_id]["s"]
        elif changed := event.get("c"):
            self._state = changed[self.entity_id].get("+", {}).get("s", self._state)
        elif event.get("r"):
            self._state = "missing"
