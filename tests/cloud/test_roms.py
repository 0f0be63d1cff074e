"""What is read of the firmware that there is for a device."""

from typing import Any

from hypothesis import given, settings
import pytest

from custom_components.espcloud.cloud import Roms, RomVersion, UnexpectedAnswerError
from custom_components.espcloud.cloud.text import printable

from .helpers import altered

FILES = [{"name": "user1.bin"}, {"name": "user2.bin"}]
ROM = {"recommended": 1, "version": "v1.0.6t23701(a)", "files": FILES}
ANSWER = {"recommended_rom_version": "v1.0.6t23701(a)", "productRoms": [ROM]}


def test_roms() -> None:
    """The cloud's choice, and what there is."""
    older = {
        **ROM,
        "version": "v1.0.5t23701(a)",
        "description": "Works.\n\x1b[31mBetter",
    }
    roms = Roms.from_answer({**ANSWER, "productRoms": [ROM, older]})
    files = frozenset({"user1.bin", "user2.bin"})
    assert roms == Roms(
        "v1.0.6t23701(a)",
        (
            RomVersion("v1.0.6t23701(a)", files),
            RomVersion("v1.0.5t23701(a)", files, "Works.\n\\x1b[31mBetter"),
        ),
    )
    assert roms.has("v1.0.6t23701(a)")
    assert not roms.has("v1.0.7t23701(a)")
    assert not roms.has("")


def test_no_roms() -> None:
    """There may be none at all."""
    roms = Roms.from_answer({"recommended_rom_version": None, "productRoms": []})
    assert roms == Roms("", ())


@pytest.mark.parametrize(
    "files",
    [
        None,
        {},
        [],
        FILES[:1],
        FILES[1:],
        [FILES[0], FILES[0]],
        [FILES[0], {"name": "USER2.BIN"}],
        [FILES[0], "user2.bin"],
        [FILES[0], {"name": ["user2.bin"]}],
        [{"name": "Esp.apk"}],
    ],
)
def test_version_that_is_not_complete(files: Any) -> None:
    """A device that found the file of its free slot missing would write the error into it."""
    roms = Roms.from_answer({**ANSWER, "productRoms": [{**ROM, "files": files}]})
    assert roms.recommended
    assert not roms.has(roms.recommended)


def test_version_that_firmware_cannot_ask_for() -> None:
    """It would ask for the first 15 characters."""
    long = "v1.0.10t23701(a)"
    roms = Roms.from_answer({**ANSWER, "productRoms": [{**ROM, "version": long}]})
    assert roms.find(long)
    assert not roms.has(long)


@pytest.mark.parametrize(
    "odd", [None, "v1", {}, {**ROM, "version": 1}, {**ROM, "version": "v1\n(a)"}]
)
def test_odd_version_does_not_hide_the_rest(odd: Any) -> None:
    """A version is what can be named to a device."""
    roms = Roms.from_answer({**ANSWER, "productRoms": [odd, ROM]})
    assert [each.version for each in roms.versions] == ["v1.0.6t23701(a)"]


def test_roms_unusable() -> None:
    """No list is not an empty list."""
    with pytest.raises(UnexpectedAnswerError):
        Roms.from_answer({"recommended_rom_version": "v1"})


@settings(max_examples=100, deadline=None, database=None)
@given(altered(ANSWER))
def test_any_roms(answer: dict[str, Any]) -> None:
    """Anything in any place gives firmware or the one error."""
    try:
        roms = Roms.from_answer(answer)
    except UnexpectedAnswerError:
        return
    assert roms.recommended == printable(roms.recommended)
    assert all(each.version == printable(each.version) for each in roms.versions)
    hash(roms)
