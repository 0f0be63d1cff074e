"""Firmware that whoever embeds the cloud adds and removes (protocol.md §2.10)."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from custom_components.espcloud.local_cloud import LocalCloud, quotas
from custom_components.espcloud.local_cloud.errors import ApiError, Reason
from custom_components.espcloud.local_cloud.models import Device, User
from custom_components.espcloud.local_cloud.roms import Model
from tests.firmware import image

V = "v1.0.{}t45772(a)"
USER1, USER2 = image.build(1), image.build(2, 5000)
FILES = {"user1.bin": USER1, "user2.bin": USER2}


async def refused(
    cloud: LocalCloud, version: str, files: dict[str, bytes]
) -> tuple[int, Reason | None]:
    """Add what is refused; return how."""
    with pytest.raises(ApiError) as error:
        await cloud.add_firmware(45772, version, files)
    return error.value.status, error.value.reason


async def test_added_and_removed(cloud: LocalCloud, user: User, device: Device) -> None:
    """It is offered to the devices of the kind, the newest version first, and only to them."""
    plug = cloud.add_device("plug", user, 23701)
    for patch in (8, 9):
        await cloud.add_firmware(45772, V.format(patch), FILES)
    assert cloud.firmware(45772) == [V.format(9), V.format(8)]
    assert cloud.firmware(23701) == []
    assert (device.latest_rom_version, plug.latest_rom_version) == (V.format(9), "")
    await cloud.remove_firmware(45772, V.format(9))
    assert cloud.firmware(45772) == [V.format(8)]
    assert device.latest_rom_version == V.format(8)
    with pytest.raises(ApiError) as error:
        await cloud.remove_firmware(45772, V.format(9))
    assert (error.value.status, error.value.reason) == (404, Reason.NOT_FOUND)


async def test_of_a_product(cloud: LocalCloud, user: User) -> None:
    """It is for the devices of the product alone, and held to the same rules."""
    product = cloud.store.add_product(user, "lamps", 45772, 1)
    model = Model.of(product)
    await cloud.add_firmware_of(user, model, V.format(6), FILES)
    assert cloud.store.roms.versions(model) == [V.format(6)]
    assert cloud.firmware(45772) == []
    with pytest.raises(ApiError) as error:
        await cloud.add_firmware_of(user, model, V.format(6), FILES)
    assert error.value.reason is Reason.EXISTS


@pytest.mark.parametrize(
    ("version", "files", "reason"),
    [
        ("1.0.6", FILES, Reason.BAD_VERSION),
        ("v1.0.10t45772(a)", FILES, Reason.BAD_VERSION),
        ("v1.0.6t23701(a)", FILES, Reason.OTHER_KIND),
        (V.format(6), {"user1.bin": USER1}, Reason.FILE_MISSING),
        (V.format(6), {**FILES, "user3.bin": USER1}, Reason.FILE_MISSING),
        (V.format(6), {**FILES, "user1.bin": b"\xe9"}, Reason.NOT_FIRMWARE),
        (V.format(6), {**FILES, "user1.bin": b"\0" + USER1[1:]}, Reason.NOT_FIRMWARE),
        (V.format(6), {**FILES, "user2.bin": image.build(2, (1 << 20) + 1)},
         Reason.TOO_LARGE),
        (V.format(6), {**FILES, "user2.bin": USER2[:-1]}, Reason.BAD_CHECKSUM),
        (V.format(6), {**FILES, "user2.bin": USER1}, Reason.SAME_FILE),
    ],
    ids=["form", "length", "kind", "one", "three", "short", "byte", "large", "cut", "same"],
)  # fmt: skip
async def test_what_is_no_firmware(
    cloud: LocalCloud,
    device: Device,
    version: str,
    files: dict[str, bytes],
    reason: Reason,
) -> None:
    """Each has a reason of its own, for which a person can be told what to do."""
    assert await refused(cloud, version, files) == (400, reason)
    assert cloud.firmware(45772) == []


async def test_too_much(
    cloud: LocalCloud, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The version is there, there are as many as there may be, or as many bytes."""
    await cloud.add_firmware(45772, V.format(6), FILES)
    assert await refused(cloud, V.format(6), FILES) == (409, Reason.EXISTS)
    monkeypatch.setattr(quotas, "MAX_ROMS", 1)
    assert await refused(cloud, V.format(7), FILES) == (403, Reason.TOO_MANY_VERSIONS)
    monkeypatch.setattr(quotas, "MAX_ROMS", 2)
    monkeypatch.setattr(quotas, "MAX_ROM_BYTES", 2 * (len(USER1) + len(USER2)) - 1)
    assert await refused(cloud, V.format(7), FILES) == (403, Reason.NO_SPACE)
    monkeypatch.setattr(quotas, "MAX_ROM_BYTES", 2 * (len(USER1) + len(USER2)))
    await cloud.add_firmware(45772, V.format(7), FILES)


async def test_there_is_no_account(cloud: LocalCloud) -> None:
    """Firmware is somebody's."""
    assert await refused(cloud, V.format(6), FILES) == (403, None)


class TestKept:
    """A cloud with a state file."""

    @pytest.fixture
    async def cloud(self, tmp_path: Path) -> AsyncGenerator[LocalCloud]:
        """Run it."""
        cloud = LocalCloud(state_file=tmp_path / "state.db")
        await cloud.start()
        yield cloud
        await cloud.close()

    async def test_when_it_returns(
        self, cloud: LocalCloud, user: User, tmp_path: Path
    ) -> None:
        """It is on the disk, or gone from it."""
        reader = cloud._database._file._reader
        count = "SELECT COUNT(*) FROM rom_contents"
        await cloud.add_firmware(45772, V.format(6), FILES)
        assert reader.execute(count).fetchone() == (2,)
        await cloud.remove_firmware(45772, V.format(6))
        assert reader.execute(count).fetchone() == (0,)

    async def test_a_full_disk(
        self, cloud: LocalCloud, user: User, device: Device
    ) -> None:
        """It is told, and there is no firmware."""
        await cloud.flush()
        writer = cloud._database._file._writer
        (used,) = writer.execute("PRAGMA page_count").fetchone()
        writer.execute(f"PRAGMA max_page_count = {used}")
        assert await refused(cloud, V.format(6), FILES) == (507, None)
        assert cloud.firmware(45772) == []
        assert device.latest_rom_version == ""
