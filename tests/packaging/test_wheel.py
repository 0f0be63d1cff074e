"""What `uv tool install`, `pipx install` and `pip install` make of this repository: a command."""

from collections.abc import Generator
from contextlib import contextmanager
import json
import os
from pathlib import Path
import shutil
import subprocess
import sys
from urllib.request import urlopen
from zipfile import ZipFile

import pytest

from .paths import CHECKOUT, INTEGRATION, read_json

UV = Path(sys.executable).with_name("uv")  # Home Assistant requires it
PORTS = ["--http-port", "0", "--device-port", "0"]


def run(*command: str | Path, **environment: str | Path) -> str:
    """Run a command to its end and return what it printed."""
    return subprocess.run(
        command,
        env={**os.environ, **{name: str(value) for name, value in environment.items()}},
        cwd=CHECKOUT,
        check=True,
        capture_output=True,
        text=True,
        timeout=50,
    ).stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel, with the build backend that is installed."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [UV, "build", "--wheel", "--no-build-isolation", "--offline"]
    run(*build, "--python", sys.executable, "--out-dir", folder, CHECKOUT)
    [wheel] = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def bare(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the command as a person does, and return the folder of its environment.

    What setting up the tests has fetched is enough; only without that is the network asked.
    """
    folder = tmp_path_factory.mktemp("tools")
    install = [UV, "tool", "install", "--python", sys.executable, "--no-build"]
    install += ["--constraints", CHECKOUT / "requirements_test.txt", wheel]
    places = {"UV_TOOL_DIR": folder, "UV_TOOL_BIN_DIR": folder / "bin"}
    try:
        run(*install, "--offline", **places)
    except subprocess.CalledProcessError:
        run(*install, **places)
    return folder / "espcloud"


@contextmanager
def running(
    command: Path, *options: str, **environment: str
) -> Generator[subprocess.Popen[str]]:
    """Run a local_cloud somewhere else than in the checkout."""
    with subprocess.Popen(
        [command, *PORTS, "--json", *options],
        cwd=command.parent,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.terminate()
        _, complaint = process.communicate(timeout=30)
        assert (process.returncode, complaint) == (0, "")


def answers(process: subprocess.Popen[str]) -> None:
    """Fail unless the cloud says that it is ready, and is."""
    assert process.stdout is not None
    ready = json.loads(process.stdout.readline())
    with urlopen(f"{ready['http']}/v1/ping/") as response:
        assert json.load(response)["status"] == 200


def test_the_wheel_has_local_cloud_alone(wheel: Path) -> None:
    """All of its files, and nothing of the integration or of the tests."""
    version = read_json(INTEGRATION / "manifest.json")["version"]
    assert wheel.name == f"espcloud-{version}-py3-none-any.whl"
    with ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == {
        str(path.relative_to(INTEGRATION))
        for path in (INTEGRATION / "local_cloud").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_command_runs_in_a_bare_environment(bare: Path) -> None:
    """With aiohttp and what that needs, and without Home Assistant."""
    listed = json.loads(
        run(UV, "pip", "list", "--python", bare, "--format", "json", "--offline")
    )
    installed = {package["name"] for package in listed}
    assert {"aiohttp", "espcloud"} <= installed
    assert len(installed) < 15
    with running(bare.parent / "bin" / "local-cloud") as process:
        answers(process)


def test_the_script_runs_in_a_bare_environment(bare: Path, tmp_path: Path) -> None:
    """A checkout needs no set-up where a Python with aiohttp is found."""
    checkout, programs = tmp_path / "checkout", tmp_path / "bin"
    package = INTEGRATION / "local_cloud"
    shutil.copytree(package, checkout / package.relative_to(CHECKOUT))
    shutil.copytree(CHECKOUT / "scripts", checkout / "scripts")
    programs.mkdir()
    for name in ("bash", "dirname"):
        (programs / name).symlink_to(str(shutil.which(name)))
    script = checkout / "scripts" / "local-cloud"
    alone = {"PATH": str(programs)}
    without = subprocess.run(
        [script], env=alone, capture_output=True, text=True, check=False
    )
    assert without.returncode == 1
    assert without.stderr.startswith("local-cloud: no Python 3.14 with aiohttp")
    (programs / "python3").write_text(f'#!{programs}/bash\nexec {bare}/bin/python "$@"')
    (programs / "python3").chmod(0o755)
    with running(script, **alone) as process:
        answers(process)


def test_the_script_loads_nothing_of_home_assistant() -> None:
    """Nor of the integration, in whose folder it is: there is one local_cloud in the process."""
    look = (
        "import runpy, sys\n"
        "try: runpy.run_path('scripts/run_local_cloud.py', run_name='__main__')\n"
        "except SystemExit: print('', *sys.modules, sep='\\n')"
    )
    printed = run(sys.executable, "-P", "-c", look, "--help")
    modules = set(printed.splitlines())
    assert "local_cloud.server" in modules
    assert not {name.partition(".")[0] for name in modules} & {
        "homeassistant",
        "custom_components",
        "voluptuous",
    }


def test_the_script_runs_where_the_tests_do(tmp_path: Path) -> None:
    """From any folder; a file's name is as seen from there."""
    command = tmp_path / "command"
    command.write_text(f'#!/bin/bash\nexec {CHECKOUT}/scripts/local-cloud "$@"\n')
    command.chmod(0o755)
    # A module of this name would be taken from the folder, if that were one to import from.
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong one')")
    with running(command, "--state", "state.json", PATH=os.environ["PATH"]) as process:
        answers(process)
    assert (tmp_path / "state.json").exists()
