"""Lines with which a program, a terminal or a TCP assistant speaks to this server about one device.

Where a key belongs stands the name of the key: the page puts the key itself there when asked to.
"""

from collections.abc import Iterator
from dataclasses import dataclass
import re
import shlex
from urllib.parse import urlsplit

from local_cloud.ports import Addresses
from local_cloud.wire import JsonObject, encode_item

from . import frames
from .controls import control_for
from .holdings import Holding
from .own_address import is_loopback

DEVICE_KEY, MASTER_KEY = "DEVICE_KEY", "MASTER_KEY"
_KEYS = re.compile(f"({DEVICE_KEY}|{MASTER_KEY})")
_NEW_LIGHT = 1, 3, 0
"""Firmware from which on a light has the new stream (protocol.md §4)."""
_VERSION = re.compile(r"[bv]?(\d{1,4})\.(\d{1,4})\.(\d{1,4})t")


@dataclass(frozen=True, slots=True)
class Line:
    """A line to paste; `title` is the name of the text that says what it does."""

    title: str
    text: str

    @property
    def parts(self) -> list[str]:
        """The text, with the names of keys as parts of their own."""
        return [part for part in _KEYS.split(self.text) if part]


@dataclass(frozen=True, slots=True)
class Reached:
    """Where the site is, and whether nobody else can reach it there."""

    url: str
    host: str
    is_loopback: bool


def reached(url: str) -> Reached:
    """Take the site's own address apart; what is no host stands for this machine."""
    try:
        host = urlsplit(url).hostname or "localhost"
    except ValueError:
        host = "localhost"
    return Reached(url, host, is_loopback(host))


def curl_lines(site: Reached, stream: str, point: JsonObject) -> Iterator[Line]:
    """Return calls of the API with the account's own key (protocol.md §2.7, §2.8)."""
    key = ["-H", f"Authorization: token {DEVICE_KEY}"]
    rpc = f"{site.url}/v1/device/rpc/?deliver_to_device=true&action=LED_ON&speed=5"
    data = f"{site.url}/v1/datastreams/{stream}/datapoint/"
    live = f"{data}?deliver_to_device=true"
    body = encode_item({"datapoint": point}).decode()
    yield Line("live.curl_rpc", shlex.join(["curl", *key, rpc]))
    yield Line("live.curl_read", shlex.join(["curl", *key, live]))
    yield Line("live.curl_set", shlex.join(["curl", *key, "-d", body, live]))
    yield Line("live.curl_last", shlex.join(["curl", *key, data]))


def tcp_lines(stream: str, point: JsonObject) -> Iterator[Line]:
    """Return frames that the device itself sends."""
    for title, frame in (
        ("live.tcp_identify", frames.identify(MASTER_KEY, 1)),
        ("live.tcp_post", frames.datapoint(MASTER_KEY, 2, stream, point)),
        ("live.tcp_ping", frames.ping(MASTER_KEY, 3)),
        ("live.tcp_answer", frames.answer(1)),
    ):
        yield Line(title, encode_item(frame).decode())


def device_port(addresses: Addresses) -> tuple[int, bool]:
    """Return the port for devices, and whether it speaks TLS alone."""
    if addresses.device is not None:
        return addresses.device, False
    return addresses.device_tls or 0, True


def example(found: Holding, streams: list[str]) -> tuple[str, JsonObject]:
    """Return a datastream of the device and a datapoint that it could have."""
    control = control_for(found.device.ptype)
    if control is None:
        return (streams[0] if streams else "tem_hum"), {"x": 1}
    version = _VERSION.match(found.device.rom_version)
    if control.kind != "light":
        point: JsonObject = {"x": 1}
    elif version and tuple(map(int, version.groups())) >= _NEW_LIGHT:
        point = {"x": 2, "y": 1000, "z": {"red": 255, "green": 0, "blue": 0}}
    else:
        point = {"x": 1000, "y": 22222, "z": 0, "k": 0, "l": 0}
    return control.stream, point
