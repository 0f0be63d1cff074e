"""An account that was signed in to, and what that says of its entry."""

from collections.abc import Mapping
from dataclasses import dataclass

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_EMAIL, CONF_URL

from .backends.server import Server
from .cloud import CloudDevice, UserKey
from .const import (
    CONF_DEVICE_ID,
    CONF_SERIAL,
    CONF_USER_ID,
    CONF_USER_KEY,
    SECTION_SERVER,
    SUBENTRY_TYPE_DEVICE,
)
from .enrollment import EnrollmentError


@dataclass(frozen=True, slots=True)
class SignIn:
    """What is left of a sign-in that succeeded; the password is not.

    Attributes:
        url: the server that gave the key, and the only one to get it.
        email: whose key it is.
        user_key: the key.
    """

    url: str
    email: str
    user_key: UserKey

    def is_for(self, server: Server, email: str) -> bool:
        """Tell whether it is this account's key at this server."""
        return (self.url, self.email) == (server.url, email)


def account_title(email: str) -> str:
    """Return what to call an account: its title ends up in logs, and is no secret."""
    name, at, _ = email.partition("@")
    return f"{name[:1]}…@…" if at else name


def stored_sign_in(entry: ConfigEntry) -> SignIn:
    """Return an account's key as if it had just been given."""
    return SignIn(
        url=entry.data[CONF_URL],
        email=entry.data[CONF_EMAIL],
        user_key=UserKey(entry.data[CONF_USER_ID], entry.data[CONF_USER_KEY]),
    )


def require_devices(entry: ConfigEntry, owned: Mapping[int, CloudDevice]) -> None:
    """Check that a server has an entry's devices, before it gets their keys.

    Raises:
        EnrollmentError: it is another cloud, which counts from 1 as well.
    """
    for subentry in entry.get_subentries_of_type(SUBENTRY_TYPE_DEVICE):
        device_id = subentry.data[CONF_DEVICE_ID]
        device = owned.get(device_id)
        if device is None or not device.is_same(device_id, subentry.data[CONF_SERIAL]):
            raise EnrollmentError(SECTION_SERVER, "other_devices")
