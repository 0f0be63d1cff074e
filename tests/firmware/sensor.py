"""Sensors, which wake, connect, post and sleep (protocol.md §3.8, §5, §10.2, 5)."""

import asyncio
from contextlib import suppress
import re
import socket
from typing import Any, Unpack

from . import frames, parser
from .clock import MACHINE_CLOCK, Clock
from .device import Device, Identity
from .readings import Reading

_NONCE = 0
"""Of a post: it counts from 0 since the device started, which it does for each."""
_GRACE = 0.01
"""Seconds between the answer and the end of the connection."""
_PATIENCE = 10.0
"""Seconds that it waits for an answer; no source tells how many."""


class Sensor(Device):
    """A sensor that wakes, posts what it measures, and sleeps. It never identifies.

    Attributes:
        reading: what it measures; set it to another one to change that.
        rom_version: what it activates with.
        statuses: what each post was answered with, oldest first; None where there was no answer.
    """

    def __init__(
        self,
        address: tuple[str, int],
        master_key: str,
        reading: Reading,
        *,
        interval: float | None = None,
        clock: Clock = MACHINE_CLOCK,
        **identity: Unpack[Identity],
    ) -> None:
        """Prepare a sensor for the server at `address`.

        Args:
            address: host and port of the device server.
            master_key: the key in its flash.
            reading: what it measures.
            interval: seconds that it sleeps, as many as the real one where it is None.
            clock: what it sleeps by.
            **identity: see Identity.
        """
        super().__init__(address, master_key, **identity)
        self.reading = reading
        self.rom_version = reading.rom_version
        self.statuses: list[int | None] = []
        self._interval = reading.interval if interval is None else interval
        self._clock = clock
        self._woken = asyncio.Event()
        self._waiting: list[asyncio.Future[int | None]] = []

    @property
    def state(self) -> dict[str, Any]:
        """What can be seen of it from outside, and what its posts were answered with."""
        return {
            **super().state,
            "rom_version": self.rom_version,
            "reading": self.reading.values,
            "statuses": self.statuses,
        }

    async def post(self) -> int | None:
        """Wake it now, and return what its post is answered with, None if it is not.

        Raises ValueError where it has no power, ConnectionError where that is taken away.
        """
        if not self.is_on:
            raise ValueError("it has no power")
        waiting: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        self._woken.set()
        try:
            return await waiting
        finally:
            if waiting in self._waiting:
                self._waiting.remove(waiting)

    async def power_off(self) -> None:
        """Take its power away; who waits for a post waits in vain."""
        await super().power_off()
        for waiting in self._waiting:
            waiting.set_exception(ConnectionError("its power was taken away"))
        self._waiting.clear()

    async def _run(self) -> None:
        while True:
            # Waking is starting anew: all but the flash is lost.
            self.boots += 1
            self._woken.clear()
            waiting = list(self._waiting)
            status = await self._session()
            self.statuses.append(status)
            for each in waiting:
                if each in self._waiting:
                    self._waiting.remove(each)
                    each.set_result(status)
            await self._sleep()

    async def _sleep(self) -> None:
        sleep = asyncio.ensure_future(self._clock.sleep(self._interval))
        woken = asyncio.ensure_future(self._woken.wait())
        try:
            await asyncio.wait({sleep, woken}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleep.cancel()
            woken.cancel()
            await asyncio.gather(sleep, woken, return_exceptions=True)

    async def _session(self) -> int | None:
        """Post once, after an activation where that is due; return the answer's status."""
        loop = asyncio.get_running_loop()
        with suppress(OSError, TimeoutError), self._new_socket() as connection:
            await loop.sock_connect(connection, self.address)
            self._socket = connection
            self.connections += 1
            try:
                async with asyncio.timeout(_PATIENCE):
                    if not self._activated and not await self._activate(connection):
                        return None
                    body = self.reading.body()
                    path = f"/v1/datastreams/{self.reading.path}/"
                    await self._send(
                        frames.sensor_post(self.master_key, _NONCE, path, body)
                    )
                    return await self._status(connection)
            finally:
                self._socket = None
        return None

    async def _activate(self, connection: socket.socket) -> bool:
        nonce = frames.ACTIVATE_NONCE
        await self._send(frames.activate(self, self.rom_version, nonce))
        answer = await self._receive(connection)
        self._activated = parser.first_match(answer, nonce) == "activated"
        return self._activated

    async def _status(self, connection: socket.socket) -> int | None:
        """Wait for anything with a status, which ends the connection 10 ms later."""
        answer = await self._receive(connection)
        await asyncio.sleep(_GRACE)
        match = re.search(rb'"status": *(\d+)', answer)
        return int(match[1]) if match else None

    async def _receive(self, connection: socket.socket) -> bytes:
        loop = asyncio.get_running_loop()
        answer = b""
        while b'"status":' not in answer:
            segment = await loop.sock_recv(connection, parser.FIRMWARE_BUFFER)
            if not segment:
                break
            answer += segment
        return answer
