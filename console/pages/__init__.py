"""The pages, a file for each thing that a person does there."""

from collections.abc import Iterator

from ..routing import Route
from . import (
    account,
    accounts,
    chart,
    connect,
    data,
    device,
    devices,
    export,
    firmware,
    groups,
    language,
    live,
    pending,
    products,
    reset,
    server,
    sharing,
    sign_in,
    timers,
    triggers,
    upgrade,
)


def routes() -> Iterator[Route]:
    """Return every path of the site, each with the page that answers it."""
    for module in (
        sign_in,
        reset,
        account,
        language,
        devices,
        device,
        live,
        sharing,
        timers,
        triggers,
        firmware,
        upgrade,
        data,
        chart,
        export,
        products,
        groups,
        connect,
        pending,
        server,
        accounts,
    ):
        yield from module.ROUTES
