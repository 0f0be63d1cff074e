"""The lamp in Home Assistant: how it gets there, and how its state is followed."""

import asyncio
from typing import Any, Self

from .cloud import Cloud
from .errors import DemoError, deadline
from .session import Session

DOMAIN = "espcloud"
FLOW = "/api/config/config_entries/flow"
AREA = "living_room"  # Home Assistant's onboarding makes it


async def is_account_added(session: Session) -> bool:
    """Return whether an account of the cloud is there."""
    return bool(await session.call("config_entries/get", domain=DOMAIN))


async def add_account(session: Session, cloud: Cloud) -> None:
    """Add the account and its lamp, with what a person would type and choose."""
    result = await session.post(FLOW, {"handler": DOMAIN})
    if "flow_id" not in result:
        raise DemoError(f"the integration shows no form: {result}")
    server = {"url": cloud.url, "port": cloud.device_port}
    steps: list[tuple[str, dict[str, Any]]] = [
        (
            "user",
            {
                "email": cloud.email,
                "password": cloud.password,
                "server": {**server, "ssl": False, "verify_ssl": True},
            },
        ),
        ("device", {"next_step_id": "device_key"}),
        ("device_key", {"device_key": cloud.master_key}),
    ]
    for step, data in steps:
        if result.get("step_id") != step or result.get("errors"):
            break
        result = await session.post(f"{FLOW}/{result['flow_id']}", data)
    if result["type"] != "create_entry":
        reason = result.get("errors") or result.get("reason") or result.get("step_id")
        raise DemoError(f"the integration's form was not accepted: {reason}")


class Lamp:
    """The lamp's entity, with its state as Home Assistant's events tell it."""

    def __init__(
        self, session: Session, entry: dict[str, Any], events: asyncio.Queue[Any]
    ) -> None:
        """Take over a subscription; `find` makes it."""
        self.entity_id: str = entry["entity_id"]
        self._device_id: str = entry["device_id"]
        self._session = session
        self._events = events
        self._state = "missing"

    @classmethod
    async def find(cls, session: Session) -> Self:
        """Find the one light that the integration has made."""
        entries = await session.call("config/entity_registry/list")
        lights = [
            entry
            for entry in entries
            if entry["platform"] == DOMAIN and entry["entity_id"].startswith("light.")
        ]
        if len(lights) != 1:
            raise DemoError(f"expected one light of {DOMAIN}, found {len(lights)}")
        [light] = lights
        events = await session.subscribe(
            "subscribe_entities", entity_ids=[light["entity_id"]]
        )
        return cls(session, light, events)

    async def place(self) -> None:
        """Put the lamp into a room, and where the overview shows it at once."""
        await self._session.call(
            "config/device_registry/update", device_id=self._device_id, area_id=AREA
        )
        await self._session.call(
            "frontend/set_system_data",
            key="home",
            value={
                "favorite_entities": [self.entity_id],
                "hide_suggested_entities": True,
                "welcome_banner_dismissed": True,
            },
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
