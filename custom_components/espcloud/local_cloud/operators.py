"""Who runs the server."""

from .models import User

_FIRST_ACCOUNT = 1


def is_operator(user: User) -> bool:
    """Say whether the account is that of whoever runs the server: the first one that was made."""
    return user.id == _FIRST_ACCOUNT
