"""Texts from the cloud hide nothing."""

import pytest

from custom_components.espcloud.cloud.devices import CloudDevice
from custom_components.espcloud.cloud.text import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Desk lamp", "Desk lamp"),
        ("台灯\u3000客厅 · Größe", "台灯\u3000客厅 · Größe"),
        ("Family 👨\u200d👩\u200d👧 ❤️", "Family 👨\u200d👩\u200d👧 ❤️"),
        ("a\r\nERROR b\tc\x00\x1b[31m\x7f\x9b", r"a\r\nERROR b\tc\x00\x1b[31m\x7f\x9b"),
        ("line\u2028paragraph\u2029", r"line\u2028paragraph\u2029"),
        ("pmal\u202e ksed\u2066", r"pmal\u202e ksed\u2066"),
        ("half\ud83d", r"half\ud83d"),
    ],
)
def test_what_is_not_seen_is_written_out(text: str, shown: str) -> None:
    """Controls, breaks and directions; letters of any script stay, and emoji."""
    assert printable(text) == shown


def test_device_is_read_that_way() -> None:
    """In each of the texts that are shown of it."""
    device = CloudDevice.from_record(
        {"id": 1, "name": "a\nb", "serial": "c\nd", "rom_version": "e\nf"}
    )
    assert (device.name, device.serial) == (r"a\nb", r"c\nd")
    assert device.rom_version == r"e\nf"
