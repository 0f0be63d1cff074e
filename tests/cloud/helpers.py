"""What the client's tests do again and again."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
import traceback
from typing import Any

from hypothesis import strategies as st

from custom_components.espcloud.cloud import (
    AccountPushes,
    Backoff,
    CloudDevice,
    CloudError,
    ConnectPacer,
    DevicePushes,
    DeviceSession,
    Endpoint,
    Push,
    PushLimits,
    Timing,
)

from .scripted_server import WAIT, ScriptedServer, client_sockets

MASTER_KEY = "5ec2e7" + "0" * 34
USER_KEY = "5ec2e7" + "1" * 34
CALLER_TOKEN = "5ec2e7" + "2" * 34
BSSID = "02:00:00:00:00:01"
PATIENT = 1e6
"""A back-off that is as good as for ever, even after jitter."""

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(
        ["200", "0", "", "٢٠٠", "9" * 5000, "POST", "close by other peer"]
    ),
    lambda values: (
        st.lists(values, max_size=4)
        | st.dictionaries(st.text(max_size=8), values, max_size=4)
    ),
    max_leaves=8,
)


def altered(template: Mapping[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return answers like the template, with one field, at any depth, gone or anything."""

    def alter(value: Any) -> st.SearchStrategy[Any]:
        alternatives = [json_values]
        if isinstance(value, dict):
            for name, inner in value.items():
                rest = {each: value[each] for each in value if each != name}
                alternatives += [
                    st.just(rest),
                    alter(inner).map(lambda new, name=name: {**value, name: new}),
                ]
        elif isinstance(value, list) and value:
            alternatives.append(alter(value[0]).map(lambda new: [new, *value[1:]]))
        return st.one_of(alternatives)

    return alter(dict(template)).filter(lambda answer: isinstance(answer, dict))


def push_frame(nonce: int = 912639262, **members: Any) -> dict[str, Any]:
    """Return an RPC as the cloud pushes it, the caller's token in it (protocol.md §3.4)."""
    return {
        "deliver_to_device": True,
        "get": {"action": "LED_ON"},
        "meta": {
            "Authorization": f"token {CALLER_TOKEN}",
            "Time-Zone": "Asia/Shanghai",
        },
        "method": "GET",
        "nonce": nonce,
        "path": "/v1/device/rpc/",
        **members,
    }


BYEBYE = {
    "message": "byebye, close by other peer login with same master key",
    "status": 200,
}


def unlimited() -> DevicePushes:
    """Return limits on pushes that no test reaches."""
    much = 10**9
    return DevicePushes(
        AccountPushes(
            PushLimits(
                device_rate=much,
                device_burst=much,
                account_rate=much,
                account_burst=much,
                flood_rate=much,
            )
        )
    )


class WatchedSession:
    """A running DeviceSession, and what it reports as queues to wait on."""

    def __init__(
        self,
        endpoint: Endpoint,
        master_key: str = MASTER_KEY,
        *,
        timing: Timing | None = None,
        backoff: Backoff | None = None,
        pacer: ConnectPacer | None = None,
        on_connected: Callable[[CloudDevice], None] | None = None,
        on_disconnected: Callable[[CloudError], None] | None = None,
        on_refused: Callable[[], None] | None = None,
        pushes: AccountPushes | None = None,
    ) -> None:
        """Prepare; `start` runs it."""
        self._pushes: asyncio.Queue[Push] = asyncio.Queue()
        self._connected: asyncio.Queue[CloudDevice] = asyncio.Queue()
        self._disconnected: asyncio.Queue[CloudError] = asyncio.Queue()
        self.session = DeviceSession(
            endpoint,
            master_key,
            BSSID,
            on_push=self._pushes.put_nowait,
            on_connected=on_connected or self._connected.put_nowait,
            on_disconnected=on_disconnected or self._disconnected.put_nowait,
            on_refused=on_refused,
            pacer=pacer,
            pushes=pushes,
            timing=timing or Timing(connect=WAIT, answer=WAIT),
            backoff=backoff or Backoff(first=0.01, limit=0.01),
        )
        self.task: asyncio.Task[None] | None = None

    def start(self) -> asyncio.Task[None]:
        """Run it."""
        self.task = asyncio.create_task(self.session.run())
        return self.task

    async def connected(self) -> CloudDevice:
        """Wait for the next report of a connection."""
        async with asyncio.timeout(WAIT):
            return await self._connected.get()

    async def disconnected(self) -> CloudError:
        """Wait for the next report of a loss or a failure."""
        async with asyncio.timeout(WAIT):
            return await self._disconnected.get()

    async def pushed(self) -> Push:
        """Wait for the next push."""
        async with asyncio.timeout(WAIT):
            return await self._pushes.get()

    @property
    def reports(self) -> int:
        """How many reports nobody has waited for yet."""
        return self._connected.qsize() + self._disconnected.qsize()


async def ask(
    server: ScriptedServer, call: Awaitable[Any], *answers: bytes
) -> tuple[Any, str]:
    """Make a call, answer it, and return its outcome and the request's head.

    The outcome is the result or the CloudError; anything else is a failure.
    """
    task = asyncio.ensure_future(call)
    peer = await server.accept()
    head = await peer.receive_head()
    peer.send(*answers)
    peer.close()
    try:
        return await task, head
    except CloudError as err:
        return err, head


class Leftovers:
    """Finds what a client left behind: tasks, timers and sockets."""

    def __init__(self, port: int) -> None:
        """Remember what is there now; `port` is where the client connects to."""
        self._port = port
        self._loop = asyncio.get_running_loop()
        self.tasks = asyncio.all_tasks()
        self._timers = self._running_timers()

    def check(self) -> None:
        """Fail where anything is left at this very moment."""
        tasks = {
            task
            for task in asyncio.all_tasks() - self.tasks
            # How a server of the test's own lets a connection in.
            if "_accept_connection2" not in str(task.get_coro())
        }
        assert not tasks, tasks
        timers = self._running_timers() - self._timers
        assert not timers, timers
        self.check_sockets()

    def check_sockets(self) -> None:
        """Fail where a socket is left; a TLS server may have a timer of its own."""
        assert client_sockets(self._port) == 0

    def _running_timers(self) -> set[asyncio.TimerHandle]:
        scheduled: list[asyncio.TimerHandle] = self._loop._scheduled  # type: ignore[attr-defined]  # asyncio shows its timers nowhere else
        return {timer for timer in scheduled if not timer.cancelled()}


def everything_of(error: BaseException) -> str:
    """Return all that a log, a debugger or a bug report would show of an exception."""
    parts = ["".join(traceback.format_exception(error))]
    link: BaseException | None = error
    while link is not None:
        parts += [str(link), repr(link), repr(link.args), repr(vars(link))]
        link = link.__cause__ or (
            None if link.__suppress_context__ else link.__context__
        )
    return "\n".join(parts)
