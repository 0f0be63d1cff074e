"""Firmware: uploaded by a form, refused with a reason, deleted, and offered to devices."""

from collections.abc import Mapping

from aiohttp import FormData
import pytest

from tests.firmware import image

from .person import Page, Person
from .server import ConsoleServer

NEW = "v1.0.6t23701(a)"
USER1, USER2 = image.build(1), image.build(2)
FILES = {"user1.bin": USER1, "user2.bin": USER2}
LARGE = image.build(2, (1 << 20) + 1)


def form(
    person: Person, version: str, files: Mapping[str, bytes], token: str | None = None
) -> FormData:
    """Return the form as a browser sends it."""
    data = FormData()
    data.add_field("form_token", person.form_token if token is None else token)
    data.add_field("version", version)
    for name, content in files.items():
        data.add_field(name, content, filename=f"C:\\{name}" if content else "")
    return data


async def send(
    person: Person, path: str, version: str, files: Mapping[str, bytes] = FILES
) -> Page:
    """Upload a version at a page, without scripts."""
    return await person.send(f"{path}/firmware", form(person, version, files))


async def uploaded(person: Person, path: str, version: str) -> None:
    """Upload a version, which is taken."""
    page = await send(person, path, version)
    assert page.path == f"{path}/firmware?done=firmware_added", page.text


async def make_product(person: Person, kind: str = "plug") -> str:
    """Make a product, and return the path of its page."""
    page = await person.post("/products", {"name": "Plugs", "kind": kind})
    return page.path.split("?")[0]


async def test_a_version_is_uploaded_listed_and_deleted(person: Person) -> None:
    """The newest is offered to the devices of the product; deleting asks once more."""
    product = await make_product(person)
    page = await person.post(f"{product}/devices", {"name": "Fan", "count": "1"})
    device = page.path.split("?")[0]
    await uploaded(person, product, NEW)
    await uploaded(person, device, "b1.0.7t23701(a)")
    for path in (f"{product}/firmware", f"{device}/firmware"):
        page = await person.get(path)
        assert "b1.0.7t23701(a) newest beta" in page.text
        assert NEW in page.text
        assert "user1.bin 4,000 bytes" in page.text
    assert NEW in (await person.get(product)).text
    page = await person.get(f"{product}/firmware/ask", params={"version": NEW})
    assert f"Delete version {NEW}?" in page.text
    fields = {"version": NEW}
    assert (await person.post(f"{product}/firmware/delete", fields)).status == 400
    page = await person.post(f"{product}/firmware/delete", {**fields, "sure": "yes"})
    assert page.path == f"{product}/firmware?done=firmware_deleted"
    assert NEW not in page.text
    page = await person.get(f"{product}/firmware/ask", params={"version": NEW})
    assert page.status == 404


@pytest.mark.parametrize(
    ("version", "files", "english", "chinese"),
    [
        ("1.0.6", FILES, "A version has the form", "版本号的形式为"),
        ("v1.0.6t23701(z)", FILES, "a, l, n or o", "a、l、n 或 o"),
        ("v1.0.6t45772(a)", FILES, "t23701 is needed", "版本号中应为 t23701"),
        (NEW, {"user1.bin": USER1}, "Both files are needed", "两个文件"),
        (NEW, {**FILES, "user2.bin": b""}, "Both files are needed", "两个文件"),
        (NEW, {**FILES, "user1.bin": b"\xe9"}, "user1.bin has 16 to", "的大小应为"),
        (
            NEW,
            {**FILES, "user1.bin": b"\0" + USER1[1:]},
            "user1.bin is no firmware",
            "user1.bin 不是固件",
        ),
        (NEW, {**FILES, "user2.bin": LARGE}, "user2.bin has 16 to", "的大小应为"),
        (
            NEW,
            {"user1.bin": LARGE, "user2.bin": LARGE + LARGE},
            "file has at most",
            "固件文件最大为",
        ),
        (
            NEW,
            {**FILES, "user2.bin": USER2[:-1]},
            "user2.bin is damaged",
            "user2.bin 已损坏",
        ),
        (NEW, {**FILES, "user2.bin": USER1}, "Both files are the same.", "两个文件相同"),
    ],
    ids=[
        *("form", "letter", "kind", "one", "empty", "short", "byte", "large", "larger"),
        *("damaged", "same"),
    ],
)  # fmt: skip
async def test_what_is_no_firmware_is_refused_with_the_reason(
    server: ConsoleServer,
    person: Person,
    version: str,
    files: dict[str, bytes],
    *,
    english: str,
    chinese: str,
) -> None:
    """In both languages, to a page and to a script; nothing is kept."""
    product = await make_product(person)
    page = await send(person, product, version, files)
    assert page.status in {400, 413}
    assert english in page.text
    assert f'value="{version}"' in page.html or page.status == 413
    assert "There is no firmware yet." in page.text
    async with Person(server, email=person.email, language="zh") as reader:
        await reader.sign_in()
        page = await reader.send(
            f"{product}/firmware",
            form(reader, version, files),
            headers={"Accept": "application/json"},
        )
    assert page.status in {400, 413}
    assert chinese in page.html


async def test_a_version_that_is_there_and_one_too_many(person: Person) -> None:
    """Both limits are told in words."""
    product = await make_product(person)
    for number in range(16):
        await uploaded(person, product, f"v1.{number % 4}.{number // 4}t23701(a)")
    page = await send(person, product, "v1.0.1t23701(a)")
    assert page.status == 409
    assert "This version is there already." in page.text
    page = await send(person, product, "v1.9.0t23701(a)")
    assert page.status == 403
    assert "There are at most 16 versions." in page.text


async def test_a_script_is_told_where_to_go(person: Person) -> None:
    """It gets JSON, and the token may be in its header."""
    product = await make_product(person)
    page = await person.send(
        f"{product}/firmware",
        form(person, NEW, FILES, token=""),
        headers={"Accept": "application/json", "X-Form-Token": person.form_token},
    )
    assert page.status == 200
    assert f"{product}/firmware?done=firmware_added" in page.html


async def test_a_forged_upload_is_refused(person: Person, guest: Person) -> None:
    """Before its files are read; a token of somebody else is none."""
    product = await make_product(person)
    for token in ("", guest.form_token):
        page = await person.send(
            f"{product}/firmware", form(person, NEW, FILES, token=token)
        )
        assert page.status == 403
    assert "There is no firmware yet." in (await person.get(f"{product}/firmware")).text


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"version=x", "application/x-www-form-urlencoded"),
        (b"no parts", "multipart/form-data; boundary=x"),
        (b"no boundary", "multipart/form-data"),
        (b"--x\r\nContent-Disposition: form-data\r\n\r\n\r\n--x--\r\n", "multipart/form-data; boundary=x"),
        (b"--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y--\r\n--x--\r\n", "multipart/form-data; boundary=x"),
    ],
)  # fmt: skip
async def test_what_is_no_form_is_refused(
    person: Person, body: bytes, kind: str
) -> None:
    """With an error, not with a mistake of the server."""
    product = await make_product(person)
    page = await person.send(
        f"{product}/firmware",
        body,
        headers={"Content-Type": kind, "X-Form-Token": person.form_token},
    )
    assert page.status == 400


async def test_firmware_is_changed_by_who_made_the_product_alone(
    person: Person, guest: Person
) -> None:
    """A guest sees the versions of a device, and neither uploads nor deletes nor upgrades."""
    product = await make_product(person)
    page = await person.post(f"{product}/devices", {"name": "Fan", "count": "1"})
    device = page.path.split("?")[0]
    await uploaded(person, product, NEW)
    _, told = await person.ask(f"{device}/share")
    await guest.post("/devices/join", {"token": told["text"]})
    page = await guest.get(f"{device}/firmware")
    assert NEW in page.text
    assert "Only who made the product uploads firmware for it." in page.text
    assert "Upgrade to it" not in page.text
    assert (await send(guest, device, "v1.0.7t23701(a)")).status == 403
    fields = {"version": NEW, "sure": "yes"}
    assert (await guest.post(f"{device}/firmware/delete", fields)).status == 403
    assert (await guest.post(f"{device}/upgrade", fields)).status == 403
    assert (await send(guest, product, "v1.0.7t23701(a)")).status == 404
    assert NEW in (await person.get(f"{product}/firmware")).text


async def test_the_page_says_that_devices_want_port_80(person: Person) -> None:
    """Where the server's is another one."""
    product = await make_product(person)
    page = await person.get(f"{product}/firmware")
    assert "Real devices fetch firmware from port 80" in page.text
