"""Pending devices as the site refers to them: by a hash of the key, which stays on the server."""

from hashlib import sha256

from local_cloud.errors import ApiError
from local_cloud.pending_device import PendingDevice

from .visits import Visit


def handle_of(pending: PendingDevice) -> str:
    """Return what stands for a device in addresses; keys are random, so nobody finds one by it."""
    return sha256(pending.key.encode()).hexdigest()[:32]


def listed(visit: Visit) -> list[tuple[str, PendingDevice]]:
    """Return the devices that wait, each with its handle; none for who is not the operator."""
    if not visit.is_operator:
        return []
    return [(handle_of(each), each) for each in visit.cloud.operator.pending_devices()]


def pending_of(visit: Visit, handle: str) -> PendingDevice:
    """Return the device of a handle. Raises ApiError 404 where it does not wait any more."""
    for known, device in listed(visit):
        if known == handle:
            return device
    raise ApiError(404, "the device does not wait any more")
