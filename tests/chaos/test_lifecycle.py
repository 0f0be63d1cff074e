"""Commands arrive all the while, whatever becomes of Home Assistant or the account."""

import pytest

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import User

from .command_log import check, storm
from .home import home_assistant
from .instance import Instance, Phone, Proxies

LAMPS = 20


@pytest.mark.usefixtures("slow_platforms")
async def test_reloads(instance: Instance) -> None:
    """A command that is acknowledged while the account comes or goes is not lost."""
    async with storm(instance) as logs:
        for _ in range(5):
            assert await instance.hass.config_entries.async_reload(
                instance.entry.entry_id
            )
            await instance.all_connected()
    await check(instance, logs)


@pytest.mark.usefixtures("quick_retries")
async def test_connections_that_break(instance: Instance) -> None:
    """A command that was acknowledged before its connection broke is not done again."""
    async with storm(instance) as logs:
        for _ in range(5):
            await instance.reconnect()
    await check(instance, logs)


@pytest.mark.usefixtures("quick_retries")
async def test_devices_added_while_commands_arrive(instance: Instance) -> None:
    """The first command of a new device is heard, however soon it comes."""
    (subentry_id, subentry), *_ = instance.entry.subentries.items()
    async with storm(instance) as logs:
        for _ in range(3):
            instance.hass.config_entries.async_remove_subentry(
                instance.entry, subentry_id
            )
            await instance.cloud.wait_offline(logs[0].lamp.device)
            instance.hass.config_entries.async_add_subentry(instance.entry, subentry)
            await instance.cloud.wait_online(logs[0].lamp.device)
            await instance.all_connected()
    # A device that was removed is a new one: what it was told before is forgotten.
    await logs[0].send(instance, "LED_ON")
    await check(instance, logs)


@pytest.mark.usefixtures("hass_storage")
async def test_restarts_of_home_assistant(
    cloud: LocalCloud, user: User, proxies: Proxies, phone: Phone
) -> None:
    """What was acknowledged right before the end is there after it."""
    async with home_assistant() as hass:
        instance = await Instance.build(hass, cloud, user, proxies, phone, LAMPS)
        await instance.set_up()
    for _ in range(4):
        async with storm(instance) as logs, home_assistant() as hass:
            await instance.move(hass)
            await instance.all_connected()
        async with home_assistant() as hass:
            await instance.move(hass)
            await check(instance, logs)
            await instance.press_all("LED_OFF")
            instance.forget()
