"""A small local cloud with somebody in it, and what a stranger may not change there."""

from collections.abc import Callable, Iterable
import re
import time
from typing import Any, override

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.device_connection import DeviceConnection
from custom_components.espcloud.local_cloud.models import Device
from custom_components.espcloud.local_cloud.passwords import Passwords
from custom_components.espcloud.local_cloud.roms import Model
from custom_components.espcloud.local_cloud.rows import columns
from custom_components.espcloud.local_cloud.trigger_rules import read_rule

from .snapshot import take

_PLACEHOLDER = re.compile(rb"@([a-z]+)")
_ACTIVITY = {"last_push", "last_pull", "last_active", "updated"}
_NO_HASH = f"scrypt$14$8$1$00${'00' * 32}"
"""What no password has, in the form that a state file must have."""
_VERSION = "v1.0.6t45772(a)"
_RULE = read_rule({"name": "t", "stream_name": "s", "compare_type": 1, "threshold_value": 1})  # fmt: skip
_PLAN = {"type": "LOOP_PERIOD", "period": "day", "time": 1, "action": "a"}

# What a key may change; whatever is not listed has to stay as it was.
_MAY_CHANGE: dict[str, set[str]] = {
    "user": {"account", "keys", "new owner"},
    "owner": {"device", "activity", "keys", "masters", "tokens"},
    "shared": {"activity", "keys"},
    "master": {"device", "activity", "tokens", "masters"},
    "other": {"their account", "new owner"},
    "guest": {"keys", "new owner"},
    "theirs": {"their device"},
    "plug": {"their device"},
    # Presented by an account, they make it an owner or a friend.
    "token": {"new owner"},
    "share": {"keys"},
}


class _PlainPasswords(Passwords):
    """Keeps passwords as they are: nobody guesses them here, and hashing takes its time."""

    def __init__(self) -> None:
        pass

    @override
    async def hash(self, password: str) -> str:
        return password

    @override
    async def matches(self, password: str, stored: str) -> bool:
        return password == stored


class PopulatedCloud:
    """A cloud with people in it that listens nowhere.

    An input writes `@owner` and the like in place of the keys, which are new each time.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """Make, at the time of `clock`, an account with a device and a guest, another account, and a device for sale."""
        self.cloud = LocalCloud()
        self.cloud.store.context.clock = clock
        self.cloud._accounts._passwords = _PlainPasswords()
        store = self.cloud.store
        keyring = store.keyring
        mine, theirs, guest = (
            store.add_user(f"{name}@example.org", name, _NO_HASH)
            for name in ("mine", "theirs", "guest")
        )
        self.device = self.cloud.add_device("lamp of mine", mine)
        their_device = self.cloud.add_device("plug of theirs", theirs)
        self.for_sale = self.cloud.add_device("for sale")
        for user, device in ((mine, self.device), (theirs, their_device)):
            name = user.username
            product = store.add_product(user, f"product of {name}", 1, 1)
            store.add_template(product, "s", 1, unit=f"of {name}")
            store.add_device(f"made by {name}", 1, product=product)
            store.add_group(user, f"room of {name}", "").device_ids.append(device.id)
            store.add_timer(device, {**_PLAN, "action": f"a_{name}"})
            rule = {**_RULE, "name": f"trigger of {name}"}
            store.triggers.add(device, user.id, rule)
            store.streams.add(device, "s", {"x": f"value of {name}"}, 0)
        files = {"user1.bin": b"\xea one", "user2.bin": b"\xea two"}
        store.add_firmware(mine, Model.of(self.device), _VERSION, files)
        shared = keyring.share_with(self.device, guest, "guest")
        keyring.add_token(self.for_sale, "t" * 40, "sale", is_owner_key=1)
        keyring.add_token(self.device, "s" * 40, "share", is_owner_key=0)
        self.keys = {
            "user": keyring.add_user_key(mine).token,
            "other": keyring.add_user_key(theirs).token,
            "guest": keyring.add_user_key(guest).token,
            "master": self.cloud.master_key(self.device),
            "owner": str(self.cloud.owner_key(self.device)),
            "theirs": str(self.cloud.owner_key(their_device)),
            "plug": self.cloud.master_key(their_device),
            "shared": shared.token,
            "token": "t" * 40,
            "share": "s" * 40,
        }
        self._used: set[str] = set()
        self._before = self.areas()

    def connection(self) -> DeviceConnection:
        """Return a connection of the device server, which is nobody's yet."""
        return self.cloud._device_server.connection()

    def with_keys(self, data: bytes) -> bytes:
        """Return the input with the keys that it names."""

        def key(match: re.Match[bytes]) -> bytes:
            name = match[1].decode()
            if name not in self.keys:
                return match[0]
            self._used.add(name)
            return self.keys[name].encode()

        return _PLACEHOLDER.sub(key, data)

    def check(self, connections: int = 0) -> None:
        """Fail where something changed that none of the keys in the input may change.

        `connections` of the device were the target's own.
        """
        after = self.areas()
        may_change = set[str]().union(*(_MAY_CHANGE[name] for name in self._used))
        if {"token", "share"} & self._used and {"user", "other", "guest"} & self._used:
            may_change |= {"keys", "new owner"}
        for area, rows in self._before.items():
            assert area in may_change or rows == after[area], area
        arrived = self.cloud.connection_count(self.device) > connections
        assert not arrived or "master" in self._used, "on-line without its key"

    def areas(self) -> dict[str, Any]:
        """Return all there is, by who may change it."""
        snapshot = take(self.cloud.store)
        rows = {
            table: [
                dict(zip(columns(table), row, strict=True)) for row in snapshot[table]
            ]
            for table in snapshot
        }
        mine = {self.device.id, self.for_sale.id}
        device_keys = [key for key in rows["keys"] if key["device_id"] in mine]
        areas: dict[str, Any] = {
            # Anybody may join, so only those who are there count.
            "people": [user for user in rows["users"] if user["id"] <= 3],
            "masters": [key for key in device_keys if key["is_master_key"]],
            "keys": self._of(device_keys, self.device),
            "new owner": self._of(device_keys, self.for_sale),
            "tokens": [each for each in rows["tokens"] if each["device_id"] in mine],
        }
        for name, number in (("", 1), ("their ", 2)):
            devices = [each for each in rows["devices"] if each["id"] == number]
            areas[f"{name}account"] = [
                [row for row in rows[table] if row["user_id"] == number]
                for table in ("groups", "products")
            ]
            # With what was stored last in each.
            streams = [row for row in rows["datastreams"] if row["device_id"] == number]
            activity = [
                [{name: each[name] for name in _ACTIVITY} for each in devices],
                streams,
            ]
            settings = [
                [
                    {name: each[name] for name in each if name not in _ACTIVITY}
                    for each in devices
                ],
                [row for row in rows["timers"] if row["device_id"] == number],
                # Any datapoint may meet one.
                [
                    row | {"is_met": 0}
                    for row in rows["triggers"]
                    if row["device_id"] == number
                ],
            ]
            if name:
                areas["their device"] = [settings, activity]
            else:
                areas |= {"device": settings, "activity": activity}
        return areas

    @staticmethod
    def _of(keys: Iterable[dict[str, Any]], device: Device) -> list[dict[str, Any]]:
        return [
            key
            for key in keys
            if key["device_id"] == device.id and not key["is_master_key"]
        ]
