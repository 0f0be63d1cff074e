"""Simulated devices at a running cloud, and what their owner does with them."""

from dataclasses import dataclass
from typing import Any

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device, User
from tests.firmware.kinds import PTYPES, make

from .helpers import Api

GAP = 1.0
"""Seconds that the cloud gives firmware: more than usual, for a busy machine is slower than it."""


@dataclass(frozen=True)
class Home:
    """A cloud with a person who has devices."""

    api: Api
    cloud: LocalCloud
    user: User

    def add(self, kind: str, **options: Any) -> tuple[Any, Thing]:
        """Return a simulated device without power, and what its owner can do with it."""
        device = self.cloud.add_device(kind, self.user, PTYPES[kind])
        made = make(
            kind,
            (self.cloud.device_host, self.cloud.device_port),
            self.cloud.master_key(device),
            **options,
        )
        key = self.cloud.owner_key(device)
        assert key is not None
        return made, Thing(self, device, key)


@dataclass(frozen=True)
class Thing:
    """A device as its owner has it.

    Attributes:
        device: as the cloud keeps it.
        key: the owner key.
    """

    home: Home
    device: Device
    key: str

    async def ask(self, stream: str) -> Any:
        """Return what the live device reports."""
        path = f"/v1/datastreams/{stream}/datapoint/?deliver_to_device=true"
        return (await self.home.api.ok("GET", path, key=self.key))["datapoint"]

    async def tell(self, stream: str, **values: Any) -> Any:
        """Set the live device, and return what it answers."""
        path = f"/v1/datastreams/{stream}/datapoint/?deliver_to_device=true"
        body = {"datapoint": values}
        return (await self.home.api.ok("POST", path, body, key=self.key))["datapoint"]

    async def points(self, stream: str, *names: str) -> list[tuple[Any, ...]]:
        """Return the stored values of a stream, the latest first."""
        path = f"/v1/datastreams/{stream}/datapoints/?offset=0&row_count=100"
        reply = await self.home.api.ok("GET", path, key=self.key)
        return [tuple(point[name] for name in names) for point in reply["datapoints"]]

    async def online(self, connections: int = 1) -> None:
        """Return when it is on-line, for the `connections`th time or later."""
        await self.home.cloud.wait_online(self.device, connections=connections)
