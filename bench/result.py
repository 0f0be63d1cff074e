"""What a row has measured."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Goal:
    """Something that was to be reached.

    Attributes:
        text: what, in words.
        met: whether it was; None where it was not measured.
        measured: what was measured, in words.
    """

    text: str
    met: bool | None
    measured: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of the chart."""

    label: str
    value: float
    unit: str
    is_ours: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One row's results.

    Attributes:
        title: what was measured.
        how: how it was measured, one sentence after the other.
        header: the table's columns.
        lines: the table.
        figures: what `--json` prints; None where it could not be measured.
        goals: what was to be reached.
        bars: for the chart, best first.
        notes: what a reader should know besides.
    """

    title: str
    how: str
    header: tuple[str, ...]
    lines: list[tuple[str, ...]]
    figures: dict[str, float | None]
    goals: list[Goal]
    bars: list[Bar] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
