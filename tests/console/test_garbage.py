"""Whatever is sent to a page, it answers in words: no page fails."""

import random
import re

import pytest

from .loading import pages
from .person import Person
from .server import CHECKOUT

SEED = 2026
ROUNDS = 6
TEXTS = (
    *("", " ", "0", "-1", "1", "5", "1e5", "9" * 400, "²", "٣", "1.5", "NaN", "inf"),
    *("a" * 70, "\x00", "\ud800", "\u202e", "🦊" * 40, "%s{x}{{7*7}}", "../../etc"),
    *("other", "light", "LOOP_IN_WEEK", "FIXEDTIME", "LOOP_PERIOD", "own", "on"),
    *("2026-11-28T12:00", "99:99", "23:59:59", "Asia/Shanghai", "Mars/Base", "zh-Hans"),
)
FIELDS = sorted(
    {
        name
        for template in (CHECKOUT / "console" / "templates").glob("*.html")
        for name in re.findall(r'\bname="(\w[\w.-]*)"', template.read_text())
    }
    - {"form_token", "form-token", "viewport", "color-scheme"}
)
SCRIPT = {"Accept": "application/json"}
KEPT = ("/sign-out", "/account/password", "/account/revoke")
"""What would end the session is tried elsewhere."""


@pytest.mark.parametrize(
    "path",
    [
        route.path
        for route in pages.routes()
        if route.method == "POST" and route.path not in KEPT
    ],
)
async def test_no_form_makes_a_page_fail(operator: Person, path: str) -> None:
    """Forms with fields that are missing, many, of other forms, or nonsense."""
    chance = random.Random(SEED)
    device = await operator.make_device("Desk lamp", chance.choice(["plug", "light"]))
    path = re.sub(r"{\w+:number}", str(device), path)
    path = re.sub(r"{\w+}", "x", path)
    for _ in range(ROUNDS):
        names = chance.sample(FIELDS, chance.randint(0, len(FIELDS)))
        fields = {name: chance.choice(TEXTS) for name in names}
        encoded = {
            name: value.encode("utf-8", "replace").decode()
            for name, value in fields.items()
        }
        page = await operator.post(path, encoded)
        assert page.status < 500, (path, encoded)
        async with operator.session.post(
            operator.server.url + path,
            json={**fields, "x": [1, {"y": None}]},
            headers={"X-Form-Token": operator.form_token, **SCRIPT},
        ) as response:
            assert response.status < 500, (path, fields)


@pytest.mark.parametrize(
    "path", [route.path for route in pages.routes() if route.method == "GET"]
)
async def test_no_address_makes_a_page_fail(operator: Person, path: str) -> None:
    """Numbers that nothing has, parts that nobody knows, and queries of nonsense."""
    chance = random.Random(SEED)
    if path.endswith("/events"):
        path = path.removesuffix("/events")
    for _ in range(ROUNDS):
        number = chance.choice(["0", "1", "999999999999999", "00"])
        tried = re.sub(r"{\w+:number}", number, path)
        tried = re.sub(r"{\w+}", chance.choice(["x", "%00", "%ff", "a" * 128]), tried)
        query = {
            name: chance.choice(TEXTS).encode("utf-8", "replace").decode()
            for name in ("next", "page", "start", "end", "token", "done", "before")
        }
        page = await operator.get(tried, params=query)
        assert page.status < 500, (tried, query)


async def test_a_number_of_many_digits_is_none(operator: Person) -> None:
    """Python reads no number of more than 4,300 digits, and no record has so long an id."""
    device = await operator.make_device("Desk lamp")
    for path, field in (
        ("/account/revoke", "key"),
        (f"/devices/{device}/unshare", "key"),
        (f"/devices/{device}/move", "group"),
        ("/server/revoke", "id"),
        ("/server/reset", "account"),
    ):
        page = await operator.post(path, {field: "9" * 5000})
        assert page.status < 500, path
