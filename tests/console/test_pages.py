"""What holds for every answer of the site."""

from collections import Counter
import json
import re

import pytest

from .person import Person
from .server import CHECKOUT, ConsoleServer

LOCALES = CHECKOUT / "console" / "locales"


async def test_every_answer_has_safe_headers(stranger: Person, person: Person) -> None:
    """Pages, files and errors alike; no style or script stands in a page."""
    css = re.search(
        r"/static/[0-9a-f]+/style\.css", (await stranger.get("/sign-in")).html
    )
    assert css is not None
    for page in (
        await stranger.get("/sign-in"),
        await person.get("/devices"),
        await person.get("/nothing-here"),
        await person.get(css.group()),
    ):
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", page.html)


async def test_pages_and_files_come_compressed_and_once(person: Person) -> None:
    """What the browser has already is not sent again."""
    page = await person.get("/devices")
    assert page.headers["Content-Encoding"] in {"gzip", "deflate"}
    again = await person.get(
        "/devices", headers={"If-None-Match": page.headers["ETag"]}
    )
    assert (again.status, again.html) == (304, "")
    css = re.search(r"/static/[0-9a-f]+/style\.css", page.html)
    assert css is not None
    file = await person.get(css.group())
    assert file.headers["Content-Encoding"] == "gzip"
    assert "immutable" in file.headers["Cache-Control"]
    again = await person.get(
        css.group(), headers={"If-None-Match": file.headers["ETag"]}
    )
    assert again.status == 304


@pytest.mark.parametrize(
    "path",
    ["/static/x/../languages.py", "/static/0/..%2flanguages.py", "/static/0/nothing"],
)
async def test_only_the_files_there_are_are_served(stranger: Person, path: str) -> None:
    """No path leads out of the folder."""
    page = await stranger.get(path, allow_redirects=False)
    assert page.status in {303, 404}
    assert "LANGUAGES" not in page.html


async def test_the_language_is_the_browsers_or_the_chosen_one(
    server: ConsoleServer, stranger: Person
) -> None:
    """A choice is kept."""
    assert "Sign in" in (await stranger.get("/sign-in")).text
    page = await stranger.post("/language", {"language": "zh-Hans", "next": "/sign-in"})
    assert "登录" in page.text
    assert 'lang="zh-Hans"' in page.html
    async with Person(server, language="zh-CN,en;q=0.5") as chinese:
        assert "登录" in (await chinese.get("/sign-in")).text


def test_both_languages_say_the_same_things() -> None:
    """Every text is there in each, with the same values in it."""
    english, chinese = (
        json.loads((LOCALES / f"{tag}.json").read_text()) for tag in ("en", "zh-Hans")
    )
    assert english.keys() == chinese.keys()
    for name, text in english.items():
        values = re.findall(r"{\w+}", text)
        assert sorted(values) == sorted(re.findall(r"{\w+}", chinese[name])), name


def test_every_text_of_a_page_is_there() -> None:
    """Templates name no text that does not exist."""
    texts = json.loads((LOCALES / "en.json").read_text())
    for template in (CHECKOUT / "console" / "templates").glob("*.html"):
        for name in re.findall(
            r'\bt\(\s*["\']([\w.]+)["\']\s*[,)]', template.read_text()
        ):
            assert name in texts, f"{template.name}: {name}"


async def test_an_error_is_a_page_to_a_person_and_json_to_a_script(
    person: Person,
) -> None:
    """Each in words that a person understands."""
    page = await person.get("/devices/999999")
    assert page.status == 404
    assert "There is no such device, or it is not yours." in page.text
    status, answer = await person.ask("/devices/999999/secrets")
    assert status == 404
    assert answer["message"] == "There is no such device, or it is not yours."


async def test_the_api_is_where_it_was(stranger: Person) -> None:
    """Its paths never reach the site, nor its answers change."""
    for path in ("/v1/ping/", "//v1/ping"):
        page = await stranger.get(path)
        assert json.loads(page.html)["message"] == "ping success"
    page = await stranger.get("/v1/nothing/")
    assert json.loads(page.html)["status"] == 404


def test_no_name_of_a_style_is_taken_twice() -> None:
    """Each class has one meaning: a second rule for it alone would change the first one's pages."""
    rules = Counter[str]()
    for sheet in (CHECKOUT / "console" / "static").glob("*.css"):
        # Rules within a media query are indented, and change what is there already.
        rules.update(re.findall(r"^(\.[\w-]+) \{", sheet.read_text(), re.MULTILINE))
    assert [name for name, count in rules.items() if count > 1] == []
