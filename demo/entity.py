"""Entities in Home Assistant: how they are found, followed and used."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Self

from .dialogs import DOMAIN
from .errors import DemoError, deadline
from .session import ANSWER_TIMEOUT, Session

AREA = "living_room"  # Home Assistant's onboarding makes it
GONE = ("missing", "unavailable")
# What a person looks at; events and connectivity are beside that.
SHOWN = ("light", "switch", "sensor")
FIND_TIMEOUT = 30


async def find_entities(session: Session) -> list[Entity]:
    """Return what the integration shows and nobody has disabled."""
    return [await Entity.follow(session, each) for each in await _entries(session)]


async def wait_for_entities(
    session: Session,
    wanted: Mapping[str, int],
    seconds: float = FIND_TIMEOUT,
    domains: Collection[str] = SHOWN,
) -> list[Entity]:
    """Return the entities of these devices, as soon as each has so many of them."""
    changes = await session.subscribe(
        "subscribe_events", event_type="entity_registry_updated"
    )
    async with deadline(seconds, f"the arrival of {', '.join(wanted)}"):
        while True:
            entries = [
                each
                for each in await _entries(session, domains)
                if each["device_name"] in wanted
            ]
            if Counter(wanted) <= Counter(each["device_name"] for each in entries):
                break
            await changes.get()
    return [await Entity.follow(session, each) for each in entries]


async def _entries(
    session: Session, domains: Collection[str] = SHOWN
) -> list[dict[str, Any]]:
    """Return the integration's entities in the registry, with their devices' names."""
    devices = await session.call("config/device_registry/list")
    names = {device["id"]: device["name"] for device in devices}
    return [
        # Killed, Home Assistant may have saved an entity, but not its device yet.
        entry | {"device_name": names.get(entry["device_id"], "")}
        for entry in await session.call("config/entity_registry/list")
        if entry["platform"] == DOMAIN
        and entry["entity_id"].partition(".")[0] in domains
        and not entry["disabled_by"]
    ]


async def show_on_overview(session: Session, entities: Iterable[Entity]) -> None:
    """Put entities where the overview shows them at once."""
    await session.call(
        "frontend/set_system_data",
        key="home",
        value={
            "favorite_entities": [each.entity_id for each in entities],
            "hide_suggested_entities": True,
            "welcome_banner_dismissed": True,
        },
    )


class Entity:
    """An entity, with its state as Home Assistant's events tell it."""

    def __init__(
        self, session: Session, entry: dict[str, Any], events: asyncio.Queue[Any]
    ) -> None:
        """Take over a subscription; `follow` makes it."""
        self.entity_id: str = entry["entity_id"]
        self.device_name: str = entry["device_name"]
        self.state = "missing"
        self.attributes: dict[str, Any] = {}
        self._device_id: str = entry["device_id"]
        self._session = session
        self._events = events

    @classmethod
    async def follow(cls, session: Session, entry: dict[str, Any]) -> Self:
        """Follow the state of an entity in the registry."""
        events = await session.subscribe(
            "subscribe_entities", entity_ids=[entry["entity_id"]]
        )
        return cls(session, entry, events)

    async def place(self) -> None:
        """Put its device into a room."""
        await self._session.call(
            "config/device_registry/update", device_id=self._device_id, area_id=AREA
        )

    async def call(
        self, service: str, *, seconds: float = ANSWER_TIMEOUT, **data: Any
    ) -> None:
        """Do what its button or dialog in the browser does, which may take `seconds`.

        Raises DemoError where Home Assistant says that it failed.
        """
        await self._session.call(
            "call_service",
            seconds=seconds,
            domain=self.entity_id.partition(".")[0],
            service=service,
            service_data=data,
            target={"entity_id": self.entity_id},
        )

    async def wait_for(self, *states: str, seconds: float) -> None:
        """Wait until it is in one of these states, without missing any between."""
        await self.wait_until(
            lambda entity: entity.state in states, " or ".join(states), seconds
        )

    async def wait_until_there(self, seconds: float) -> None:
        """Wait until it is available."""
        await self.wait_until(
            lambda entity: entity.state not in GONE, "available", seconds
        )

    async def wait_until(
        self, is_right: Callable[[Entity], bool], wanted: str, seconds: float
    ) -> None:
        """Wait until it is right, without missing any state between."""
        try:
            async with deadline(seconds, f"{self.entity_id} becoming {wanted}"):
                while not is_right(self):
                    self._follow(await self._events.get())
        except DemoError as err:
            raise DemoError(f"{err}; it is {self.state}") from err

    def _follow(self, event: dict[str, Any]) -> None:
        """Read one event of subscribe_entities: added, changed or removed."""
        if added := event.get("a"):
            self._take(added[self.entity_id])
        elif changed := event.get("c"):
            change = changed[self.entity_id]
            for name in change.get("-", {}).get("a", []):
                self.attributes.pop(name, None)
            self._take(change.get("+", {}))
        elif event.get("r"):
            self.state, self.attributes = "missing", {}

    def _take(self, news: Mapping[str, Any]) -> None:
        self.state = news.get("s", self.state)
        self.attributes |= news.get("a", {})
