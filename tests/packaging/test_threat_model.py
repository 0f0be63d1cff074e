"""The threat model claims nothing without a test."""

import ast
from functools import cache
import re

import pytest

from .paths import CHECKOUT

MODEL = (CHECKOUT / "docs" / "security.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`(tests/\S+?\.py)::(?:\w+::)?(\w+)`", MODEL)))
CLAIMS = [
    line
    for line in MODEL.splitlines()
    if line.startswith("| ") and not line.startswith(("| Could", "| ---"))
]


@cache
def names_in(path: str) -> set[str]:
    """Return the names of the tests in a file."""
    module = ast.parse((CHECKOUT / path).read_text("utf-8"))
    return {
        node.name
        for node in ast.walk(module)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    }


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_named_test_exists(path: str, name: str) -> None:
    """A test that was renamed is renamed there, too."""
    assert name in names_in(path)


@pytest.mark.parametrize("claim", CLAIMS)
def test_claim_names_a_test(claim: str) -> None:
    """What nobody tests is no claim."""
    assert re.search(r"`tests/\S+\.py::(?:\w+::)?test_\w+`", claim)


def test_every_part_says_what_is_left() -> None:
    """Nobody is stopped from everything."""
    _, *parts = MODEL.split("\n## ")
    assert len(parts) >= 6
    for part in parts:
        assert "**Left:**" in part, part.splitlines()[0]


@pytest.mark.parametrize("page", ["SECURITY.md", "README.md", "README.zh-CN.md"])
def test_it_is_linked(page: str) -> None:
    """Whoever looks for it finds it."""
    assert "](docs/security.md)" in (CHECKOUT / page).read_text("utf-8")
