"""Accounts: join, sign in, find, make user keys (protocol.md §2.4); replace the password.

The cloud resets a password by mail alone. Here whoever knows it replaces it: POST
`/v1/user/resetpassword/` `{"email", "password", "new_password"[, "keep_devices"]}`. Whoever has forgotten
it asks as at the cloud, POST `/v1/user/resetpassword/mail/` `{"email"}`; the person who runs the server
gets a token, and with that it is POST `/v1/user/resetpassword/` `{"token", "new_password"}`. All user keys of
the account end; its owner and shared keys get another text, but for those that are to be kept (PUT
`/v1/keys/`, in `keys`), and with `"keep_devices": 0` for those as well. The answer is that of a sign-in.
Telephone numbers and accounts elsewhere are refused with 501.
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
        yield Route(("POST",), "/v1/users/join/", self._join_2014)
        yield Route(("POST",), "/v1/user/login/", self._login)
        yield Route(("POST",), "/v1/user/resetpassword/", self._replace_password)
        yield Route(("POST",), "/v1/user/resetpassword/mail/", self._forgot_password)
        yield Route(("POST",), "/v1/user/find/", self._find)
        yield Route(("GET",), "/v1/resource/sms/", _refuse_telephone)
        yield Route(("POST",), "/v1/keys/", self._make_key)

    async def _join(self, request: Request) -> JsonObject:
        """Make an account: 200, 409 where it exists, 400 for a bad format, 429 for too many.

        403 where sign-up is closed, or is for those with an `invitation` alone.
        """
        _refuse_other_ways(request)
        await self._accounts.join(
            read_text(request.body, "email"),
            read_text(request.body, "password", limit=MAX_PASSWORD),
            read_text(request.body, "username", ""),
            peer=request.peer,
            invitation=read_text(request.body, "invitation", ""),
        )
        return {"status": 200}

    async def _join_2014(self, request: Request) -> JsonObject:
        """Do the same in the words of 2014; the account works at once, for no mail is sent."""
        try:
            await self._join(request)
        except ApiError as error:
            return {
                "message": error.message,
                "result": "failed",
                "status": error.status,
            }
        return {"message": "the account is made", "result": "success", "status": 200}

    async def _login(self, request: Request) -> JsonObject:
        """Sign in: 200 with the account and a user key, 403 wrong password, 404 not registered."""
        _refuse_other_ways(request)
        user = await self._accounts.sign_in(
            read_text(request.body, "email"),
            read_text(request.body, "password", limit=MAX_PASSWORD),
            request.peer,
            request.token,
        )
        return self._signed_in(request, user)

    async def _replace_password(self, request: Request) -> JsonObject:
        """Replace the password: as a sign-in, 400 for a bad new one.

        With a `token` in place of the old one: 403 where that is none any more.
        """
        new = read_text(request.body, "new_password", limit=MAX_PASSWORD)
        keep_devices = bool(read_flag(request.body, "keep_devices", 1))
        if "token" in request.body:
            token = read_text(request.body, "token")
            user = await self._accounts.reset_password(
                token, new, request.peer, keep_devices=keep_devices
            )
        else:
            user = await self._accounts.replace_password(
                read_text(request.body, "email"),
                read_text(request.body, "password", limit=MAX_PASSWORD),
                new,
                request.peer,
                token=request.token,
                keep_devices=keep_devices,
            )
        return self._signed_in(request, user)

    def _forgot_password(self, request: Request) -> JsonObject:
        """Take it that a password is forgotten: 200 whether there is such an account or not."""
        self._accounts.want_reset(read_text(request.body, "email"), request.peer)
        return {"status": 200}

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


def is_form(segments: tuple[str, ...]) -> bool:
    """Say whether the body of a path may be a form in place of JSON (protocol.md §2.4)."""
    return segments == ("v1", "users", "join")


def _refuse_telephone(request: Request) -> JsonObject:
    """Refuse to send a text message."""
    raise ApiError(501, "this cloud sends no text messages: use an e-mail address")


def _refuse_other_ways(request: Request) -> None:
    """Refuse telephone numbers and accounts elsewhere, as the app offers them (protocol.md §2.4)."""
    if "email" in request.body:
        return
    if "phone" in request.body:
        raise ApiError(
            501, "this cloud knows no telephone numbers: use an e-mail address"
        )
    if "state" in request.body:
        raise ApiError(501, "this cloud knows no accounts elsewhere: use its own")
