"""One TCP connection of one device: frames in and out, pings, pushes acknowledged."""

import asyncio
import socket
import ssl
from typing import Self, cast, override

from .devices import CloudDevice
from .endpoint import Endpoint, Timing, open_socket
from .errors import (
    CannotConnectError,
    CloudError,
    CloudTimeoutError,
    ConnectionLostError,
    FloodError,
    StalledError,
    TakenOverError,
    UnexpectedAnswerError,
    UntrustedCertificateError,
)
from .frames import Frame, FrameDecoder, encode_frame
from .heartbeat import Heartbeat
from .models import new_token, virtual_rom_version
from .pending import PendingRequests
from .push_limits import AccountPushes, DevicePushes
from .pushes import PushHandler, answer_push
from .stall import StallWatch, boot_time


class CloudConnection(asyncio.Protocol):
    """A connected device socket, from `open` until `wait_lost` returns."""

    def __init__(
        self,
        timing: Timing,
        on_push: PushHandler | None,
        limits: DevicePushes | None = None,
    ) -> None:
        """Use `open` instead, which also connects."""
        self._loop = asyncio.get_running_loop()
        self._timing = timing
        self._on_push = on_push
        self._limits = limits or DevicePushes(AccountPushes())
        self._decoder = FrameDecoder()
        self._requests = PendingRequests(self._send, timing.answer)
        self._later: list[Frame] = []
        self._lost: asyncio.Future[CloudError] = self._loop.create_future()
        self._reason: CloudError | None = None
        # Both are there from `connection_made` on, and nothing is called before it.
        self._transport: asyncio.Transport
        self._heartbeat: Heartbeat
        self._stall_watch: StallWatch
        self._made_at: float

    @classmethod
    async def open(
        cls,
        endpoint: Endpoint,
        timing: Timing | None = None,
        on_push: PushHandler | None = None,
        limits: DevicePushes | None = None,
    ) -> Self:
        """Connect to the device port.

        Args:
            endpoint: where it is.
            timing: the deadlines.
            on_push: handles what is pushed.
            limits: how many pushes are carried out; the usual ones without it.

        Raises:
            CannotConnectError: there is no way there, or TLS was refused.
            UntrustedCertificateError: a CannotConnectError of its own kind.
            CloudTimeoutError: it took longer than `timing.connect`.
        """
        timing = timing or Timing()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timing.connect):
                _, connection = await loop.create_connection(
                    lambda: cls(timing, on_push, limits),
                    sock=await open_socket(endpoint),
                    ssl=endpoint.ssl_context,
                    server_hostname=endpoint.host if endpoint.ssl_context else None,
                )
        except TimeoutError as err:
            raise CloudTimeoutError("the device port did not answer in time") from err
        except ssl.SSLCertVerificationError as err:
            raise UntrustedCertificateError("the certificate is not trusted") from err
        except (OSError, UnicodeError) as err:
            raise CannotConnectError(
                f"the device port was not reached ({type(err).__name__})"
            ) from err
        return connection

    @property
    def bad_lines(self) -> int:
        """How many lines were skipped since they held no frame."""
        return self._decoder.bad_lines

    async def identify(self, master_key: str, bssid: str) -> CloudDevice:
        """Make this the device's connection, activating the device where it is not yet.

        Returns the device as the cloud describes it (protocol.md §3.2).

        Raises:
            AuthenticationError: the cloud does not know the key.
            UnexpectedAnswerError: what answers is not this cloud.
            ConnectionLostError: the connection ended before the answer.
            CloudTimeoutError: no answer within `timing.answer`.
        """
        device = await self._identify(master_key)
        if not device.activated:
            await self._requests.ask(
                "/v1/device/activate/",
                "POST",
                master_key,
                {
                    "encrypt_method": "PLAIN",
                    "bssid": bssid,
                    "token": new_token(),
                    "rom_version": virtual_rom_version(device.ptype),
                },
            )
            device = await self._identify(master_key)
        # A cloud may wait with the first push until the device has asked for its timers,
        # which this one never does; any frame will do (protocol.md §10.2, 7).
        self._loop.call_soon(self._ping_unless_ended)
        return device

    async def wait_lost(self) -> CloudError:
        """Wait until the connection has ended and return why."""
        return await asyncio.shield(self._lost)

    def abort(self) -> None:
        """End the connection at once: nothing that arrives is handled any more."""
        self._end(ConnectionLostError("closed by this side"))

    async def close(self) -> None:
        """End the connection and wait until it has ended."""
        self.abort()
        await self.wait_lost()

    async def _identify(self, master_key: str) -> CloudDevice:
        answer = await self._requests.ask("/v1/device/identify", "GET", master_key)
        return CloudDevice.from_answer(answer)

    # What asyncio calls

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._made_at = boot_time()
        self._stall_watch = StallWatch.join()
        # asyncio itself sets TCP_NODELAY. Keep-alive is a backstop for the pings.
        sock: socket.socket = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._heartbeat = Heartbeat(
            self._timing.ping_after,
            self._timing.answer,
            ping=self._ping,
            on_silence=self._end_silent,
        )

    @override
    def data_received(self, data: bytes) -> None:
        self._heartbeat.heard_at = self._loop.time()
        try:
            frames = self._decoder.feed(data)
        except UnexpectedAnswerError as err:
            self._end(err)
            return
        if self._later:
            self._later += frames
        else:
            self._handle_frames(frames)

    @override
    def pause_writing(self) -> None:
        # A peer that pushes without reading what it gets must not fill the memory. If
        # it never reads again, no byte arrives either, and the heartbeat ends this.
        self._transport.pause_reading()

    @override
    def resume_writing(self) -> None:
        self._transport.resume_reading()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._lost.set_result(
            self._end(
                ConnectionLostError(
                    f"the connection broke ({type(exc).__name__})"
                    if exc
                    else "the cloud closed the connection"
                )
            )
        )

    # Frames

    def _handle_frames(self, frames: list[Frame]) -> None:
        acknowledgements: list[bytes] = []
        is_stale = self._stall_watch.makes_stale(self._made_at)
        now = self._loop.time()
        for number, frame in enumerate(frames, start=1):
            # Whoever sends a path asks; an answer has none (protocol.md §3.4).
            if "path" in frame:
                if is_stale:
                    # Its sender was told long ago that it failed.
                    self._end(StalledError("this side stood still"))
                    return
                try:
                    acknowledgements.append(
                        answer_push(frame, self._on_push, self._limits, now)
                    )
                except FloodError as err:
                    self._write(acknowledgements)
                    self._end(err)
                    return
            elif self._handle_answer(frame) and number < len(frames):
                # Whoever asked goes first: a push right behind the answer to identify
                # has to find a device that is connected.
                self._later = frames[number:]
                self._loop.call_soon(self._handle_later)
                break
            elif self._reason is not None:
                return
        self._write(acknowledgements)

    def _write(self, lines: list[bytes]) -> None:
        if lines:
            self._transport.write(b"".join(lines))

    def _handle_later(self) -> None:
        frames, self._later = self._later, []
        if self._reason is None:
            self._handle_frames(frames)

    def _handle_answer(self, frame: Frame) -> bool:
        """Take a frame that is no push; return whether somebody waited for it."""
        if self._requests.take(frame):
            return True
        if "close by other peer login" in str(frame.get("message", "")):
            self._end(
                TakenOverError("another client identified with the same master key")
            )
        return False

    def _send(self, frame: Frame) -> None:
        self._transport.write(encode_frame(frame))

    def _ping_unless_ended(self) -> None:
        if self._reason is None:
            self._ping()

    def _ping(self) -> None:
        self._send({"path": "/v1/ping/", "method": "POST"})

    # The end

    def _end_silent(self) -> None:
        self._end(CloudTimeoutError("the cloud fell silent"))

    def _end(self, reason: CloudError) -> CloudError:
        """End the connection and return why; only the first reason counts."""
        if self._reason is not None:
            return self._reason
        self._reason = reason
        self._heartbeat.stop()
        self._stall_watch.leave()
        self._requests.fail(reason)
        # Not close(): that would wait for a peer that may be gone for good.
        self._transport.abort()
        return reason
