"""Timers of a device: made and told in words, kept by the device, refused where they are wrong."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

import pytest

from tests.firmware.connection import Firmware
from tests.firmware.kinds import make

from .person import Person
from .server import ConsoleServer
from .waiting import wait_for

WEEKLY = {
    "type": "LOOP_IN_WEEK",
    "day-1": "yes",
    "day-3": "yes",
    "clock": "11:38",
    "verb": "off",
    "zone": "Asia/Shanghai",
}
ONCE = {
    "type": "FIXEDTIME",
    "moment": "2199-07-08T11:18:09",
    "verb": "on",
    "zone": "Europe/Berlin",
}
EVERY = {"type": "LOOP_PERIOD", "count": "5", "period": "minute", "verb": "over"}


@asynccontextmanager
async def running_plug(
    server: ConsoleServer, person: Person, device: int
) -> AsyncGenerator[Firmware]:
    """Run a plug with the keys of a device, and go on when it has fetched its timers."""
    key = (await person.secrets(device))["master_key"]
    plug = make("plug", ("127.0.0.1", server.device_port), key)
    assert isinstance(plug, Firmware)
    async with plug:
        await wait_for(lambda: plug.timers is not None)
        yield plug


async def made(
    person: Person, device: int, fields: Mapping[str, str], zone: str = "UTC"
) -> str:
    """Make a timer, and return what the page says then."""
    page = await person.post(f"/devices/{device}/timers", {"zone": zone, **fields})
    assert page.status == 200, page.text
    assert page.path.endswith("timers?done=timer_made")
    return page.text


async def test_timers_are_told_in_words_of_both_languages(
    server: ConsoleServer, person: Person
) -> None:
    """All three types, with the zone in which their times are."""
    device = await person.make_device("Fan", "plug")
    for fields in (WEEKLY, ONCE, EVERY):
        await made(person, device, fields)
    page = await person.get(f"/devices/{device}/timers")
    assert "every Monday and Wednesday at 11:38: switch off" in page.text
    assert "once, on 2199-07-08 at 11:18:09: switch on" in page.text
    assert "every 5 minutes: switch over" in page.text
    assert "in the zone Europe/Berlin" in page.text
    async with Person(server, email=person.email, language="zh-CN") as chinese:
        await chinese.sign_in()
        page = await chinese.get(f"/devices/{device}/timers")
    assert "每周一、周三 11:38：关闭" in page.text
    assert "2199-07-08 11:18:09（一次）：打开" in page.text
    assert "每 5 分钟：切换开关" in page.text


async def test_every_day_of_the_week_is_every_day(person: Person) -> None:
    """And not seven names."""
    device = await person.make_device("Fan", "plug")
    days = {f"day-{day}": "yes" for day in range(7)}
    assert "every day at 11:38: switch off" in await made(
        person, device, {**WEEKLY, **days}
    )


async def test_a_strip_switches_the_sockets_that_were_chosen(person: Person) -> None:
    """Their numbers are told; the device gets the bits of a mask."""
    device = await person.make_device("Strip", "strip")
    sockets = {"socket-1": "yes", "socket-3": "yes"}
    text = await made(person, device, {**EVERY, "verb": "off", **sockets})
    assert "every 5 minutes: switch off sockets 1 and 3" in text
    page = await person.post(
        f"/devices/{device}/timers", {**EVERY, "verb": "on", "zone": "UTC"}
    )
    assert page.status == 400
    assert "Choose a socket." in page.text


async def test_a_device_of_another_kind_has_actions_in_its_own_words(
    person: Person,
) -> None:
    """What the person types is the action."""
    device = await person.make_device("Lamp", "light")
    text = await made(person, device, {**EVERY, "verb": "own", "action": "fade_in"})
    assert "every 5 minutes: the action fade_in" in text


async def test_the_device_fetches_a_timer_and_its_change(
    server: ConsoleServer, person: Person
) -> None:
    """In its own time: 12:38 on Monday in Tokyo is so many seconds after Monday's begin in Beijing."""
    device = await person.make_device("Fan", "plug")
    async with running_plug(server, person, device) as plug:
        await made(person, device, {**WEEKLY, "clock": "12:38", "zone": "Asia/Tokyo"})
        seconds = 11 * 3600 + 38 * 60
        wanted = f"w{seconds}=off_switch;w{seconds + 2 * 86400}=off_switch"
        await wait_for(lambda: plug.timers == wanted)
        page = await person.get(f"/devices/{device}/timers")
        path = next(
            attributes["href"] or ""
            for tag, attributes in page.tags
            if tag == "a" and f"/devices/{device}/timers/" in str(attributes["href"])
        )
        page = await person.get(path)
        assert 'value="12:38"' in page.html
        assert 'value="Asia/Tokyo"' in page.html
        page = await person.post(path, {**EVERY, "zone": "Asia/Shanghai"})
        assert page.path.endswith("?done=timer_changed")
        await wait_for(lambda: plug.timers == "l300=on_off_switch")
        page = await person.post(f"{path}/delete")
        assert page.path.endswith("?done=timer_deleted")
        await wait_for(lambda: plug.timers == "")


async def test_an_off_line_device_gets_its_timers_later(
    server: ConsoleServer, person: Person
) -> None:
    """The page says so, and the device has them when it is back."""
    device = await person.make_device("Fan", "plug")
    assert "It gets what you change here when it connects again." in await made(
        person, device, EVERY
    )
    async with running_plug(server, person, device) as plug:
        assert plug.timers == "l300=on_off_switch"
        page = await person.get(f"/devices/{device}/timers")
        assert "It gets what you change here" not in page.text


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({**WEEKLY, "clock": "25:00"}, "A time is needed."),
        ({**WEEKLY, "zone": "Europe/Atlantis"}, "does not know this time zone"),
        ({**ONCE, "moment": "2019-07-08T11:18"}, "That moment is over."),
        ({**ONCE, "moment": "soon"}, "A date and a time are needed."),
        ({**EVERY, "count": "0"}, "A number from 1 to"),
        ({**EVERY, "count": "999999999", "period": "day"}, "too long for a device"),
        ({**EVERY, "verb": "own", "action": "a b"}, "1 to 14 letters"),
        ({"type": "LOOP_IN_WEEK", "clock": "11:38"}, "Choose a day of the week."),
        ({}, "Choose when it happens."),
    ],
)
async def test_a_wrong_timer_is_refused_in_words(
    person: Person, fields: dict[str, str], text: str
) -> None:
    """What was typed stays in the form, and nothing is made."""
    device = await person.make_device("Fan", "plug")
    page = await person.post(f"/devices/{device}/timers", {"zone": "UTC", **fields})
    assert page.status == 400
    assert text in page.text
    assert "There is no timer yet." in page.text
    assert all(
        f'value="{fields[name]}"' in page.html
        for name in ("clock", "moment", "count")
        if name in fields
    )


async def test_a_device_gets_no_more_timers_than_it_holds(
    server: ConsoleServer, person: Person
) -> None:
    """The limit and the number are told, in both languages."""
    device = await person.make_device("Fan", "plug")
    for _ in range(5):
        await made(person, device, WEEKLY)
    page = await person.post(f"/devices/{device}/timers", WEEKLY)
    assert page.status == 400
    assert "holds 10 entries, and this would be 12." in page.text
    async with Person(server, email=person.email, language="zh-CN") as chinese:
        await chinese.sign_in()
        page = await chinese.post(f"/devices/{device}/timers", WEEKLY)
    assert "设备最多保存 10 项定时，添加后将有 12 项" in page.text


async def test_a_guest_sees_the_timers_and_changes_none(
    person: Person, guest: Person
) -> None:
    """Only the owner has the forms."""
    device = await person.make_device("Fan", "plug")
    await made(person, device, EVERY)
    _, told = await person.ask(f"/devices/{device}/share")
    await guest.post("/devices/join", {"token": told["text"]})
    page = await guest.get(f"/devices/{device}/timers")
    assert "every 5 minutes: switch over" in page.text
    assert "Make a timer" not in page.text
    page = await guest.post(f"/devices/{device}/timers", {**EVERY, "zone": "UTC"})
    assert page.status == 403
