"""Devices as their users see them (protocol.md §2.5)."""

from collections.abc import Iterator
from functools import partial

from ..access import ANY_DEVICE_KEY, MASTER_OR_OWNER, Access, DeviceHandler
from ..errors import ApiError
from ..fields import read_object, read_text
from ..lists import SLICE, Lists, page_of
from ..models import Device, Key, KeyKind, User, render
from ..payload import payload_of
from ..request import Answer, Request
from ..router import Route
from ..store import Store
from ..wire import EncodedList, JsonObject, encode_item

MAX_METADATA = 4096
_UNGROUPED: JsonObject = {"id": 0, "name": "", "desc": ""}
"""The group of the devices that are in none, as the app knows it (protocol.md §2.5)."""

type _Held = tuple[Key, Device]
"""A key, and the device to which it is one."""


class DeviceApi:
    """One device by its own key, or all of an account."""

    def __init__(
        self, store: Store, access: Access, lists: Lists, *, identify: DeviceHandler
    ) -> None:
        """Serve the devices of `store`; `identify` makes a connection that of a device."""
        self._identify = identify
        self._store = store
        self._access = access
        self._lists = lists

    def routes(self) -> Iterator[Route]:
        """Return the paths of this family."""
        device = self._access.device
        yield Route(("GET",), "/v1/user/devices/", self._access.user(self._list))
        yield Route(("GET",), "/v1/device/", device(ANY_DEVICE_KEY, self._show))
        yield Route(("PUT",), "/v1/device/", device(MASTER_OR_OWNER, self._change))

    def _list(self, request: Request, user: User) -> Answer:
        """List the account's devices with its key to each, flat or by group.

        A page is one of devices; by group, every group is there, with those of its devices that are
        on the page.
        """
        # A device that is removed while a long list is written is in it all the same.
        held = [
            (key, self._store.devices[key.device_id])
            for key in self._store.keyring.held_by(user)
        ]
        show = partial(self._listed, request)
        if request.query.get("list_by_group", "").lower() != "true":
            return self._lists.answer(request, "devices", held, show)
        held = list(page_of(request, held))
        if len(held) > SLICE:
            return self._list_many_by_group(request, user, held)
        devices = {device.id: show((key, device)) for key, device in held}
        ungrouped, groups = self._grouped(request, user, devices)
        return {
            "deviceGroups": [
                {**group, "devices": members}
                for group, members in [(_UNGROUPED, ungrouped), *groups]
            ],
            "status": 200,
        }

    async def _list_many_by_group(
        self, request: Request, user: User, held: list[_Held]
    ) -> JsonObject:
        """Do the same with devices that are encoded already: they are many."""
        items = await self._lists.encoded(request, held, partial(self._listed, request))
        devices = {
            device.id: item for (_, device), item in zip(held, items, strict=True)
        }
        ungrouped, groups = self._grouped(request, user, devices)
        return {
            "deviceGroups": EncodedList(
                encode_item(group)[:-1] + b', "devices": [%s]}' % b", ".join(members)
                for group, members in [(_UNGROUPED, ungrouped), *groups]
            ),
            "status": 200,
        }

    def _grouped[T](
        self, request: Request, user: User, devices: dict[int, T]
    ) -> tuple[list[T], list[tuple[JsonObject, list[T]]]]:
        """Return which of the devices are in no group, and which in each group."""
        groups = []
        grouped: set[int] = set()
        for group in self._store.groups_of(user).values():
            members = [number for number in group.device_ids if number in devices]
            grouped.update(members)
            groups.append(
                (
                    render(group, request.times),
                    [devices[number] for number in members],
                )
            )
        others = [device for number, device in devices.items() if number not in grouped]
        return others, groups

    def _listed(self, request: Request, held: _Held) -> JsonObject:
        """Return a device as it stands in a list."""
        key, record = held
        device = render(record, request.times)
        if payload := payload_of(partial(self._store.streams.latest, record)):
            device["payload"] = payload
        if request.query.get("query_devices_mesh", "").lower() == "true":
            device["parent_mdev_mac"] = None
        templates = self._store.templates_of(record.product_id).values()
        return device | {
            "datastreamTmpls": [render(each, request.times) for each in templates],
            "key": render(key, request.times),
        }

    def _show(self, request: Request, device: Device, key: Key) -> Answer:
        """Show the key's device.

        A device of 2014 identifies so: with its own key, on a connection that is nobody's yet
        (protocol.md §3.2).
        """
        link = request.link
        if link is not None and link.device is None and key.kind is KeyKind.MASTER:
            return self._identify(request, device, key)
        return {"device": render(device, request.times), "status": 200}

    def _change(self, request: Request, device: Device, key: Key) -> JsonObject:
        """Change the device's name, metadata or both."""
        changes = read_object(request.body, "device")
        name = read_text(changes, "name", device.name)
        metadata = read_text(changes, "metadata", device.metadata, limit=MAX_METADATA)
        if not name.strip():
            raise ApiError(400, "name must not be empty")
        device.name = name
        device.metadata = metadata
        device.updated = self._store.context.now()
        self._store.context.changed(device)
        return {"device": render(device, request.times), "status": 200}
