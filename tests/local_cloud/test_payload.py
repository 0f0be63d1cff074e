"""What a list of devices says of their state (protocol.md §2.5)."""

from typing import Any

import pytest

from custom_components.espcloud.local_cloud.models import Device

from .helpers import Api

LIST = "/v1/user/devices/"


async def payload(api: Api, user_key: str) -> Any:
    """Return the payload of the only device, which is the same in both lists."""
    flat = (await api.ok("GET", LIST, key=user_key))["devices"]
    groups = await api.ok("GET", f"{LIST}?list_by_group=true", key=user_key)
    assert groups["deviceGroups"][0]["devices"] == flat
    return flat[0].get("payload")


async def store(api: Api, key: str, stream: str, point: dict[str, Any]) -> None:
    """Store a datapoint."""
    path = f"/v1/datastreams/{stream}/datapoint/"
    await api.ok("POST", path, {"datapoint": point}, key=key)


async def test_nothing_was_stored(api: Api, device: Device, user_key: str) -> None:
    """Then there is no such member, without which the app can do."""
    assert await payload(api, user_key) is None


@pytest.mark.parametrize(
    ("point", "info"),
    [
        ({"x": 1000, "y": 22222, "z": 11111, "k": 0, "l": 0}, "#ff8000"),
        ({"x": 2000, "y": 22222, "z": 44444, "k": 0, "l": 0}, "#80ff00"),
        ({"x": 5, "y": 22222, "z": 0, "k": 0, "l": 22222}, "#ff0000ff"),
        ({"x": 1000, "y": 99999, "z": -1, "k": 87.0}, "#ff0001"),
        ({"x": 2, "y": 1000, "z": {"red": 255, "green": 128, "blue": 1}}, "#ff8001"),
        ({"x": 3, "y": 1000, "z": {"red": 0, "white": 16}}, "#00000010"),
        ({"x": 1000, "y": "much"}, None),
        ({"x": 1, "z": {"red": "much"}}, None),
        ({"x": "much", "y": 22222}, "#ff0000"),
    ],
)
async def test_the_color_of_a_light(
    api: Api, owner_key: str, user_key: str, point: dict[str, Any], info: str | None
) -> None:
    """Of the latest point, in the old stream and in the new one."""
    await store(api, owner_key, "light", {"x": 1000, "y": 1, "z": 2, "k": 3, "l": 4})
    await store(api, owner_key, "light", point)
    assert await payload(api, user_key) == (info and {"info": info})


async def test_the_signal_strength(api: Api, owner_key: str, user_key: str) -> None:
    """Where a device stores it; a whole number, as the app reads it."""
    await store(api, owner_key, "rssi", {"x": "weak"})
    assert await payload(api, user_key) is None
    await store(api, owner_key, "rssi", {"x": -60.4})
    assert await payload(api, user_key) == {"rssi": -60}
    await store(api, owner_key, "light", {"x": 1000, "y": 22222})
    assert await payload(api, user_key) == {"info": "#ff0000", "rssi": -60}
