"""Owning, sharing and giving up a device (protocol.md §2.6), and an account's keys.

What the cloud itself offers ends with giving a device's key up. Beyond it, in the form of the other
lists (protocol.md §2.9), this cloud has

| Call | Key | Body | Does |
|---|---|---|---|
| GET `/v1/keys/` | user key | - | lists the account's user keys, the keys it holds, and all keys to its own devices: the master key and those of guests. No text of a key is told but the caller's own |
| PUT `/v1/keys/` | user key | `{"keys": [{"id", "keep"}]}` | sets whether an owner or shared key stays the same when the password is replaced |
| DELETE `/v1/keys/` | user key | `{"keys": [{"id"}]}` | revokes: user keys, held keys, those of guests |
| POST `/v1/key/regenerate/` | owner key | - | replaces the device's master key, and returns the new one |
| DELETE `/v1/key/` | user key | - | gives this user key up, as it does with a device's |
"""

from collections.abc import Callable, Iterator
from functools import partial
import secrets

from ..access import OWNER, OWNER_OR_SHARED, Access
from ..errors import ApiError, bad_request
from ..fields import read_flag, read_integer, read_objects, read_text
from ..lists import Lists
from ..models import Device, Key, KeyKind, User, render
from ..quotas import Quotas
from ..request import Answer, Request
from ..router import Route
from ..store import Store
from ..wire import JsonObject

MAX_KEYS = 100
"""Keys of one request."""


class KeyApi:
    """Who holds which key."""

    def __init__(
        self,
        store: Store,
        access: Access,
        lists: Lists,
        quotas: Quotas,
        *,
        disconnect: Callable[[Device, str], None],
    ) -> None:
        """Serve the keys of `store`; `disconnect` ends a device's connection for a reason."""
        self._store = store
        self._access = access
        self._lists = lists
        self._quotas = quotas
        self._disconnect = disconnect

    def routes(self) -> Iterator[Route]:
        """Return the paths of this family."""
        user, device = self._access.user, self._access.device
        yield Route(("POST",), "/v1/key/authorize/", user(self._authorize))
        yield Route(("POST",), "/v1/key/share/", device(OWNER, self._share))
        yield Route(("POST",), "/v1/key/regenerate/", device(OWNER, self._regenerate))
        yield Route(("DELETE",), "/v1/key/", self._delete_or_gone)
        yield Route(("GET",), "/v1/keys/", user(self._list))
        yield Route(("GET",), "/v1/user/devicekeys/", user(self._device_keys))
        yield Route(("PUT",), "/v1/keys/", user(self._change))
        yield Route(("DELETE",), "/v1/keys/", user(self._revoke))

    def _authorize(self, request: Request, user: User) -> JsonObject:
        """Take a device over with the token it activated with, or join in with a share token.

        404 where no such token lives: an app asks again until its device has activated. A share
        token admits one guest.
        """
        keyring = self._store.keyring
        token = keyring.token(read_text(request.body, "token"))
        if token is None:
            raise _token_unknown()
        device = self._store.devices[token.device_id]
        self._quotas.check_held(user, device, as_guest=not token.is_owner_key)
        key = (
            keyring.set_owner(device, user)
            if token.is_owner_key
            else keyring.admit(token, device, user)
        )
        if key is None:
            raise _token_unknown()
        return {
            "device": render(device, request.times),
            "key": render(key, request.times),
        }

    def _share(self, request: Request, device: Device, key: Key) -> JsonObject:
        """Make a token with which another account gets a key of its own."""
        if read_text(request.body, "scope", "device") != "device":
            raise ApiError(400, "scope must be device")
        name = read_text(request.body, "name", "shared")
        token = self._store.keyring.add_token(
            device, secrets.token_hex(20), name, is_owner_key=0, creator_id=key.user_id
        )
        return {
            "message": "shared token",
            "result": "success",
            "status": 200,
            "token": token.token,
        }

    def _regenerate(self, request: Request, device: Device, key: Key) -> JsonObject:
        """Replace the master key; who is connected with the old one is no longer."""
        master = self._store.keyring.renew_master_key(device)
        self._disconnect(device, "its master key was replaced")
        return {"key": render(master, request.times), "status": 200}

    def _delete_or_gone(self, request: Request) -> Answer:
        """Say 403 of a key that does not exist: apps take that for "already gone"."""
        key = self._store.keyring.key(request.token) if request.token else None
        if request.token and key is None:
            raise ApiError(403, "key not exists")
        if key and key.kind is KeyKind.USER:
            return self._access.user(self._sign_out)(request)
        return self._access.device(OWNER_OR_SHARED, self._delete)(request)

    def _sign_out(self, request: Request, user: User) -> JsonObject:
        """Give the user key up that the request came with."""
        self._store.keyring.remove(self._store.keyring.keys[str(request.token)])
        return {"status": 200}

    def _delete(self, request: Request, device: Device, key: Key) -> JsonObject:
        """Give the key up that the request came with; a master key stays, 403."""
        self._store.keyring.remove(key)
        return {"status": 200}

    def _list(self, request: Request, user: User) -> Answer:
        """List the keys that the account has a say in."""
        keys = list(self._store.keyring.concerning(user))
        return self._lists.answer(request, "keys", keys, partial(self._listed, request))

    def _device_keys(self, request: Request, user: User) -> Answer:
        """List the keys to devices that the account holds, as in 2014; the list of devices has them too."""
        keys = list(self._store.keyring.held_by(user))
        return self._lists.answer(
            request, "keys", keys, lambda key: render(key, request.times)
        )

    def _change(self, request: Request, user: User) -> JsonObject:
        """Set what happens to keys when the password is replaced."""
        changes = [
            (key, read_flag(entry, "keep", key.keep))
            for key, entry in self._entries(request, user)
        ]
        for key, _ in changes:
            if key.authorized_user_id != user.id:
                raise bad_request("keep is for owner and shared keys of the account")
        for key, keep in changes:
            key.keep = keep
            key.updated = self._store.context.now()
            self._store.context.changed(key)
        keys = [self._listed(request, key) for key, _ in changes]
        return {"keys": keys, "status": 200}

    def _revoke(self, request: Request, user: User) -> JsonObject:
        """Revoke keys: all that the request names, or where one cannot be, none."""
        keys = {key.id: key for key, _ in self._entries(request, user)}.values()
        for key in keys:
            if key.kind is KeyKind.MASTER:
                raise ApiError(403, "a master key is replaced: /v1/key/regenerate/")
        for key in keys:
            self._store.keyring.remove(key)
        return {"status": 200}

    def _entries(self, request: Request, user: User) -> list[tuple[Key, JsonObject]]:
        """Return the keys that the request names, each with its entry."""
        return [
            (self._key(user, read_integer(entry, "id")), entry)
            for entry in read_objects(request.body, "keys", limit=MAX_KEYS)
        ]

    def _key(self, user: User, number: int) -> Key:
        """Return a key that the account has a say in; any other is as good as none."""
        keyring = self._store.keyring
        key = keyring.by_id(number)
        if key is not None:
            held = keyring.held_for(user, key.device_id)
            if user.id == (
                key.user_id if key.kind is KeyKind.USER else key.authorized_user_id
            ) or (held is not None and held.kind is KeyKind.OWNER):
                return key
        raise ApiError(404, "key not exists")

    @staticmethod
    def _listed(request: Request, key: Key) -> JsonObject:
        """Return a key as it stands in a list.

        The texts of the others stay unknown: else one stolen user key would yield them all, and
        revoking it would not help.
        """
        token = key.token if key.token == request.token else ""
        return render(key, request.times) | {"token": token, "keep": key.keep}


def _token_unknown() -> ApiError:
    return ApiError(404, "token not exists")
