"""What an address says of a server."""

from typing import Any

import pytest

from custom_components.espcloud.backends.server import Server
from custom_components.espcloud.const import DEFAULT_URL


def server(url: str, **changes: Any) -> Server:
    """Return a server at an address."""
    data = {"url": url, "port": 8000, "ssl": False, "verify_ssl": True}
    return Server.from_data(data | changes)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://IOT.espressif.cn/v1/", "iot.espressif.cn:443"),
        ("http://192.168.1.10:8080", "192.168.1.10:8080"),
        ("http://[::1]:8080", "[::1]:8080"),
        (" http://lamp.local ", "lamp.local:80"),
    ],
)
def test_name(url: str, name: str) -> None:
    """Host and port, since one host can have several clouds."""
    assert server(url).name == name
    assert server(url).account_id(7) == f"{name}_7"


@pytest.mark.parametrize(
    ("url", "is_overheard"),
    [
        ("http://cloud.example.org", True),
        ("http://8.8.8.8:8080", True),
        ("http://[2001:db8::1]", True),
        ("http://local.example.org", True),
        ("https://cloud.example.org", False),
        ("http://127.0.0.1:8080", False),
        ("http://192.168.1.10", False),
        ("http://10.1.2.3", False),
        ("http://169.254.1.2", False),
        ("http://[fd00::1]", False),
        ("http://[fe80::1]", False),
        ("http://[::1]", False),
        ("http://localhost:8080", False),
        ("http://server", False),
        ("http://server.local", False),
        ("http://server.lan", False),
        ("http://server.home.arpa", False),
    ],
)
def test_overheard(url: str, is_overheard: bool) -> None:
    """Clear text that leaves the local network can be read by strangers."""
    assert server(url).is_overheard is is_overheard


def test_page_for_people() -> None:
    """The API of any other server answers a browser with JSON."""
    assert server(DEFAULT_URL).web_page == DEFAULT_URL
    assert server("https://cloud.example.org").web_page is None
    assert server("http://127.0.0.1:8080").web_page is None


def test_port_is_a_whole_number() -> None:
    """Home Assistant's number field makes it a float."""
    found = server(DEFAULT_URL, port=8443.0)
    assert found.port == 8443
    assert isinstance(found.port, int)
