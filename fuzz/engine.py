"""`python -m fuzz.engine TARGET SECONDS`: let atheris look for inputs that reach new code."""

import logging
from pathlib import Path
import sys

import atheris  # type: ignore[import-untyped]  # in the fuzzer's own environment

# Before the rest is instrumented: Home Assistant is none of what is looked at.
import homeassistant.core  # noqa: F401 - as said

from . import CORPUS, DICTIONARY, load


def main(name: str, seconds: str) -> None:
    """Fuzz, and end the process."""
    # Thousands of odd lines are odd on purpose.
    logging.getLogger().addHandler(logging.NullHandler())
    with atheris.instrument_imports(
        include=[
            "custom_components.espcloud.cloud",
            "custom_components.espcloud.local_cloud",
        ]
    ):
        target = load(name)
    found = Path(".setup") / "fuzz" / "found" / name
    found.mkdir(parents=True, exist_ok=True)
    atheris.Setup(
        [
            sys.argv[0],
            f"-max_total_time={seconds}",
            f"-dict={DICTIONARY}",
            f"-artifact_prefix={CORPUS / name}/",
            "-timeout=10",
            "-max_len=16384",
            "-print_final_stats=1",
            # What it finds worth keeping goes into the first; the seeds are only read.
            str(found),
            str(CORPUS / name),
        ],
        target,
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
