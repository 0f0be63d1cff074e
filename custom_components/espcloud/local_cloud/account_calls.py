"""What whoever embeds the cloud does with its accounts."""

from .accounts import Accounts
from .addresses import IN_PROCESS
from .models import KeyKind, User
from .quotas import Quotas
from .sign_up import SignUp
from .store import Store


class AccountCalls:
    """A part of LocalCloud, which has these attributes."""

    store: Store
    http_url: str
    _accounts: Accounts
    _quotas: Quotas

    @property
    def sign_up(self) -> SignUp:
        """Who may make an account now; before the first one, everybody (see `SignUp`)."""
        return self._accounts.sign_ups.policy

    async def add_account(self, email: str, password: str | None) -> User:
        """Make an account; without a password nobody can sign in to it.

        Raises ApiError 400 or 409 as the API does.
        """
        return await self._accounts.add(email, password)

    async def sign_in(
        self, email: str, password: str, *, peer: str, name: str, lifetime: int
    ) -> str:
        """Sign the person at an address in, and return a user key of this name for so many seconds.

        The rate limits are those of the API. Raises ApiError 403, 404 and 429 as the API does.
        """
        user = await self._accounts.sign_in(email, password, peer)
        self._quotas.check_user_keys(user)
        return self.store.keyring.add_user_key(user, name, lifetime).token

    async def replace_password(
        self, user: User, password: str, new: str, *, peer: str, token: str
    ) -> None:
        """Replace the password as its owner at an address does, with a user key of the account.

        It ends every user key, that one included. Raises ApiError 400, 403 and 429 as the API does.
        """
        await self._accounts.replace_password(
            user.email, password, new, peer, token=token
        )

    def user_of(self, token: str) -> User | None:
        """Return the account of a user key, None where there is no such key any more."""
        key = self.store.keyring.key(token)
        if key is None or key.kind is not KeyKind.USER:
            return None
        return self.store.users[key.user_id]

    async def set_password(self, user: User, password: str | None) -> None:
        """Give an account another password, or with None take it away.

        Either ends the user keys with which people signed in (see `api.users`), not the one of
        `user_key`. Raises ApiError 400 for an empty one.
        """
        await self._accounts.set_password(user, password)

    async def reset_password(
        self, token: str, password: str, peer: str = IN_PROCESS
    ) -> User:
        """Give the account of a reset token another password (see `Operator.password_reset`).

        `peer` is the address of the person who does so: guesses are counted by it. Raises ApiError
        400 for an empty password, 403 for a token that is none (any more), 429 for too many guesses.
        """
        return await self._accounts.reset_password(token, password, peer)

    def reset_link(self, token: str) -> str:
        """Return the address at which a person sets a password with a token; "" without HTTP."""
        return f"{self.http_url}/reset?token={token}" if self.http_url else ""

    def set_email(self, user: User, email: str) -> None:
        """Give an account another e-mail.

        Raises ApiError 400 for what cannot be one, and 409 where another account has it.
        """
        self._accounts.set_email(user, email)

    def user_key(self, user: User) -> str:
        """Return a user key of the account for calls within the process, always the same one.

        No password has to do with it. Where somebody has revoked it, there is a new one.
        """
        keyring = self.store.keyring
        return (keyring.own_key(user) or keyring.add_own_key(user)).token
