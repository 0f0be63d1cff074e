"""Fuzzing of everything that reads what a stranger sent: `scripts/fuzz`, and tests/fuzz."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import cast

CORPUS = Path(__file__).parent / "corpus"
DICTIONARY = Path(__file__).parent / "dictionary.txt"
TARGETS = (
    "decoder",
    "pushes",
    "answers",
    "device_port",
    "http_api",
    "in_process",
    "state_file",
)
"""Each is a module here with a function `target`, which raises where the input broke something."""

type Target = Callable[[bytes], None]


def load(name: str) -> Target:
    """Return a target's function."""
    return cast(Target, import_module(f".{name}", __name__).target)


def seeds(name: str) -> list[bytes]:
    """Return what stands in a target's corpus."""
    return [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]
