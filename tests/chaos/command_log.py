"""What people sent, held against what Home Assistant did."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count

from custom_components.espcloud.const import DOMAIN
from homeassistant.exceptions import HomeAssistantError

from .instance import Instance, Lamp

ACTIONS = {"LED_ON": "on", "LED_OFF": "off", "emulate": None}
"""Some actions, and what they make of a light."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A command that was sent, and whether the cloud said that it was acknowledged."""

    n: str
    action: str
    acknowledged: bool


@dataclass(slots=True)
class CommandLog:
    """The commands sent to one lamp, one after the other.

    What was not acknowledged may have happened or not, since an answer can be lost on
    its way back; what was, has happened.
    """

    lamp: Lamp
    initial: str
    sent: list[Sent] = field(default_factory=list)

    async def send(self, instance: Instance, action: str) -> Sent:
        """Send a command from a phone and note what the cloud says."""
        n = str(len(self.sent))
        answer = await instance.press(self.lamp, action, n)
        return self._note(n, action, acknowledged=answer["status"] == 200)

    async def call(self, instance: Instance, action: str) -> Sent:
        """Send a command from Home Assistant and note whether that says it failed."""
        n = str(len(self.sent))
        data = {"entity_id": self.lamp.light, "action": action, "parameters": {"n": n}}
        try:
            await instance.hass.services.async_call(
                DOMAIN, "send_command", data, blocking=True
            )
        except HomeAssistantError:
            return self._note(n, action, acknowledged=False)
        return self._note(n, action, acknowledged=True)

    def _note(self, n: str, action: str, *, acknowledged: bool) -> Sent:
        self.sent.append(Sent(n, action, acknowledged))
        return self.sent[-1]

    @property
    def expected(self) -> str:
        """Return the state that the light has to have after what it was told."""
        actions = {sent.n: sent.action for sent in self.sent}
        states = [ACTIONS[actions[n]] for n in self.lamp.heard]
        return next((state for state in reversed(states) if state), self.initial)

    def check(self, instance: Instance) -> None:
        """Check that nothing was lost, invented, repeated or confused."""
        heard = self.lamp.heard
        places = {sent.n: place for place, sent in enumerate(self.sent)}
        lost = [sent for sent in self.sent if sent.acknowledged and sent.n not in heard]
        assert not lost, f"{self.lamp.light} lost {lost}, heard {heard}"
        assert heard == sorted(set(heard), key=places.__getitem__)
        state = instance.hass.states.get(self.lamp.light)
        assert state is not None
        assert state.state == self.expected


@asynccontextmanager
async def storm(instance: Instance) -> AsyncGenerator[list[CommandLog]]:
    """Have people press every lamp all the while."""
    logs = [CommandLog(lamp, "off") for lamp in instance.lamps]
    over = asyncio.Event()

    async def press(log: CommandLog) -> None:
        for number in count():
            await log.send(instance, ("LED_ON", "LED_OFF", "emulate")[number % 3])
            try:
                # A person's pause.
                async with asyncio.timeout(0.005):
                    await over.wait()
            except TimeoutError:
                continue
            return

    async with asyncio.TaskGroup() as people:
        for log in logs:
            people.create_task(press(log))
        yield logs
        over.set()


async def check(instance: Instance, logs: list[CommandLog]) -> None:
    """Check every lamp, once all are back and do as they are told."""
    await instance.all_connected()
    for log in logs:
        log.check(instance)
        assert (await log.send(instance, "LED_ON")).acknowledged
        log.check(instance)
