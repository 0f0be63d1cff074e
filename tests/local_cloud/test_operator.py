"""What the person who runs the cloud sees of it."""

import json
from pathlib import Path
import time

import pytest

from custom_components.espcloud.local_cloud import LocalCloud, version
from custom_components.espcloud.local_cloud.models import Device, User
from custom_components.espcloud.local_cloud.operator_calls import ConnectionState
from custom_components.espcloud.local_cloud.usage import Used
from fuzz.populated_cloud import PopulatedCloud

from .helpers import DeviceSocket, until


def test_accounts() -> None:
    """Each with what it has of everything that has a quota."""
    cloud = PopulatedCloud().cloud
    mine, theirs, guest = cloud.operator.accounts()
    assert [each.user.email for each in (mine, theirs, guest)] == [
        "mine@example.org",
        "theirs@example.org",
        "guest@example.org",
    ]
    assert mine.used == {
        "products": Used(1, 100),
        "devices": Used(1, 1000),
        "held": Used(1, 1000),
        "groups": Used(1, 100),
        "grouped": Used(1, 2000),
        "user_keys": Used(1, 1000),
        "datastreams": Used(1, 1000),
        "datapoints": Used(1, 1_000_000),
        "firmware": Used(10, 32 << 20),
    }
    assert guest.used["held"] == Used(1, 1000)
    assert guest.used["datastreams"] == Used(0, 1000)


async def test_connections(
    cloud: LocalCloud, device: Device, socket: DeviceSocket
) -> None:
    """Those of devices and those of nobody yet, with what came on them."""
    await socket.identify(device)
    async with DeviceSocket(cloud) as stranger:
        await stranger.ask("/v1/device/")
        nobody, lamp = sorted(
            cloud.operator.connections(), key=lambda each: each.device is not None
        )
        assert lamp == ConnectionState("127.0.0.1", device, lamp.since, 2)
        assert abs(time.time() - lamp.since) < 30
        assert (nobody.device, nobody.frames) == (None, 1)
    await until(lambda: len(cloud.operator.connections()) == 1)


async def test_storage(cloud: LocalCloud) -> None:
    """The database says how much it is."""
    assert await cloud.operator.storage_size() > 0


class TestAccount:
    """Which account is the operator's."""

    def test_the_first_one(self, password_hash: str) -> None:
        """Where none is named."""
        cloud = LocalCloud()
        assert cloud.operator.user is None
        first, second = (
            cloud.store.add_user(f"{name}@example.org", name, password_hash)
            for name in ("first", "second")
        )
        assert cloud.operator.user is first
        assert cloud.operator.is_operator(first)
        assert not cloud.operator.is_operator(second)

    def test_one_that_is_named(self, password_hash: str) -> None:
        """Nobody is, before that account is there."""
        cloud = LocalCloud(operator="Second@example.org")
        first: User = cloud.store.add_user("first@example.org", "first", password_hash)
        assert cloud.operator.user is None
        assert not cloud.operator.is_operator(first)
        second = cloud.store.add_user("second@example.org", "second", password_hash)
        assert cloud.operator.user is second


class TestVersion:
    """Which release runs."""

    def test_of_the_integration(self, cloud: LocalCloud) -> None:
        """The one in its manifest."""
        manifest = Path(version.__file__).parents[1] / "manifest.json"
        assert cloud.operator.version == json.loads(manifest.read_text())["version"]

    @pytest.mark.parametrize(
        "text", [None, "[]", "{", "{}", '{"domain": "other", "version": "9"}']
    )
    def test_of_the_package(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None
    ) -> None:
        """Where it is part of no integration, or of another thing; else it is unknown."""
        manifest = tmp_path / "manifest.json"
        if text is not None:
            manifest.write_text(text)
        monkeypatch.setattr(version, "_MANIFEST", manifest)
        assert version._find() == "unknown"
        monkeypatch.setattr(version, "version", {"espcloud": "1.2.3"}.get)
        assert version._find() == "1.2.3"
