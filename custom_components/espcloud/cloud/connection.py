"""One TCP connection of one device: frames in and out, pings, pushes acknowledged."""

import asyncio
from collections.abc import Callable, Mapping
from itertools import count
import logging
import socket
import ssl
from typing import Any, Self, cast, override

from .endpoint import Endpoint, Timing, open_socket
from .errors import (
    AuthenticationError,
    CannotConnectError,
    CloudError,
    CloudTimeoutError,
    ConnectionLostError,
    PushRefusedError,
    StalledError,
    TakenOverError,
    UnexpectedAnswerError,
    UntrustedCertificateError,
)
from .frames import Frame, FrameDecoder, encode_frame
from .heartbeat import Heartbeat
from .models import (
    CloudDevice,
    Push,
    integer,
    new_token,
    refuses_key,
    status_of,
    virtual_rom_version,
)
from .stall import StallWatch, boot_time

_LOGGER = logging.getLogger(__name__)

# Answers to our requests carry the nonce back. Those of devices and of the cloud stay
# below 2**31, so ours do too (protocol.md §3.2, §3.4).
_NONCE_LIMIT = 2**31

type PushHandler = Callable[[Push], Mapping[str, Any] | None]
"""Handles a push: returns what to add to the acknowledgement, or raises
PushRefusedError."""


class CloudConnection(asyncio.Protocol):
    """A connected device socket, from `open` until `wait_lost` returns."""

    def __init__(self, timing: Timing, on_push: PushHandler | None) -> None:
        """Use `open` instead, which also connects."""
        self._loop = asyncio.get_running_loop()
        self._timing = timing
        self._on_push = on_push
        self._decoder = FrameDecoder()
        self._nonces = count(1)
        self._answers: dict[int, asyncio.Future[Frame]] = {}
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
    ) -> Self:
        """Connect to the device port.

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
                    lambda: cls(timing, on_push),
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
            await self._request(
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
        answer = await self._request("/v1/device/identify", "GET", master_key)
        return CloudDevice.from_answer(answer)

    async def _request(
        self,
        path: str,
        method: str,
        key: str,
        body: Mapping[str, Any] | None = None,
    ) -> Frame:
        if self._reason is not None:
            raise self._reason
        nonce = next(self._nonces) % _NONCE_LIMIT
        frame: Frame = {"nonce": nonce, "path": path, "method": method}
        if body is not None:
            frame["body"] = body
        frame["meta"] = {"Authorization": f"token {key}"}
        future: asyncio.Future[Frame] = self._loop.create_future()
        self._answers[nonce] = future
        try:
            self._send(frame)
            async with asyncio.timeout(self._timing.answer):
                answer = await future
        except TimeoutError as err:
            raise CloudTimeoutError("the cloud did not answer in time") from err
        finally:
            del self._answers[nonce]
        status = status_of(answer)
        # The reference gateway knows no path where it knows no key (protocol.md §3.2).
        if status == 404 or refuses_key(status, answer):
            raise AuthenticationError("the master key is refused")
        if status != 200:
            raise UnexpectedAnswerError(f"status {status}")
        return answer

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
        for number, frame in enumerate(frames, start=1):
            # Whoever sends a path asks; an answer has none (protocol.md §3.4).
            if "path" in frame:
                if is_stale:
                    # Its sender was told long ago that it failed.
                    self._end(StalledError("this side stood still"))
                    return
                acknowledgements.append(self._handle_push(frame))
            elif self._handle_answer(frame) and number < len(frames):
                # Whoever asked goes first: a push right behind the answer to identify
                # has to find a device that is connected.
                self._later = frames[number:]
                self._loop.call_soon(self._handle_later)
                break
            elif self._reason is not None:
                return
        if acknowledgements:
            self._transport.write(b"".join(acknowledgements))

    def _handle_later(self) -> None:
        frames, self._later = self._later, []
        if self._reason is None:
            self._handle_frames(frames)

    def _handle_push(self, frame: Frame) -> bytes:
        """Let the push be handled and return its acknowledgement (protocol.md §3.5)."""
        nonce = integer(frame.get("nonce"))
        acknowledgement: Frame = {
            "status": 200,
            "nonce": nonce,
            "deliver_to_device": True,
        }
        try:
            push = Push.from_frame(frame)
        except UnexpectedAnswerError:
            return encode_frame(acknowledgement | {"status": 400})
        try:
            answer = self._on_push(push) if self._on_push is not None else None
            if not answer:
                return encode_frame(acknowledgement)
            # What was handed back may be more than can be encoded: part of a push
            # that is nested too deep, say.
            return encode_frame({**answer, **acknowledgement})
        except PushRefusedError as refusal:
            return encode_frame(acknowledgement | {"status": refusal.status})
        except Exception:
            # The caller is told; whoever handles pushes must not cost the connection.
            _LOGGER.exception("Handling a pushed %s failed", push.kind.value)
            return encode_frame(acknowledgement | {"status": 500})

    def _handle_answer(self, frame: Frame) -> bool:
        """Take a frame that is no push; return whether somebody waited for it."""
        nonce = integer(frame.get("nonce"))
        if nonce is not None:
            future = self._answers.get(nonce)
            if future is not None and not future.done():
                future.set_result(frame)
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
        for future in self._answers.values():
            if not future.done():
                future.set_exception(reason)
        # Not close(): that would wait for a peer that may be gone for good.
        self._transport.abort()
        return reason
