"""What was measured becomes text, Markdown, JSON and bars."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bench import chart, document, report
from bench.numbers import percentile, text
from bench.result import Bar, Goal, Result

RESULT = Result(
    title="Something",
    how="With a stopwatch.",
    header=("", "ms"),
    lines=[("ours", "1.00"), ("theirs", "2.00")],
    figures={"some_ms": 1.00049, "other_ms": None},
    goals=[Goal("faster", True, "2 ×"), Goal("smaller", None, "no scales")],
    bars=[Bar("ours & own", 1, "ms", is_ours=True), Bar("theirs", 2, "ms")],
)


def test_percentile() -> None:
    """It is a sample, never something between two."""
    assert percentile([3, 1, 2], 50) == 2
    assert percentile([3, 1, 2], 99) == 3
    assert percentile([1], 1) == 1


def test_numbers_are_short() -> None:
    """Three digits say all that is certain."""
    written = [text(value) for value in (0, 0.123, 12.34, 123.4, 12345.6)]
    assert written == ["0", "0.12", "12.3", "123", "12,346"]


def test_text_and_figures() -> None:
    """A person reads the one, a program the other."""
    shown = report.as_text([RESULT])
    assert "1. Something" in shown
    assert "faster – reached (2 ×)" in shown
    assert "smaller – not measured (no scales)" in shown
    assert report.figures([RESULT]) == {"some_ms": 1.0, "other_ms": None}


def test_bars() -> None:
    """The longer bar is the larger figure, and the picture is XML."""
    tree = ET.fromstring(chart.draw([RESULT]))
    ours, theirs = tree.iter("{http://www.w3.org/2000/svg}rect")
    assert int(theirs.attrib["width"]) == 2 * int(ours.attrib["width"])


def test_document_keeps_what_people_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what was measured is written anew."""
    page = tmp_path / "benchmarks.md"
    monkeypatch.setattr(document, "DOCUMENT", page)
    monkeypatch.setattr(document, "CHART", tmp_path / "images" / "benchmarks.svg")
    document.write([RESULT], ["a machine"])
    page.write_text(f"# Thoughts\n{page.read_text()}")
    document.write([RESULT], ["another machine"])
    written = page.read_text()
    assert written.startswith("# Thoughts\n")
    assert "another machine" in written
    assert "a machine" not in written
    assert "How: With a stopwatch." in written
