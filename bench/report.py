"""The results as text for a terminal, as Markdown and as JSON."""

from collections.abc import Sequence

from .result import Goal, Result

_VERDICTS = {True: "reached", False: "**not reached**", None: "not measured"}


def as_text(results: Sequence[Result]) -> str:
    """Return one table for a terminal, a block for each row."""
    lines: list[str] = []
    for number, result in enumerate(results, start=1):
        table = [result.header, *result.lines]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines += ["", f"{number}. {result.title}"]
        for cells in table:
            first, *others = (
                cell.ljust(width) if index == 0 else cell.rjust(width)
                for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
            )
            lines.append("   " + "  ".join([first, *others]).rstrip())
        lines += [f"   goal: {_goal(goal)}".replace("*", "") for goal in result.goals]
    return "\n".join(lines[1:])


def as_markdown(results: Sequence[Result]) -> str:
    """Return a section for each row."""
    sections: list[str] = []
    for number, result in enumerate(results, start=1):
        lines = [
            f"## {number}. {result.title}",
            "",
            _row(result.header),
            _row(["---", *["---:"] * (len(result.header) - 1)]),
            *map(_row, result.lines),
            "",
            *(f"- Goal: {_goal(goal)}" for goal in result.goals),
            *([""] if result.goals else []),
            f"How: {result.how}",
            *(text for note in result.notes for text in ("", note)),
        ]
        sections.append("\n".join(lines))
    return "\n\n".join(sections) + "\n"


def figures(results: Sequence[Result]) -> dict[str, float | None]:
    """Return the figures of all rows by their names."""
    return {
        name: value if value is None else round(value, 3)
        for result in results
        for name, value in result.figures.items()
    }


def _goal(goal: Goal) -> str:
    return f"{goal.text} – {_VERDICTS[goal.met]} ({goal.measured})"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
