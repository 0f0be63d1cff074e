"""The cloud as a whole: what it remembers, the router, and the two servers."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import ssl
import time

from .access import Access
from .account_calls import AccountCalls
from .accounts import Accounts, HandOver
from .addresses import IN_PROCESS, KnownAddresses
from .admission import Admission
from .api.roms import RomApi
from .database import Database
from .datapoint_calls import DatapointCalls
from .delivery import Delivery
from .device_calls import DeviceCalls
from .device_server import DeviceServer
from .fair_queue import FairQueue
from .firmware_calls import FirmwareCalls
from .firmware_listener import FirmwareListener
from .firmware_uploads import FirmwareUploads
from .frame_taps import FrameTaps, TappedFrame
from .http_server import HttpServer
from .in_process import InProcess
from .limits import Limits
from .listeners import Listeners
from .listening import usable_addresses
from .mailboxes import Mailboxes
from .models import Device, User
from .operator_calls import Operator
from .passwords import Passwords, hashes_at_once
from .peers import Peers
from .pending import PendingDevices
from .ports import NO_PORTS, Addresses, reachable, service_ports
from .presence import Presence
from .quotas import Quotas
from .rate_limits import FailedSignIns, NewAccounts, WantedResets
from .retention import Retention
from .router import Router, is_for_devices
from .routes import all_routes
from .sign_up import SignUp, SignUps
from .site import Site
from .store import Store
from .timer_watch import TimerWatch
from .trigger_watch import TriggerWatch
from .unknown_keys import UnknownKeys
from .websocket_server import WebSocketServer
from .wire import JsonObject


class LocalCloud(AccountCalls, DatapointCalls, DeviceCalls, FirmwareCalls):
    """A local Espressif cloud.

    After `start` it answers HTTP at `http_url` and devices at `device_host`:`device_port`, the plain
    port where there is one; `addresses` has all, and `hosts` are those at which it listens. `start` is `bind`, after which everything works
    within the process, and `serve`. After `close` nothing of it is left, and another cloud may take
    the same ports and state file.
    """

    def __init__(
        self,
        host: str | tuple[str, ...] = "127.0.0.1",
        http_port: int | None = None,
        device_port: int | None = None,
        *,
        https_port: int | None = None,
        device_tls_port: int | None = None,
        websocket_port: int | None = None,
        websocket_tls_port: int | None = None,
        state_file: Path | None = None,
        ssl_context: ssl.SSLContext | None = None,
        delivery_timeout: float = 5.0,
        limits: Limits = Limits(),
        retention: Retention = Retention(),
        operator: str | None = None,
        sign_up: SignUp = SignUp.OPEN,
        hand_over_reset: HandOver | None = None,
        pending_devices: bool = False,
        is_ignored: Callable[[str], bool] = lambda key: False,
        serves_http: bool = True,
        local_network_only: bool = False,
    ) -> None:
        """Prepare a cloud; port 0 is any free one, None one that is not to open.

        With several hosts, such as ("0.0.0.0", "::"), each port is open at all of them; one whose
        address family this machine does not have is left out. `https_port` and `device_tls_port`
        speak TLS with `ssl_context`; they may be open beside the plain ones. `websocket_port` and
        `websocket_tls_port` are the device port as a WebSocket, which only opens where it is named. Where neither port of a
        service is named, any free one opens, with TLS if there is an `ssl_context`. Unless it
        `serves_http`, no port of HTTP opens. Raises ValueError for a TLS port without a context, and
        for a port of HTTP that is named all the same.

        `delivery_timeout` is how many seconds a device has to answer a push (protocol.md §5).
        Without a `state_file` everything is forgotten at the end. Datapoints are kept as `retention`
        says. `operator` is the e-mail of the account of the person who runs the cloud, the first
        account where none is named. With `pending_devices`, devices with unknown keys are kept for
        the operator (see `pending`), but those whose key `is_ignored`. With `local_network_only` the
        device port turns everybody else away (`addresses.is_local`), and has the paths of devices
        alone, not those of accounts.
        """
        self._bound = self._closed = False
        self.hosts = (host,) if isinstance(host, str) else host
        if serves_http:
            self._http_ports = service_ports(http_port, https_port, ssl_context)
        elif http_port is None and https_port is None:
            self._http_ports = NO_PORTS
        else:
            raise ValueError("a port of HTTP is named, which is not served")
        self._device_ports = service_ports(device_port, device_tls_port, ssl_context)
        self._websocket_ports = (
            NO_PORTS
            if websocket_port is None and websocket_tls_port is None
            else service_ports(websocket_port, websocket_tls_port, ssl_context)
        )
        self.addresses: Addresses
        self.http_url = ""
        self.device_host = reachable(self.hosts[0])
        self.device_port = 0
        self.store = Store()
        self.store.streams.most_points = retention.points
        self._database = Database(state_file, self.store, keep_days=retention.days)
        self.listeners = Listeners()
        self._taps = FrameTaps(self.store)
        mailboxes = Mailboxes(self.store.keyring)
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
            sign_ups=SignUps(self.store, sign_up),
            failed=FailedSignIns(time.monotonic, self._known),
            joined=NewAccounts(time.monotonic),
            wanted=WantedResets(time.monotonic),
            known=self._known,
            hand_over=hand_over_reset,
        )
        delivery = Delivery(
            self._presence, self.store.context.now, self.store.roms, self.listeners
        )
        self._timer_watch = TimerWatch(self.store, delivery, self._presence)
        self._trigger_watch = TriggerWatch(
            self.store,
            mailboxes,
            self.listeners,
            history=self._database.history,
            flush=self.flush,
        )
        self._quotas = Quotas(self.store)
        self._uploads = FirmwareUploads(self.store, self._quotas, self._hashing)
        access = Access(
            self.store, self._known, UnknownKeys(self.listeners, time.monotonic)
        )
        rom_api = RomApi(
            self.store,
            access,
            self._uploads,
            self.listeners,
            is_operator=self._is_operator,
        )
        routes = list(
            all_routes(
                self.store,
                access=access,
                accounts=self._accounts,
                delivery=delivery,
                presence=self._presence,
                timer_watch=self._timer_watch,
                quotas=self._quotas,
                rom_api=rom_api,
                listeners=self.listeners,
                mailboxes=mailboxes,
                history=self._database.history,
                watchers=(mailboxes.stored, self._trigger_watch.stored),
                disconnect=self.disconnect,
            )
        )
        self._router = Router(routes)
        self._in_process = InProcess(self._router)
        admission = Admission()
        peers = Peers(
            limits.connections_of_address,
            time.monotonic,
            local_network_only=local_network_only,
        )
        self._http_server = HttpServer(
            self._router,
            admission,
            limits,
            knows=lambda token: self.store.keyring.key(token) is not None,
        )
        self._firmware_listener = FirmwareListener(
            access=access,
            admission=admission,
            api=rom_api,
            roms=self.store.roms,
            presence=self._presence,
            limits=limits,
        )
        self._device_server = DeviceServer(
            Router(filter(is_for_devices, routes))
            if local_network_only
            else self._router,
            self._presence,
            mailboxes,
            admission,
            peers=peers,
            taps=self._taps,
            pending=self._pending,
            heard=self.store.context.heard,
            delivery_timeout=delivery_timeout,
            limits=limits,
        )
        self._websocket_server = WebSocketServer(
            self._device_server.connection, admission, limits
        )
        self.operator = Operator(
            self.store,
            self._device_server.connections,
            operator,
            accounts=self._accounts,
            peers=peers,
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
            await self.bind()
            await self.serve()
        except BaseException:
            await self.close()
            raise

    async def bind(self, *, backup_is_running: bool = False) -> None:
        """Do all of `start` but accept connections; who connects waits until `serve`.

        The ports are taken, and whoever embeds the cloud may use it. Raises as `start` does.

        Args:
            backup_is_running: somebody copies the state file, for which another cloud made it ready with
                `prepare_backup`, or which nobody used then: it stays as it is until `finish_backup`.
        """
        try:
            await self._database.open(is_held=backup_is_running)
            addresses = await usable_addresses(self.hosts)
            http, https = await self._http_ports.open(self._http_server, addresses)
            device, device_tls = await self._device_ports.open(
                self._device_server, addresses
            )
            websocket, websocket_tls = await self._websocket_ports.open(
                self._websocket_server, addresses
            )
        except BaseException:
            await self.close()
            raise
        self.device_host = reachable(addresses[0].host)
        self.addresses = Addresses(
            host=self.device_host,
            http=http,
            https=https,
            device=device,
            device_tls=device_tls,
            websocket=websocket,
            websocket_tls=websocket_tls,
        )
        self.http_url = self.addresses.http_url or self.addresses.https_url or ""
        self.device_port = device or device_tls or 0
        self._bound = True

    async def serve(self) -> None:
        """Accept connections, after `bind`."""
        await self._device_server.serve()
        await self._websocket_server.serve()
        await self._http_server.serve()

    async def close(self) -> None:
        """End everything: servers, connections, timers, threads; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        await self._timer_watch.close()
        await self._trigger_watch.close()
        await self._websocket_server.close()
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
        A cloud that starts anew on the file meanwhile has to be told of the backup, see `bind`.
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
        peer: str = IN_PROCESS,
    ) -> JsonObject:
        """Return the answer that the HTTP API would give, `status` included (see `in_process`).

        Raises nothing; before `bind` and after `close` the status is 503.
        """
        if not self._bound or self._closed:
            return {"message": "the cloud is not running", "status": 503}
        return await self._in_process.call(
            method, path, key, query, body, time_zone=time_zone, peer=peer
        )

    def mount(self, site: Site) -> None:
        """Have a web site answer what is asked of HTTP outside the API's paths, until `close`."""
        self._http_server.site = site

    @property
    def site_url(self) -> str:
        """Where the web site is; "" where none is mounted."""
        return f"{self.http_url}/" if self._http_server.site is not None else ""

    def tap(
        self, device: Device, callback: Callable[[TappedFrame], None]
    ) -> Callable[[], None]:
        """Show every frame of the device, keys masked, until what is returned is called."""
        return self._taps.add(device, callback)

    def _is_operator(self, user: User) -> bool:
        return self.operator.is_operator(user)
