"""Owning, sharing and giving up a device (protocol.md §2.6)."""

from collections.abc import Iterator
import secrets

from local_cloud.access import OWNER, OWNER_OR_SHARED, Access
from local_cloud.errors import ApiError
from local_cloud.fields import read_text
from local_cloud.models import Device, Key, User, render
from local_cloud.request import Answer, Request
from local_cloud.router import Route
from local_cloud.store import Store
from local_cloud.wire import JsonObject


class KeyApi:
    """Who holds which key."""

    def __init__(self, store: Store, access: Access) -> None:
        """Serve the keys of `store`."""
        self._store = store
        self._access = access

    def routes(self) -> Iterator[Route]:
        """Return the paths of this family."""
        user, device = self._access.user, self._access.device
        yield Route(("POST",), "/v1/key/authorize/", user(self._authorize))
        yield Route(("POST",), "/v1/key/share/", device(OWNER, self._share))
        yield Route(("DELETE",), "/v1/key/", self._delete_or_gone)

    def _authorize(self, request: Request, user: User) -> JsonObject:
        """Take a device over with the token it activated with, or join in with a share token.

        404 where no such token lives: an app asks again until its device has activated.
        """
        keyring = self._store.keyring
        token = keyring.token(read_text(request.body, "token"))
        if token is None:
            raise ApiError(404, "token not exists")
        device = self._store.devices[token.device_id]
        if token.is_owner_key:
            key = keyring.set_owner(device, user)
        else:
            key = keyring.share_with(device, user, token.name)
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
            device, secrets.token_hex(20), name, is_owner_key=0
        )
        return {
            "message": "shared token",
            "result": "success",
            "status": 200,
            "token": token.token,
        }

    def _delete_or_gone(self, request: Request) -> Answer:
        """Say 403 of a key that does not exist: apps take that for "already gone"."""
        if request.token and self._store.keyring.key(request.token) is None:
            raise ApiError(403, "key not exists")
        return self._access.device(OWNER_OR_SHARED, self._delete)(request)

    def _delete(self, request: Request, device: Device, key: Key) -> JsonObject:
        """Give the key up that the request came with; a master key stays, 403."""
        self._store.keyring.remove(key)
        return {"status": 200}
