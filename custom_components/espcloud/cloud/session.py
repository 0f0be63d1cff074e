"""A device's place at the cloud: one connection after another, for as long as needed."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
import logging
from typing import override

from .backoff import Backoff, ConnectPacer, refusal_backoff
from .connection import CloudConnection
from .devices import CloudDevice
from .endpoint import Endpoint, Timing
from .errors import AuthenticationError, CloudError, StalledError, TakenOverError
from .push_limits import AccountPushes, DevicePushes
from .pushes import PushHandler

_LOGGER = logging.getLogger(__name__)


@dataclass(slots=True)
class SessionStatistics:
    """What happened so far; times are none of its business."""

    connections: int = 0
    failures: int = 0
    taken_over: int = 0
    bad_lines: int = 0


class DeviceSession:
    """Keeps one device identified at the cloud.

    `run` is the one task behind it. The callbacks run in the event loop and must
    not block: `on_push` for every push (it may return members for the answer),
    `on_connected` with the device after each identify, `on_disconnected` with the
    reason after each loss and each attempt that failed. A connection that is renewed
    since this side itself stood still counts as neither, unless renewing it fails.

    Attributes:
        master_key: the key it identifies with.
        statistics: what happened so far.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        master_key: str,
        bssid: str,
        *,
        on_push: PushHandler,
        on_connected: Callable[[CloudDevice], None],
        on_disconnected: Callable[[CloudError], None],
        on_refused: Callable[[], None] | None = None,
        pacer: ConnectPacer | None = None,
        pushes: AccountPushes | None = None,
        timing: Timing | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        """Prepare; nothing happens before `run`.

        Args:
            endpoint: where the device socket is.
            master_key: the device's master key (protocol.md §2.3).
            bssid: the MAC address to give when the device is activated.
            on_push: see above.
            on_connected: see above.
            on_disconnected: see above.
            on_refused: called for each push that is refused, being one too many.
            pacer: shared by all sessions of one account.
            pushes: likewise, how many are carried out.
            timing: the socket's deadlines.
            backoff: how long to wait between attempts.
        """
        self._endpoint = endpoint
        self.master_key = master_key
        self._bssid = bssid
        self._on_push = on_push
        self._on_connected = on_connected
        self._on_disconnected = on_disconnected
        self._pacer = pacer or ConnectPacer()
        self._pushes = DevicePushes(pushes or AccountPushes(), on_refused)
        self._timing = timing or Timing()
        self._backoff = backoff or Backoff()
        self._refusals = refusal_backoff()
        self._connection: CloudConnection | None = None
        self._hurry = asyncio.Event()
        self._connected = False
        # Set while the device is identified, while its key is refused, and for good when
        # `run` is over: there is nothing to wait for.
        self._settled = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closed = False
        self._taken_over_in_a_row = 0
        self.statistics = SessionStatistics()

    @override
    def __repr__(self) -> str:
        return f"<DeviceSession {self._endpoint.host}:{self._endpoint.port}>"

    @property
    def connected(self) -> bool:
        """Whether the device is identified right now."""
        return self._connected

    @property
    def contested(self) -> bool:
        """Whether another client keeps taking this device's place.

        Two clients that both come back at once would throw each other out for ever.
        The first loss may be chance; from the second in a row on, this side yields.
        """
        return self._taken_over_in_a_row > 1

    @property
    def attempts_failed(self) -> int:
        """How far the back-off has grown; 0 after a stable connection."""
        return self._backoff.failures

    @property
    def attempts_refused(self) -> int:
        """How often the key was refused since the last connection."""
        return self._refusals.failures

    @property
    def refused(self) -> bool:
        """Whether the cloud refused the key when it was last asked."""
        return self.attempts_refused > 0

    async def run(self) -> None:
        """Stay identified until `close`."""
        if self._closed:
            return
        self._task = asyncio.current_task()
        try:
            await self._stay_connected()
        finally:
            self._settled.set()

    async def _stay_connected(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._pacer.turn()
            started = loop.time()
            reason = await self._connect_once()
            lived = loop.time() - started
            if lived >= self._timing.stable:
                self._backoff.reset()
            if lived >= self._timing.taken_over:
                self._taken_over_in_a_row = 0
            if isinstance(reason, StalledError):
                continue
            delay = self._delay_after(reason)
            self._tell(self._on_disconnected, reason)
            await self._wait(delay)

    def _delay_after(self, reason: CloudError) -> float:
        """Return how long to wait after a connection, or an attempt, that ended so."""
        if isinstance(reason, AuthenticationError):
            self._settled.set()
            return self._refusals.next_delay()
        delay = self._backoff.next_delay()
        if isinstance(reason, TakenOverError):
            self.statistics.taken_over += 1
            self._taken_over_in_a_row += 1
            if self.contested:
                delay += self._timing.taken_over
        return delay

    async def wait_connected(self, timeout: float) -> bool:
        """Wait until the device is identified, cutting a back-off short.

        A key that is refused, or that another client keeps using, is not tried any
        sooner: whoever commands would make an attack, or a fight, of it.

        Args:
            timeout: how long to wait at most, in seconds.
        """
        if self.refused or self.contested:
            return self._connected
        return await self.connect_now(timeout)

    async def connect_now(self, timeout: float) -> bool:
        """Try to connect at once, whatever stands against it, and wait for that.

        Args:
            timeout: how long to wait at most, in seconds.
        """
        if self.refused and not self._closed:
            self._settled.clear()
        self.retry_now()
        try:
            async with asyncio.timeout(timeout):
                await self._settled.wait()
        except TimeoutError:
            pass
        return self._connected

    def retry_now(self) -> None:
        """Cut any waiting short: somebody needs the device now."""
        self._hurry.set()

    async def close(self) -> None:
        """End `run`; returns when no task, timer or socket is left.

        From the first step on, no push is handled or acknowledged.
        """
        self._closed = True
        self._settled.set()
        if self._connection is not None:
            self._connection.abort()
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])
        # What was given up closes its socket in the loop's next turn.
        await asyncio.sleep(0)

    async def _connect_once(self) -> CloudError:
        """Connect, stay identified, and return why that ended."""
        try:
            connection = await CloudConnection.open(
                self._endpoint, self._timing, self._on_push, self._pushes
            )
        except CloudError as err:
            self.statistics.failures += 1
            return err
        self._connection = connection
        try:
            device = await connection.identify(self.master_key, self._bssid)
            self.statistics.connections += 1
            self._connected = True
            self._refusals.reset()
            self._settled.set()
            self._tell(self._on_connected, device)
            return await connection.wait_lost()
        except CloudError as err:
            self.statistics.failures += 1
            return err
        finally:
            self._connected = False
            self._settled.clear()
            self.statistics.bad_lines += connection.bad_lines
            self._connection = None
            await connection.close()

    @staticmethod
    def _tell[News](callback: Callable[[News], None], news: News) -> None:
        """Call a callback; one that fails must not cost the device its connection."""
        try:
            callback(news)
        except Exception:
            _LOGGER.exception("Telling what became of the connection failed")

    async def _wait(self, delay: float) -> None:
        self._hurry.clear()
        try:
            async with asyncio.timeout(delay):
                await self._hurry.wait()
        except TimeoutError:
            pass
