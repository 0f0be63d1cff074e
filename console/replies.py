"""What the cloud's API answers."""

from local_cloud.errors import ApiError
from local_cloud.wire import JsonObject


def accepted(reply: JsonObject) -> JsonObject:
    """Return a reply that grants what was asked for. Raises ApiError where it refuses."""
    status = reply["status"]
    if isinstance(status, int) and status >= 400:
        raise ApiError(status, str(reply.get("message", "")))
    return reply
