"""After this side itself stood still, what lay in the socket is not carried out."""

from collections.abc import Generator
import time

import pytest

from custom_components.espcloud.cloud import CloudConnection, Push, StalledError, stall
from custom_components.espcloud.cloud.stall import LONGEST_STALL, StallWatch

from .conftest import Start
from .helpers import WatchedSession, push_frame
from .scripted_server import DEVICE, Peer, ScriptedServer
from .test_connection import connected, identify, lost
from .test_session import patient


class Clock:
    """The machine's clock, which a test sets forward: a suspend, to the loop."""

    def __init__(self) -> None:
        """Begin with the time that it is."""
        self._ahead = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return time.monotonic() + self._ahead

    def suspend(self, seconds: float = 60) -> None:
        """Let the machine sleep for so long."""
        self._ahead += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Take the place of the machine's clock."""
    clock = Clock()
    monkeypatch.setattr(stall, "boot_time", clock)
    monkeypatch.setattr("custom_components.espcloud.cloud.connection.boot_time", clock)
    return clock


@pytest.fixture(autouse=True)
def nothing_is_left() -> Generator[None]:
    """Find no tick that nobody needs any more."""
    yield
    assert StallWatch._watches == {}


async def online(watched: WatchedSession, server: ScriptedServer) -> Peer:
    """Let the device connect."""
    peer = await server.accept()
    await peer.identify()
    await watched.connected()
    return peer


async def is_renewed(
    watched: WatchedSession, server: ScriptedServer, peer: Peer
) -> None:
    """Check that the connection is made anew at once, and nothing else happens."""
    assert b"deliver_to_device" not in await peer.wait_closed()
    # The back-off is patient: nothing but a renewal without one would bring it here.
    peer = await online(watched, server)
    assert watched._pushes.empty()
    assert watched.reports == 0
    assert watched.session.attempts_failed == 0
    assert watched.session.statistics.failures == 0
    peer.send(push_frame(7, get={"action": "a new one"}))
    assert (await watched.pushed()).action == "a new one"


async def test_loop_that_was_blocked(
    start: Start, server: ScriptedServer, log: list[str]
) -> None:
    """A loop that really stands still, with commands in the socket that came meanwhile."""
    watched = start(server.endpoint, backoff=patient())
    peer = await online(watched, server)
    peer.send(push_frame(1), push_frame(2))
    time.sleep(LONGEST_STALL + 0.2)  # noqa: ASYNC251 - that is what it is about
    await is_renewed(watched, server, peer)
    assert log == []


async def test_suspend(start: Start, server: ScriptedServer, clock: Clock) -> None:
    """The loop's own clock stands still in suspend; the machine's does not."""
    watched = start(server.endpoint, backoff=patient())
    peer = await online(watched, server)
    peer.send(push_frame())
    clock.suspend()
    await is_renewed(watched, server, peer)


def test_clock_counts_suspend() -> None:
    """It is the one that goes on in suspend, where the system has one."""
    before = time.clock_gettime(time.CLOCK_BOOTTIME)
    assert before <= stall.boot_time() <= time.clock_gettime(time.CLOCK_BOOTTIME)


async def test_short_stall(server: ScriptedServer, clock: Clock) -> None:
    """A sender still waits: what came meanwhile is carried out."""
    pushes: list[Push] = []
    async with connected(server, pushes.append) as (_, peer):
        peer.send(push_frame())
        clock.suspend(LONGEST_STALL - 1)
        assert (await peer.receive())["status"] == 200
    assert len(pushes) == 1


async def test_stall_without_a_push(server: ScriptedServer, clock: Clock) -> None:
    """An answer is no older for it: the connection stays."""
    async with connected(server) as (connection, peer):
        identifying = identify(connection)
        nonce = (await peer.receive())["nonce"]
        clock.suspend()
        peer.send({"device": DEVICE, "nonce": nonce})
        assert (await identifying).id == 301


async def test_push_behind_an_answer(server: ScriptedServer, clock: Clock) -> None:
    """It waits a turn, and is as old as it was; the answer counts."""
    pushes: list[Push] = []
    async with connected(server, pushes.append) as (connection, peer):
        identifying = identify(connection)
        nonce = (await peer.receive())["nonce"]
        clock.suspend()
        peer.send({"device": DEVICE, "nonce": nonce}, push_frame())
        assert (await identifying).id == 301
        assert isinstance(await lost(connection), StalledError)
    assert pushes == []


async def test_more_than_is_read_at_once(server: ScriptedServer, clock: Clock) -> None:
    """A tick between two reads does not make the second one any younger."""
    pushes: list[Push] = []
    async with connected(server, pushes.append) as (connection, peer):
        clock.suspend()
        connection._stall_watch._timer.cancel()
        connection._stall_watch._tick()
        peer.send(push_frame())
        assert isinstance(await lost(connection), StalledError)
    assert pushes == []


async def test_some_time_after_a_stall(server: ScriptedServer, clock: Clock) -> None:
    """The tick goes on, and what is sent afterwards is carried out."""
    pushes: list[Push] = []
    async with connected(server, pushes.append) as (connection, peer):
        clock.suspend()
        for _ in range(2):
            connection._stall_watch._timer.cancel()
            connection._stall_watch._tick()
            clock.suspend(1.1)
        peer.send(push_frame())
        assert (await peer.receive())["status"] == 200
    assert len(pushes) == 1


async def test_connection_made_after_a_stall(
    server: ScriptedServer, clock: Clock
) -> None:
    """Nothing in it can be older than it is, although no tick was since."""
    async with connected(server):
        clock.suspend()
        pushes: list[Push] = []
        late = await CloudConnection.open(server.endpoint, on_push=pushes.append)
        peer = await server.accept()
        peer.send(push_frame())
        assert (await peer.receive())["status"] == 200
        await late.close()
    assert len(pushes) == 1


async def test_renewal_that_fails(
    start: Start, server: ScriptedServer, clock: Clock
) -> None:
    """Then it is an outage like any other."""
    watched = start(server.endpoint)
    peer = await online(watched, server)
    peer.send(push_frame())
    clock.suspend()
    (await server.accept()).close()
    await watched.disconnected()
    await online(watched, server)


async def test_one_tick_for_all(start: Start, server: ScriptedServer) -> None:
    """All connections share it, and it goes with the last of them."""
    watch = StallWatch.join()
    for _ in range(3):
        await online(start(server.endpoint), server)
    assert list(StallWatch._watches.values()) == [watch]
    assert watch._users == 4
    watch.leave()
