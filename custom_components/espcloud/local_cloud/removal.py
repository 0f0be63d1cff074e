"""Removing a device with all that belongs to it."""

from .models import Device
from .store import Store


def remove_device(store: Store, device: Device) -> None:
    """Take a device out, with its keys and tokens, timers, triggers, reports, datapoints, and its places in groups.

    Raises LookupError where it is not there.
    """
    if store.devices.get(device.id) is not device:
        raise LookupError("the device was removed")
    context = store.context
    for timer in list(store.timers_of(device).values()):
        store.remove_timer(timer)
    for trigger in list(store.triggers.of(device.id).values()):
        store.triggers.remove(trigger)
    for report in list(store.debugs.of(device.id).values()):
        store.debugs.remove(report)
    for group in store.groups.values():
        if device.id in group.device_ids:
            group.device_ids.remove(device.id)
            group.updated = context.now()
            context.changed(group)
    store.streams.remove_all(device)
    store.keyring.remove_all(device)
    store.take_out(device)
    context.removed(device)
