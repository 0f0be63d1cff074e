"""Who may make an account, and how one is had back whose password is forgotten."""

from collections.abc import AsyncGenerator
from pathlib import Path
import re
from urllib.parse import urlsplit

import pytest

from .person import Page, Person
from .server import OPERATOR, ConsoleServer, running_server

NEW = "another invented password"


@pytest.fixture
async def host(tmp_path: Path) -> AsyncGenerator[Person]:
    """Open a browser of the operator of a server that needs invitations."""
    with running_server(tmp_path, "--sign-up", "invite") as server:
        async with Person(server, email=OPERATOR) as person:
            yield await person.sign_in()


def link_of(page: Page) -> str:
    """Return the path of the link that a page shows."""
    found = re.search(r"<code[^>]*data-text>([^<]+)</code>", page.html)
    assert found is not None, page.text
    link = urlsplit(found[1])
    return f"{link.path}?{link.query}"


def passwords(person: Person, password: str) -> dict[str, str]:
    """Return the fields of somebody who types the same password twice."""
    return {"email": person.email, "password": password, "again": password}


async def test_an_invitation_makes_one_account(host: Person) -> None:
    """Its link has it in the form already; a second account is refused in words."""
    page = await host.post("/server/invite", {"note": "<b>Ada</b>", "days": "3"})
    assert page.headers["Cache-Control"] == "no-store"
    link = link_of(page)
    token = link.partition("=")[2]
    page = await host.get("/server")
    assert "<b>Ada</b>" in page.text
    assert token not in page.html
    for is_first in (True, False):
        async with Person(host.server) as guest:
            assert f'value="{token}"' in (await guest.get(link)).html
            fields = passwords(guest, guest.password) | {"invitation": token}
            page = await guest.post("/sign-up", fields)
            assert page.path == ("/connect" if is_first else "/sign-up")
            assert is_first or "This invitation was used or revoked" in page.text


async def test_without_an_invitation_nobody_gets_in(host: Person) -> None:
    """Nor with one that was revoked."""
    await host.post("/server/invite", {"note": "", "days": "3"})
    page = await host.get("/server")
    (number,) = re.findall(r'name="id" value="(\d+)"', page.html)
    assert (await host.post("/server/revoke", {"id": number})).status == 200
    assert (await host.post("/server/revoke", {"id": number})).status == 404
    async with Person(host.server) as guest:
        page = await guest.post("/sign-up", passwords(guest, guest.password))
        assert page.status == 403
        assert "An account needs an invitation." in page.text


async def test_where_sign_up_is_closed_nothing_leads_there(tmp_path: Path) -> None:
    """The form is not there, nor a link to it."""
    with running_server(tmp_path) as server:
        async with Person(server) as stranger:
            assert "/sign-up" not in (await stranger.get("/sign-in")).html
            for page in (
                await stranger.get("/sign-up"),
                await stranger.post("/sign-up", passwords(stranger, NEW)),
            ):
                assert page.status == 403
                assert "Nobody can make an account here." in page.text


async def test_a_forgotten_password_is_set_with_a_link(
    server: ConsoleServer, operator: Person, person: Person
) -> None:
    """It works once and ends the sessions that there were; who has it is signed in."""
    page = await operator.get("/server?page=99999")  # the last one there is
    number = re.search(
        rf'{re.escape(person.email)}.*?name="account" value="(\d+)"',
        page.html,
        re.DOTALL,
    )
    assert number is not None
    page = await operator.post("/server/reset", {"account": number[1]})
    assert person.email in page.text
    link = link_of(page)
    token = link.partition("=")[2]
    async with Person(server, email=person.email) as owner:
        page = await owner.get(link)
        assert f'name="next" value="{link}"' in page.html  # for another language
        fields = {"token": token, "password": NEW, "again": "a slip"}
        page = await owner.post("/reset", fields)
        assert page.status == 400
        fields["again"] = NEW
        page = await owner.post("/reset", fields)
        assert page.path == "/devices?done=password"
        page = await owner.post("/reset", fields)
        assert page.status == 403
        assert "This link was used" in page.text
    assert (await person.get("/devices")).path == "/sign-in?next=/devices"


async def test_only_the_operator_makes_links(person: Person, operator: Person) -> None:
    """To others the paths are not there; an account that is not there has no link."""
    for path, fields in (
        ("/server/invite", {"days": "7"}),
        ("/server/revoke", {"id": "1"}),
        ("/server/reset", {"account": "1"}),
    ):
        assert (await person.post(path, fields)).status == 404
    page = await operator.post("/server/reset", {"account": "999999"})
    assert page.status == 404


async def test_who_has_forgotten_the_password_asks_for_a_link(
    server: ConsoleServer, stranger: Person, person: Person
) -> None:
    """It goes to the log for the person who runs the server; the page never tells who has an account."""
    page = await stranger.get("/sign-in")
    assert any(attributes.get("href") == "/forgotten" for _, attributes in page.tags)
    texts = set()
    for email in (person.email, "nobody@example.com"):
        page = await stranger.post("/forgotten", {"email": email})
        assert page.status == 200
        assert "If " in page.text
        texts.add(page.text.replace(email, ""))
    assert len(texts) == 1
    (line,) = [
        each for each in server.log.read_text().splitlines() if person.email in each
    ]
    assert "nobody@example.com" not in server.log.read_text()
    path = line.partition(server.url)[2]
    assert path.startswith("/reset?token=")
    await stranger.get(path)
    token = path.partition("=")[2]
    new = {"password": "another invented one", "again": "another invented one"}
    page = await stranger.post("/reset", {"token": token, **new}, form_token="")
    assert page.path == "/devices?done=password"
    assert (await person.get("/devices")).path.startswith("/sign-in")
