"""The JavaScript libraries: which ones, by what hash, and what happens where they cannot be had."""

import base64
import os
from pathlib import Path
import re
import shutil
import subprocess
import sys
from typing import Any

import pytest

from .paths import CHECKOUT, read_json

NAMES = ("package.json", "package-lock.json", ".npmrc", "scripts/fetch_libraries.py")
VENDOR = Path("console", "static", "vendor")
REQUIRED = read_json(CHECKOUT / "package.json")
LOCK = read_json(CHECKOUT / "package-lock.json")
LOCKED: dict[str, dict[str, Any]] = {
    path: entry for path, entry in LOCK["packages"].items() if path
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Copy what fetching the libraries takes."""
    for name in NAMES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(CHECKOUT / name, tmp_path / name)
    return tmp_path


def fetch(checkout: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Fetch the libraries as scripts/setup does."""
    return subprocess.run(
        [sys.executable, checkout / "scripts" / "fetch_libraries.py"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_versions_are_exact() -> None:
    """The same in package.json, which names no range, and in the lock file."""
    root = LOCK["packages"][""]
    for group in ("dependencies", "devDependencies"):
        assert root[group] == REQUIRED[group]
        for name, version in REQUIRED[group].items():
            assert re.fullmatch(r"\d+\.\d+\.\d+", version)
            assert LOCKED[f"node_modules/{name}"]["version"] == version
    assert REQUIRED["private"] is True


@pytest.mark.parametrize("path", LOCKED)
def test_every_library_is_known_by_its_hash(path: str) -> None:
    """A file that is not the one that was looked at is refused."""
    algorithm, _, digest = LOCKED[path]["integrity"].partition("-")
    assert algorithm == "sha512"
    assert len(base64.b64decode(digest, validate=True)) == 64


def test_the_lock_file_names_no_host() -> None:
    """Each machine asks the registry that it is set up with."""
    text = (CHECKOUT / "package-lock.json").read_text("utf-8")
    assert "://" not in text
    assert "resolved" not in text


def test_the_web_site_has_its_libraries() -> None:
    """With their licences, in the lock file's version; setting up the tests has fetched them."""
    for name, version in REQUIRED["dependencies"].items():
        folder = CHECKOUT / VENDOR / name
        assert "Permission is hereby granted" in (folder / "LICENSE").read_text("utf-8")
        (script,) = folder.glob("*.js")
        assert f"(v{version})" in script.read_text("utf-8")
        assert list(folder.glob("*.css"))


def test_what_is_there_is_not_fetched_again(checkout: Path) -> None:
    """Nor is a registry asked."""
    shutil.copytree(CHECKOUT / VENDOR, checkout / VENDOR)
    tests = Path("node_modules", "axe-core")
    shutil.copytree(CHECKOUT / tests, checkout / tests)
    done = fetch(checkout, PATH="")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_without_npm_the_text_says_what_to_install(checkout: Path) -> None:
    """There is one line to read."""
    done = fetch(checkout, PATH="")
    assert done.returncode == 1
    assert done.stderr.startswith("fetch-libraries: there is no npm. Install Node.js")
    assert len(done.stderr.splitlines()) == 1


def test_a_failure_leaves_what_there_was_and_tries_again(
    checkout: Path, tmp_path: Path
) -> None:
    """The earlier libraries still serve, but count as outdated."""
    shutil.copytree(CHECKOUT / VENDOR, checkout / VENDOR)
    (checkout / VENDOR / "package-lock.json").write_text("an earlier one")
    programs = tmp_path / "bin"
    programs.mkdir()
    npm = programs / "npm"
    npm.write_text("#!/bin/sh\necho 'npm error network' >&2\nexit 1\n")
    npm.chmod(0o755)
    for _ in range(2):
        done = fetch(checkout, PATH=str(programs))
        assert done.returncode == 1
        reason, advice = done.stderr.splitlines()
        assert reason == "npm error network"
        assert advice.startswith("fetch-libraries: npm could not fetch")
    assert (checkout / VENDOR / "uplot" / "LICENSE").is_file()
