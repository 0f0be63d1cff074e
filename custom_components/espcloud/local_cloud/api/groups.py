"""A user's groups of devices, such as rooms (protocol.md §2.9)."""

from collections.abc import Iterator

from ..access import Access
from ..errors import ApiError, bad_request
from ..fields import read_flag, read_integer, read_objects, read_text
from ..lists import page_of
from ..models import DeviceGroup, User, render
from ..quotas import MAX_GROUPS, Quotas
from ..request import Request
from ..router import Route
from ..store import Store
from ..wire import JsonObject

_PATH = "/v1/user/devices/groups/"


class GroupApi:
    """Making groups and moving devices between them, with the user key."""

    def __init__(self, store: Store, access: Access, quotas: Quotas) -> None:
        """Serve the groups of `store`."""
        self._store = store
        self._access = access
        self._quotas = quotas

    def routes(self) -> Iterator[Route]:
        """Return the paths of this family."""
        user = self._access.user
        yield Route(("GET",), _PATH, user(self._list))
        yield Route(("POST",), _PATH, user(self._add))
        yield Route(("PUT",), _PATH, user(self._change))
        yield Route(("DELETE",), _PATH, user(self._delete))

    def _list(self, request: Request, user: User) -> JsonObject:
        """List the groups, without their devices."""
        groups = list(self._store.groups_of(user).values())
        return self._reply(request, list(page_of(request, groups)))

    def _add(self, request: Request, user: User) -> JsonObject:
        """Make groups of a `name` and an optional `desc` each."""
        wanted = [
            (read_text(group, "name"), read_text(group, "desc", ""))
            for group in read_objects(request.body, "deviceGroups", limit=MAX_GROUPS)
        ]
        self._quotas.check_groups(user, len(wanted))
        return self._reply(
            request, [self._store.add_group(user, *columns) for columns in wanted]
        )

    def _change(self, request: Request, user: User) -> JsonObject:
        """Rename groups, or with `action` move one device."""
        match request.query.get("action", ""):
            case "":
                return self._rename(request, user)
            case "move_to_group":
                return self._move(request, user)
            case "remove_from_group":
                return self._remove(request, user)
        raise bad_request("action must be move_to_group or remove_from_group")

    def _rename(self, request: Request, user: User) -> JsonObject:
        changes = [
            (
                group,
                read_text(entry, "name", group.name),
                read_text(entry, "desc", group.desc),
            )
            for group, entry in self._entries(request, user)
        ]
        for group, name, desc in changes:
            group.name, group.desc = name, desc
            self._touch(group)
        return self._reply(request, [group for group, _, _ in changes])

    def _delete(self, request: Request, user: User) -> JsonObject:
        for group in {
            group.id: group for group, _ in self._entries(request, user)
        }.values():
            self._store.remove_group(group)
        return {"status": 200}

    def _move(self, request: Request, user: User) -> JsonObject:
        """Put a device into a group; with `reserve_pre_group` it stays in its others too."""
        device_id = read_integer(request.body, "device_id")
        group = self._group(user, read_integer(request.body, "group_id"))
        keep = read_flag(request.body, "reserve_pre_group", 0)
        if self._store.keyring.held_for(user, device_id) is None:
            raise ApiError(404, "device not exists")
        if device_id not in group.device_ids:
            self._quotas.check_grouped(user)
        if not keep:
            for other in self._store.groups_of(user).values():
                self._take_out(other, device_id)
        if device_id not in group.device_ids:
            group.device_ids.append(device_id)
            self._touch(group)
        return {"status": 200}

    def _remove(self, request: Request, user: User) -> JsonObject:
        device_id = read_integer(request.body, "device_id")
        self._take_out(
            self._group(user, read_integer(request.body, "group_id")), device_id
        )
        return {"status": 200}

    def _take_out(self, group: DeviceGroup, device_id: int) -> None:
        if device_id in group.device_ids:
            group.device_ids.remove(device_id)
            self._touch(group)

    def _touch(self, group: DeviceGroup) -> None:
        group.updated = self._store.context.now()
        self._store.context.changed(group)

    def _entries(
        self, request: Request, user: User
    ) -> list[tuple[DeviceGroup, JsonObject]]:
        """Return the groups that the request names, each with its entry."""
        return [
            (self._group(user, read_integer(entry, "id")), entry)
            for entry in read_objects(request.body, "deviceGroups", limit=MAX_GROUPS)
        ]

    def _group(self, user: User, number: int) -> DeviceGroup:
        group = self._store.groups_of(user).get(number)
        if group is None:
            raise ApiError(404, "group not exists")
        return group

    @staticmethod
    def _reply(request: Request, groups: list[DeviceGroup]) -> JsonObject:
        rendered = [render(group, request.times) for group in groups]
        return {"deviceGroups": rendered, "status": 200}
