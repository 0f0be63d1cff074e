"""A release is a tag on which the manifest and the changelog agree."""

from collections.abc import Callable
import json
from pathlib import Path
import re
import shutil
import subprocess
import sys

import pytest

from .paths import CHECKOUT, INTEGRATION, read_json

SCRIPT = CHECKOUT / "scripts" / "check-release"
CHANGELOG = """# Changelog

## [1.2.3] - 2026-01-31

### Added

- A thing.

## [1.2.2] - 2026-01-01

- Another thing.

[1.2.3]: https://example.org/1.2.3
"""

type Check = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Return a check of a repository with this manifest and changelog."""

    def run(
        *tags: str, version: str = "1.2.3", changelog: str = CHANGELOG
    ) -> subprocess.CompletedProcess[str]:
        script = tmp_path / "scripts" / SCRIPT.name
        script.parent.mkdir(exist_ok=True)
        shutil.copy(SCRIPT, script)
        manifest = tmp_path / INTEGRATION.relative_to(CHECKOUT) / "manifest.json"
        manifest.parent.mkdir(parents=True, exist_ok=True)
        manifest.write_text(json.dumps({"version": version}))
        (tmp_path / "CHANGELOG.md").write_text(changelog)
        return subprocess.run(
            [sys.executable, script, *tags], capture_output=True, text=True, check=False
        )

    return run


def test_a_good_tag_prints_its_section(check: Check) -> None:
    """And nothing of the sections below it."""
    result = check("v1.2.3")
    assert result.returncode == 0
    assert result.stdout == "### Added\n\n- A thing.\n"


def test_the_first_release_has_no_section_below(check: Check) -> None:
    """The links at the end of the file are not part of it."""
    changelog = CHANGELOG.replace("## [1.2.2] - 2026-01-01\n\n- Another thing.\n", "")
    result = check("v1.2.3", changelog=changelog)
    assert result.stdout == "### Added\n\n- A thing.\n"


@pytest.mark.parametrize(
    ("tags", "version", "changelog", "reason"),
    [
        ((), "1.2.3", CHANGELOG, "name the tag"),
        (("1.2.3",), "1.2.3", CHANGELOG, "the tag is 1.2.3"),
        (("v1.2.3",), "1.2.4", CHANGELOG, "version is 1.2.4"),
        (("v1.2.2",), "1.2.2", CHANGELOG, "begins with 1.2.3"),
        (("v1.2.3",), "1.2.3", "# Changelog\n", "no heading"),
        (
            ("v1.2.3",),
            "1.2.3",
            CHANGELOG.replace("2026-01-31", "unreleased"),
            "no date",
        ),
        (
            ("v1.2.3",),
            "1.2.3",
            CHANGELOG.replace("### Added\n\n- A thing.\n", ""),
            "says nothing",
        ),
    ],
)
def test_a_tag_that_does_not_agree(
    check: Check, tags: tuple[str, ...], version: str, changelog: str, reason: str
) -> None:
    """The reason is said, and there is no text to release with."""
    result = check(*tags, version=version, changelog=changelog)
    assert result.returncode == 1
    assert reason in result.stderr
    assert not result.stdout


def test_changelog_begins_with_the_version_of_the_manifest() -> None:
    """Of this repository; whether it is released yet or not."""
    text = (CHECKOUT / "CHANGELOG.md").read_text("utf-8")
    headings = re.findall(r"^## \[(.+?)\] - (\S+)$", text, re.MULTILINE)
    assert headings
    version, date = headings[0]
    assert version == read_json(INTEGRATION / "manifest.json")["version"]
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}|unreleased", date)
    assert all(re.fullmatch(r"\d{4}-\d{2}-\d{2}", each) for _, each in headings[1:])
    links = dict(re.findall(r"^\[(.+?)\]: (\S+)$", text, re.MULTILINE))
    for version, _ in headings:
        assert links[version].endswith(f"/v{version}")
