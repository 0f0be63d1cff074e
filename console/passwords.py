"""A new password is typed twice."""

from collections.abc import Mapping

from local_cloud.errors import ApiError


def check_again(password: str, form: Mapping[str, str]) -> None:
    """Raise ApiError 400 where the field `again` has another password."""
    if password != form.get("again"):
        raise ApiError(400, "the passwords differ")
