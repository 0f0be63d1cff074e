"""`python -m fuzz`: run targets one after the other, each in a process of its own."""

import argparse
import subprocess
import sys

from . import CORPUS, TARGETS


def main() -> int:
    """Return how many targets broke."""
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description=__doc__)
    parser.add_argument("target", nargs="*", help=f"one of {', '.join(TARGETS)}")
    parser.add_argument(
        "--seconds", type=int, default=60, help="for each (%(default)s)"
    )
    options = parser.parse_args()
    if unknown := [name for name in options.target if name not in TARGETS]:
        parser.error(f"no such target: {', '.join(unknown)}")
    broken = []
    for name in options.target or TARGETS:
        print(f"fuzz: {name}, {options.seconds} s", flush=True)
        # libFuzzer ends the process it runs in, whatever happens.
        command = [sys.executable, "-m", "fuzz.engine", name, str(options.seconds)]
        if subprocess.run(command, check=False).returncode != 0:
            broken.append(name)
    for name in broken:
        print(f"fuzz: {name} broke; what broke it is in {CORPUS / name}")
    return len(broken)


if __name__ == "__main__":
    sys.exit(main())
