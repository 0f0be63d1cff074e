"""What a flow does at the cloud: sign in, find the device, bind it, try it."""

from contextlib import suppress
from dataclasses import replace

from homeassistant.const import CONF_EMAIL, CONF_PASSWORD, CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import AbortFlow

from .account_products import AccountProducts
from .backends.server import Server
from .cloud import (
    AuthenticationError,
    CannotConnectError,
    CloudConnection,
    CloudDevice,
    CloudError,
    NoTlsError,
    RateLimitedError,
    RequestRefusedError,
    UnknownAccountError,
    UntrustedCertificateError,
    UserKey,
    is_key,
    new_token,
    virtual_bssid,
    virtual_rom_version,
)
from .const import CONF_DEVICE_KEY, SECTION_SERVER
from .errors import error_key
from .known_devices import is_set_up


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


class CannotCreateError(Exception):
    """The server makes no devices for this account."""


class Enrollment:
    """The requests of one dialog to one server. Each method raises EnrollmentError.

    No key that a server gave, or that was typed for it, goes to another one: a dialog
    makes a new Enrollment where the server changes.

    Attributes:
        server: whom it talks to.
        user_key: the account's key, empty before `sign_in`.
        may_take_over: whether a device proved to be another account's, so that the
            form has to offer to take it over.
        products: what the account's products have to offer.
    """

    def __init__(self, hass: HomeAssistant, server: Server, user_key: str = "") -> None:
        """Talk to `server`, with a key of the account where it has given one."""
        self.hass = hass
        self.server = server
        self.user_key = user_key
        self.may_take_over = False
        self._client = server.client(hass)
        self.products = AccountProducts(self._client)
        self._endpoint = server.endpoint()
        # A device that this very dialog activated is not another account's, even if
        # binding it failed the first time.
        self._activated: set[int] = set()

    async def sign_in(self, email: str, password: str) -> UserKey:
        """Get a key of the account and keep it as `user_key`."""
        try:
            user_key = await self._client.create_user_key(email, password)
        except UnknownAccountError as err:
            raise EnrollmentError(CONF_EMAIL, "unknown_account") from err
        except AuthenticationError as err:
            raise EnrollmentError(CONF_PASSWORD, "invalid_auth") from err
        except RateLimitedError as err:
            raise EnrollmentError(CONF_PASSWORD, "rate_limited") from err
        except NoTlsError as err:
            raise EnrollmentError(SECTION_SERVER, "no_tls") from err
        except CloudError as err:
            raise EnrollmentError(SECTION_SERVER, error_key(err)) from err
        self.user_key = user_key.token
        return user_key

    async def owned_devices(self) -> dict[int, CloudDevice]:
        """Return the account's devices by their ids; the key may prove to be unknown."""
        try:
            owned = await self._client.list_devices(self.user_key)
        except AuthenticationError as err:
            raise EnrollmentError(CONF_PASSWORD, "password_needed") from err
        except CloudError as err:
            raise EnrollmentError(SECTION_SERVER, error_key(err)) from err
        return {each.device.id: each.device for each in owned}

    async def accept(self, token: str) -> None:
        """Take a device in that its owner shares by a token."""
        if not token:
            raise EnrollmentError(CONF_TOKEN, "token_missing")
        try:
            await self._client.authorize(self.user_key, token)
        except AuthenticationError as err:
            raise EnrollmentError("base", "key_refused") from err
        except RequestRefusedError as err:
            raise EnrollmentError(CONF_TOKEN, "unknown_token") from err
        except CloudError as err:
            raise EnrollmentError("base", error_key(err)) from err

    async def check_device_port(self) -> None:
        """Check that something listens; identifying would throw the device out."""
        try:
            connection = await CloudConnection.open(self._endpoint)
        except UntrustedCertificateError as err:
            raise EnrollmentError(SECTION_SERVER, error_key(err)) from err
        except CloudError as err:
            raise EnrollmentError(SECTION_SERVER, "cannot_connect_device_port") from err
        await connection.close()

    async def check_device_key(
        self, master_key: str, *, device_id: int, serial: str, is_in_use: bool
    ) -> None:
        """Check that a master key is one of the same device, and try one that is new."""
        device = await self._find(master_key)
        if not device.is_same(device_id, serial):
            raise EnrollmentError(CONF_DEVICE_KEY, "wrong_device")
        if not is_in_use:
            await self._try_connection(master_key, device)

    async def make_device(self, name: str) -> str:
        """Return the master key of a device that nobody uses, made where there is none.

        Raises:
            CannotCreateError: the server does not do that.
        """
        try:
            made = await self.products.obtain(self.user_key, name, self.is_set_up)
        except (CannotConnectError, RateLimitedError) as err:
            raise EnrollmentError("base", error_key(err)) from err
        except CloudError as err:
            raise CannotCreateError from err
        return made.master_key

    def is_set_up(self, device: CloudDevice, master_key: str) -> bool:
        """Tell whether Home Assistant has the device already, with whatever account."""
        return is_set_up(self.hass, self.server, device, master_key)

    async def enroll(
        self, master_key: str, *, take_over: bool, name: str | None = None
    ) -> CloudDevice:
        """Return the device of a master key, bound to the account and tried.

        Args:
            master_key: the device's key.
            take_over: bind the device even if it is another account's.
            name: what the device shall be called, None to leave that alone.

        Raises:
            EnrollmentError: as every method.
            AbortFlow: the device is set up already.
        """
        device = await self._find(master_key)
        self._refuse_known(device, master_key)
        await self._bind(master_key, device, take_over=take_over)
        if name is not None and name != device.name:
            # That a server cannot do this is no reason to do without the device.
            with suppress(CloudError):
                await self._client.owner.rename(master_key, name)
            device = replace(device, name=name)
        await self._try_connection(master_key, device)
        # Another dialog may have been quicker.
        self._refuse_known(device, master_key)
        return device

    async def _find(self, master_key: str) -> CloudDevice:
        try:
            return await self._client.owner.get_device(master_key)
        except AuthenticationError as err:
            raise EnrollmentError(CONF_DEVICE_KEY, "unknown_device_key") from err
        except CloudError as err:
            raise EnrollmentError("base", error_key(err)) from err

    def _refuse_known(self, device: CloudDevice, master_key: str) -> None:
        """Abort where the device is set up.

        A device is one connection at the cloud: two would throw each other out.
        """
        if self.is_set_up(device, master_key):
            raise AbortFlow("already_configured")

    async def _bind(
        self, master_key: str, device: CloudDevice, *, take_over: bool
    ) -> None:
        """Make the device the account's, where it is not yet (protocol.md §2.6).

        An active device that is not on this account is, as far as the API tells,
        another account's. Binding it takes it away there, so that needs `take_over`.
        """
        try:
            owned = await self._client.list_devices(self.user_key)
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
            await self._client.activate(
                master_key,
                virtual_bssid(device.id),
                token,
                None if device.activated else virtual_rom_version(device.ptype),
            )
            self._activated.add(device.id)
            await self._client.authorize(self.user_key, token)
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
    # As people group what they read to somebody else.
    key = "".join(text.split()).lower()
    if not is_key(key):
        raise EnrollmentError(CONF_DEVICE_KEY, "malformed_device_key")
    return key
