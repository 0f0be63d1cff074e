"""How late a command is carried out when the network between has a hole: no row, but a check.

`python -m bench.network_hole`, as root on Linux. Home Assistant's side (the client alone) and
the clouds are in network namespaces of their own, with a router between them that forwards
nothing for a while: the systems on both sides send again what is lost, as they do in life.
What is printed are seconds from the command until its sender was told, and until the device
carried it out. *Withdraws* is local_cloud as it is; *keeps* is one that never ends a
connection for a command that it gave up, as a cloud might that nobody has seen inside.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from itertools import product
import os
from pathlib import Path
import subprocess
import sys
from typing import Any

import aiohttp
from yarl import URL

from custom_components.espcloud.cloud import (
    CloudClient,
    CloudError,
    DeviceSession,
    Endpoint,
    Push,
)
from custom_components.espcloud.local_cloud import Limits, LocalCloud
from custom_components.espcloud.local_cloud.models import Device

CLOUD = "10.9.2.2"
HOLES = (12.0, 20.0, 30.0, 40.0)
FOR_EVER = 1e6
SETTLE = 30.0
"""Seconds to wait after a hole, for whatever may still come."""


class Network:
    """Two machines and a router between them, each a namespace of this process."""

    def __init__(self) -> None:
        """Make them; the process is in none of them afterwards."""
        self._outside = self._current()
        self.home, self._router, self.cloud = (self._new() for _ in range(3))
        with self.inside(self._router):
            for name, machine, net in (
                ("home", self.home, "10.9.1"),
                ("cloud", self.cloud, "10.9.2"),
            ):
                link = f"link add {name} type veth peer name e0 netns"
                _ip(*link.split(), f"/proc/{os.getpid()}/fd/{machine}")
                _ip("addr", "add", f"{net}.1/24", "dev", name)
                _ip("link", "set", name, "up")
                with self.inside(machine):
                    _ip("addr", "add", f"{net}.2/24", "dev", "e0")
                    _ip("link", "set", "e0", "up")
                    _ip("link", "set", "lo", "up")
                    _ip("route", "add", "default", "via", f"{net}.1")
        self.forward(True, True)

    def forward(self, up: bool, down: bool) -> None:
        """Let through, or drop without a word, what goes to the cloud and what comes."""
        with self.inside(self._router):
            for name, forwards in (("home", up), ("cloud", down)):
                setting = Path(f"/proc/sys/net/ipv4/conf/{name}/forwarding")
                setting.write_text(str(int(forwards)))

    @contextmanager
    def inside(self, machine: int) -> Iterator[None]:
        """Make the sockets of a block there; they stay there."""
        before = self._current()
        os.setns(machine)
        try:
            yield
        finally:
            os.setns(before)
            os.close(before)

    @staticmethod
    def _current() -> int:
        return os.open("/proc/thread-self/ns/net", os.O_RDONLY)

    def _new(self) -> int:
        os.unshare(os.CLONE_NEWNET)
        machine = self._current()
        os.setns(self._outside)
        return machine


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


class Lamp:
    """A device that the client plays, and when it carried something out."""

    def __init__(self, cloud: LocalCloud, device: Device) -> None:
        """Connect to a cloud, as a device of its own."""
        self.key = cloud.master_key(device)
        self.carried_out: list[float] = []
        self.session = DeviceSession(
            Endpoint(CLOUD, cloud.device_port),
            self.key,
            "02:00:00:00:00:01",
            on_push=self._note,
            on_connected=lambda _device: None,
            on_disconnected=lambda _reason: None,
        )

    def _note(self, _push: Push) -> None:
        self.carried_out.append(asyncio.get_running_loop().time())


async def _told(call: Callable[[], Any], begin: float) -> str:
    try:
        await call()
        text = "acknowledged"
    except CloudError as err:
        text = type(err).__name__
    return f"{text} after {asyncio.get_running_loop().time() - begin:.1f} s"


async def measure(network: Network, hole: float, *, up: bool, withdraws: bool) -> None:
    """Command two lamps as a hole begins, from home and from beside the cloud."""
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        with network.inside(network.cloud):
            # Nor does one that keeps take a device for gone that hears nothing.
            limits = Limits() if withdraws else Limits(doubt=FOR_EVER)
            cloud = LocalCloud(host="0.0.0.0", limits=limits)
            await cloud.start()
            stack.push_async_callback(cloud.close)
        devices = [cloud.add_device(name) for name in ("pressed at home", "by phone")]
        lamps = [Lamp(cloud, device) for device in devices]
        http_port = URL(cloud.http_url).port
        web = await stack.enter_async_context(aiohttp.ClientSession())
        client = CloudClient.over_http(web, f"http://{CLOUD}:{http_port}")
        phone_web = await stack.enter_async_context(aiohttp.ClientSession())
        phone = CloudClient.over_http(phone_web, f"http://127.0.0.1:{http_port}")
        os.setns(network.home)
        tasks = [asyncio.create_task(lamp.session.run()) for lamp in lamps]
        for lamp, device in zip(lamps, devices, strict=True):
            stack.push_async_callback(lamp.session.close)
            await cloud.wait_online(device)
            await client.owner.call(lamp.key, "warm", {})
            lamp.carried_out.clear()
            if not withdraws:
                link: Any = cloud._presence.link(device)  # noqa: SLF001 - to be another cloud
                link.has_delivered = lambda _written: True
        # The phone's connection is made beside the cloud, and kept.
        with network.inside(network.cloud):
            await phone.ping()
        network.forward(up, False)
        begin = loop.time()
        told = [
            asyncio.create_task(
                _told(lambda: client.owner.call(lamps[0].key, "ON", {}), begin)
            ),
            asyncio.create_task(
                _told(lambda: phone.owner.call(lamps[1].key, "ON", {}), begin)
            ),
        ]
        await asyncio.sleep(hole)
        network.forward(True, True)
        await asyncio.sleep(SETTLE)
        for lamp, device, text in zip(
            lamps, devices, await asyncio.gather(*told), strict=True
        ):
            late = [f"after {when - begin:.1f} s" for when in lamp.carried_out]
            print(  # noqa: T201 - a command
                f"hole of {hole:.0f} s, {'down' if up else 'both ways'}, cloud that "
                f"{'withdraws' if withdraws else 'keeps'}, {device.name}: {text}, "
                f"carried out {', '.join(late) or 'never'}",
                flush=True,
            )
        for task in tasks:
            task.cancel()


def main() -> None:
    """Measure every kind of hole, each in a process of its own, all at once."""
    if len(sys.argv) > 1:
        hole, up, withdraws = sys.argv[1:]
        asyncio.run(
            measure(
                Network(), float(hole), up=up == "True", withdraws=withdraws == "True"
            )
        )
        return
    kinds = product(HOLES, (False, True), (True, False))
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "bench.network_hole", *map(str, kind)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for kind in kinds
    ]
    for each in running:
        print(each.communicate()[0], end="")  # noqa: T201 - a command


if __name__ == "__main__":
    main()
