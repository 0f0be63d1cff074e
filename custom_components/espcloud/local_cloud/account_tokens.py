"""One-time tokens of accounts: who holds one may make an account, or set the password of one.

Only their hashes are kept. A token has 160 random bits, so that a plain hash is as good as a slow one.
"""

from dataclasses import dataclass
from enum import StrEnum
import hashlib
import secrets

from .models import Record, User
from .record_table import RecordTable
from .store_context import StoreContext

_BYTES = 20


class Purpose(StrEnum):
    """What a token is for."""

    INVITATION = "invitation"
    RESET = "reset"


@dataclass(slots=True, kw_only=True)
class AccountToken(Record):
    """A token that nobody has used yet."""

    purpose: str
    token_hash: str
    user_id: int = 0
    """Whose password it sets; 0 for an invitation."""
    note: str = ""
    """For whom an invitation is, as the operator remembers it."""
    token_expired_at: int


class AccountTokens(RecordTable[AccountToken]):
    """The tokens that are not used; those whose time is over go with the next that is made."""

    def __init__(self, context: StoreContext) -> None:
        """Start empty."""
        super().__init__(lambda token: token.user_id)
        self._context = context
        self._of_hash: dict[str, AccountToken] = {}

    def put(self, record: AccountToken) -> None:
        """Enter a token, new or from the database."""
        super().put(record)
        self._of_hash[record.token_hash] = record

    def take_out(self, record: AccountToken) -> None:
        """Take a token out."""
        super().take_out(record)
        del self._of_hash[record.token_hash]

    def add(
        self, purpose: Purpose, lifetime: int, *, user_id: int = 0, note: str = ""
    ) -> tuple[AccountToken, str]:
        """Make a token that lives for so many seconds; return its record and its text."""
        now = self._context.now()
        for old in [each for each in self.records.values() if not self._lives(each)]:
            self.remove(old)
        text = secrets.token_hex(_BYTES)
        token = AccountToken(
            id=self._context.next_id("account_tokens"),
            created=now,
            updated=now,
            purpose=purpose,
            token_hash=_hash(text),
            user_id=user_id,
            note=note,
            token_expired_at=now + lifetime,
        )
        self.put(token)
        self._context.changed(token)
        return token, text

    def find(self, purpose: Purpose, text: str) -> AccountToken | None:
        """Return the live token of this text."""
        token = self._of_hash.get(_hash(text))
        if token is None or token.purpose != purpose or not self._lives(token):
            return None
        return token

    def invitations(self) -> list[AccountToken]:
        """Return the invitations that live, the oldest first."""
        return [
            token
            for token in self.of(0).values()
            if token.purpose == Purpose.INVITATION and self._lives(token)
        ]

    def remove(self, token: AccountToken) -> None:
        """Remove a token that was used or revoked."""
        self.take_out(token)
        self._context.removed(token)

    def remove_resets(self, user: User) -> None:
        """Remove what would set the account's password."""
        for token in list(self.of(user.id).values()):
            self.remove(token)

    def _lives(self, token: AccountToken) -> bool:
        return token.token_expired_at > self._context.clock()


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
