"""A device's place at the cloud, over losses, refusals and rivals."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from custom_components.espcloud.cloud import (
    AuthenticationError,
    Backoff,
    CannotConnectError,
    CloudTimeoutError,
    ConnectionLostError,
    ConnectPacer,
    DeviceSession,
    Endpoint,
    TakenOverError,
    Timing,
    UnexpectedAnswerError,
)
from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device
from tests.common import send_command
from tests.raw_device import RawDevice

from .certificates import Certificates
from .conftest import Start
from .helpers import (
    BYEBYE,
    MASTER_KEY,
    PATIENT,
    Leftovers,
    WatchedSession,
    everything_of,
    push_frame,
)
from .scripted_server import WAIT, DeafServer, Peer, ScriptedServer

REFUSAL = {"status": 500, "message": "devicekey not exists"}


def patient() -> Backoff:
    """Return a back-off that nothing but a hurry ends."""
    return Backoff(first=PATIENT, limit=PATIENT)


# With the real cloud


async def test_day_of_a_device(
    start: Start,
    endpoint: Endpoint,
    cloud: LocalCloud,
    device: Device,
    master_key: str,
) -> None:
    """It connects, is commanded, is thrown off, comes back and is commanded again."""
    watched = start(endpoint, master_key)
    assert not watched.session.connected
    assert (await watched.connected()).id == device.id
    for connections in (1, 2, 3):
        await cloud.wait_online(device, connections=connections)
        assert watched.session.connected
        answer = await send_command(cloud, device, "LED_ON", level="7")
        assert answer["status"] == 200
        push = await watched.pushed()
        assert push.action == "LED_ON"
        assert push.parameters == {"action": "LED_ON", "level": "7"}
        cloud.disconnect(device, abort=connections == 2)
        assert isinstance(await watched.disconnected(), ConnectionLostError)
        assert (await watched.connected()).id == device.id
    statistics = watched.session.statistics
    assert statistics.connections == 4
    assert statistics.failures == 0
    assert statistics.taken_over == 0


async def test_restart_of_the_cloud(start: Start) -> None:
    """Attempts fail until the cloud is back."""
    cloud = LocalCloud()
    await cloud.start()
    device = cloud.add_device("Desk lamp")
    endpoint = Endpoint(cloud.device_host, cloud.device_port)
    key = cloud.master_key(device)
    watched = start(endpoint, key)
    await watched.connected()
    await cloud.close()
    assert isinstance(await watched.disconnected(), ConnectionLostError)
    for _ in range(3):
        reason = await watched.disconnected()
        assert type(reason) is CannotConnectError
        assert not watched.session.connected
    async with ScriptedServer(port=endpoint.port) as server:
        await (await server.accept()).identify()
        await watched.connected()
        await watched.session.close()
    assert watched.session.statistics.failures >= 3
    assert watched.session.statistics.connections == 2


async def test_key_is_revoked(
    start: Start,
    endpoint: Endpoint,
    cloud: LocalCloud,
    device: Device,
    master_key: str,
) -> None:
    """A key that is refused later is tried again until it works again."""
    watched = start(endpoint, master_key)
    await watched.connected()
    key = cloud.store.keyring.keys[master_key]
    cloud.revoke_key(master_key)
    assert isinstance(await watched.disconnected(), ConnectionLostError)
    for attempts in (1, 2):
        assert isinstance(await watched.disconnected(), AuthenticationError)
        assert watched.session.attempts_refused == attempts
        assert not cloud.is_online(device)
        await asyncio.sleep(0)
        watched.session.retry_now()
    assert isinstance(await watched.disconnected(), AuthenticationError)
    cloud.store.keyring.put(key)
    assert await watched.session.connect_now(WAIT)
    assert not watched.session.refused


async def test_rival(
    start: Start,
    endpoint: Endpoint,
    cloud: LocalCloud,
    device: Device,
    master_key: str,
) -> None:
    """Another client with the key: the first time this side comes back, then it yields."""
    watched = start(endpoint, master_key, timing=Timing(taken_over=PATIENT))
    await watched.connected()
    async with RawDevice(cloud, master_key):
        assert isinstance(await watched.disconnected(), TakenOverError)
        await watched.connected()
        assert not watched.session.contested
    async with RawDevice(cloud, master_key) as rival:
        assert isinstance(await watched.disconnected(), TakenOverError)
        assert watched.session.contested
        command = asyncio.create_task(send_command(cloud, device, "LED_ON"))
        push = await rival.receive()
        rival.send({"status": 200, "nonce": push["nonce"], "deliver_to_device": True})
        assert (await command)["status"] == 200
        assert not watched.session.connected
        # A command does not wait for the place, nor fight for it.
        for _ in range(5):
            assert not await watched.session.wait_connected(PATIENT)
        assert cloud.connection_count(device) == 4
        # A person may.
        assert await watched.session.connect_now(WAIT)
    assert watched.session.statistics.taken_over == 2


async def test_tls(start: Start, certificates: Certificates) -> None:
    """All of it over TLS, with a cloud of a private authority."""
    cloud = LocalCloud(ssl_context=certificates.server())
    await cloud.start()
    try:
        device = cloud.add_device("Desk lamp")
        endpoint = Endpoint(
            cloud.device_host, cloud.device_port, certificates.trusting()
        )
        watched = start(endpoint, cloud.master_key(device))
        await watched.connected()
        cloud.disconnect(device)
        await watched.disconnected()
        await watched.connected()
        await watched.session.close()
        await cloud.wait_offline(device)
    finally:
        await cloud.close()


# Failures


async def test_refused_key_waits_for_minutes(
    start: Start, server: ScriptedServer
) -> None:
    """The back-off of refusals counts, not the other one, and no command hurries it."""
    watched = start(server.endpoint)
    await (await server.accept()).answer(REFUSAL)
    reason = await watched.disconnected()
    assert isinstance(reason, AuthenticationError)
    assert MASTER_KEY not in everything_of(reason)
    assert watched.session.refused
    for _ in range(5):
        assert not await watched.session.wait_connected(PATIENT)
    accepted = asyncio.create_task(server.accept())
    await asyncio.wait([accepted], timeout=0.1)
    assert not accepted.done()
    # Whoever knows better does.
    watched.session.retry_now()
    await (await accepted).identify()
    await watched.connected()
    assert not watched.session.refused
    assert watched.reports == 0


async def test_every_other_failure_is_tried_again(
    start: Start, server: ScriptedServer
) -> None:
    """Each is reported, with its own reason, and none after another is forgotten."""
    timing = Timing(connect=WAIT, answer=0.1)
    backoff = Backoff(first=0.001, limit=0.001)
    watched = start(server.endpoint, timing=timing, backoff=backoff)

    (await server.accept()).close()
    assert type(await watched.disconnected()) is ConnectionLostError
    await (await server.accept()).answer({"status": 500, "message": "Oops"})
    assert type(await watched.disconnected()) is UnexpectedAnswerError
    (await server.accept()).send(b"\0\n")
    assert type(await watched.disconnected()) is UnexpectedAnswerError
    await server.accept()
    assert type(await watched.disconnected()) is CloudTimeoutError
    assert watched.session.statistics.failures == 4
    assert watched.session.statistics.connections == 0
    assert watched.session.attempts_failed == backoff.failures == 4

    peer = await server.accept()
    await peer.identify()
    await watched.connected()
    peer.send(b"no frame\n", b"none either\n")
    peer.close()
    assert type(await watched.disconnected()) is ConnectionLostError
    assert watched.session.statistics.bad_lines == 2
    assert watched.session.statistics.failures == 4
    assert watched.session.statistics.connections == 1
    assert backoff.failures == 5


async def test_stable_connection_forgets_failures(
    start: Start, server: ScriptedServer
) -> None:
    """One that lived long enough does, one that did not does not."""
    timing = Timing(connect=WAIT, answer=WAIT, ping_after=0.1, stable=0.09)
    backoff = Backoff(first=0.001, limit=0.001)
    watched = start(server.endpoint, timing=timing, backoff=backoff)
    for _ in range(3):
        (await server.accept()).close()
        await watched.disconnected()
    assert backoff.failures == 3

    peer = await server.accept()
    await peer.identify()
    await watched.connected()
    await peer.receive()  # The ping says that it has lived for nearly 0.1 s.
    peer.close()
    await watched.disconnected()
    assert backoff.failures == 1


async def test_delays_are_the_back_offs(start: Start, server: ScriptedServer) -> None:
    """The next attempt comes after the delay that was drawn, not before."""
    loop = asyncio.get_running_loop()
    watched = start(server.endpoint, backoff=_Steady(0.1))
    (await server.accept()).close()
    await watched.disconnected()
    lost = loop.time()
    await server.accept()
    assert loop.time() - lost >= 0.1 - 0.01


class _Steady(Backoff):
    """A back-off without jitter, so that it can be measured."""

    def __init__(self, delay: float) -> None:
        super().__init__()
        self._delay = delay

    def next_delay(self) -> float:
        super().next_delay()
        return self._delay


async def test_attempts_keep_the_pace(start: Start, server: ScriptedServer) -> None:
    """All sessions of an account, and all attempts of one, share a pace."""
    loop = asyncio.get_running_loop()
    pacer = ConnectPacer(attempts_per_second=20)
    began = loop.time()
    for _ in range(2):
        start(server.endpoint, pacer=pacer, backoff=Backoff(first=0, limit=0))
    for _ in range(5):
        (await server.accept()).close()
    assert loop.time() - began >= 4 * 0.05


async def test_callbacks_that_fail(
    start: Start, server: ScriptedServer, log: list[str]
) -> None:
    """Whoever listens must not cost the device its connection."""
    told: list[object] = []

    def fail(news: object) -> None:
        told.append(news)
        raise RuntimeError("a defect of ours")

    watched = start(server.endpoint, on_connected=fail, on_disconnected=fail)
    for _ in range(2):
        peer = await server.accept()
        await peer.identify()
        peer.send(push_frame())
        await watched.pushed()
        await peer.receive()
        peer.close()
    await server.accept()
    assert len(told) == 4
    assert len([text for text in log if "a defect of ours" in text]) == 4


# Another client with the same key


async def identify_and_lose(peer: Peer, watched: WatchedSession) -> None:
    """Let the device connect and be taken over at once."""
    await peer.identify()
    await watched.connected()
    peer.send(BYEBYE)
    assert isinstance(await watched.disconnected(), TakenOverError)


async def test_taken_over_again_and_again(start: Start, server: ScriptedServer) -> None:
    """The first loss is nothing; from the second on there is a long wait each time."""
    loop = asyncio.get_running_loop()
    watched = start(
        server.endpoint,
        timing=Timing(taken_over=0.3),
        backoff=Backoff(first=0.001, limit=0.001),
    )
    await identify_and_lose(await server.accept(), watched)
    assert not watched.session.contested
    lost = loop.time()
    peer = await server.accept()
    assert loop.time() - lost < 0.3
    for times in (2, 3):
        await identify_and_lose(peer, watched)
        assert watched.session.contested
        lost = loop.time()
        peer = await server.accept()
        assert loop.time() - lost >= 0.3 - 0.01
        assert watched.session.statistics.taken_over == times


async def test_taken_over_while_identifying(
    start: Start, server: ScriptedServer
) -> None:
    """It counts, whenever it happens."""
    watched = start(server.endpoint, timing=Timing(taken_over=PATIENT))
    for _ in range(2):
        peer = await server.accept()
        await peer.receive()
        peer.send(BYEBYE)
        assert isinstance(await watched.disconnected(), TakenOverError)
    assert watched.session.contested
    assert server.connections == 2


async def test_long_connection_forgets_the_rival(
    start: Start, server: ScriptedServer
) -> None:
    """Taken over once in a while is not a fight."""
    timing = Timing(connect=WAIT, answer=WAIT, ping_after=0.5, taken_over=0.4)
    loop = asyncio.get_running_loop()
    watched = start(
        server.endpoint, timing=timing, backoff=Backoff(first=0.001, limit=0.001)
    )
    await identify_and_lose(await server.accept(), watched)
    peer = await server.accept()
    await peer.identify()
    await watched.connected()
    await peer.receive()  # The ping says that it has lived for nearly 0.5 s.
    peer.send(BYEBYE)
    await watched.disconnected()
    assert not watched.session.contested
    lost = loop.time()
    await server.accept()
    assert loop.time() - lost < 0.4
    assert watched.session.statistics.taken_over == 2


# Somebody who needs the device now


async def test_retry_now_cuts_a_back_off_short(
    start: Start, server: ScriptedServer
) -> None:
    """Once for each call."""
    watched = start(server.endpoint, backoff=patient())
    for connections in (1, 2, 3):
        (await server.accept()).close()
        await watched.disconnected()
        assert server.connections == connections
        await asyncio.sleep(0)
        watched.session.retry_now()


async def test_hurry_does_not_outlive_its_reason(
    start: Start, server: ScriptedServer
) -> None:
    """A hurry while it was connected does not cut the next back-off short."""
    watched = start(server.endpoint, backoff=patient())
    peer = await server.accept()
    await peer.identify()
    await watched.connected()
    watched.session.retry_now()
    assert await watched.session.wait_connected(WAIT)
    peer.close()
    await watched.disconnected()
    accepted = asyncio.create_task(server.accept())
    await asyncio.wait([accepted], timeout=0.05)
    assert not accepted.done()
    accepted.cancel()


async def test_wait_connected_cuts_a_back_off_short(
    start: Start, server: ScriptedServer
) -> None:
    """Whoever waits is told as soon as the device is identified."""
    watched = start(server.endpoint, backoff=patient())
    (await server.accept()).close()
    await watched.disconnected()
    waiting = [
        asyncio.create_task(watched.session.wait_connected(WAIT)) for _ in range(3)
    ]
    await (await server.accept()).identify()
    assert await asyncio.gather(*waiting) == [True, True, True]
    assert server.connections == 2


async def test_wait_connected_in_vain(start: Start, server: ScriptedServer) -> None:
    """Only so long, and it leaves no timer."""
    watched = start(server.endpoint, backoff=patient())
    await (await server.accept()).receive()
    leftovers = Leftovers(0)
    assert not await watched.session.wait_connected(0.05)
    leftovers.check()


async def test_wait_connected_until_the_key_is_refused(
    start: Start, server: ScriptedServer
) -> None:
    """It will take minutes, which nobody waits for."""
    watched = start(server.endpoint)
    peer = await server.accept()
    waiting = asyncio.create_task(watched.session.wait_connected(PATIENT))
    await peer.answer(REFUSAL)
    assert await asyncio.wait_for(waiting, WAIT) is False


async def test_wait_connected_until_close(start: Start, server: ScriptedServer) -> None:
    """Nor is there after the end, and nobody is kept waiting by a loss before it."""
    watched = start(server.endpoint)
    peer = await server.accept()
    waiting = asyncio.create_task(watched.session.wait_connected(PATIENT))
    peer.close()
    await watched.disconnected()
    await watched.session.close()
    assert await asyncio.wait_for(waiting, WAIT) is False
    assert await watched.session.wait_connected(PATIENT) is False


async def test_wait_connected_before_run(server: ScriptedServer) -> None:
    """Whoever is early waits for the beginning, or for a close without one."""
    watched = WatchedSession(server.endpoint)
    waiting = asyncio.create_task(watched.session.wait_connected(PATIENT))
    await asyncio.sleep(0)
    watched.start()
    await (await server.accept()).identify()
    assert await asyncio.wait_for(waiting, WAIT) is True
    await watched.session.close()

    never_run = WatchedSession(server.endpoint).session
    waiting = asyncio.create_task(never_run.wait_connected(PATIENT))
    await never_run.close()
    assert await asyncio.wait_for(waiting, WAIT) is False


# Nothing left behind


@asynccontextmanager
async def before_its_turn(server: ScriptedServer) -> AsyncGenerator[WatchedSession]:
    """Wait for a pacer whose next turn is far away."""
    pacer = ConnectPacer(attempts_per_second=1 / PATIENT)
    await pacer.turn()
    watched = WatchedSession(server.endpoint, pacer=pacer)
    watched.start()
    await asyncio.sleep(0)
    yield watched
    assert server.connections == 0


@asynccontextmanager
async def in_the_handshake(server: ScriptedServer) -> AsyncGenerator[WatchedSession]:
    """Connected over TCP, but TLS does not come about."""
    context = _CERTIFICATES[0].trusting()
    watched = WatchedSession(Endpoint("127.0.0.1", server.port, context))
    watched.start()
    peer = await server.accept()
    yield watched
    await peer.wait_closed()


@asynccontextmanager
async def while_identifying(server: ScriptedServer) -> AsyncGenerator[WatchedSession]:
    """The request is out, the answer is not there."""
    watched = WatchedSession(server.endpoint)
    watched.start()
    peer = await server.accept()
    await peer.receive()
    yield watched
    assert await peer.wait_closed() == b""


@asynccontextmanager
async def while_online(server: ScriptedServer) -> AsyncGenerator[WatchedSession]:
    """As it is nearly always."""
    watched = WatchedSession(server.endpoint)
    watched.start()
    peer = await server.accept()
    await peer.identify()
    await watched.connected()
    yield watched
    assert await peer.wait_closed() == b""


@asynccontextmanager
async def while_a_pong_is_due(server: ScriptedServer) -> AsyncGenerator[WatchedSession]:
    """The connection may be dead, and is being asked."""
    timing = Timing(connect=WAIT, answer=WAIT, ping_after=0.01)
    watched = WatchedSession(server.endpoint, timing=timing)
    watched.start()
    peer = await server.accept()
    await peer.identify()
    await peer.receive()
    yield watched
    await peer.wait_closed()


@asynccontextmanager
async def while_backing_off(server: ScriptedServer) -> AsyncGenerator[WatchedSession]:
    """Nothing but a timer is there."""
    watched = WatchedSession(server.endpoint, backoff=patient())
    watched.start()
    (await server.accept()).close()
    await watched.disconnected()
    await asyncio.sleep(0)
    yield watched


@asynccontextmanager
async def while_yielding(server: ScriptedServer) -> AsyncGenerator[WatchedSession]:
    """Another client has the device's place."""
    watched = WatchedSession(server.endpoint, timing=Timing(taken_over=PATIENT))
    watched.start()
    for _ in range(2):
        await identify_and_lose(await server.accept(), watched)
    yield watched


@asynccontextmanager
async def after_a_refusal(server: ScriptedServer) -> AsyncGenerator[WatchedSession]:
    """It waits for minutes."""
    watched = WatchedSession(server.endpoint)
    watched.start()
    await (await server.accept()).answer(REFUSAL)
    await watched.disconnected()
    yield watched


STAGES: list[Any] = [
    before_its_turn,
    in_the_handshake,
    while_identifying,
    while_online,
    while_a_pong_is_due,
    while_backing_off,
    while_yielding,
    after_a_refusal,
]
_CERTIFICATES: list[Certificates] = []


@pytest.fixture(autouse=True)
def offer_certificates(certificates: Certificates) -> None:
    """Give the stage in the handshake what it needs."""
    _CERTIFICATES[:] = [certificates]


async def just_close(watched: WatchedSession) -> None:
    """Close it, as a coordinator does."""
    await watched.session.close()


async def close_twice_at_once(watched: WatchedSession) -> None:
    """Close it from two sides."""
    await asyncio.gather(watched.session.close(), watched.session.close())


async def cancel_and_close(watched: WatchedSession) -> None:
    """Close it while its task is cancelled, as Home Assistant does with an entry's."""
    assert watched.task is not None
    watched.task.cancel()
    await asyncio.sleep(0)
    await watched.session.close()


async def cancel(watched: WatchedSession) -> None:
    """Cancel its task, and nothing else."""
    assert watched.task is not None
    watched.task.cancel()
    await asyncio.wait([watched.task])


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize(
    "end", [just_close, close_twice_at_once, cancel_and_close, cancel]
)
async def test_nothing_is_left(
    server: ScriptedServer,
    stage: Any,
    end: Callable[[WatchedSession], Awaitable[None]],
) -> None:
    """At whatever stage it ends: at that very moment nothing of it is there."""
    leftovers = Leftovers(server.port)
    async with stage(server) as watched:
        reports = watched.reports
        await end(watched)
        leftovers.check()
        assert watched.task.done()
        assert not watched.session.connected
        # Who closes it knows; nobody is called back any more.
        assert watched.reports == reports
    connections = server.connections
    await watched.session.close()
    watched.session.retry_now()
    assert await watched.session.wait_connected(PATIENT) is False
    leftovers.check()
    assert server.connections == connections


async def test_nothing_is_left_of_a_connect(start: Start) -> None:
    """Closed while nobody takes the connection."""
    with DeafServer() as deaf:
        tasks = asyncio.all_tasks()
        sockets = deaf.waiting
        watched = start(deaf.endpoint)
        async with asyncio.timeout(WAIT):
            while deaf.waiting == sockets:  # noqa: ASYNC110 - no event says
                await asyncio.sleep(0)
        await watched.session.close()
        assert deaf.waiting == sockets
        assert asyncio.all_tasks() == tasks


async def test_nothing_is_left_of_tls(certificates: Certificates) -> None:
    """Closed while online over TLS, without waiting for a farewell."""
    async with ScriptedServer(certificates.server()) as server:
        endpoint = Endpoint("127.0.0.1", server.port, certificates.trusting())
        watched = WatchedSession(endpoint)
        tasks = asyncio.all_tasks()
        watched.start()
        peer = await server.accept()
        await peer.identify()
        await watched.connected()
        await watched.session.close()
        Leftovers(server.port).check_sockets()
        assert asyncio.all_tasks() == tasks
        await peer.wait_closed()


async def test_close_before_run(server: ScriptedServer) -> None:
    """A session that is closed first does not begin."""
    watched = WatchedSession(server.endpoint)
    leftovers = Leftovers(server.port)
    await watched.session.close()
    await watched.session.run()
    leftovers.check()
    watched.start()
    await watched.session.close()
    assert watched.task is not None
    await watched.task
    assert server.connections == 0


# Secrets


async def test_close_takes_no_more_commands(
    start: Start, server: ScriptedServer
) -> None:
    """Not even one that has arrived and is read in the same turn of the loop."""
    watched = start(server.endpoint)
    peer = await server.accept()
    await peer.identify()
    await watched.connected()
    peer.send(push_frame())
    # Its first step comes before what was just sent is read.
    await asyncio.create_task(watched.session.close())
    assert watched._pushes.empty()
    assert await peer.wait_closed() == b""


async def test_key_is_not_shown(start: Start, server: ScriptedServer) -> None:
    """Neither by the session nor by what it is made of."""
    watched = start(server.endpoint)
    peer = await server.accept()
    await peer.identify()
    await watched.connected()
    session: DeviceSession = watched.session
    assert repr(session) == f"<DeviceSession 127.0.0.1:{server.port}>"
    for each in (session, server.endpoint, session.statistics):
        assert MASTER_KEY not in f"{each!r} {each}"
    peer.close()
    assert MASTER_KEY not in everything_of(await watched.disconnected())
