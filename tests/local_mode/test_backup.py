"""A backup of Home Assistant has the database whole."""

import asyncio
import shutil

from custom_components.espcloud import backup
from custom_components.espcloud.backends.local import database_path
from custom_components.espcloud.local_cloud import LocalCloud
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from tests.common import wait_for_state

from .home import Home


async def test_copy_has_what_was_there(hass: HomeAssistant, home: Home) -> None:
    """The file alone, copied while devices go on to post."""
    await home.set_up()
    await home.take_in("Plug", "plug")
    sensor = await home.add("Cellar", "tem_hum")
    await home.confirm("Cellar")
    assert await sensor.post() == 200
    await backup.async_pre_backup(hass)
    assert await sensor.post() == 200
    path = database_path(hass)
    copy = path.with_name("copy.db")
    await asyncio.to_thread(shutil.copyfile, path, copy)
    await backup.async_post_backup(hass)

    restored = LocalCloud(state_file=copy)
    await restored.start()
    names = {device.name for device in restored.store.devices.values()}
    assert names == {"Plug", "Cellar"}
    keys = {restored.master_key(each) for each in restored.store.devices.values()}
    assert keys == set(home.keys.values())
    (cellar,) = (
        each for each in restored.store.devices.values() if each.name == "Cellar"
    )
    (stream,) = restored.store.streams.of(cellar)
    assert stream.points == 1
    await restored.close()


async def test_restored_home(hass: HomeAssistant, home: Home) -> None:
    """Every device is back without being touched."""
    await home.set_up()
    await home.take_in("Plug", "plug")
    await backup.async_pre_backup(hass)
    path = database_path(hass)
    copy = path.with_name("copy.db")
    await asyncio.to_thread(shutil.copyfile, path, copy)
    await backup.async_post_backup(hass)
    await home.take_in("Lamp", "light")
    assert await hass.config_entries.async_unload(home.entry.entry_id)
    await asyncio.to_thread(shutil.copyfile, copy, path)
    assert await hass.config_entries.async_setup(home.entry.entry_id)
    await home.wait_available("Plug")
    # The backup's settings would not have this one; where they do, it comes back as well.
    await home.wait_available("Lamp")
    await wait_for_state(hass, "switch.plug", "off")


async def test_cloud_that_is_reloaded_meanwhile(
    hass: HomeAssistant, home: Home
) -> None:
    """It serves again, and the file stays as it is until the backup is over."""
    await home.set_up()
    sensor = await home.add("Cellar", "tem_hum")
    await home.confirm("Cellar")
    assert await sensor.post() == 200
    path = database_path(hass)
    await backup.async_pre_backup(hass)
    held = await asyncio.to_thread(path.read_bytes)
    for _ in range(2):
        assert await hass.config_entries.async_reload(home.entry.entry_id)
        assert await sensor.post() == 200
    assert await asyncio.to_thread(path.read_bytes) == held
    await backup.async_post_backup(hass)
    assert await hass.config_entries.async_unload(home.entry.entry_id)
    assert await asyncio.to_thread(path.read_bytes) != held
    assert await hass.config_entries.async_setup(home.entry.entry_id)
    (stream,) = home.entry.runtime_data.server._cloud.store.streams.streams.values()
    assert stream.points == 3


async def test_cloud_that_is_being_reloaded(hass: HomeAssistant, home: Home) -> None:
    """A backup that begins then holds the file of the one that comes."""
    await home.set_up()
    await home.take_in("Plug", "plug")
    path = database_path(hass)
    async with asyncio.TaskGroup() as group:
        group.create_task(hass.config_entries.async_reload(home.entry.entry_id))
        await asyncio.sleep(0)
        assert home.entry.state is not ConfigEntryState.LOADED
        await backup.async_pre_backup(hass)
        held = await asyncio.to_thread(path.read_bytes)
    assert home.entry.state is ConfigEntryState.LOADED
    await home.take_in("Lamp", "light")
    assert await hass.config_entries.async_unload(home.entry.entry_id)
    assert await asyncio.to_thread(path.read_bytes) == held
    await backup.async_post_backup(hass)


async def test_without_a_cloud(hass: HomeAssistant, home: Home) -> None:
    """There is nothing to hold still."""
    await backup.async_pre_backup(hass)
    await backup.async_post_backup(hass)
    await home.set_up()
    await hass.config_entries.async_unload(home.entry.entry_id)
    await backup.async_pre_backup(hass)
    await backup.async_post_backup(hass)
