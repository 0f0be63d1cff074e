"""docs/benchmarks.md: written by the full run, but for what people add by hand."""

from collections.abc import Sequence
from datetime import UTC, datetime

from . import chart, report
from .paths import CHART, DOCUMENT
from .result import Result

_BEGIN = "<!-- From here to the end: written by scripts/bench. -->"
_PREFACE = "# Benchmarks\n"


def write(results: Sequence[Result], machine: Sequence[str]) -> None:
    """Write the document and its chart; what stands before the marker stays."""
    CHART.parent.mkdir(parents=True, exist_ok=True)
    CHART.write_text(chart.draw(results), "utf-8")
    before = DOCUMENT.read_text("utf-8") if DOCUMENT.exists() else _PREFACE
    before = before.partition(_BEGIN)[0].rstrip()
    DOCUMENT.write_text(f"{before}\n\n{_BEGIN}\n\n{_measured(results, machine)}")


def _measured(results: Sequence[Result], machine: Sequence[str]) -> str:
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    return "\n".join(
        [
            "# Measured",
            "",
            f"By `scripts/bench` on {day}:",
            "",
            *(f"- {line}" for line in machine),
            "",
            f"![The same as bars](images/{CHART.name})",
            "",
            report.as_markdown(results),
        ]
    )
