"""What Home Assistant's log must not contain after a check."""

from collections.abc import Iterable, Iterator
from pathlib import Path
import re

from .errors import DemoError

# From 2026.11 on the time has an offset from UTC.
RECORD = re.compile(
    r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}(?:[+-]\d\d:\d\d)? ([A-Z]+) ", re.MULTILINE
)
COMPLAINTS = {"WARNING", "ERROR", "CRITICAL"}
# Every custom integration gets this one.
EXPECTED = "We found a custom integration espcloud which has not been tested"
KEY = re.compile(r"\b[0-9a-f]{40}\b")  # the form of every key and token of the cloud


def review(log: Path, secrets: Iterable[str]) -> None:
    """Fail on a complaint about the integration, and on any secret."""
    text = log.read_text(errors="replace")
    for secret in secrets:
        if secret in text:
            # Naming it here would write it into the next log.
            raise DemoError(f"a password or key is in {log}")
    if match := KEY.search(text):
        line = text.count("\n", 0, match.start()) + 1
        raise DemoError(f"{log} line {line} has something that looks like a key")
    complaints = [record for record in _complaints(text) if EXPECTED not in record]
    if complaints:
        raise DemoError(f"{log} complains:\n\n" + "\n".join(complaints))


def _complaints(text: str) -> Iterator[str]:
    """Split the log into records, which may have tracebacks, and choose the bad ones."""
    starts = [match.start() for match in RECORD.finditer(text)]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        record = text[start:end]
        level = RECORD.match(record)
        if level and level[1] in COMPLAINTS and "espcloud" in record:
            yield record.rstrip()
