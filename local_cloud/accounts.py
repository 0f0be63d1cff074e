"""Making accounts and signing in to them."""

import re

from .errors import ApiError, bad_request
from .models import User
from .passwords import Passwords
from .rate_limits import FailedSignIns, NewAccounts
from .store import Store

_EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,189}")
MAX_PASSWORD = 1024


class Accounts:
    """The accounts and their passwords."""

    def __init__(
        self,
        store: Store,
        passwords: Passwords,
        failed: FailedSignIns,
        joined: NewAccounts,
    ) -> None:
        """Keep accounts in `store`."""
        self._store = store
        self._passwords = passwords
        self._failed = failed
        self._joined = joined

    async def add(
        self, email: str, password: str, username: str = "", *, peer: str | None = None
    ) -> User:
        """Make an account; its user name is the e-mail where there is none.

        Raises ApiError 400 for an e-mail or password that cannot be one, 409 where the e-mail or the
        user name is taken (protocol.md §2.2), 429 where the stranger at `peer` makes too many.
        """
        email = email.strip()
        username = username.strip() or email
        if not _EMAIL.fullmatch(email):
            raise bad_request("email must be an e-mail address")
        if not password:
            raise bad_request("password must not be empty")
        self._refuse_taken(email, username)
        if peer is not None:
            self._joined.add(peer)
        password_hash = await self._passwords.hash(password)
        # Hashing takes a moment in which somebody else may have come first.
        self._refuse_taken(email, username)
        return self._store.add_user(email, username, password_hash)

    async def sign_in(self, email: str, password: str, peer: str) -> User:
        """Return the account; a user name works in place of the e-mail.

        Raises ApiError 404 where there is no such account, 403 for a wrong password (protocol.md
        §2.2), 429 after too many failures.
        """
        name = email.strip().casefold()
        self._failed.check(peer, name)
        user = self._store.user_by_email(name) or self._store.user_by_name(name)
        if user is None:
            self._failed.add(peer, name)
            raise ApiError(404, "user not registered")
        right = await self._passwords.matches(password, user.password_hash)
        self._failed.check(peer, name)
        if not right:
            self._failed.add(peer, name)
            raise ApiError(403, "wrong password")
        self._failed.forgive(peer, name)
        return user

    async def set_password(self, user: User, password: str) -> None:
        """Give an account this password, unless it has it already."""
        if not await self._passwords.matches(password, user.password_hash):
            user.password_hash = await self._passwords.hash(password)
            user.updated = self._store.context.now()
            self._store.context.changed()

    def _refuse_taken(self, email: str, username: str) -> None:
        # A sign-in takes either name, so neither may be the other of somebody else.
        for name in (email, username):
            if self._store.user_by_email(name) or self._store.user_by_name(name):
                raise ApiError(409, "user exists already")
