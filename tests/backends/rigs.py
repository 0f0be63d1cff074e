"""A backend of each kind with all that it needs: a real cloud, a device, and proxies between them."""

from abc import ABC, abstractmethod
import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any, ClassVar, override

from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.espcloud.backends.account import Account
from custom_components.espcloud.backends.base import Backend
from custom_components.espcloud.backends.cloud_account import EspCloudAccount
from custom_components.espcloud.backends.local import (
    LocalBackend,
    LocalServer,
    ServerSettings,
)
from custom_components.espcloud.backends.remote import RemoteBackend
from custom_components.espcloud.backends.virtual import VirtualBackend
from custom_components.espcloud.cloud import (
    CloudDevice,
    CloudError,
    Push,
    PushRefusedError,
)
from custom_components.espcloud.const import DOMAIN
from custom_components.espcloud.issues import DeviceIssues
from custom_components.espcloud.kinds.base import Datapoint, Kind
from custom_components.espcloud.kinds.plug import PlugKind
from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.limits import Limits
from custom_components.espcloud.local_cloud.models import Device
from custom_components.espcloud.local_issues import LocalIssues
from homeassistant.core import HomeAssistant
from tests.chaos.instance import Proxies
from tests.chaos.proxy import ChaosProxy
from tests.common import account_entry
from tests.credentials import EMAIL, PASSWORD
from tests.firmware.self_made import SelfMade

LIMITS = Limits(first_push=0.01, gap=0.0)
DELIVERY_TIMEOUT = 0.3
"""Seconds that a device has for its answer."""

STREAM = PlugKind.live
ANSWER = {"datapoint": {"x": 1}}
"""What the device adds to each of its answers."""


class Listener:
    """Hears what a backend tells.

    Attributes:
        told: what it was told, oldest first: "connected" and the like, and what came along.
        pushes: what the device was asked to do, where Home Assistant is it.
        status: what it answers to that, where that is not 200.
    """

    def __init__(self) -> None:
        """Nothing was told yet."""
        self.told: list[tuple[str, Any]] = []
        self.pushes: list[Push] = []
        self.status = 200
        self._changed = asyncio.Event()

    def handle_push(self, push: Push) -> Mapping[str, Any]:
        """Answer as a device."""
        self.pushes.append(push)
        self._note("push", push)
        if self.status != 200:
            raise PushRefusedError(self.status)
        return ANSWER

    def begin_reading(self) -> int:
        """Return what comes back with the answer."""
        return 7

    def handle_datapoint(
        self, stream: str, datapoint: Datapoint, reading: int | None = None
    ) -> None:
        """Note it."""
        self._note("datapoint", (stream, dict(datapoint), reading))

    def handle_device(self, device: CloudDevice) -> None:
        """Note it."""
        self._note("device", device)

    def handle_connected(self, device: CloudDevice) -> None:
        """Note it."""
        self._note("connected", device)

    def handle_disconnected(self, reason: CloudError) -> None:
        """Note it."""
        self._note("disconnected", reason)

    @property
    def is_connected(self) -> bool:
        """Whether the device is there, as far as was told."""
        return self.presence[-1:] == ["connected"]

    @property
    def presence(self) -> list[str]:
        """Whether the device was there, each time that this changed."""
        found: list[str] = []
        for name, _ in self.told:
            if name in ("connected", "disconnected") and found[-1:] != [name]:
                found.append(name)
        return found

    @property
    def readings(self) -> list[Any]:
        """What the device has answered to the backend's own questions."""
        return [
            what for name, what in self.told if name == "datapoint" and what[2] == 7
        ]

    async def wait_connected(self, *, connected: bool = True) -> None:
        """Wait until that was told."""
        async with asyncio.timeout(5):
            while self.is_connected is not connected:
                self._changed.clear()
                await self._changed.wait()

    def _note(self, name: str, what: Any) -> None:
        self.told.append((name, what))
        self._changed.set()


class Rig(ABC):
    """A backend, the device at the other end of it, and what may go wrong between them.

    Attributes:
        waits: whether a command waits a little for a device that is away.
        cannot: what cannot happen to it, by the name of the test, and why.
        account: the account that has the device.
        backend: the backend.
        listener: who hears what it tells.
        requests: what the device was asked to do: method, path and what came along.
        secrets: what nobody may ever read: the device's master key and owner key, the account's.
    """

    waits: ClassVar[bool] = False
    cannot: ClassVar[Mapping[str, str]] = {}

    def __init__(self, hass: HomeAssistant) -> None:
        """Use `start`."""
        self.hass = hass
        self.listener = Listener()
        self.secrets: list[str] = []
        self.cloud: LocalCloud
        self.device: Device
        self.entry: MockConfigEntry
        self.account: Account
        self.backend: Backend

    @abstractmethod
    async def start(self) -> None:
        """Start a cloud, and the backend at a device that is there."""

    async def restart(self) -> None:
        """Start a backend, the first or another one."""
        self.backend = self.make()
        self.backend.async_start(self.listener)
        await self.listener.wait_connected()

    @abstractmethod
    async def close(self) -> None:
        """Take everything down."""

    @property
    @abstractmethod
    def requests(self) -> list[tuple[str, str, Any]]:
        """See the class."""

    @abstractmethod
    def make(self) -> Backend:
        """Make the backend."""

    @abstractmethod
    async def look(self, error: type[CloudError]) -> None:
        """Have the account look until it knows what goes wrong, where it can know that."""

    @abstractmethod
    def hold_answers(self) -> None:
        """Let whatever is asked of whoever answers the backend stay without an answer."""

    @abstractmethod
    def release_answers(self) -> None:
        """Let the answers that were held come, however late."""

    async def empty(self) -> None:
        """End the connections that only idle."""

    @abstractmethod
    def hurry(self) -> None:
        """Have the backend ask now what it asks by itself."""

    async def switch_on(self) -> None:
        """Give a device of its own power."""

    async def switch_off(self) -> None:
        """Take it away again."""

    @abstractmethod
    async def lose(self) -> None:
        """Take the device off-line, and let the backend look."""

    @abstractmethod
    async def come_back(self) -> None:
        """Have the device back, and let the backend look."""

    @abstractmethod
    def fall_silent(self) -> None:
        """Have the device answer nothing."""

    @abstractmethod
    def speak(self) -> None:
        """Have it answer again."""

    @abstractmethod
    def refuse(self, status: int) -> None:
        """Have the device answer with a status of its own."""

    async def lose_server(self) -> None:
        """Have nobody where the backend asks."""
        raise NotImplementedError

    async def find_server(self) -> None:
        """Have the server back, and let the account look."""
        raise NotImplementedError


class AccountRig(Rig):
    """A backend of an account at a cloud, and proxies before both ports of that."""

    account: EspCloudAccount

    @override
    async def start(self) -> None:
        self._stack = AsyncExitStack()
        self.cloud = LocalCloud(delivery_timeout=DELIVERY_TIMEOUT, limits=LIMITS)
        await self.cloud.start()
        self._stack.push_async_callback(self.cloud.close)
        user = await self.cloud.add_account(EMAIL, PASSWORD)
        self.proxies = await self._stack.enter_async_context(Proxies.of(self.cloud))
        self.device = self.cloud.add_device("Thing", user, ptype=23701)
        await self.switch_on()
        self.entry = await account_entry(self.hass, self.cloud, user.id, self.device)
        url = f"http://127.0.0.1:{self.proxies.http.port}"
        data = {**self.entry.data, "url": url, "port": self.proxies.device.port}
        self.hass.config_entries.async_update_entry(self.entry, data=data)
        self.secrets = [
            self.cloud.master_key(self.device),
            self.cloud.owner_key(self.device) or "",
            self.entry.data["user_key"],
        ]
        self.account = EspCloudAccount(self.hass, self.entry)
        await self.account.async_sign_in()
        await self.restart()

    @override
    async def close(self) -> None:
        self.proxies.device.thaw()
        self.proxies.http.thaw()
        await self.backend.async_close()
        self.account.async_close()
        await self.switch_off()
        await self._stack.aclose()

    @override
    async def look(self, error: type[CloudError]) -> None:
        await self.account.async_refresh()
        await self.account.async_refresh()
        assert isinstance(self.account.last_error, error)

    @override
    def hold_answers(self) -> None:
        self.proxies.http.freeze()

    @override
    def release_answers(self) -> None:
        self.proxies.http.thaw()

    @override
    async def empty(self) -> None:
        await self.proxies.http.empty()

    @override
    def hurry(self) -> None:
        self.account.poller.rest(0.0)

    @override
    async def lose_server(self) -> None:
        self.proxies.http.refuse()
        await self.proxies.http.empty()

    @override
    async def find_server(self) -> None:
        await self.proxies.http.listen()
        await self.account.async_refresh()


class VirtualRig(AccountRig):
    """Home Assistant is the device."""

    waits = True
    cannot: ClassVar[Mapping[str, str]] = {
        "test_device_that_went_unnoticed": "the connection is its own"
    }

    @property
    @override
    def requests(self) -> list[tuple[str, str, Any]]:
        return [
            _request(push.method, push.path, push.body, push.parameters)
            for push in self.listener.pushes
        ]

    @override
    def make(self) -> Backend:
        (subentry,) = self.entry.subentries.values()
        return VirtualBackend(
            self.hass,
            self.entry,
            self.account,
            DeviceIssues(self.hass, self.entry, subentry),
            device_id=self.device.id,
            master_key=self.cloud.master_key(self.device),
            name="Thing",
        )

    @override
    async def lose(self) -> None:
        self.proxies.device.refuse()
        self.proxies.device.sever()
        await self.cloud.wait_offline(self.device)
        await self.backend.async_refresh()

    @override
    async def come_back(self) -> None:
        await self.proxies.device.listen()
        assert isinstance(self.backend, VirtualBackend)
        if self.backend.session is not None:
            self.backend.session.retry_now()

    @override
    def fall_silent(self) -> None:
        self.proxies.device.freeze(up=False)

    @override
    def speak(self) -> None:
        self.proxies.device.thaw()

    @override
    def refuse(self, status: int) -> None:
        self.listener.status = status


class ThingRig(Rig):
    """The device is somewhere: a self-made one, simulated."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Make no device yet."""
        super().__init__(hass)
        self._thing: SelfMade

    @property
    @abstractmethod
    def _port(self) -> int:
        """Where the device connects."""

    @property
    @override
    def requests(self) -> list[tuple[str, str, Any]]:
        return [
            _request(
                push["method"], push["path"], push.get("body"), push.get("get", {})
            )
            for push in self._thing.pushes
        ]

    @override
    async def switch_on(self) -> None:
        self._thing = SelfMade(
            ("127.0.0.1", self._port),
            self.cloud.master_key(self.device),
            activates=True,
            members=ANSWER,
        )
        self._thing.power_on()
        await self.cloud.wait_online(self.device)

    @override
    async def switch_off(self) -> None:
        await self._thing.power_off()

    @override
    async def lose(self) -> None:
        await self.switch_off()
        await self.cloud.wait_offline(self.device)
        await self.backend.async_refresh()

    @override
    def fall_silent(self) -> None:
        self._thing.answers = False

    @override
    def speak(self) -> None:
        self._thing.answers = True

    @override
    def refuse(self, status: int) -> None:
        self._thing.status = status


class RemoteRig(ThingRig, AccountRig):
    """The device is somewhere, and Home Assistant its owner."""

    @property
    @override
    def _port(self) -> int:
        return self.proxies.device.port

    @override
    def make(self) -> Backend:
        owned = self.account.owned[self.device.id]
        return RemoteBackend(self.hass, self.account, owned, PlugKind())

    @override
    async def come_back(self) -> None:
        self._thing.power_on()
        arrivals = self.cloud.connection_count(self.device)
        await self.cloud.wait_online(self.device, connections=arrivals + 1)
        # Where it was known to be away before that second, it has to answer first.
        async with asyncio.timeout(5):
            while not self.listener.is_connected:
                await self.account.async_refresh()
                await self.backend.async_refresh()


class LocalRig(ThingRig):
    """The device is somewhere, and Home Assistant its owner and its cloud."""

    cannot: ClassVar[Mapping[str, str]] = {
        "test_device_that_went_unnoticed": "the server tells at once who has left",
        "test_server_that_is_gone": "it goes with the entry, and the next one has other backends (test_local.py)",
    }

    def __init__(self, hass: HomeAssistant) -> None:
        """Make no device yet."""
        super().__init__(hass)
        self.server: LocalServer
        self.proxy = ChaosProxy()

    @override
    async def start(self) -> None:
        self.server = LocalServer(
            self.hass, ServerSettings(device_port=0), hosts=("127.0.0.1",)
        )
        await self.server.async_bind()
        self.account = self.server.account
        self.cloud = self.server._cloud
        self.proxy.upstream = self.cloud.device_port
        await self.proxy.start()
        self.entry = MockConfigEntry(domain=DOMAIN, unique_id="local")
        self.entry.add_to_hass(self.hass)
        owned = await self.server.account.async_make_device("Thing", "plug", "5" * 40)
        self.device = self.cloud.store.devices[owned.device.id]
        self.secrets = [
            self.cloud.master_key(self.device),
            self.cloud.owner_key(self.device) or "",
            self.account.user_key,
        ]
        await self.server.async_serve()
        await self.switch_on()
        await self.restart()

    @override
    async def restart(self) -> None:
        told = len(self.listener.readings)
        await super().restart()
        await self._wait_asked(told)

    @override
    async def close(self) -> None:
        self.proxy.thaw()
        await self.server.async_close()
        await self.backend.async_close()
        await self.switch_off()
        await self.proxy.close()

    @property
    @override
    def _port(self) -> int:
        return self.proxy.port

    @override
    def make(self) -> Backend:
        return self.make_of(self.device.id, PlugKind())

    def make_of(self, device_id: int, kind: Kind[Any]) -> LocalBackend:
        """Make the backend of any device."""
        return LocalBackend(
            *(self.hass, self.entry, self.server, self.account.owned[device_id], kind),
            issues=LocalIssues(self.hass),
        )

    @override
    async def look(self, error: type[CloudError]) -> None:
        # Nothing keeps the account from being read.
        await self.account.async_refresh()

    @override
    def hold_answers(self) -> None:
        # It is the device that answers.
        self.proxy.freeze(down=False)

    @override
    def release_answers(self) -> None:
        self.proxy.thaw()

    @override
    def hurry(self) -> None:
        assert isinstance(self.backend, LocalBackend)
        self.backend._ask_in(0.0)

    @override
    async def come_back(self) -> None:
        told = len(self.listener.readings)
        self._thing.power_on()
        await self._wait_asked(told)

    async def _wait_asked(self, told: int) -> None:
        """Wait until the device has said how it is, and forget that it was asked.

        Args:
            told: how often it had said so before.
        """
        assert isinstance(self.backend, LocalBackend)
        async with asyncio.timeout(5):
            while len(self.listener.readings) == told:
                if not self.backend._is_asking:
                    # What it left unanswered before was in this one's way.
                    self.hurry()
                await asyncio.sleep(0.01)
        self._thing.pushes.clear()


def _request(
    method: str, path: str, body: Mapping[str, Any] | None, query: Mapping[str, Any]
) -> tuple[str, str, Any]:
    """Return what was asked for, without what the cloud adds on the way."""
    if body and "datapoint" in body:
        point = {
            name: value for name, value in body["datapoint"].items() if name != "at"
        }
        return method, path, {"datapoint": point}
    asked = {name: text for name, text in query.items() if name != "deliver_to_device"}
    return method, path, asked


RIGS: list[type[Rig]] = [VirtualRig, RemoteRig, LocalRig]
"""One for each backend."""
