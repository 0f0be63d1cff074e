"""Who may make an account without having one."""

from enum import StrEnum

from .account_tokens import AccountToken, Purpose
from .errors import ApiError
from .store import Store

INVITATION_DAYS = 7
"""Days for which an invitation lives unless the operator says otherwise."""
MAX_INVITATIONS = 100
"""Invitations that live at a time."""
MAX_DAYS = 365
MAX_NOTE = 255
"""Characters of what the operator notes of an invitation."""


class SignUp(StrEnum):
    """What the person who runs the cloud has decided; while there is no account, anybody may make it."""

    OPEN = "open"
    """Everybody may."""
    INVITE = "invite"
    """Who has an invitation may, once."""
    CLOSED = "closed"
    """Nobody may but who runs the cloud."""


class SignUps:
    """Lets in who may make an account, and knows the invitations."""

    def __init__(self, store: Store, policy: SignUp) -> None:
        """Keep invitations in `store`."""
        self._store = store
        self._policy = policy

    @property
    def policy(self) -> SignUp:
        """What counts now: `open` before the first account, then what was decided."""
        return self._policy if self._store.users else SignUp.OPEN

    def check(self, invitation: str) -> AccountToken | None:
        """Return the invitation that lets somebody in, None where none is needed.

        Raises ApiError 403, with a text that says what to do, for who may not make an account.
        """
        match self.policy:
            case SignUp.OPEN:
                return None
            case SignUp.CLOSED:
                raise ApiError(
                    403,
                    "sign-up is closed: ask the person who runs this cloud for an account",
                )
        if not invitation:
            raise ApiError(
                403,
                "sign-up needs an invitation: ask the person who runs this cloud for one",
            )
        token = self._store.account_tokens.find(Purpose.INVITATION, invitation)
        if token is None:
            raise ApiError(403, "the invitation was used, revoked, or is too old")
        return token

    def invite(self, note: str, days: int) -> tuple[AccountToken, str]:
        """Make an invitation; return its record and its text, which is told only now.

        Raises ApiError 400 for days or a note that cannot be, 403 where there are too many.
        """
        if not 1 <= days <= MAX_DAYS:
            raise ApiError(400, f"an invitation lives 1 to {MAX_DAYS} days")
        if len(note) > MAX_NOTE:
            raise ApiError(400, f"a note has at most {MAX_NOTE} characters")
        tokens = self._store.account_tokens
        if len(tokens.invitations()) >= MAX_INVITATIONS:
            raise ApiError(
                403, f"there are at most {MAX_INVITATIONS} invitations: revoke some"
            )
        return tokens.add(Purpose.INVITATION, days * 86400, note=note)

    def revoke(self, number: int) -> None:
        """Revoke the invitation of this id. Raises ApiError 404 where there is none."""
        for token in self._store.account_tokens.invitations():
            if token.id == number:
                self._store.account_tokens.remove(token)
                return
        raise ApiError(404, "invitation not exists")
