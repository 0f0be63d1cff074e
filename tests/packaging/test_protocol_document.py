"""docs/protocol.md has every section that is cited, and its examples are JSON."""

from functools import cache
import json
from pathlib import Path
import re
import subprocess

import pytest

from .paths import CHECKOUT, INTEGRATION

DOCUMENT = (CHECKOUT / "docs" / "protocol.md").read_text("utf-8")
CITATION = re.compile(
    r"§(\d+(?:\.\d+)?)"
    r"(?:(?:[–-]| to )§?(\d+(?:\.\d+)?))?"  # the end of a range
    r"((?:(?:, | and )\d+\b(?!\.\d))*)"  # numbered points of the section
)
# A citation may go on in the next line, of a comment too.
LINE_BREAK = re.compile(r"\s*\n[ \t]*(?:(?:#|//)[ \t]*)?")
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def citations(text: str) -> set[tuple[str, str]]:
    """Return the cited sections, each with a cited point or an empty text."""
    found = set()
    for first, last, points in CITATION.findall(LINE_BREAK.sub(" ", text)):
        found |= {(section, "") for section in (first, last) if section}
        found |= {(last or first, point) for point in re.findall(r"\d+", points)}
    return found


@cache
def sections() -> dict[str, set[str]]:
    """Return the document's sections by number, each with its numbered points."""
    _, *parts = re.split(
        r"^#{2,3} (\d+(?:\.\d+)?)\.? .*$", BLOCK.sub("", DOCUMENT), flags=re.MULTILINE
    )
    numbers = parts[::2]
    assert len(numbers) == len(set(numbers))
    return {
        number: set(re.findall(r"^(\d+)\. ", text, re.MULTILINE))
        for number, text in zip(numbers, parts[1::2], strict=True)
    }


@cache
def citing_files() -> dict[str, str]:
    """Return the texts of the repository's files in which a section is cited."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=CHECKOUT, check=True, capture_output=True
    )
    found = {}
    for name in listed.stdout.decode().split("\0"):
        path = CHECKOUT / name
        if path == Path(__file__) or not path.is_file():
            continue
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        if "§" in text:
            found[name] = text
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("protocol.md §4", {("4", "")}),
        ("(protocol.md §3.1).", {("3.1", "")}),
        ("(§3.7, §2.10)", {("3.7", ""), ("2.10", "")}),
        ("§2.4–2.7", {("2.4", ""), ("2.7", "")}),
        ("§3.1 to §3.3", {("3.1", ""), ("3.3", "")}),
        ("(protocol.md §3.9, 7)", {("3.9", ""), ("3.9", "7")}),
        ("§3.9, 6 and 7", {("3.9", ""), ("3.9", "6"), ("3.9", "7")}),
        (
            "(protocol.md\n    # §3.9, 2\n    # and 3)",
            {("3.9", ""), ("3.9", "2"), ("3.9", "3")},
        ),
    ],
)
def test_forms_of_a_citation(text: str, expected: set[tuple[str, str]]) -> None:
    """Lists, ranges, numbered points, and line breaks."""
    assert citations(text) == expected


def test_every_cited_section_exists() -> None:
    """With the numbered point that is cited."""
    cited = {
        (name, *citation)
        for name, text in citing_files().items()
        for citation in citations(text)
    }
    assert len(cited) > 50
    missing = {
        (name, section, point)
        for name, section, point in cited
        if section not in sections() or (point and point not in sections()[section])
    }
    assert not missing


def test_every_citation_is_understood() -> None:
    """Each sign begins one, and each file says of which document."""
    files = citing_files()
    for name, text in files.items():
        assert text.count("§") == len(re.findall(r"§\d", text)), name
        assert "protocol.md" in text, name
        assert set(re.findall(r"(\w+)\.md §", text)) <= {"protocol"}, name
    assert len(files) > 20


def test_sections_are_numbered_in_order() -> None:
    """So are their points; a section that is taken out leaves a gap."""
    main = [int(number) for number in sections() if "." not in number]
    assert main == list(range(1, 11))
    for number in main:
        below = [
            int(section.partition(".")[2])
            for section in sections()
            if section.startswith(f"{number}.")
        ]
        assert below == list(range(1, len(below) + 1)), number
    for number, points in sections().items():
        assert points == {str(point + 1) for point in range(len(points))}, number


def test_examples_are_json() -> None:
    """Each block that says so."""
    blocks = [text for kind, text in BLOCK.findall(DOCUMENT) if kind == "json"]
    assert len(blocks) > 5
    for block in blocks:
        assert isinstance(json.loads(block), dict), block


def test_every_path_of_local_cloud_is_documented() -> None:
    """Variable segments are NAME and ID there."""
    paths = {
        path
        for module in (INTEGRATION / "local_cloud" / "api").glob("*.py")
        for path in re.findall(r'"(/v1/[^"]*)"', module.read_text("utf-8"))
    }
    assert len(paths) > 15
    for path in paths:
        pattern = re.escape(path).replace(r"\*", "(NAME|ID)").removesuffix("/")
        assert re.search(rf"{pattern}\b", DOCUMENT), path
