"""The paths of all families, put together."""

from collections.abc import Callable, Iterable, Iterator

from .access import Access
from .accounts import Accounts
from .api.datastreams import DatastreamApi, PointWatcher
from .api.debugs import DebugApi
from .api.deployed import DeployedApi
from .api.devices import DeviceApi
from .api.groups import GroupApi
from .api.keys import KeyApi
from .api.mbox import MailboxApi
from .api.messages import MessageApi
from .api.ping import PingApi
from .api.products import ProductApi
from .api.roms import RomApi
from .api.rpc import RpcApi
from .api.session import SessionApi
from .api.templates import TemplateApi
from .api.timers import TimerApi
from .api.triggers import TriggerApi
from .api.users import UserApi
from .delivery import Delivery
from .history import History
from .listeners import Listeners
from .lists import Lists
from .mailboxes import Mailboxes
from .models import Device
from .presence import Presence
from .quotas import Quotas
from .router import Route
from .store import Store
from .timer_watch import TimerWatch


def all_routes(
    store: Store,
    *,
    access: Access,
    accounts: Accounts,
    delivery: Delivery,
    presence: Presence,
    timer_watch: TimerWatch,
    quotas: Quotas,
    rom_api: RomApi,
    listeners: Listeners,
    mailboxes: Mailboxes,
    history: History,
    watchers: Iterable[PointWatcher],
    disconnect: Callable[[Device, str], None],
) -> Iterator[Route]:
    """Return every path that there is, each with what answers it."""
    lists = Lists()
    yield from UserApi(store, accounts, quotas).routes()
    yield from KeyApi(store, access, lists, quotas, disconnect=disconnect).routes()
    yield from ProductApi(store, access, lists, quotas).routes()
    session = SessionApi(store, access, presence, listeners)
    yield from session.routes()
    yield from DeviceApi(store, access, lists, identify=session.identify).routes()
    yield from DebugApi(store, access).routes()
    yield from DeployedApi(store, access, quotas).routes()
    yield from GroupApi(store, access, quotas).routes()
    yield from RpcApi(access, delivery).routes()
    yield from DatastreamApi(
        store,
        access,
        delivery,
        quotas,
        history=history,
        listeners=listeners,
        watchers=watchers,
    ).routes()
    yield from TimerApi(store, access, delivery, timer_watch, quotas).routes()
    yield from TriggerApi(store, access, quotas).routes()
    yield from TemplateApi(store, access, quotas).routes()
    yield from rom_api.routes()
    yield from MailboxApi(store, access, mailboxes).routes()
    yield from MessageApi(store, access, listeners).routes()
    yield from PingApi(store).routes()
