"""What a flow does at the cloud: sign in, find the device, bind it, try it."""

from homeassistant.const import CONF_EMAIL, CONF_PASSWORD
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import AbortFlow

from .cloud import (
    AuthenticationError,
    CloudConnection,
    CloudDevice,
    CloudError,
    UnknownAccountError,
    UntrustedCertificateError,
    UserKey,
    is_key,
    new_token,
    virtual_bssid,
)
from .const import CONF_DEVICE_KEY, DOMAIN
from .errors import error_key
from .server import Server


class EnrollmentError(Exception):
    """What a form shows: an error, and the field it belongs to.

    Attributes:
        field: the form's field, or "base" where no single one is to blame.
        key: the error's translation key.
    """

    def __init__(self, field: str, key: str) -> None:
        """Name the field and the error."""
        super().__init__(f"{field}: {key}")
        self.field = field
        self.key = key


class Enrollment:
    """The requests of one dialog. Each method raises EnrollmentError.

    Attributes:
        server: whom it talks to.
        may_take_over: whether a device proved to be another account's, so that the
            form has to offer to take it over.
    """

    def __init__(self, hass: HomeAssistant, server: Server) -> None:
        """Talk to `server`."""
        self.hass = hass
        self.server = server
        self.may_take_over = False
        self._client = server.client(hass)
        self._endpoint = server.endpoint()
        # A device that this very dialog activated is not another account's, even if
        # binding it failed the first time.
        self._activated: set[int] = set()

    async def sign_in(self, email: str, password: str) -> UserKey:
        """Return a key of the account."""
        try:
            return await self._client.create_user_key(email, password)
        except UnknownAccountError as err:
            raise EnrollmentError(CONF_EMAIL, "unknown_account") from err
        except AuthenticationError as err:
            raise EnrollmentError(CONF_PASSWORD, "invalid_auth") from err
        except CloudError as err:
            raise EnrollmentError("base", error_key(err)) from err

    async def check_account(self, user_key: str) -> None:
        """Check that the server still knows the account's key."""
        try:
            await self._client.list_devices(user_key)
        except AuthenticationError as err:
            raise EnrollmentError(CONF_PASSWORD, "password_needed") from err
        except CloudError as err:
            raise EnrollmentError("base", error_key(err)) from err

    async def check_device_port(self) -> None:
        """Check that something listens; identifying would throw the device out."""
        try:
            connection = await CloudConnection.open(self._endpoint)
        except UntrustedCertificateError as err:
            raise EnrollmentError("base", error_key(err)) from err
        except CloudError as err:
            raise EnrollmentError("base", "cannot_connect_device_port") from err
        await connection.close()

    async def check_device_key(
        self, master_key: str, device_id: int, *, is_in_use: bool
    ) -> None:
        """Check that a master key is one of the same device, and try one that is new."""
        device = await self._find(master_key)
        if device.id != device_id:
            raise EnrollmentError(CONF_DEVICE_KEY, "wrong_device")
        if not is_in_use:
            await self._try_connection(master_key, device)

    async def enroll(
        self, user_key: str, master_key: str, *, take_over: bool
    ) -> CloudDevice:
        """Return the device of a master key, bound to the account and tried.

        Args:
            user_key: the account's key.
            master_key: the device's.
            take_over: bind the device even if it is another account's.

        Raises:
            EnrollmentError: as every method.
            AbortFlow: the device is set up already.
        """
        device = await self._find(master_key)
        self._refuse_known(device)
        await self._bind(user_key, master_key, device, take_over=take_over)
        await self._try_connection(master_key, device)
        return device

    async def _find(self, master_key: str) -> CloudDevice:
        try:
            return await self._client.get_device(master_key)
        except AuthenticationError as err:
            raise EnrollmentError(CONF_DEVICE_KEY, "unknown_device_key") from err
        except CloudError as err:
            raise EnrollmentError("base", error_key(err)) from err

    def _refuse_known(self, device: CloudDevice) -> None:
        """Abort where the device is set up, with whichever of the server's accounts.

        A device is one connection at the cloud: two would throw each other out.
        """
        for entry in self.hass.config_entries.async_entries(DOMAIN):
            if Server.from_data(entry.data).host == self.server.host and any(
                subentry.unique_id == str(device.id)
                for subentry in entry.subentries.values()
            ):
                raise AbortFlow("already_configured")

    async def _bind(
        self, user_key: str, master_key: str, device: CloudDevice, *, take_over: bool
    ) -> None:
        """Make the device the account's, where it is not yet (protocol.md §2.6).

        An active device that is not on this account is, as far as the API tells,
        another account's. Binding it takes it away there, so that needs `take_over`.
        """
        try:
            owned = await self._client.list_devices(user_key)
        except CloudError as err:
            raise EnrollmentError("base", error_key(err)) from err
        if any(each.device.id == device.id for each in owned):
            return
        ours = not device.activated or device.id in self._activated
        if not ours and not take_over:
            self.may_take_over = True
            raise EnrollmentError(CONF_DEVICE_KEY, "device_of_another_account")
        token = new_token()
        try:
            await self._client.activate(master_key, virtual_bssid(device.id), token)
            self._activated.add(device.id)
            await self._client.authorize(user_key, token)
        except AuthenticationError as err:
            # It is a key of the device, or there would be none, but not its master key.
            raise EnrollmentError(CONF_DEVICE_KEY, "not_a_master_key") from err
        except CloudError as err:
            raise EnrollmentError("base", error_key(err)) from err

    async def _try_connection(self, master_key: str, device: CloudDevice) -> None:
        """Connect to the device port and identify once."""
        try:
            connection = await CloudConnection.open(self._endpoint)
            try:
                await connection.identify(master_key, virtual_bssid(device.id))
            finally:
                await connection.close()
        except AuthenticationError as err:
            raise EnrollmentError(CONF_DEVICE_KEY, "not_a_master_key") from err
        except UntrustedCertificateError as err:
            raise EnrollmentError("base", error_key(err)) from err
        except CloudError as err:
            raise EnrollmentError("base", "cannot_connect_device_port") from err


def normalized_key(text: str) -> str:
    """Return a master key as typed or pasted, in the form the cloud uses.

    Raises:
        EnrollmentError: it cannot be a key; no request is worth it.
    """
    key = text.strip().lower()
    if not is_key(key):
        raise EnrollmentError(CONF_DEVICE_KEY, "malformed_device_key")
    return key
