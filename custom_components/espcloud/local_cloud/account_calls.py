"""What whoever embeds the cloud does with its accounts."""

from .accounts import Accounts
from .models import User


class AccountCalls:
    """A part of LocalCloud, which has these attributes."""

    _accounts: Accounts

    async def add_account(self, email: str, password: str) -> User:
        """Make an account. Raises ApiError 400 or 409 as the API does."""
        return await self._accounts.add(email, password)

    async def set_password(self, user: User, password: str) -> None:
        """Give an account another password, which ends its user keys (see `api.users`)."""
        await self._accounts.set_password(user, password)
