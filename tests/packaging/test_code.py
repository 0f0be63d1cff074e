"""The walls between the rooms, and what may come in from outside."""

import ast
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path
import re
import subprocess
import sys

import pytest

from homeassistant.const import Platform

from .paths import CHECKOUT, INTEGRATION
from .source import integration

LONGEST_FILE = 350
# The name under which Home Assistant offers its own validator.
ALIASES = {"voluptuous"}

MODULES = integration().modules
PLATFORMS = sorted(set(Platform) & {path.stem for path in INTEGRATION.glob("*.py")})


def normalized(name: str) -> str:
    """Return a distribution's name as registries compare them."""
    return re.sub(r"[-_.]+", "-", name).lower()


def installed_with(distribution: str) -> set[str]:
    """Return what a distribution requires, and what that requires in turn."""
    found: set[str] = set()
    ahead = [distribution]
    while ahead:
        name = normalized(ahead.pop())
        if name in found:
            continue
        found.add(name)
        with suppress(PackageNotFoundError):  # for another platform than this
            ahead += [
                match.group()
                for each in requires(name) or []
                if "extra ==" not in each and (match := re.match(r"[\w.-]+", each))
            ]
    return found


def shipped() -> set[str]:
    """Return the packages that every Home Assistant has."""
    names = installed_with("homeassistant")
    return {
        package
        for package, distributions in packages_distributions().items()
        if names & {normalized(each) for each in distributions}
    }


def test_nothing_is_imported_that_home_assistant_does_not_bring() -> None:
    """The manifest requires nothing, so this is all there is."""
    allowed = {*sys.stdlib_module_names, *shipped(), *ALIASES, "homeassistant"}
    assert "yarl" in allowed
    assert "pytest" not in allowed
    foreign = []
    for path, module in MODULES.items():
        for node in ast.walk(module):
            match node:
                case ast.Import(names=names):
                    imported = [each.name for each in names]
                case ast.ImportFrom(level=0, module=str(name)):
                    imported = [name]
                case _:
                    continue
            foreign += [
                f"{path}:{node.lineno}: {name}"
                for name in imported
                if name.partition(".")[0] not in allowed
            ]
    assert not foreign


def test_import_contracts() -> None:
    """Those of pyproject.toml hold."""
    command = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run(
        [command, "--no-logo"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 broken" in result.stdout


def test_there_are_platforms() -> None:
    """If the files were not found, what follows would pass on nothing."""
    assert "light" in PLATFORMS


@pytest.mark.parametrize("platform", PLATFORMS)
def test_platforms_say_how_many_updates_run_at_once(platform: str) -> None:
    """Home Assistant's own guess differs between kinds of entities."""
    module = MODULES[INTEGRATION / f"{platform}.py"]
    assert any(
        isinstance(node, ast.Assign)
        and ast.unparse(node.targets[0]) == "PARALLEL_UPDATES"
        for node in module.body
    )


def test_client_is_typed() -> None:
    """The client can be taken out as a package of its own."""
    assert (INTEGRATION / "cloud" / "py.typed").is_file()


def test_files_are_short_enough_to_read() -> None:
    """A longer one is asking to be two."""
    long = {
        path.name: lines
        for path in MODULES
        if (lines := len(path.read_text("utf-8").splitlines())) > LONGEST_FILE
    }
    assert not long
