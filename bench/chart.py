"""The results as bars, in an SVG that is readable on white and on black."""

from collections.abc import Iterator, Sequence
from html import escape

from .numbers import text
from .result import Bar, Result

WIDTH = 760
_LABELS = 150  # pixels for the labels at the left
_VALUES = 130  # and for the values at the right of the longest bar
_LINE = 24

_STYLE = """\
  text { font: 13px system-ui, "Segoe UI", Roboto, sans-serif; fill: #24292f }
  .title { font-weight: 600 }
  .bar { fill: #8c959f }
  .ours { fill: #0969da }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .bar { fill: #6e7681 }
    .ours { fill: #58a6ff }
  }"""


def draw(results: Sequence[Result]) -> str:
    """Return the chart: a group of bars for each row that has more than one."""
    body: list[str] = []
    y = 0
    for number, result in enumerate(results, start=1):
        if len(result.bars) < 2:
            continue
        y += 30
        body.append(_text(0, y, f"{number}. {result.title}", "title"))
        body += _bars(result.bars, y + 12)
        y += 12 + _LINE * len(result.bars)
    height = y + 10
    title = "What scripts/bench measured; docs/benchmarks.md has the same as tables"
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
            f"<title>{title}</title>",
            f"<style>\n{_STYLE}\n</style>",
            *body,
            "</svg>\n",
        ]
    )


def _bars(bars: Sequence[Bar], y: int) -> Iterator[str]:
    """Draw one group; lengths compare within it only."""
    longest = max(bar.value for bar in bars) or 1
    for bar in bars:
        length = max(2, round((WIDTH - _LABELS - _VALUES) * bar.value / longest))
        kind = "bar ours" if bar.is_ours else "bar"
        yield _text(0, y + 16, bar.label)
        yield (
            f'<rect class="{kind}" x="{_LABELS}" y="{y + 3}" width="{length}" '
            f'height="{_LINE - 6}" rx="3"/>'
        )
        yield _text(_LABELS + length + 8, y + 16, f"{text(bar.value)} {bar.unit}")
        y += _LINE


def _text(x: int, y: int, content: str, kind: str = "") -> str:
    attribute = f' class="{kind}"' if kind else ""
    return f'<text x="{x}" y="{y}"{attribute}>{escape(content)}</text>'
