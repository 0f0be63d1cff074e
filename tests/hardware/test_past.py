"""What a sensor measured before Home Assistant knew it is in its long-term statistics."""

from datetime import datetime, timedelta
from typing import Any

from custom_components.espcloud.local_cloud import LocalCloud
from homeassistant.components.recorder import Recorder, get_instance
from homeassistant.components.recorder.statistics import (
    get_metadata,
    statistics_during_period,
)
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from tests.common import http, wait_for_state
from tests.local_cloud.helpers import until

from .house import House

SENSOR = "sensor.cellar_temperature"


async def post(cloud: LocalCloud, house: House, at: datetime, x: float) -> None:
    """Store what the sensor would have posted then."""
    answer = await http(
        cloud,
        "POST",
        "/v1/datastreams/tem_hum/datapoint/",
        cloud.master_key(house.devices["Cellar"]),
        body={"datapoint": {"x": x, "y": 50, "at": str(int(at.timestamp()))}},
    )
    assert answer["status"] == 200


async def statistics(hass: HomeAssistant, since: datetime) -> list[dict[str, Any]]:
    """Return the sensor's long-term statistics."""
    await get_instance(hass).async_block_till_done()
    found = await get_instance(hass).async_add_executor_job(
        statistics_during_period,
        hass,
        since,
        None,
        {SENSOR},
        "hour",
        None,
        {"mean", "min", "max"},
    )
    return list(found.get(SENSOR, []))


async def test_past_is_imported_once(
    recorder_mock: Recorder, hass: HomeAssistant, house: House, cloud: LocalCloud
) -> None:
    """Full hours before the sensor's first, and not again by a reload."""
    await house.add("Cellar", "tem_hum", activates=True)
    await house.wait_posted("Cellar")
    hour = dt_util.utcnow().replace(minute=0, second=0, microsecond=0)
    for minutes, x in ((0, 10.0), (30, 12.0)):
        await post(cloud, house, hour - timedelta(hours=5, minutes=-minutes), x)
    await post(cloud, house, hour - timedelta(hours=1), -3.5)
    # Older than anybody wants, and not yet past.
    await post(cloud, house, hour - timedelta(days=366), 99.0)
    entry = await house.set_up()
    await wait_for_state(hass, SENSOR, "21.5")
    stored = entry.runtime_data._states
    key = f"hardware-{house.coordinator('Cellar').unique_id}"
    await until(lambda: stored.get(key).get("imported") is not None)
    found = await statistics(hass, hour - timedelta(days=400))
    assert [
        ((row["start"] - hour.timestamp()) / 3600, row["mean"], row["min"], row["max"])
        for row in found
    ] == [(-5, 11.0, 10.0, 12.0), (-1, -3.5, -3.5, -3.5)]
    metadata = await get_instance(hass).async_add_executor_job(
        lambda: get_metadata(hass, statistic_ids={SENSOR})
    )
    assert metadata[SENSOR][1]["unit_class"] == "temperature"
    assert stored.get(key)["imported"] == ["humidity", "temperature"]

    await post(cloud, house, hour - timedelta(hours=2), 7.0)
    await hass.config_entries.async_reload(entry.entry_id)
    await wait_for_state(hass, SENSOR, "21.5")
    await hass.async_block_till_done(wait_background_tasks=True)
    assert len(await statistics(hass, hour - timedelta(days=400))) == 2
