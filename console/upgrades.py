"""Upgrades of devices, step by step (protocol.md §3.7).

A device is asked, it fetches the firmware, reports, is told to restart, and comes back. An upgrade goes
on whoever looks at it, and its end stays to be seen until the next one.
"""

import asyncio
from collections.abc import Callable
from enum import StrEnum
import logging

from local_cloud import LocalCloud
from local_cloud.errors import ApiError
from local_cloud.listeners import Callbacks, Event, FirmwareServed, UpgradeReported
from local_cloud.models import Device

from .replies import accepted

_LOGGER = logging.getLogger(__name__)

_FETCHING = 150.0
"""Seconds until the report; the device allows itself 120 (protocol.md §3.7)."""
_RETURNING = 180.0
"""Seconds until it is back."""
_REMEMBERED = 256
"""Upgrades that are over and can still be seen."""


class Step(StrEnum):
    """What is under way, in this order."""

    ASKED = "asked"
    FETCHING = "fetching"
    REPORTED = "reported"
    RESTARTING = "restarting"
    BACK = "back"
    """Nothing any more: it runs."""


class Upgrade:
    """One upgrade of one device.

    Attributes:
        device: the device.
        version: what it is to run.
        step: how far it has come.
        percent: how much of the file has arrived.
        error: what has ended it before its time.
        changed: who hears of a change.
    """

    def __init__(self, cloud: LocalCloud, device: Device, version: str) -> None:
        """Prepare; `run` does it."""
        self._cloud = cloud
        self.device = device
        self.version = version
        self.step = Step.ASKED
        self.percent = 0
        self.error: ApiError | None = None
        self.changed = Callbacks[Upgrade]()
        self._report = asyncio.get_running_loop().create_future()

    @property
    def is_over(self) -> bool:
        """Whether nothing happens any more."""
        return self.error is not None or self.step is Step.BACK

    async def run(self, key: str) -> None:
        """Upgrade the device with its owner's `key`; what goes wrong is in `error`."""
        remove = self._cloud.listeners.add(self._hear)
        try:
            await self._call(key, action="sys_upgrade", version=self.version)
            self._reach(Step.FETCHING)
            await self._wait_for_report()
            self._reach(Step.REPORTED)
            await self._restart(key)
            self._reach(Step.BACK)
        except ApiError as error:
            self._fail(error)
        except asyncio.CancelledError:
            self._fail(ApiError(503, "the server has stopped"))
            raise
        except Exception:
            _LOGGER.exception("An upgrade failed")
            self._fail(ApiError(500, ""))
        finally:
            remove()

    async def _wait_for_report(self) -> None:
        try:
            async with asyncio.timeout(_FETCHING):
                succeeded = await self._report
        except TimeoutError:
            raise ApiError(504, "the device has not reported in time") from None
        if not succeeded:
            raise ApiError(502, "the device could not fetch the firmware")

    async def _restart(self, key: str) -> None:
        """Have it run what it has fetched; it never answers, but goes and comes back."""
        cloud, device = self._cloud, self.device
        try:
            # One that was busy with its flash may have lost its connection.
            await cloud.wait_online(device, timeout=_RETURNING)
            arrivals = cloud.connection_count(device)
            self._reach(Step.RESTARTING)
            await self._call(key, action="sys_reboot")
            await cloud.wait_online(
                device, timeout=_RETURNING, connections=arrivals + 1
            )
        except TimeoutError:
            raise ApiError(504, "the device has not come back") from None
        if device.rom_version != self.version:
            raise ApiError(502, "the device runs another version")

    async def _call(self, key: str, **query: str) -> None:
        """Send the device a call. Raises ApiError where it does not take it."""
        accepted(
            await self._cloud.call(
                "GET", "/v1/device/rpc/", key, {"deliver_to_device": "true", **query}
            )
        )

    def _hear(self, event: Event) -> None:
        match event:
            case FirmwareServed() if (
                event.device is self.device and event.version == self.version
            ):
                percent = 100 * event.sent // max(event.total, 1)
                # RTOS begins twice: what has arrived never becomes less.
                if percent > self.percent:
                    self.percent = percent
                    self.changed.tell(self)
            case UpgradeReported() if event.device is self.device:
                if not self._report.done():
                    self._report.set_result(not event.failed)

    def _reach(self, step: Step) -> None:
        self.step = step
        self.changed.tell(self)

    def _fail(self, error: ApiError) -> None:
        self.error = error
        self.changed.tell(self)


class Upgrades:
    """The upgrades that are under way, and the last one of each device."""

    def __init__(self, cloud: LocalCloud) -> None:
        """Begin with none."""
        self._cloud = cloud
        self._of_device: dict[int, Upgrade] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._begun = Callbacks[Upgrade]()

    def of(self, device: Device) -> Upgrade | None:
        """Return the last upgrade of a device, None where there was none since the start."""
        return self._of_device.get(device.id)

    def begin(self, device: Device, key: str, version: str) -> None:
        """Upgrade a device. Raises ApiError 409 where it is upgrading already."""
        last = self._of_device.pop(device.id, None)
        if last is not None and not last.is_over:
            self._of_device[device.id] = last
            raise ApiError(409, "the device is upgrading already")
        upgrade = self._of_device[device.id] = Upgrade(self._cloud, device, version)
        self._forget_oldest()
        task = asyncio.create_task(upgrade.run(key))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._begun.tell(upgrade)

    def listen(
        self, device: Device, heard: Callable[[Upgrade], None]
    ) -> Callable[[], None]:
        """Tell of a device's upgrades, the present one and later ones; return what ends that."""
        removes: list[Callable[[], None]] = []

        def begun(upgrade: Upgrade) -> None:
            if upgrade.device is device:
                removes.append(upgrade.changed.add(heard))
                heard(upgrade)

        removes.append(self._begun.add(begun))
        if (present := self.of(device)) is not None:
            begun(present)

        def remove() -> None:
            for each in removes:
                each()

        return remove

    async def close(self) -> None:
        """End the upgrades that are under way here; a device goes on with what it was told."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _forget_oldest(self) -> None:
        over = [each for each in self._of_device.values() if each.is_over]
        for upgrade in over[: max(len(over) - _REMEMBERED, 0)]:
            del self._of_device[upgrade.device.id]
