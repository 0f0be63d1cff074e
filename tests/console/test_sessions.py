"""Signing in and out, and what keeps others from acting in somebody's name."""

import pytest

from .person import Person
from .server import PASSWORD, ConsoleServer

COOKIE = "local_cloud_session"


async def test_a_stranger_is_sent_to_the_sign_in_and_back(stranger: Person) -> None:
    """Who follows a link gets to the page after signing in."""
    page = await stranger.get("/products")
    assert page.path == "/sign-in?next=/products"
    await stranger.sign_up()
    await stranger.post("/sign-out")
    page = await stranger.post(
        "/sign-in",
        {"email": stranger.email, "password": PASSWORD, "next": "/products"},
        form_token="",
    )
    assert page.path == "/products"


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example/", "/\\evil.example", "x"]
)
async def test_no_link_leads_to_another_site(person: Person, target: str) -> None:
    """A prepared link to the sign-in ends on this site."""
    page = await person.get("/sign-in", params={"next": target})
    assert page.path == "/devices"


async def test_a_refused_sign_in_does_not_tell_who_has_an_account(
    stranger: Person, person: Person
) -> None:
    """A wrong password and an unknown e-mail look the same."""
    answers = [
        await stranger.post("/sign-in", {"email": email, "password": "wrong"})
        for email in (person.email, "nobody@example.com")
    ]
    texts = {page.text.replace(person.email, "") for page in answers}
    assert [page.status for page in answers] == [403, 403]
    assert len(texts) == 1
    assert "There is no account with this e-mail" in texts.pop()


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(
    stranger: Person, person: Person
) -> None:
    """HttpOnly, SameSite=Strict, for the whole site, and for 30 days."""
    page = await stranger.post(
        "/sign-in",
        {"email": person.email, "password": PASSWORD},
        allow_redirects=False,
    )
    cookie = page.cookies[COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Strict"
    assert cookie["path"] == "/"
    assert cookie["max-age"] == str(30 * 86_400)
    assert not cookie["domain"]


async def test_a_copied_cookie_ends_with_the_session(
    server: ConsoleServer, person: Person
) -> None:
    """Signing out ends the session for whoever has its cookie."""
    (cookie,) = (each for each in person.session.cookie_jar if each.key == COOKIE)
    async with Person(server) as thief:
        stolen = {"Cookie": f"{COOKIE}={cookie.value}"}
        assert (await thief.get("/devices", headers=stolen)).path == "/devices"
        await person.post("/sign-out")
        page = await thief.get("/devices", headers=stolen)
        assert page.path.startswith("/sign-in")


async def test_a_new_password_ends_every_other_session(
    server: ConsoleServer, person: Person
) -> None:
    """Who has changed the password stays, all others have to sign in anew."""
    async with Person(server, email=person.email) as other:
        await other.sign_in()
        new = "another invented password"
        page = await person.post(
            "/account/password",
            {"password": PASSWORD, "new_password": new, "again": new},
        )
        assert page.path == "/account?done=password"
        assert "The password is changed." in page.text
        # Nothing is signed in but this browser.
        assert page.text.count("Browser this one") == 1
        assert "Program" not in page.text
        assert (await other.get("/account")).path.startswith("/sign-in")
        other.password = new
        await other.sign_in()


async def test_a_new_password_is_refused_where_something_is_wrong(
    person: Person,
) -> None:
    """Each mistake has its text, and the password stays."""
    for old, new, again, text in (
        (PASSWORD, "one", "two", "The two passwords are not the same."),
        ("wrong", "one", "one", "That is not your password."),
        (PASSWORD, "", "", "The password must not be empty."),
    ):
        page = await person.post(
            "/account/password",
            {"password": old, "new_password": new, "again": again},
        )
        assert page.status in {400, 403}
        assert text in page.text
    await person.post("/sign-out")
    await person.sign_in()


async def test_another_browser_is_signed_out_from_the_account_page(
    server: ConsoleServer, person: Person
) -> None:
    """The account's page lists who is signed in, and revokes the others."""
    async with Person(server, email=person.email) as other:
        await other.sign_in()
        page = await person.get("/account")
        assert page.text.count("Browser") == 2 + 1  # and once in the explanation
        (number,) = [
            attributes["value"]
            for tag, attributes in page.tags
            if tag == "input" and attributes.get("name") == "key"
        ]
        assert number
        page = await person.post("/account/revoke", {"key": number})
        assert page.path == "/account?done=revoked"
        assert (await other.get("/devices")).path.startswith("/sign-in")


@pytest.mark.parametrize(
    ("headers", "form_token"),
    [
        ({"Origin": "http://evil.example"}, None),
        ({"Origin": "null"}, None),
        ({"Sec-Fetch-Site": "cross-site"}, None),
        ({"Sec-Fetch-Site": "same-site"}, None),
        ({}, ""),
        ({}, "0" * 64),
    ],
)
async def test_forged_forms_are_refused(
    person: Person, headers: dict[str, str], form_token: str | None
) -> None:
    """Neither another origin nor a form without the right token changes anything."""
    fields = {"name": "Forged", "kind": "light"}
    page = await person.post(
        "/products", fields, headers=headers, form_token=form_token
    )
    assert page.status == 403
    assert "Forged" not in (await person.get("/products")).text
    page = await person.post("/products", fields)
    assert "Forged" in page.text


async def test_forged_requests_of_scripts_are_refused(
    person: Person, guest: Person
) -> None:
    """A script's request needs the token of this very session in its header."""
    device = await person.make_device("Lamp")
    for headers in (
        {"X-Form-Token": ""},
        {"X-Form-Token": guest.form_token},
        {"Origin": "http://evil.example"},
    ):
        status, answer = await person.ask(f"/devices/{device}/secrets", **headers)
        assert status == 403, answer
        assert "master_key" not in answer
    status, answer = await person.ask(f"/devices/{device}/secrets")
    assert status == 200
    assert len(answer["master_key"]["text"]) == 40


async def test_too_many_wrong_passwords_are_refused_as_by_the_api(
    stranger: Person, person: Person
) -> None:
    """The allowance is that of the address, whichever way it asks."""
    for _ in range(100):
        page = await stranger.post(
            "/sign-in", {"email": person.email, "password": "wrong"}
        )
        if page.status == 429:
            break
    assert page.status == 429
    assert "too" in page.text.lower()
