"""What the person who runs the cloud may see and do; nothing of it is reached over a port."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
import time
from typing import Protocol

from .account_tokens import AccountToken
from .accounts import Accounts
from .models import Device, User
from .peers import Peers
from .pending import PendingDevices
from .pending_device import PendingDevice
from .sign_up import INVITATION_DAYS
from .store import Store
from .usage import Used, used_by
from .version import VERSION


@dataclass(frozen=True, slots=True)
class AccountUse:
    """An account, and what it has used of each of its quotas (see `usage.used_by`)."""

    user: User
    used: dict[str, Used]


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """A connection at the device port.

    `since` is in epoch seconds, `frames` counts those that came; `device` is None before it has
    identified.
    """

    address: str
    device: Device | None
    since: float
    frames: int


class _AddDevice(Protocol):
    """Makes a device, as LocalCloud.add_device does."""

    def __call__(
        self, name: str, owner: User | None, ptype: int, *, master_key: str
    ) -> Device:
        """Make it."""


class _Connection(Protocol):
    """What is told of a connection."""

    peer: str
    device: Device | None
    opened_at: float
    frames: int


class Operator:
    """The calls of the person who runs the cloud.

    Attributes:
        version: the release.
        started_at: when this cloud was made, in epoch seconds.
        storage_size: returns how many bytes the state takes, on the disk or in memory.
    """

    version = VERSION

    def __init__(
        self,
        store: Store,
        connections: Callable[[], Iterable[_Connection]],
        email: str | None,
        *,
        accounts: Accounts,
        peers: Peers,
        pending: PendingDevices | None,
        add_device: _AddDevice,
        storage_size: Callable[[], Awaitable[int]],
    ) -> None:
        """Look at `store` and `connections`; the operator's account is the one of this e-mail."""
        self.started_at = time.time()
        self._store = store
        self._connections = connections
        self._email = email
        self._accounts = accounts
        self._peers = peers
        self._pending = pending
        self._add_device = add_device
        self.storage_size = storage_size

    @property
    def user(self) -> User | None:
        """The operator's account: the one that was named, or else the first one there is."""
        if self._email is not None:
            return self._store.user_by_email(self._email)
        users = self._store.users
        return users[min(users)] if users else None

    def is_operator(self, user: User) -> bool:
        """Say whether an account is the operator's."""
        operator = self.user
        return operator is not None and operator.id == user.id

    def accounts(self) -> list[AccountUse]:
        """Return all accounts with what they use."""
        store = self._store
        return [AccountUse(user, used_by(store, user)) for user in store.users.values()]

    def invite(
        self, note: str = "", days: int = INVITATION_DAYS
    ) -> tuple[AccountToken, str]:
        """Make an invitation for one account; return its record, and its text, told only now.

        Raises ApiError 400 for days or a note that cannot be, 403 where there are too many.
        """
        return self._accounts.sign_ups.invite(note, days)

    def invitations(self) -> list[AccountToken]:
        """Return the invitations that nobody has used, the oldest first."""
        return self._store.account_tokens.invitations()

    def revoke_invitation(self, number: int) -> None:
        """Revoke the invitation of this id. Raises ApiError 404 where there is none."""
        self._accounts.sign_ups.revoke(number)

    def password_reset(self, user: User) -> str:
        """Return a token that sets the account's password, once, within an hour."""
        return self._accounts.make_reset(user)

    def connections(self) -> list[ConnectionState]:
        """Return the connections at the device port."""
        return [
            ConnectionState(each.peer, each.device, each.opened_at, each.frames)
            for each in self._connections()
        ]

    @property
    def refused_peers(self) -> int:
        """How many connections the device port has refused since the start (see `peers`)."""
        return self._peers.refused

    def pending_devices(self) -> list[PendingDevice]:
        """Return the devices that wait to be taken in; none where that is switched off."""
        return [] if self._pending is None else self._pending.devices()

    def adopt(
        self, pending: PendingDevice, owner: User | None, name: str, ptype: int
    ) -> Device:
        """Take a device in with its key; it comes back by itself, also if it is not pending now.

        Raises ApiError 409 where the key is in use by now.
        """
        return self._add_device(name, owner, ptype, master_key=pending.key)
