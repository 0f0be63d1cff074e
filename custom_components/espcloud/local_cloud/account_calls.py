"""What whoever embeds the cloud does with its accounts."""

from .accounts import Accounts
from .models import User
from .sign_up import SignUp
from .store import Store


class AccountCalls:
    """A part of LocalCloud, which has these attributes."""

    store: Store
    _accounts: Accounts

    @property
    def sign_up(self) -> SignUp:
        """Who may make an account now; before the first one, everybody (see `SignUp`)."""
        return self._accounts.sign_ups.policy

    async def add_account(self, email: str, password: str | None) -> User:
        """Make an account; without a password nobody can sign in to it.

        Raises ApiError 400 or 409 as the API does.
        """
        return await self._accounts.add(email, password)

    async def set_password(self, user: User, password: str | None) -> None:
        """Give an account another password, or with None take it away.

        Either ends the user keys with which people signed in (see `api.users`), not the one of
        `user_key`. Raises ApiError 400 for an empty one.
        """
        await self._accounts.set_password(user, password)

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
