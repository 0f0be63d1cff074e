"""Putting a device into a group, and taking it out."""

from typing import Any

from .visits import Visit

API = "/v1/user/devices/groups/"


async def move(visit: Visit, group: int, device: int, *, into: bool) -> None:
    """Put a device into a group, whatever others it is in, or take it out."""
    body: dict[str, Any] = {"device_id": device, "group_id": group}
    action = "remove_from_group"
    if into:
        body["reserve_pre_group"] = True
        action = "move_to_group"
    await visit.call("PUT", API, body, query={"action": action})
