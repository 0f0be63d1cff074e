"""The cloud as a whole: what it remembers, the router, and the two servers."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from pathlib import Path
import re
import ssl
import time

from .access import Access
from .accounts import Accounts
from .addresses import KnownAddresses
from .admission import Admission
from .api.datastreams import DatastreamApi
from .api.devices import DeviceApi
from .api.groups import GroupApi
from .api.keys import KeyApi
from .api.messages import MessageApi
from .api.ping import PingApi
from .api.products import ProductApi
from .api.roms import RomApi
from .api.rpc import RpcApi
from .api.session import SessionApi
from .api.templates import TemplateApi
from .api.timers import TimerApi
from .api.users import UserApi
from .database import Database
from .delivery import Delivery
from .device_server import DeviceServer
from .device_types import LIGHT
from .errors import ApiError, bad_request
from .fair_queue import FairQueue
from .firmware_listener import PORT as FIRMWARE_PORT, FirmwareListener, OnProgress
from .firmware_uploads import FirmwareUploads
from .frame_taps import FrameTaps, TappedFrame
from .http_server import HttpServer
from .in_process import InProcess
from .limits import Limits
from .listeners import Listeners
from .lists import Lists
from .models import Device, User
from .operator_calls import Operator
from .passwords import Passwords, hashes_at_once
from .pending import PendingDevices
from .ports import Addresses, reachable, service_ports
from .presence import Presence
from .quotas import Quotas
from .rate_limits import FailedSignIns, NewAccounts
from .retention import Retention
from .roms import Model
from .router import Router
from .store import Store
from .timer_watch import TimerWatch
from .unknown_keys import UnknownKeys
from .wire import JsonObject

_MASTER_KEY = re.compile(r"[0-9a-f]{40}")


class LocalCloud:
    """A local Espressif cloud.

    After `start` it answers HTTP at `http_url` and devices at `device_host`:`device_port`, the plain
    port where there is one; `addresses` has all. After `close` nothing of it is left, and another
    cloud may take the same ports and state file.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        http_port: int | None = None,
        device_port: int | None = None,
        *,
        https_port: int | None = None,
        device_tls_port: int | None = None,
        state_file: Path | None = None,
        ssl_context: ssl.SSLContext | None = None,
        delivery_timeout: float = 5.0,
        limits: Limits = Limits(),
        retention: Retention = Retention(),
        operator: str | None = None,
        pending_devices: bool = False,
        is_ignored: Callable[[str], bool] = lambda key: False,
    ) -> None:
        """Prepare a cloud; port 0 is any free one, None one that is not to open.

        `https_port` and `device_tls_port` speak TLS with `ssl_context`; they may be open beside the
        plain ones. Where neither port of a service is named, any free one opens, with TLS if there
        is an `ssl_context`. Raises ValueError for a TLS port without one.

        `delivery_timeout` is how many seconds a device has to answer a push (protocol.md §5).
        Without a `state_file` everything is forgotten at the end. Datapoints are kept as `retention`
        says. `operator` is the e-mail of the account of the person who runs the cloud, the first
        account where none is named. With `pending_devices`, devices with unknown keys are kept for
        the operator (see `pending`), but those whose key `is_ignored`.
        """
        self._started = self._closed = False
        self._host = host
        self._http_ports = service_ports(http_port, https_port, ssl_context)
        self._device_ports = service_ports(device_port, device_tls_port, ssl_context)
        self.addresses: Addresses
        self.http_url = ""
        self.device_host = reachable(host)
        self.device_port = 0
        self.store = Store()
        self.store.streams.most_points = retention.points
        self._database = Database(state_file, self.store, keep_days=retention.days)
        self.listeners = Listeners()
        self._taps = FrameTaps(self.store)
        self._presence = Presence(self.listeners)
        self._pending = (
            PendingDevices(self.listeners, limits, is_ignored)
            if pending_devices
            else None
        )
        self._hashing = ThreadPoolExecutor(
            hashes_at_once(), thread_name_prefix="local_cloud hashing"
        )
        self._known = KnownAddresses(time.monotonic)
        self._accounts = Accounts(
            self.store,
            Passwords(self._hashing),
            FairQueue(hashes_at_once()),
            failed=FailedSignIns(time.monotonic, self._known),
            joined=NewAccounts(time.monotonic),
            known=self._known,
        )
        self._router = self._make_router()
        self._in_process = InProcess(self._router)
        admission = Admission()
        self._http_server = HttpServer(
            self._router,
            admission,
            limits,
            knows=lambda token: self.store.keyring.key(token) is not None,
        )
        self._firmware_listener = FirmwareListener(
            access=self._access,
            admission=admission,
            api=self._rom_api,
            roms=self.store.roms,
            presence=self._presence,
            limits=limits,
        )
        self._device_server = DeviceServer(
            self._router,
            self._presence,
            admission,
            taps=self._taps,
            pending=self._pending,
            heard=self.store.context.heard,
            delivery_timeout=delivery_timeout,
            limits=limits,
        )
        self.operator = Operator(
            self.store,
            self._device_server.connections,
            operator,
            pending=self._pending,
            add_device=self.add_device,
            storage_size=self._database.size,
        )

    async def start(self) -> None:
        """Load the state, before which nothing may be added, and open the ports.

        Raises OSError where a port cannot be had and StateFileError for an unusable state file; then
        nothing is open.
        """
        try:
            await self._database.open()
            http, https = await self._http_ports.open(self._http_server, self._host)
            device, device_tls = await self._device_ports.open(
                self._device_server, self._host
            )
        except BaseException:
            await self.close()
            raise
        self.addresses = Addresses(
            host=self.device_host,
            http=http,
            https=https,
            device=device,
            device_tls=device_tls,
        )
        self.http_url = self.addresses.http_url or self.addresses.https_url or ""
        self.device_port = device or device_tls or 0
        self._started = True

    async def close(self) -> None:
        """End everything: servers, connections, timers, threads; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        await self._timer_watch.close()
        await self._device_server.close()
        await self._http_server.close()
        await self._firmware_listener.close()
        await self._database.close()
        self._hashing.shutdown()

    async def flush(self) -> None:
        """Return when all that was changed so far is kept. Raises ApiError 507 if it cannot be."""
        await self._database.flush()

    async def prepare_backup(self) -> None:
        """Let the state file stay as it is, whole without its -wal, so that it can be copied.

        Nothing else stops: what changes meanwhile is kept in the -wal, and is not in the copy. If
        nobody calls `finish_backup`, that is made up for by the next start, or when the -wal has 256 MiB.
        A cloud that starts anew on the file meanwhile knows nothing of the backup, and changes it.
        Raises StateFileError where that is not possible now: another program is reading the file, or
        the disk is full. Does nothing without a state file.
        """
        await self._database.prepare_backup()

    async def finish_backup(self) -> None:
        """Let the state file change again."""
        await self._database.finish_backup()

    async def call(
        self,
        method: str,
        path: str,
        key: str | None = None,
        query: Mapping[str, str] | None = None,
        body: JsonObject | None = None,
        *,
        time_zone: str | None = None,
    ) -> JsonObject:
        """Return the answer that the HTTP API would give, `status` included (see `in_process`).

        Raises nothing; before `start` and after `close` the status is 503.
        """
        if not self._started or self._closed:
            return {"message": "the cloud is not running", "status": 503}
        return await self._in_process.call(
            method, path, key, query, body, time_zone=time_zone
        )

    def tap(
        self, device: Device, callback: Callable[[TappedFrame], None]
    ) -> Callable[[], None]:
        """Show every frame of the device, keys masked, until what is returned is called."""
        return self._taps.add(device, callback)

    async def add_account(self, email: str, password: str) -> User:
        """Make an account. Raises ApiError 400 or 409 as the API does."""
        return await self._accounts.add(email, password)

    async def set_password(self, user: User, password: str) -> None:
        """Give an account another password, which ends its user keys (see `api.users`)."""
        await self._accounts.set_password(user, password)

    def add_device(
        self,
        name: str,
        owner: User | None = None,
        ptype: int = LIGHT,
        *,
        master_key: str = "",
    ) -> Device:
        """Make a device with a master key, and with an owner key where it has an owner.

        `master_key` is one that the device has already, 40 lower-case hex digits. Raises ApiError
        400 for any other text and 409 where another key has this one.
        """
        if master_key and not _MASTER_KEY.fullmatch(master_key):
            raise bad_request("a master key has 40 hex digits")
        if master_key in self.store.keyring.keys:
            raise ApiError(409, "the master key is in use already")
        device = self.store.add_device(
            name, ptype, master_key=master_key, creator=owner
        )
        if owner is not None:
            self.store.keyring.set_owner(device, owner)
        if self._pending is not None:
            self._pending.taken_in(master_key)
        return device

    def master_key(self, device: Device) -> str:
        """Return the master device key. Raises LookupError where it was revoked."""
        key = self.store.keyring.master_key(device)
        if key is None:
            raise LookupError("the master key was revoked")
        return key.token

    def owner_key(self, device: Device) -> str | None:
        """Return the owner's key of the device, where somebody owns it."""
        key = self.store.keyring.owner_key(device)
        return key.token if key else None

    def rename(self, device: Device, name: str) -> None:
        """Give the device another name."""
        device.name = name
        device.updated = self.store.context.now()
        self.store.context.changed(device)

    def revoke_key(self, token: str) -> None:
        """Delete a key; a device whose master key goes, goes too. Raises LookupError without it."""
        key = self.store.keyring.keys[token]
        self.store.keyring.remove(key)
        if key.is_master_key:
            device = self.store.devices[key.device_id]
            self.disconnect(device, "its master key was revoked")

    def regenerate_master_key(self, device: Device) -> str:
        """Replace the master key, and return the new one; the device loses its connection."""
        key = self.store.keyring.renew_master_key(device)
        self.disconnect(device, "its master key was replaced")
        return key.token

    def firmware(self, ptype: int) -> list[str]:
        """Return the firmware versions for a kind of device, the newest first.

        Devices of a product have that of their product instead.
        """
        return self.store.roms.versions(Model(0, ptype))

    async def add_firmware(
        self, ptype: int, version: str, files: Mapping[str, bytes]
    ) -> None:
        """Add a version for a kind of device, both its files by their names, and offer it.

        It counts for the operator's account. Raises ApiError as the API does (protocol.md §2.10), its
        `reason` one of those of FirmwareUploads.check and add; 403 without a reason where there is no
        account yet, and 507 where it cannot be kept.
        """
        user = self.operator.user
        if user is None:
            raise ApiError(403, "there is no account yet")
        model = Model(0, ptype)
        await self._uploads.check(model, version, files)
        self._uploads.add(user, model, version, files)
        await self.flush()

    async def remove_firmware(self, ptype: int, version: str) -> None:
        """Remove a version. Raises ApiError 404, its reason NOT_FOUND, without it, and 507."""
        self.store.remove_firmware(Model(0, ptype), version)
        await self.flush()

    def serving_firmware(
        self,
        device: Device,
        version: str,
        port: int = FIRMWARE_PORT,
        on_progress: OnProgress | None = None,
    ) -> AbstractAsyncContextManager[int]:
        """Let a device fetch a version meanwhile; enter before it is told to (see FirmwareListener)."""
        return self._firmware_listener.serving(device, version, port, on_progress)

    def is_online(self, device: Device) -> bool:
        """Say whether an identified connection of the device exists."""
        return self._presence.link(device) is not None

    def connection_count(self, device: Device) -> int:
        """Return how many connections have identified as this device since the start."""
        return self._presence.arrivals(device)

    async def wait_online(
        self, device: Device, *, timeout: float = 5.0, connections: int = 1
    ) -> None:
        """Return when the device is on-line, for the `connections`th time or later.

        Raises TimeoutError.
        """
        async with asyncio.timeout(timeout):
            await self._presence.wait(
                device,
                lambda: (
                    self.is_online(device)
                    and self.connection_count(device) >= connections
                ),
            )

    async def wait_offline(self, device: Device, *, timeout: float = 5.0) -> None:
        """Return when the device has no identified connection. Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            await self._presence.wait(device, lambda: not self.is_online(device))

    def disconnect(
        self,
        device: Device,
        reason: str = "disconnected by the server",
        *,
        abort: bool = False,
    ) -> None:
        """End the device's connection, where it has one; with `abort` by a reset."""
        link = self._presence.link(device)
        if link is None:
            return
        if abort:
            link.abort(reason)
        else:
            link.close(reason)

    def _is_operator(self, user: User) -> bool:
        return self.operator.is_operator(user)

    def _make_router(self) -> Router:
        """Put the families of paths together."""
        store = self.store
        listeners = self.listeners
        self._access = access = Access(
            store, self._known, UnknownKeys(listeners, time.monotonic)
        )
        delivery = Delivery(self._presence, store.context.now, store.roms, listeners)
        lists, quotas = Lists(), Quotas(store)
        self._timer_watch = TimerWatch(store, delivery, self._presence)
        self._uploads = FirmwareUploads(store, quotas, self._hashing)
        self._rom_api = RomApi(
            store, access, self._uploads, listeners, is_operator=self._is_operator
        )
        return Router(
            [
                *UserApi(store, self._accounts, quotas).routes(),
                *KeyApi(
                    store, access, lists, quotas, disconnect=self.disconnect
                ).routes(),
                *ProductApi(store, access, lists, quotas).routes(),
                *DeviceApi(store, access, lists).routes(),
                *GroupApi(store, access, quotas).routes(),
                *SessionApi(store, access, self._presence, listeners).routes(),
                *RpcApi(access, delivery).routes(),
                *DatastreamApi(
                    store,
                    access,
                    delivery,
                    quotas,
                    history=self._database.history,
                    listeners=listeners,
                ).routes(),
                *TimerApi(store, access, delivery, self._timer_watch, quotas).routes(),
                *TemplateApi(store, access, quotas).routes(),
                *self._rom_api.routes(),
                *MessageApi(store, access).routes(),
                *PingApi(store).routes(),
            ]
        )
