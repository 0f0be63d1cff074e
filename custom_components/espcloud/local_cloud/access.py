"""Who may do what: each path's handler behind the check of the caller's key (protocol.md §2.3)."""

from collections.abc import Callable

from .addresses import KnownAddresses
from .errors import ApiError, key_missing, unknown_device_key, unknown_user_key
from .models import Device, Key, KeyKind, User
from .request import Answer, Handler, Request
from .store import Store
from .unknown_keys import UnknownKeys

type UserHandler = Callable[[Request, User], Answer]
type DeviceHandler = Callable[[Request, Device, Key], Answer]

ANY_DEVICE_KEY = frozenset({KeyKind.MASTER, KeyKind.OWNER, KeyKind.SHARED})
MASTER_OR_OWNER = frozenset({KeyKind.MASTER, KeyKind.OWNER})
MASTER = frozenset({KeyKind.MASTER})
OWNER = frozenset({KeyKind.OWNER})
OWNER_OR_SHARED = frozenset({KeyKind.OWNER, KeyKind.SHARED})


class Access:
    """Puts a check of the key before a handler, and hands the handler whom the key speaks for.

    Without a key the answer is 401. A key that does not exist gets 500 on a device's path, as the
    cloud answers there (protocol.md §2.2), and 403 on an account's. A key of another kind gets 403.
    """

    def __init__(
        self, store: Store, known: KnownAddresses, unknown_keys: UnknownKeys
    ) -> None:
        """Look keys up in `store`, and note in `known` where user keys are used.

        `unknown_keys` hears of keys on a device's path that do not exist.
        """
        self._store = store
        self._known = known
        self._unknown_keys = unknown_keys

    def user(self, handler: UserHandler) -> Handler:
        """Let user keys pass."""
        store = self._store

        def check(request: Request) -> Answer:
            if request.token is None:
                raise key_missing()
            key = store.keyring.key(request.token)
            if key is None:
                raise unknown_user_key()
            if key.kind is not KeyKind.USER:
                raise wrong_kind(key)
            request.authorized = True
            self._known.note(key.user_id, request.peer)
            return handler(request, store.users[key.user_id])

        return check

    def device(
        self,
        kinds: frozenset[KeyKind],
        handler: DeviceHandler,
        *,
        is_activity: bool = True,
    ) -> Handler:
        """Let a device's keys of these kinds pass.

        A device that presents its own key on a connection is active, if this `is_activity`.
        """
        store = self._store

        def check(request: Request) -> Answer:
            if request.token is None:
                raise key_missing()
            key = store.keyring.key(request.token)
            if key is None:
                self._unknown_keys.note(request.peer, request.token)
                raise unknown_device_key()
            kind = key.kind
            if kind not in kinds:
                raise wrong_kind(key)
            request.authorized = True
            device = store.devices[key.device_id]
            if is_activity and request.link is not None and kind is KeyKind.MASTER:
                # Sensors post without ever identifying; they are active all the same.
                store.context.heard(device)
            return handler(request, device, key)

        return check


def wrong_kind(key: Key) -> ApiError:
    """Answer a key that exists but does not open this path."""
    return ApiError(403, f"a key of the kind {key.kind} does not work here")
