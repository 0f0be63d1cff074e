"""Firmware that is uploaded, listed and removed (protocol.md §2.10, §10.4)."""

from typing import Any

import pytest

from custom_components.espcloud.local_cloud import LocalCloud, quotas
from custom_components.espcloud.local_cloud.models import Device, User
from tests.firmware import image

from .helpers import Api, DeviceSocket, firmware_body

V = "v1.0.{}t7(a)"

USER1, USER2 = image.build(1), image.build(2, 5000)
PRODUCT = "/v1/products/1/roms/"
PTYPE = "/v1/roms/?ptype=7"
ROM = "/v1/device/rom/"


def body(version: str = V.format(6), user1: bytes = USER1, user2: bytes = USER2) -> Any:
    """Return what uploads a version."""
    return firmware_body(version, user1, user2)


def listed(version: str, recommended: int = 1) -> dict[str, Any]:
    """Return a version as it stands in a list."""
    return {
        "recommended": recommended,
        "version": version,
        "life_cycle": "release",
        "files": [
            {"name": "user1.bin", "size": len(USER1)},
            {"name": "user2.bin", "size": len(USER2)},
        ],
    }


@pytest.fixture
def device(cloud: LocalCloud, user: User) -> Device:
    """Make a device of no product."""
    return cloud.add_device("lamp", user, 7)


@pytest.fixture
async def made(api: Api, cloud: LocalCloud, user: User, user_key: str) -> Device:
    """Make a product with a device, beside the one without a product."""
    product = cloud.store.add_product(user, "lamps", 7, 1)
    return cloud.store.add_device("made", 7, product=product)


@pytest.fixture
def other_key(cloud: LocalCloud, user: User, password_hash: str) -> str:
    """Return the user key of an account that neither made the product nor runs the server."""
    other = cloud.store.add_user("other@example.org", "other", password_hash)
    return cloud.store.keyring.add_user_key(other).token


async def refused(
    api: Api, path: str, wrong: Any, key: str, method: str = "POST"
) -> tuple[int, str]:
    """Send what is refused; return how."""
    reply = await api.call(method, path, wrong, key=key)
    assert reply.status == reply.json["status"]
    return reply.status, reply.json["message"]


async def test_uploaded_and_listed(
    api: Api, cloud: LocalCloud, made: Device, user_key: str
) -> None:
    """By whoever made the product, and by its devices, the newest version first."""
    key = cloud.master_key(made)
    for patch in (9, 10, 6):
        reply = await api.ok("POST", PRODUCT, body(V.format(patch)), key=user_key)
        newest = {9: 1, 10: 1, 6: 0}[patch]
        assert reply["productRoms"] == [listed(V.format(patch), newest)]
    expected = {
        "productRoms": [listed(V.format(n), int(n == 10)) for n in (10, 9, 6)],
        "recommended_rom_version": V.format(10),
        "status": 200,
    }
    assert await api.ok("GET", PRODUCT, key=user_key) == expected
    assert await api.ok("GET", ROM, key=key) == expected
    for path, whose in ((PRODUCT, user_key), (ROM, key)):
        reply = await api.get(f"{path}?is_format_simple=true", key=whose)
        assert reply.text == (
            '{"productRoms": [{"recommended": 1, "version": "v1.0.10t7(a)", '
            '"life_cycle": "release"}], '
            '"recommended_rom_version": "v1.0.10t7(a)", "status": 200}'
        )


async def test_there_is_none(api: Api, master_key: str, user: User) -> None:
    """Said in each form; AT firmware finds the version, which is not the last member (§2.10)."""
    empty = '{"productRoms": [], "recommended_rom_version": "", "status": 200}'
    for query in ("", "?is_format_simple=true"):
        assert (await api.get(ROM + query, key=master_key)).text == empty
    for action in ("download_rom", "download_rom_base64&offset=0&size=9"):
        query = f"?action={action}&version={V.format(6)}&filename=user2.bin"
        reply = await api.get(ROM + query, key=master_key)
        assert (reply.status, reply.json["message"]) == (404, "bin not found")


async def test_a_kind_and_a_product_are_apart(
    api: Api, cloud: LocalCloud, device: Device, made: Device, user_key: str
) -> None:
    """Another one's firmware would not fit."""
    await api.ok("POST", PTYPE, body(), key=user_key)
    other = cloud.add_device("other kind", None, 23701)
    for each, count in ((device, 1), (made, 0), (other, 0)):
        reply = await api.ok("GET", ROM, key=cloud.master_key(each))
        assert len(reply["productRoms"]) == count
    await api.ok("POST", PRODUCT, body(V.format(7)), key=user_key)
    assert made.latest_rom_version == V.format(7)
    assert device.latest_rom_version == V.format(6)


async def test_only_who_made_the_product_or_runs_the_server(
    api: Api, cloud: LocalCloud, made: Device, other_key: str
) -> None:
    """To others the product does not exist, and firmware of a kind is not theirs to give."""
    for method in ("GET", "POST", "DELETE"):
        assert await refused(api, PRODUCT, body(), other_key, method) == (
            404, "product not exists",
        )  # fmt: skip
        assert await refused(api, PTYPE, body(), other_key, method) == (
            403, "only the account that runs the server may do this",
        )  # fmt: skip
    assert not cloud.store.roms.files


async def test_removed(
    api: Api, cloud: LocalCloud, made: Device, user: User, user_key: str
) -> None:
    """With its files; the devices are offered the next newest, and nothing in the end."""
    roms = cloud.store.roms
    for patch in (6, 7):
        await api.ok("POST", PRODUCT, body(V.format(patch)), key=user_key)
    assert roms.size_of(user) == 2 * (len(USER1) + len(USER2))
    query = f"version={V.format(6)}&filename=user1.bin&offset=0&size=10"
    await api.ok(
        "GET",
        f"{ROM}?action=download_rom_base64&{query}",
        key=cloud.master_key(made),
    )
    assert roms._last_read is not None
    for patch, left in ((7, V.format(6)), (6, "")):
        which = {"productRoms": [{"version": V.format(patch)}]}
        path = f"{PRODUCT}?method=DELETE"
        assert await api.ok("POST", path, which, key=user_key) == {"status": 200}
        assert made.latest_rom_version == left
        assert await refused(api, path, which, user_key) == (404, "bin not found")
    assert not roms.files
    await cloud.flush()
    for number in range(1, cloud.store.context.last_ids["rom_files"] + 1):
        with pytest.raises(LookupError):
            await roms.contents.read(number)
    assert roms._last_read is None
    assert roms.size_of(user) == 0


async def test_the_same_version_again(api: Api, made: Device, user_key: str) -> None:
    """A version is not replaced: a device may be in the middle of it."""
    await api.ok("POST", PRODUCT, body(), key=user_key)
    status, message = await refused(api, PRODUCT, body(), user_key)
    assert (status, message) == (409, "this version is there already: delete it first")


@pytest.mark.parametrize(
    "version",
    ["", "1.0.6t7(a)", "v1.0t7(a)", "v1.0.6", "v1.0.6t7", "v1.0.6t7(x)",
     "v1.0.6t7(a) ", "V1.0.6t7(a)", "v1.0.100000t7(a)", "v1.0.٣t7(a)",
     "v1.0.6t7(a)\n", 1, None],
)  # fmt: skip
async def test_a_version_of_another_form(
    api: Api, made: Device, user_key: str, version: Any
) -> None:
    """Nothing but what a device can keep and name."""
    status, message = await refused(api, PRODUCT, body(version), user_key)
    assert status == 400
    assert message.startswith("version ")


async def test_a_version_of_another_kind(api: Api, made: Device, user_key: str) -> None:
    """A plug's firmware is no light's."""
    assert await refused(api, PRODUCT, body("v1.0.6t23701(a)"), user_key) == (
        400, "version is of another kind: t7 is needed",
    )  # fmt: skip


def changed(place: int) -> bytes:
    """Return an image of which one bit is another one."""
    wrong = bytearray(USER1)
    wrong[place] ^= 1
    return bytes(wrong)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (b"", "user1.bin must have 16 to 1048576 bytes"),
        (image.build(1, (1 << 20) + 1), "user1.bin must have 16 to 1048576 bytes"),
        (b"\x00" + USER1[1:], "user1.bin is no firmware"),
        (changed(100), "user1.bin is damaged"),
        (changed(-1), "user1.bin is damaged"),
        (USER1[:-4] + USER1[:-5:-1], "user1.bin is damaged"),
        (USER1[:-1], "user1.bin is damaged"),
        (USER1 + b"\1", "user1.bin is damaged"),
        (USER2, "user1.bin and user2.bin are the same file"),
    ],
    ids=[
        *("empty", "too long", "first byte", "a bit", "a bit of the sum", "big-endian"),
        *("cut", "longer", "twice the same"),
    ],
)
async def test_an_image_that_no_device_boots(
    api: Api, cloud: LocalCloud, made: Device, user_key: str, wrong: bytes, message: str
) -> None:
    """It is refused, and never offered."""
    status, said = await refused(api, PRODUCT, body(user1=wrong), user_key)
    assert status == 400
    assert said.startswith(message)
    assert not cloud.store.roms.files
    assert made.latest_rom_version == ""


@pytest.mark.parametrize(
    "names", [["user1.bin"], ["user1.bin"] * 2, ["a", "user2.bin"]]
)
async def test_both_files_are_needed(
    api: Api, made: Device, user_key: str, names: list[str]
) -> None:
    """Nobody knows which half of a device's flash is free."""
    upload = body()
    (rom,) = upload["productRoms"]
    rom["files"] = [
        {**file, "name": name} for file, name in zip(rom["files"], names, strict=False)
    ]
    assert await refused(api, PRODUCT, upload, user_key) == (
        400, "files must be user1.bin and user2.bin, both of them",
    )  # fmt: skip


@pytest.mark.parametrize("text", ["6gA", "6!g==", "é", 1, None])
async def test_no_base64(api: Api, made: Device, user_key: str, text: Any) -> None:
    """It has to be what it says."""
    upload = body()
    upload["productRoms"][0]["files"][0]["rom_base64"] = text
    status, message = await refused(api, PRODUCT, upload, user_key)
    assert status == 400
    assert message.startswith("rom_base64 must be ")


async def test_the_largest_files(
    api: Api, cloud: LocalCloud, made: Device, user_key: str, owner_key: str
) -> None:
    """Two of a MiB go through, with a key, on this path."""
    largest = body(user1=image.build(1, 1 << 20), user2=image.build(2, 1 << 20))
    assert (await api.post(PRODUCT, largest)).status == 413
    assert (await api.post(PRODUCT, largest, key="0" * 40)).status == 413
    assert (await api.post("/v1/products/1/devices/", largest, key=user_key)).status == 413  # fmt: skip
    await api.ok("POST", PRODUCT, largest, key=user_key)
    await api.ok("POST", PTYPE, largest, key=user_key)
    assert (await api.post(PRODUCT, b" " * (3 << 20), key=user_key)).status == 400
    assert (await api.post(PRODUCT, b" " * (3 << 20 | 1), key=user_key)).status == 413


async def test_quotas(
    api: Api, made: Device, user_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many versions, and so many bytes of all firmware that an account uploaded."""
    monkeypatch.setattr(quotas, "MAX_ROMS", 2)
    for patch in (6, 7):
        await api.ok("POST", PRODUCT, body(V.format(patch)), key=user_key)
    assert await refused(api, PRODUCT, body(V.format(8)), user_key) == (
        403, "there are at most 2 firmware versions of a product: delete some",
    )  # fmt: skip
    monkeypatch.setattr(quotas, "MAX_ROM_BYTES", 3 * (len(USER1) + len(USER2)) - 1)
    status, message = await refused(api, PTYPE, body(), user_key)
    assert status == 403
    assert message.endswith("bytes of firmware: delete some versions")
    which = {"productRoms": [{"version": V.format(6)}]}
    await api.ok("DELETE", PRODUCT, which, key=user_key)
    await api.ok("POST", PTYPE, body(), key=user_key)


async def test_a_device_that_is_made_later(
    api: Api, cloud: LocalCloud, made: Device, user: User, user_key: str
) -> None:
    """It is offered what there is."""
    await api.ok("POST", PRODUCT, body(), key=user_key)
    path = "/v1/products/1/devices/"
    reply = await api.ok("POST", path, {"devices": [{}]}, key=user_key)
    assert reply["devices"][0]["latest_rom_version"] == V.format(6)
    assert made.latest_rom_version == V.format(6)


async def test_of_two_with_the_same_numbers(
    api: Api, made: Device, user_key: str
) -> None:
    """The one that was uploaded later counts as newer."""
    for version in ("v1.0.6t7(a)", "b1.0.6t7(o)"):
        await api.ok("POST", PRODUCT, body(version), key=user_key)
        assert made.latest_rom_version == version
    reply = await api.ok("GET", PRODUCT, key=user_key)
    assert reply["productRoms"][0]["life_cycle"] == "beta"


async def test_the_ptype_is_needed(api: Api, user_key: str) -> None:
    """There is no firmware for everything."""
    assert await refused(api, "/v1/roms/", body(), user_key) == (
        400,
        "ptype is missing",
    )
    status, _ = await refused(api, "/v1/roms/?ptype=light", body(), user_key)
    assert status == 400


async def test_over_the_device_port(
    api: Api, cloud: LocalCloud, device: Device, socket: DeviceSocket, user_key: str
) -> None:
    """Small ones fit a line; the kind stands in `get`."""
    await socket.ask("/v1/device/", key=cloud.master_key(device))
    reply = await socket.ask(
        "/v1/roms/", "POST", key=user_key, get={"ptype": 7}, body=body(), nonce=7
    )
    assert (reply["status"], reply["nonce"]) == (200, 7)
    reply = await socket.ask("/v1/device/rom/", key=cloud.master_key(device))
    assert reply["recommended_rom_version"] == V.format(6)
