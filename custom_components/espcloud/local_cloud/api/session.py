"""What a device does first: activate, identify; and last: quit (protocol.md §2.6, §3.2)."""

from collections.abc import Awaitable, Iterator

from ..access import MASTER, Access
from ..errors import bad_request, unknown_device_key, unknown_path
from ..fields import read_text
from ..frames import fit_firmware
from ..listeners import DeviceActivated, Listeners
from ..models import Device, Key, render
from ..presence import Presence, dismiss
from ..request import Answer, Handler, Request
from ..router import ANY_METHOD, Route
from ..store import Store
from ..times import ZERO_TIME
from ..wire import JsonObject


class SessionApi:
    """The start and the end of a device's session."""

    def __init__(
        self, store: Store, access: Access, presence: Presence, listeners: Listeners
    ) -> None:
        """Tell `presence` which device is on which connection."""
        self._listeners = listeners
        self._store = store
        self._access = access
        self._presence = presence

    def routes(self) -> Iterator[Route]:
        """Return the paths of this family."""
        master = self._access.device
        yield Route(
            ("POST",),
            "/v1/device/activate/",
            master(MASTER, self._activate, is_activity=False),
        )
        yield Route(
            ("GET", "POST"),
            "/v1/device/identify/",
            _device_port_only(master(MASTER, self.identify)),
        )
        yield Route(ANY_METHOD, "/v1/device/quit/", _device_port_only(self._quit))

    def _activate(self, request: Request, device: Device, key: Key) -> JsonObject:
        """Activate, the first time or again, and make a token that lives ten minutes.

        The cloud checks neither `bssid` nor `token`; the first `activated_at` stays. `last_active`
        is not touched: in the cloud's own answer it is the zero time (protocol.md §2.6).
        """
        if read_text(request.body, "encrypt_method", "PLAIN").upper() != "PLAIN":
            raise bad_request("encrypt_method must be PLAIN")
        bssid = read_text(request.body, "bssid", device.bssid)
        rom_version = read_text(request.body, "rom_version", device.rom_version)
        text = read_text(request.body, "token", "")
        now = self._store.context.now()
        previous_bssid = device.bssid
        device.bssid = bssid
        device.rom_version = rom_version
        device.updated = device.last_activated_at = now
        if device.activated_at == ZERO_TIME:
            device.activated_at = now
        device.activate_status = key.activate_status = 1
        self._store.context.changed(device)
        self._store.context.changed(key)
        token = self._store.keyring.add_token(
            device, text, "owner shared", is_owner_key=1, creator_id=key.user_id
        )
        if self._listeners:
            self._listeners.tell(
                DeviceActivated(device, bssid, rom_version, text, previous_bssid)
            )
        reply: JsonObject = {
            "device": render(device, request.times),
            "key": render(key, request.times),
            "status": 200,
            "token": render(token, request.times),
        }
        return fit_firmware(reply) if request.link else reply

    def identify(self, request: Request, device: Device, key: Key) -> Answer:
        """Make this connection the device's; `activate_status` says whether it has to activate.

        An older connection of the device is thrown out, in a contest after a while, and sometimes
        it is this one that has to go.
        """
        assert request.link is not None
        seconds = self._presence.wait_for_place(device, request.link)
        if seconds is None:
            dismiss(request.link)
            return {}  # is not sent any more
        if seconds > 0:
            turn = self._presence.place(device, request.link, seconds)
            return self._arrive_later(turn, request, device, key)
        return self._arrive(request, device)

    async def _arrive_later(
        self, turn: Awaitable[None], request: Request, device: Device, key: Key
    ) -> JsonObject:
        await turn
        if self._store.keyring.key(request.token or "") is not key:
            # It was replaced meanwhile, or is gone with the device.
            raise unknown_device_key()
        return self._arrive(request, device)

    def _arrive(self, request: Request, device: Device) -> JsonObject:
        """Take the device's place. Pushes wait until the device is ready for them."""
        link = request.link
        assert link is not None
        if link.is_open:
            self._store.context.heard(device)
            self._presence.arrive(device, link)
            link.outbox.hold()
        return fit_firmware({"device": render(device, request.times), "status": 200})

    def _quit(self, request: Request) -> JsonObject:
        """End the connection; what is returned is not sent any more."""
        assert request.link is not None
        request.link.close("the device quit")
        return {}


def _device_port_only(handler: Handler) -> Handler:
    """Let the path exist on a connection only: an HTTP request is nobody's session."""

    def check(request: Request) -> Answer:
        if request.link is None:
            raise unknown_path()
        return handler(request)

    return check
