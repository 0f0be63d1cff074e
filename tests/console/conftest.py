"""One server for all tests of the site; each test has accounts of its own."""

from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest

from .person import Person
from .server import OPERATOR, ConsoleServer, running_server


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[ConsoleServer]:
    """Run a server at which anybody may sign up."""
    with running_server(
        tmp_path_factory.mktemp("console"), "--sign-up", "open"
    ) as server:
        yield server
        # No page has failed unseen.
        assert "Traceback" not in Path(server.log).read_text()


@pytest.fixture
async def stranger(server: ConsoleServer) -> AsyncGenerator[Person]:
    """Open a browser of somebody who is not signed in."""
    async with Person(server) as person:
        yield person


@pytest.fixture
async def person(server: ConsoleServer) -> AsyncGenerator[Person]:
    """Open a browser of somebody with a new account."""
    async with Person(server) as person:
        yield await person.sign_up()


@pytest.fixture
async def guest(server: ConsoleServer) -> AsyncGenerator[Person]:
    """Open a browser of somebody else with a new account."""
    async with Person(server) as person:
        yield await person.sign_up()


@pytest.fixture
async def operator(server: ConsoleServer) -> AsyncGenerator[Person]:
    """Open a browser of the person who runs the server."""
    async with Person(server, email=OPERATOR) as person:
        yield await person.sign_in()
