"""Each automation of the README acts on what it is about, and never by itself."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
import re
import shutil
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.espcloud.const import GRACE_TIME
from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device, User
from homeassistant.components.automation import DOMAIN as AUTOMATION
from homeassistant.const import EVENT_CALL_SERVICE
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import parse_yaml

from .chaos.home import home_assistant
from .chaos.proxy import ChaosProxy
from .common import (
    account_entry,
    let_time_pass,
    send_command,
    wait_for_coordinator,
    wait_for_state,
)
from .packaging.paths import CHECKOUT
from .test_blueprint import BLUEPRINT

LIGHT = "light.desk_lamp"
EVENT = "event.desk_lamp_command"
CONNECTIVITY = "binary_sensor.desk_lamp_connectivity"
BELL = "binary_sensor.door_bell"
COMPONENTS = ("binary_sensor", "event", "light", "persistent_notification", "scene")
CEILING = {"entity_id": ["light.ceiling"]}

type Example = dict[str, Any]
type Call = tuple[str, dict[str, Any]]


def examples(readme: str) -> list[Example]:
    """Return the automations of a README."""
    content = (CHECKOUT / readme).read_text("utf-8")
    blocks = re.findall(r"^```yaml\n(.*?)^```$", content, re.MULTILINE | re.DOTALL)
    return [dict(parse_yaml(block)) for block in blocks]


EXAMPLES: dict[str, Example] = {
    **{example["alias"]: example for example in examples("README.md")},
    "The blueprint": {
        "use_blueprint": {
            "path": "espcloud/command_arrives.yaml",
            "input": {
                "command": EVENT,
                "action_name": "DIM",
                "do": [{"action": "light.turn_off", "target": CEILING}],
            },
        }
    },
}


class Instance:
    """A Home Assistant with an account and one automation, over restarts.

    Attributes:
        done: the actions that were called since the last look, and with what.
    """

    def __init__(
        self,
        cloud: LocalCloud,
        device: Device,
        proxy: ChaosProxy,
        folder: Path,
        example: Example,
    ) -> None:
        """Prepare; `running` starts it."""
        self.done: list[Call] = []
        self.hass: HomeAssistant
        self._entry: MockConfigEntry
        self._cloud = cloud
        self._device = device
        self._proxy = proxy
        self._folder = folder
        self._example = example

    @asynccontextmanager
    async def running(
        self, make_entry: Callable[[HomeAssistant], Awaitable[MockConfigEntry]]
    ) -> AsyncGenerator[None]:
        """Run from start to stop, with the automation there before the account is."""
        async with home_assistant() as hass:
            self.hass = hass
            hass.config.config_dir = str(self._folder)
            for component in COMPONENTS:
                assert await async_setup_component(hass, component, {})
            hass.states.async_set(BELL, "off")
            hass.bus.async_listen(EVENT_CALL_SERVICE, self._note)
            config = {AUTOMATION: self._example}
            assert await async_setup_component(hass, AUTOMATION, config)
            await hass.async_block_till_done()
            self._entry = await make_entry(hass)
            assert await hass.config_entries.async_setup(self._entry.entry_id)
            await hass.async_block_till_done()
            yield

    async def same_entry(self, hass: HomeAssistant) -> MockConfigEntry:
        """Return the account of the last run for this one."""
        old = self._entry
        entry = MockConfigEntry(
            domain=old.domain,
            title=old.title,
            entry_id=old.entry_id,
            unique_id=old.unique_id,
            data=old.data,
            subentries_data=[each.as_dict() for each in old.subentries.values()],
        )
        entry.add_to_hass(hass)
        return entry

    async def connected(self) -> None:
        """Wait until the device is there, and the automation has done what it does."""
        await wait_for_state(self.hass, CONNECTIVITY, "on")
        await self.hass.async_block_till_done()

    async def send(self, action: str, **parameters: str) -> None:
        """Send a command as the app does."""
        answer = await send_command(self._cloud, self._device, action, **parameters)
        assert answer["status"] == 200
        await self.hass.async_block_till_done()

    async def ring(self) -> None:
        """Press the button of the door bell, which then goes away and comes back."""
        for state in ("on", "off", "unavailable", "on", "off"):
            self.hass.states.async_set(BELL, state)
            await self.hass.async_block_till_done()

    async def cut_off(self, seconds: float) -> None:
        """Lose the way to the cloud for so long."""
        (coordinator,) = self._entry.runtime_data.virtual.coordinators.values()
        self._proxy.refuse()
        self._proxy.sever()
        await wait_for_coordinator(
            coordinator, lambda it: not it.availability.connected
        )
        await let_time_pass(self.hass, GRACE_TIME + 1)
        assert self.hass.states.get(LIGHT).state == "unavailable"
        await let_time_pass(self.hass, seconds)
        await self.find_back()

    async def find_back(self) -> None:
        """Let the way be free again, and connect."""
        await self._proxy.listen()
        await let_time_pass(self.hass, 60)
        await self.connected()

    async def reload(self) -> None:
        """Reload the account."""
        assert await self.hass.config_entries.async_reload(self._entry.entry_id)
        await self.connected()

    def refuse(self) -> None:
        """Leave no way to the cloud."""
        self._proxy.refuse()

    @callback
    def _note(self, event: Event) -> None:
        called = f"{event.data['domain']}.{event.data['service']}"
        self.done.append((called, dict(event.data["service_data"])))

    def take_done(self) -> list[Call]:
        """Return what was done, and forget it."""
        done, self.done = self.done, []
        return done


async def follow(instance: Instance) -> list[Call]:
    """Switch the lamp at the cloud."""
    await instance.send("LED_ON")
    await instance.send("MOVIE_TIME")
    await instance.send("LED_OFF")
    await instance.send("LED_ON")
    return [
        ("light.turn_on", CEILING),
        ("light.turn_off", CEILING),
        ("light.turn_on", CEILING),
    ]


async def watch(instance: Instance) -> list[Call]:
    """Ask for the movie."""
    await instance.send("LED_ON")
    await instance.send("MOVIE_TIME")
    return [("scene.turn_on", {"entity_id": ["scene.movie"]})]


async def dim(instance: Instance) -> list[Call]:
    """Ask for a brightness, and for the usual one."""
    await instance.send("LED_ON")
    await instance.send("DIM", level="30")
    await instance.send("DIM")
    return [
        ("light.turn_on", {**CEILING, "brightness_pct": 30}),
        ("light.turn_on", {**CEILING, "brightness_pct": 100}),
    ]


async def blink(instance: Instance) -> list[Call]:
    """Ring."""
    await instance.ring()
    assert instance.hass.states.get(EVENT).attributes["action"] == "BLINK"
    return [
        (
            "espcloud.send_command",
            {"entity_id": [LIGHT], "action": "BLINK", "parameters": {"times": 3}},
        )
    ]


async def lose(instance: Instance) -> list[Call]:
    """Have no cloud for longer than five minutes."""
    await instance.cut_off(301)
    message = "The desk lamp has lost the cloud."
    return [("persistent_notification.create", {"message": message})]


async def dim_with_the_blueprint(instance: Instance) -> list[Call]:
    """Send the action that it was given."""
    await instance.send("LED_ON")
    await instance.send("DIM", level="30")
    return [("light.turn_off", CEILING)]


# What each of them is about, and what it has to do then.
CAUSES: dict[str, Callable[[Instance], Awaitable[list[Call]]]] = {
    "The ceiling follows the cloud": follow,
    "Movie time, from anywhere": watch,
    "Dim by command": dim,
    "Blink when the door bell rings": blink,
    "Tell me when the cloud is gone": lose,
    "The blueprint": dim_with_the_blueprint,
}


def test_every_example_is_tried() -> None:
    """And is the same in both languages, but for its texts."""
    assert EXAMPLES.keys() == CAUSES.keys()

    def without_texts(readme: str) -> list[str]:
        return [
            re.sub(r"'(alias|message)': '[^']*'", "", str(each))
            for each in examples(readme)
        ]

    assert without_texts("README.md") == without_texts("README.zh-CN.md")


@pytest.mark.usefixtures("hass_storage")
@pytest.mark.parametrize("name", EXAMPLES)
async def test_example_acts_on_its_cause_alone(
    cloud: LocalCloud, user: User, device: Device, tmp_path: Path, name: str
) -> None:
    """Neither an outage nor a reload nor a restart is one."""
    folder = tmp_path / "blueprints" / "automation" / "espcloud"
    folder.mkdir(parents=True)
    shutil.copy(BLUEPRINT, folder)
    proxy = ChaosProxy(cloud.device_port)
    await proxy.start()
    instance = Instance(cloud, device, proxy, tmp_path, EXAMPLES[name])
    happens = CAUSES[name]

    async def new_entry(hass: HomeAssistant) -> MockConfigEntry:
        entry = await account_entry(hass, cloud, user.id, device)
        data = {**entry.data, "port": proxy.port}
        hass.config_entries.async_update_entry(entry, data=data)
        (subentry,) = entry.subentries.values()
        actions = {**subentry.data, "actions": ["MOVIE_TIME", "DIM"]}
        hass.config_entries.async_update_subentry(entry, subentry, data=actions)
        return entry

    async with instance.running(new_entry):
        await instance.connected()
        assert instance.take_done() == []
        assert await happens(instance) == instance.take_done()
        await instance.cut_off(60)
        assert instance.take_done() == []
        await instance.reload()
        assert instance.take_done() == []
        assert await happens(instance) == instance.take_done()
    async with instance.running(instance.same_entry):
        await instance.connected()
        assert instance.take_done() == []
        assert await happens(instance) == instance.take_done()
    # A start in the middle of an outage.
    instance.refuse()
    async with instance.running(instance.same_entry):
        await let_time_pass(instance.hass, 60)
        await instance.find_back()
        assert instance.take_done() == []
        assert await happens(instance) == instance.take_done()
    await proxy.close()
