"""Accounts: join, sign in, find, make user keys (protocol.md §2.4); replace the password.

The cloud resets a password by mail alone. Here whoever knows it replaces it: POST
`/v1/user/resetpassword/` `{"email", "password", "new_password"[, "keep_devices"]}`. All user keys of
the account end; its owner and shared keys get another text, but for those that are to be kept (PUT
`/v1/keys/`, in `keys`), and with `"keep_devices": 0` for those as well. The answer is that of a sign-in.
A user key that comes along in the header of a sign-in has an allowance of wrong passwords of its own
(`rate_limits`).
"""

from collections.abc import Iterator

from ..accounts import MAX_PASSWORD, Accounts
from ..errors import ApiError, bad_request
from ..fields import read_flag, read_object, read_text
from ..models import Key, User, render
from ..quotas import Quotas
from ..request import Request
from ..router import Route
from ..store import Store
from ..wire import JsonObject


class UserApi:
    """What anybody may call, without a key."""

    def __init__(self, store: Store, accounts: Accounts, quotas: Quotas) -> None:
        """Serve the accounts of `store`."""
        self._store = store
        self._accounts = accounts
        self._quotas = quotas

    def routes(self) -> Iterator[Route]:
        """Return the paths of this family."""
        yield Route(("POST",), "/v1/user/join/", self._join)
        yield Route(("POST",), "/v1/user/login/", self._login)
        yield Route(("POST",), "/v1/user/resetpassword/", self._replace_password)
        yield Route(("POST",), "/v1/user/find/", self._find)
        yield Route(("POST",), "/v1/keys/", self._make_key)

    async def _join(self, request: Request) -> JsonObject:
        """Make an account: 200, 409 where it exists, 400 for a bad format, 429 for too many.

        403 where sign-up is closed, or is for those with an `invitation` alone.
        """
        await self._accounts.join(
            read_text(request.body, "email"),
            read_text(request.body, "password", limit=MAX_PASSWORD),
            read_text(request.body, "username", ""),
            peer=request.peer,
            invitation=read_text(request.body, "invitation", ""),
        )
        return {"status": 200}

    async def _login(self, request: Request) -> JsonObject:
        """Sign in: 200 with the account and a user key, 403 wrong password, 404 not registered."""
        user = await self._accounts.sign_in(
            read_text(request.body, "email"),
            read_text(request.body, "password", limit=MAX_PASSWORD),
            request.peer,
            request.token,
        )
        return self._signed_in(request, user)

    async def _replace_password(self, request: Request) -> JsonObject:
        """Replace the password: as a sign-in, 400 for a bad new one."""
        user = await self._accounts.replace_password(
            read_text(request.body, "email"),
            read_text(request.body, "password", limit=MAX_PASSWORD),
            read_text(request.body, "new_password", limit=MAX_PASSWORD),
            request.peer,
            token=request.token,
            keep_devices=bool(read_flag(request.body, "keep_devices", 1)),
        )
        return self._signed_in(request, user)

    def _signed_in(self, request: Request, user: User) -> JsonObject:
        key = self._add_key(user)
        return {"key": render(key, request.times), "user": render(user, request.times)}

    def _find(self, request: Request) -> JsonObject:
        """Say whether a user name or an e-mail is taken: 200 it is, 404 it is free."""
        if "email" in request.body:
            user = self._store.user_by_email(read_text(request.body, "email"))
        else:
            user = self._store.user_by_name(read_text(request.body, "username"))
        if user is None:
            raise ApiError(404, "user not registered")
        return {"status": 200}

    async def _make_key(self, request: Request) -> JsonObject:
        """Make a user key; the 2014 form has the names in a member `Authorization`."""
        if "Authorization" in request.body:
            names = read_object(request.body, "Authorization")
            email = read_text(names, "username")
        else:
            names = request.body
            email = read_text(names, "email")
            if read_text(names, "scope", "user") != "user":
                raise bad_request("scope must be user")
        password = read_text(names, "password", limit=MAX_PASSWORD)
        user = await self._accounts.sign_in(
            email, password, request.peer, request.token
        )
        return {"keys": [render(self._add_key(user), request.times)]}

    def _add_key(self, user: User) -> Key:
        self._quotas.check_user_keys(user)
        return self._store.keyring.add_user_key(user)
