"""Espressif's parser as protocol.md §3.9 describes it: what firmware makes of what it receives."""

from collections.abc import Iterable
import re

FIRMWARE_BUFFER = 2047
HELD_SEGMENT = 1460

_WORDS = (
    (b'"action": "sys_upgrade"', "upgrade"),
    (b'"action": "sys_reboot"', "reboot"),
    (b"/v1/device/timers/", "fetch timers"),
    (b'"method": ', "push"),
    (b"ping success", "pong"),
    (b"send message success", "message sent"),
    (b"timers", "timers"),
    (b"device", "fetch timers"),
)
"""What is looked for, first hit wins, anywhere in the buffer (point 2)."""
TEXTS = (b"/v1/device/timers/", b"ping success", b"send message success", b"timers")
"""The words that a text inside a frame can be or hold: it has no quotes."""


def first_match(buffer: bytes, activation_nonce: int = 0) -> str:
    """Return what the firmware does with a buffer."""
    if re.search(rb'"status":\s*400', buffer):
        return "dropped"
    if b'"activate_status": ' in buffer and nonce(buffer) == activation_nonce:
        return "activated"
    return next((action for word, action in _WORDS if word in buffer), "nothing")


def nonce(buffer: bytes) -> int:
    """Return the nonce that the firmware reads, 0 for none; it must fit eleven bytes (point 5)."""
    _, found, rest = buffer.partition(b'"nonce": ')
    if not found:
        return 0
    end = rest.find(b",")
    if end < 0:
        end = min(
            (at for at in (rest.find(b"}"), rest.find(b"]")) if at >= 0),
            default=len(rest),
        )
    digits = rest[:end]
    assert len(digits) <= 10, "the firmware's buffer overflows"
    return int(re.match(rb"\d*", digits)[0] or 0)  # type: ignore[index]  # matches always


def method(buffer: bytes) -> str:
    """Return the method of a push."""
    return "POST" if b'"method": "POST"' in buffer else "GET"


def upgrade_version(buffer: bytes) -> str:
    """Return the version to fetch: 15 characters, whatever they are (point 11)."""
    start = buffer.index(b'"version":') + 12
    return buffer[start : start + 15].decode()


def timers_text(buffer: bytes) -> str:
    """Return the timers, as the firmware goes through them (§3.6)."""
    _, _, rest = buffer.partition(b'"timers": "')
    return rest.partition(b'"')[0].decode()


def timers_time(buffer: bytes) -> int:
    """Return the server's time that comes with the timers, which a comma has to follow (§3.6)."""
    match = re.search(rb'"timestamp": (\d+),', buffer)
    assert match, "timers without a time"
    return int(match[1])


def plug_value(buffer: bytes) -> str | None:
    """Return what the plug is set to: one character at a fixed place (point 6)."""
    if b"plug-status" not in buffer:
        return None
    return _first_value(buffer)[:1].decode()


def strip_value(buffer: bytes) -> int | None:
    """Return the mask that the power strip is set to, at the plug's fixed place ([I])."""
    if b"/v1/datastreams/plugs/" not in buffer:
        return None
    match = re.match(rb"\d{1,3}", _first_value(buffer))
    return int(match[0]) if match else None


def numbers(buffer: bytes, stream: str, names: Iterable[str]) -> dict[str, int]:
    """Return the members of a datapoint that are whole numbers, each found by its name ([I])."""
    if f'"path": "/v1/datastreams/{stream}/datapoint/"'.encode() not in buffer:
        return {}
    _, _, point = buffer.partition(b'{"datapoint": {')
    found = {}
    for name in names:
        if match := re.search(rb'"%b": (\d{1,9})[,}]' % name.encode(), point):
            found[name] = int(match[1])
    return found


def _first_value(buffer: bytes) -> bytes:
    """Return what stands at the fixed place and behind it, nothing where its prefix is missing."""
    _, _, rest = buffer.partition(b"body")
    prefix = b'": {"datapoint": {"x": '
    return rest.removeprefix(prefix) if rest.startswith(prefix) else b""


def light_values(buffer: bytes) -> dict[str, str]:
    """Return what the old light is set to; the last member is lost (point 7)."""
    if b'"path": "/v1/datastreams/light/datapoint/"' not in buffer:
        return {}
    data = buffer[: buffer.index(b"}}")].decode()
    values = {}
    for name in "xyzkl":
        _, found, rest = data.partition(f'"{name}": ')
        value, comma, _ = rest.partition(",")
        if found and comma:
            assert len(value) <= 9, "the firmware's buffer overflows"
            values[name] = value
    return values
