"""Commands arrive all the while, whatever becomes of Home Assistant or the account."""

import pytest

from local_cloud import LocalCloud
from local_cloud.models import User

from .home import home_assistant
from .house import Doors, House, Phone
from .ledger import check, storm

LAMPS = 20


@pytest.mark.usefixtures("slow_platforms")
async def test_reloads(house: House) -> None:
    """A command that is acknowledged while the account comes or goes is not lost."""
    async with storm(house) as ledgers:
        for _ in range(5):
            assert await house.hass.config_entries.async_reload(house.entry.entry_id)
            await house.all_connected()
    await check(house, ledgers)


@pytest.mark.usefixtures("quick_retries")
async def test_connections_that_break(house: House) -> None:
    """A command that was acknowledged before its connection broke is not done again."""
    async with storm(house) as ledgers:
        for _ in range(5):
            await house.reconnect()
    await check(house, ledgers)


@pytest.mark.usefixtures("quick_retries")
async def test_devices_added_while_commands_arrive(house: House) -> None:
    """The first command of a new device is heard, however soon it comes."""
    (subentry_id, subentry), *_ = house.entry.subentries.items()
    async with storm(house) as ledgers:
        for _ in range(3):
            house.hass.config_entries.async_remove_subentry(house.entry, subentry_id)
            await house.cloud.wait_offline(ledgers[0].lamp.device)
            house.hass.config_entries.async_add_subentry(house.entry, subentry)
            await house.cloud.wait_online(ledgers[0].lamp.device)
            await house.all_connected()
    await check(house, ledgers)


@pytest.mark.usefixtures("hass_storage")
async def test_restarts_of_home_assistant(
    cloud: LocalCloud, user: User, doors: Doors, phone: Phone
) -> None:
    """What was acknowledged right before the end is there after it."""
    async with home_assistant() as hass:
        house = await House.build(hass, cloud, user, doors, phone, LAMPS)
        await house.set_up()
    for _ in range(4):
        async with storm(house) as ledgers, home_assistant() as hass:
            await house.move(hass)
            await house.all_connected()
        async with home_assistant() as hass:
            await house.move(hass)
            await check(house, ledgers)
            await house.press_all("LED_OFF")
            house.forget()
