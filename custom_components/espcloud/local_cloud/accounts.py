"""Making accounts and signing in to them."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
import re

from .account_tokens import Purpose
from .addresses import IN_PROCESS, KnownAddresses, network_of
from .errors import ApiError, bad_request
from .fair_queue import FairQueue
from .models import Key, KeyKind, User
from .passwords import NO_PASSWORD, Passwords
from .rate_limits import Attempt, FailedSignIns, NewAccounts, WantedResets
from .sign_up import SignUps
from .store import Store

_EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,189}")
MAX_PASSWORD = 1024
RESET_LIFETIME = 3600
"""Seconds for which a token lives that sets a password."""

type HandOver = Callable[[User, str], None]
"""Gives the person who runs the cloud a token that sets the password of an account."""


class Accounts:
    """The accounts and their passwords.

    Attributes:
        sign_ups: who may make one.
    """

    def __init__(
        self,
        store: Store,
        passwords: Passwords,
        hashing: FairQueue,
        *,
        sign_ups: SignUps,
        failed: FailedSignIns,
        joined: NewAccounts,
        wanted: WantedResets,
        known: KnownAddresses,
        hand_over: HandOver | None,
    ) -> None:
        """Keep accounts in `store`; whoever needs a hash waits for a turn at `hashing`.

        Without `hand_over`, nothing comes of it that somebody has forgotten a password.
        """
        self.sign_ups = sign_ups
        self._store = store
        self._passwords = passwords
        self._hashing = hashing
        self._failed = failed
        self._joined = joined
        self._wanted = wanted
        self._hand_over = hand_over
        self._known = known

    async def add(
        self,
        email: str,
        password: str | None,
        username: str = "",
    ) -> User:
        """Make an account; its user name is the e-mail where there is none.

        Without a password nobody can sign in to it.

        Raises ApiError 400 for an e-mail or password that cannot be one, 409 where the e-mail or the
        user name is taken (protocol.md §2.2).
        """
        email = email.strip()
        username = username.strip() or email
        _refuse_odd(email)
        self._refuse_taken(email, username)
        if password is None:
            return self._store.add_user(email, username, NO_PASSWORD)
        _refuse_empty(password)
        password_hash = await self._hash(password, email, "")
        # Hashing takes a moment in which somebody else may have come first.
        self._refuse_taken(email, username)
        return self._store.add_user(email, username, password_hash)

    async def join(
        self,
        email: str,
        password: str,
        username: str = "",
        *,
        peer: str,
        invitation: str = "",
    ) -> User:
        """Make an account for the stranger at `peer`, whom perhaps an invitation lets in.

        Raises ApiError as `add`, 403 for who may not make one (`sign_up`), and 429 for too many.
        """
        email = email.strip()
        username = username.strip() or email
        self.sign_ups.check(invitation)
        _refuse_odd(email)
        self._refuse_taken(email, username)
        _refuse_empty(password)
        self._joined.add(peer)
        password_hash = await self._hash(password, email, peer)
        # Hashing takes a moment, in which all of this may have become another matter.
        self._refuse_taken(email, username)
        if (token := self.sign_ups.check(invitation)) is not None:
            self._store.account_tokens.remove(token)
        return self._store.add_user(email, username, password_hash)

    async def sign_in(
        self, email: str, password: str, peer: str, token: str | None = None
    ) -> User:
        """Return the account; a user name works in place of the e-mail.

        `token` is the text of a key that came along: the holder of a user key of the account has an
        allowance of their own (see `rate_limits`). Raises ApiError 404 where there is no such
        account, 403 for a wrong password (protocol.md §2.2), 429 after too many failures.
        """
        user = self._store.user_by_email(email) or self._store.user_by_name(email)
        attempt = Attempt(user, peer, self._user_key(token))
        self._failed.check(attempt)
        if user is None:
            self._failed.add(attempt)
            raise ApiError(404, "user not registered")
        async with self._turn(user, peer):
            self._failed.check(attempt)
            right = await self._is_right(user, password)
        self._failed.check(attempt)
        if not right:
            self._failed.add(attempt)
            raise ApiError(403, "wrong password")
        self._failed.forgive(attempt)
        self._known.note(user.id, peer)
        return user

    async def replace_password(
        self,
        email: str,
        password: str,
        new: str,
        peer: str,
        *,
        token: str | None = None,
        keep_devices: bool = True,
    ) -> User:
        """Give the account another password, and end what the old one opened.

        See `Keyring.end_with_password`; the addresses that the account knows are forgotten, too.
        Raises ApiError as `sign_in`, and 400 for an empty password.
        """
        _refuse_empty(new)
        user = await self.sign_in(email, password, peer, token)
        stored = user.password_hash
        async with self._turn(user, peer):
            password_hash = await self._passwords.hash(new)
        if user.password_hash != stored:
            raise ApiError(403, "wrong password")
        self._put_password(user, password_hash, keep_devices=keep_devices)
        self._known.note(user.id, peer)
        return user

    def want_reset(self, email: str, peer: str) -> None:
        """Take it that the stranger at `peer` has forgotten the password of an account.

        Nothing tells whether there is such an account, the time until the answer neither: what
        there is to do is done after it. Raises ApiError 400 for what is no e-mail, 429 for too many.
        """
        email = email.strip()
        _refuse_odd(email)
        self._wanted.add(peer)
        asyncio.get_running_loop().call_soon(self._give_reset, email)

    def make_reset(self, user: User) -> str:
        """Return a token that sets the account's password, once, for RESET_LIFETIME."""
        tokens = self._store.account_tokens
        _, text = tokens.add(Purpose.RESET, RESET_LIFETIME, user_id=user.id)
        return text

    async def reset_password(
        self, token: str, new: str, peer: str = IN_PROCESS, *, keep_devices: bool = True
    ) -> User:
        """Give the account of a token from `make_reset` another password.

        It ends what the old one opened, as `replace_password` does, and all such tokens. `peer` is
        the address of who presents it. Raises ApiError 400 for an empty password, 403 for a token
        that is none (any more), 429 after too many of these.
        """
        _refuse_empty(new)
        attempt = Attempt(None, peer)
        self._failed.check(attempt)
        user = self._user_of_reset(token)
        if user is None:
            self._failed.add(attempt)
            raise _reset_unknown()
        async with self._turn(user, peer):
            password_hash = await self._passwords.hash(new)
        if self._user_of_reset(token) is not user:
            raise _reset_unknown()
        self._put_password(user, password_hash, keep_devices=keep_devices)
        self._known.note(user.id, peer)
        return user

    def set_email(self, user: User, email: str) -> None:
        """Give an account another e-mail, and where its user name was the old one, that too.

        Raises ApiError 400 for what cannot be one, 409 where another account has it.
        """
        email = email.strip()
        _refuse_odd(email)
        self._refuse_taken(email, email, but=user)
        is_named_so = user.username.casefold() == user.email.casefold()
        self._store.take_out(user)
        user.email = email
        if is_named_so:
            user.username = email
        user.updated = self._store.context.now()
        self._store.put(user)
        self._store.context.changed(user)

    async def set_password(self, user: User, password: str | None) -> None:
        """Give an account this password, unless it has it already; None takes it away.

        Raises ApiError 400 for an empty one.
        """
        if password is None:
            if user.password_hash != NO_PASSWORD:
                self._put_password(user, NO_PASSWORD, keep_devices=True)
            return
        _refuse_empty(password)
        async with self._turn(user, ""):
            if not await self._passwords.matches(password, user.password_hash):
                password_hash = await self._passwords.hash(password)
                self._put_password(user, password_hash, keep_devices=True)

    def _put_password(
        self, user: User, password_hash: str, *, keep_devices: bool
    ) -> None:
        user.password_hash = password_hash
        user.updated = self._store.context.now()
        self._known.forget(user.id)
        self._store.account_tokens.remove_resets(user)
        self._store.keyring.end_with_password(user, keep_devices=keep_devices)
        self._store.context.changed(user)

    def _give_reset(self, email: str) -> None:
        user = self._store.user_by_email(email)
        if user and self._hand_over is not None and self._wanted.allow(user):
            self._hand_over(user, self.make_reset(user))

    def _user_of_reset(self, text: str) -> User | None:
        token = self._store.account_tokens.find(Purpose.RESET, text)
        return None if token is None else self._store.users[token.user_id]

    async def _hash(self, password: str, email: str, peer: str) -> str:
        async with self._hashing.turn(network_of(peer), email.casefold()):
            return await self._passwords.hash(password)

    async def _is_right(self, user: User, password: str) -> bool:
        """Check a password; one that was replaced meanwhile is wrong."""
        stored = user.password_hash
        right = await self._passwords.matches(password, stored)
        return right and user.password_hash == stored

    def _turn(self, user: User, peer: str) -> AbstractAsyncContextManager[None]:
        return self._hashing.turn(network_of(peer), str(user.id))

    def _user_key(self, token: str | None) -> Key | None:
        key = self._store.keyring.key(token) if token else None
        return key if key and key.kind is KeyKind.USER else None

    def _refuse_taken(
        self, email: str, username: str, *, but: User | None = None
    ) -> None:
        # A sign-in takes either name, so neither may be the other of somebody else.
        for name in (email, username):
            for user in (
                self._store.user_by_email(name),
                self._store.user_by_name(name),
            ):
                if user is not None and user is not but:
                    raise ApiError(409, "user exists already")


def _reset_unknown() -> ApiError:
    return ApiError(403, "the link was used, or is too old: ask for another one")


def _refuse_odd(email: str) -> None:
    if not _EMAIL.fullmatch(email):
        raise bad_request("email must be an e-mail address")


def _refuse_empty(password: str) -> None:
    if not password:
        raise bad_request("password must not be empty")
