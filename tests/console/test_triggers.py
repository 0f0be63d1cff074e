"""Triggers: told in words, made, changed and deleted, and whether they hold."""

from collections.abc import Mapping
import re

import pytest

from .person import Person
from .server import ConsoleServer

WARM = {
    "name": "Too warm",
    "stream": "tem_hum",
    "dimension": "0",
    "span": "0",
    "unit": "minute",
    "function": "2",
    "comparison": "3",
    "threshold": "30.5",
    "scope-me": "yes",
}
DAMP = {
    **WARM,
    "name": "Damp",
    "dimension": "1",
    "span": "10",
    "function": "4",
    "comparison": "4",
    "threshold": "80",
    "scope-user": "yes",
}


async def made(person: Person, device: int, fields: Mapping[str, str]) -> str:
    """Make a trigger, and return the path of its page."""
    page = await person.post(f"/devices/{device}/triggers", fields)
    assert page.path.endswith("?done=trigger_made"), page.text
    return re.findall(rf'href="(/devices/{device}/triggers/\d+)"', page.html)[-1]


async def test_triggers_are_told_in_words_of_both_languages(
    server: ConsoleServer, person: Person
) -> None:
    """Of each value by itself, and of all values of some time."""
    device = await person.make_device("Cellar", "humiture")
    for fields in (WARM, DAMP):
        await made(person, device, fields)
    page = await person.get(f"/devices/{device}/triggers")
    assert "Too warm x of tem_hum > 30.5 Tells the apps: mine" in page.text
    assert "average of y of tem_hum in 10 minutes ≥ 80" in page.text
    assert "mine, those of everybody who has the device" in page.text
    async with Person(server, email=person.email, language="zh") as chinese:
        await chinese.sign_in()
        page = await chinese.get(f"/devices/{device}/triggers")
    assert "tem_hum 的 x > 30.5" in page.text
    assert "tem_hum 的 y 在 10 分钟内的平均值 ≥ 80" in page.text


async def test_a_trigger_that_holds_is_marked(
    server: ConsoleServer, person: Person
) -> None:
    """From the value on that is out of line, until one that is not."""
    device = await person.make_device("Cellar", "humiture")
    await made(person, device, WARM)
    key = (await person.secrets(device))["master_key"]
    for value, is_met in ((30, False), (31, True), (20, False)):
        async with person.session.post(
            f"{server.url}/v1/datastreams/tem_hum/datapoint/",
            json={"datapoint": {"x": value}},
            headers={"Authorization": f"token {key}"},
        ) as response:
            assert response.status == 200
        page = await person.get(f"/devices/{device}/triggers")
        assert ("holds now" in page.text) is is_met


async def test_a_trigger_is_changed_and_deleted(person: Person) -> None:
    """The form has what it says."""
    device = await person.make_device("Cellar", "humiture")
    path = await made(person, device, DAMP)
    page = await person.get(path)
    for value in ("Damp", "tem_hum", "10", "80"):
        assert f'value="{value}"' in page.html
    page = await person.post(path, {**DAMP, "threshold": "-0.25", "span": "2"})
    assert page.path.endswith("?done=trigger_changed")
    assert "average of y of tem_hum in 2 minutes ≥ -0.25" in page.text
    page = await person.post(f"{path}/delete")
    assert page.path.endswith("?done=trigger_deleted")
    assert "There is no trigger yet." in page.text
    assert (await person.get(path)).status == 404


async def test_what_another_program_wrote_stays(
    server: ConsoleServer, person: Person
) -> None:
    """Whom to tell keeps the token of its text, which no form shows."""
    device = await person.make_device("Cellar", "humiture")
    url = f"{server.url}/v1/trigger/"
    key = (await person.secrets(device))["device_key"]
    headers = {"Authorization": f"token {key}"}
    rule = {"scope": "me", "via": "app", "tmpl_token": "abc"}
    trigger = {
        "name": "Damp",
        "compare_type": 3,
        "threshold_value": 1,
        "notify_rules": [rule],
    }
    async with person.session.post(
        url, json={"trigger": trigger}, headers=headers
    ) as response:
        number = (await response.json())["trigger"]["id"]
    page = await person.post(f"/devices/{device}/triggers/{number}", WARM)
    assert "Too warm" in page.text
    async with person.session.get(url, headers=headers) as response:
        (kept,) = (await response.json())["triggers"]
    assert kept["notify_rules"] == [rule]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"name": " "}, "A name is needed."),
        ({"stream": "a b"}, "A datastream has a name of"),
        ({"threshold": "warm"}, "The threshold has to be a number."),
        ({"threshold": "nan"}, "The threshold has to be a number."),
        ({"dimension": "5"}, "A number from 0 to 4 is wanted."),
        ({"span": "31", "unit": "day"}, "A number from 0 to 30 is wanted."),
        ({"unit": "year"}, "Choose a unit."),
        ({"comparison": "7"}, "A number from 1 to 6 is wanted."),
        ({"function": "0"}, "A number from 1 to 5 is wanted."),
    ],
)
async def test_a_wrong_trigger_is_refused_in_words(
    person: Person, fields: dict[str, str], text: str
) -> None:
    """What was typed stays, and nothing is made."""
    device = await person.make_device("Cellar", "humiture")
    page = await person.post(f"/devices/{device}/triggers", {**WARM, **fields})
    assert page.status == 400
    assert text in page.text
    assert "There is no trigger yet." in page.text


async def test_there_are_not_too_many_triggers(person: Person) -> None:
    """The limit is told in words."""
    device = await person.make_device("Cellar", "humiture")
    for _ in range(20):
        await made(person, device, WARM)
    page = await person.post(f"/devices/{device}/triggers", WARM)
    assert page.status == 403
    assert "A device has at most 20 triggers." in page.text


async def test_a_guest_sees_the_triggers_and_changes_none(
    person: Person, guest: Person
) -> None:
    """Only the owner has the forms."""
    device = await person.make_device("Cellar", "humiture")
    path = await made(person, device, WARM)
    _, told = await person.ask(f"/devices/{device}/share")
    await guest.post("/devices/join", {"token": told["text"]})
    page = await guest.get(f"/devices/{device}/triggers")
    assert "Too warm" in page.text
    assert "Make a trigger" not in page.text
    assert (await guest.post(f"/devices/{device}/triggers", WARM)).status == 403
    assert (await guest.post(path, WARM)).status == 403
    assert (await guest.post(f"{path}/delete")).status == 403
