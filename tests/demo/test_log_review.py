"""The check fails on what a log must not contain, and on nothing else."""

from pathlib import Path

import pytest

from demo.errors import DemoError
from demo.log_review import review

QUIET = """\
2026-11-24 07:13:28.599 WARNING (MainThread) [homeassistant.bootstrap] Skipping pip
2026-11-24 07:13:28.601+00:00 WARNING (SyncWorker_0) [homeassistant.loader] We found \
a custom integration espcloud which has not been tested by Home Assistant.
2026-11-24 07:13:29.601 ERROR (MainThread) [homeassistant.components.other] Broken
Traceback (most recent call last):
  File "other.py", line 1
2026-11-24 07:13:30.000 INFO (MainThread) [custom_components.espcloud] Connected
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Return a log that has nothing against the integration."""
    path = tmp_path / "home-assistant.log"
    path.write_text(QUIET)
    return path


def test_quiet_log_passes(log: Path) -> None:
    """Other integrations' troubles and the loader's usual remark are no complaint."""
    review(log, ["a-password"])


@pytest.mark.parametrize(
    "record",
    [
        "2026-11-24 07:13:31.000 WARNING (MainThread) [custom_components.espcloud] Oh",
        (
            "2026-11-24 07:13:31.000+00:00 ERROR (MainThread) [homeassistant] Task failed\n"
            'Traceback:\n  File "custom_components/espcloud/light.py", line 3'
        ),
    ],
)
def test_complaint_is_shown(log: Path, record: str) -> None:
    """A record with its traceback is found, whoever logged it, and shown whole."""
    log.write_text(QUIET + record + "\n" + QUIET)
    with pytest.raises(DemoError) as caught:
        review(log, [])
    assert str(caught.value).endswith(record)


def test_secret_is_found_and_not_repeated(log: Path) -> None:
    """A password fails the check, whose own output must not leak it."""
    log.write_text(QUIET + "sign-in with s3cret-password\n")
    with pytest.raises(DemoError) as caught:
        review(log, ["s3cret-password"])
    assert "s3cret-password" not in str(caught.value)


def test_unknown_key_is_found(log: Path) -> None:
    """A key that the check never saw is known by its form."""
    log.write_text(QUIET + "token " + "0123456789abcdef0123456789abcdef01234567" + "\n")
    with pytest.raises(DemoError, match="line 7"):
        review(log, [])
