"""Many plugs on one cloud, as light as can be: each answers whatever it is pushed with its state."""

import asyncio
import resource
from typing import Any, override

import orjson

from bench.answering import Answer, answer
from bench.paths import LOOPBACK
from bench.traffic.load import Lines

BEACON = 50.0  # seconds, protocol.md §5
ROM_VERSION = "v1.0.5t23701(a)"
ACTIVATE, IDENTIFY, PING = "/v1/device/activate/", "/v1/device/identify", "/v1/ping/"


class Plug(Lines):
    """A connected plug: activates, identifies, pings, and answers as a plug does."""

    def __init__(self, number: int, master_key: str) -> None:
        """Use this key; the number makes its MAC address and token."""
        self._number = number
        self._master_key = master_key
        self._rest = b""
        self._is_on = False
        self.identified: asyncio.Future[None] = (
            asyncio.get_running_loop().create_future()
        )

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        number = f"{self._number:06x}"
        self._ask(
            ACTIVATE,
            "POST",
            {
                "encrypt_method": "PLAIN",
                "bssid": f"18:fe:34:{number[:2]}:{number[2:4]}:{number[4:]}",
                "token": number.rjust(40, "0"),
                "rom_version": ROM_VERSION,
            },
        )

    @override
    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            frame = orjson.loads(line)
            if "path" in frame:
                self._obey(frame)
            elif frame.get("nonce") == len(ACTIVATE):
                self._ask(IDENTIFY, "GET")
            elif frame.get("nonce") == len(IDENTIFY):
                self.identified.set_result(None)
                self._ping()

    def _obey(self, frame: dict[str, Any]) -> None:
        if frame.get("method") == "POST":
            self._is_on = frame["body"]["datapoint"]["x"] == 1
        self._send(
            {
                "status": 200,
                "datapoint": {"x": int(self._is_on)},
                "nonce": frame["nonce"],
                "deliver_to_device": True,
            }
        )

    def _ping(self) -> None:
        if self._transport.is_closing():
            return
        self._ask(PING, "POST")
        asyncio.get_running_loop().call_later(BEACON, self._ping)

    def _ask(self, path: str, method: str, body: dict[str, Any] | None = None) -> None:
        self._send(
            {
                # What tells the answers apart: each is asked once at a time.
                "nonce": len(path),
                "path": path,
                "method": method,
                **({"body": body} if body else {}),
                "meta": {"Authorization": f"token {self._master_key}"},
            }
        )

    def _send(self, frame: dict[str, Any]) -> None:
        self._transport.write(orjson.dumps(frame, option=orjson.OPT_APPEND_NEWLINE))


async def connect(device_port: int, devices: list[dict[str, Any]]) -> Answer:
    """Connect the plugs, and return when all are identified."""
    loop = asyncio.get_running_loop()
    for number, record in enumerate(devices):
        _, plug = await loop.create_connection(
            lambda: Plug(number, record["master_key"]),  # noqa: B023 - called at once
            LOOPBACK,
            device_port,
        )
        await plug.identified
    return {}


async def main() -> None:
    """Do as one is told until stdin ends."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    await answer({"connect": connect}, {})


if __name__ == "__main__":
    asyncio.run(main())
