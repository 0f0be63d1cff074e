"""The frames that firmware sends, spaced as it spaces them (protocol.md §3.2, §3.3, §3.7, §3.8)."""

from .device import Device

ACTIVATE_NONCE, IDENTIFY_NONCE = 66, 67


def activate(device: Device, rom_version: str, nonce: int = ACTIVATE_NONCE) -> bytes:
    """Return what a new device begins with."""
    return (
        b'{"nonce": %d, "path": "/v1/device/activate/", "method": "POST", '
        b'"body": {"encrypt_method": "PLAIN", "token": "%b", "bssid": "%b",'
        b'"rom_version":"%b"}, "meta": {"Authorization": "token %b"}}\n'
        % (
            nonce,
            device.token.encode(),
            device.bssid.encode(),
            rom_version.encode(),
            device.master_key.encode(),
        )
    )


def identify(key: str) -> bytes:
    """Return what any other one begins with, sensors excepted."""
    return (
        b'{"nonce": %d, "path": "/v1/device/identify", "method": "GET", '
        b'"meta": {"Authorization": "token %b"}}\n' % (IDENTIFY_NONCE, key.encode())
    )


def timers(key: str) -> bytes:
    """Return the request for the timers."""
    return (
        b'{"body": {}, "get": {"is_humanize_format_simple": "true"}, '
        b'"meta": {"Authorization": "Token %b"}, "path": "/v1/device/timers/", '
        b'"post": {}, "method": "GET"}\n' % key.encode()
    )


def ping(key: str) -> bytes:
    """Return a ping."""
    return (
        b'{"path": "/v1/ping/", "method": "POST", '
        b'"meta": {"Authorization": "token %b"}}\n' % key.encode()
    )


def acknowledgement(nonce: int) -> bytes:
    """Return the answer to a push about timers or an upgrade."""
    return b'{"status": 200, "nonce": %d, "deliver_to_device": true}\n' % nonce


def upgrade_message(key: str, action: str, before: str, after: str) -> bytes:
    """Return how an upgrade went."""
    return (
        b'{"path": "/v1/messages/", "method": "POST", '
        b'"meta": {"Authorization": "token %b"},"get":{"action":"%b"},'
        b'"body":{"pre_rom_version":"%b","rom_version":"%b"}}\n'
        % (key.encode(), action.encode(), before.encode(), after.encode())
    )


def sensor_post(key: str, nonce: int, path: str, body: str) -> bytes:
    """Return what a sensor wakes for; `body` is JSON."""
    return (
        b'{"nonce": %d, "path": "%b", "method": "POST", "body": %b, '
        b'"meta": {"Authorization": "token %b"}}\n'
        % (nonce, path.encode(), body.encode(), key.encode())
    )
