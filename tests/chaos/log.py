"""What the log says of the project's own faults."""

import logging

import pytest


def own_errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the errors of the integration and of the cloud, wherever they were logged."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.ERROR
        and "espcloud" in record.name + record.pathname
    ]
