"""Keys that are taken from those who have them."""

from collections.abc import Mapping

from .fields import read_id
from .visits import Visit


async def revoke(visit: Visit, form: Mapping[str, str]) -> None:
    """Revoke the key whose id is in the field `key`. Raises ApiError 400, and 404 for a foreign one."""
    await visit.call("DELETE", "/v1/keys/", {"keys": [{"id": read_id(form, "key")}]})
