"""What devices measure: lists, charts, tables and files of it, and who may see them."""

import csv
import io
from typing import Any

import pytest

from .person import Page, Person

EVIL = '"><img src=x onerror=alert(1)>{{9*1239}}'
MINUTE = 60
START = 1_700_000_000


async def device_of(person: Person) -> tuple[int, str]:
    """Make a device, and return its id and the key of its owner."""
    device = await person.make_device("Greenhouse", "humiture")
    return device, (await person.secrets(device))["device_key"]


async def post(person: Person, key: str, points: list[Any], name: str = "t") -> None:
    """Store datapoints over the API, as a device does."""
    async with person.session.post(
        f"{person.server.url}/v1/datastreams/{name}/datapoints/",
        json={"datapoints": points},
        headers={"Authorization": f"token {key}"},
    ) as response:
        assert response.status == 200, await response.text()


async def stream_of(person: Person, device: int, name: str = "t") -> str:
    """Return the address of a datastream's page, as the list links to it."""
    page = await person.get(f"/devices/{device}/data")
    start = f"/devices/{device}/data/"
    return next(
        link
        for tag, attributes in page.tags
        if tag == "a"
        and (link := attributes.get("href") or "").startswith(start)
        and f">{name}</a>" in page.html.partition(f'href="{link}"')[2][: len(name) + 6]
    )


def links(page: Page, text: str) -> list[str]:
    """Return the addresses in which a text stands."""
    hrefs = [
        attributes.get("href") or "" for tag, attributes in page.tags if tag == "a"
    ]
    return [href for href in hrefs if text in href]


async def summary(person: Person, address: str, query: str = "") -> Any:
    """Return what a chart is drawn from."""
    async with person.session.get(
        f"{person.server.url}{address}/summary{query}",
        headers={"Accept": "application/json"},
    ) as response:
        return await response.json()


async def test_the_list_has_the_latest_values_with_their_unit(person: Person) -> None:
    """And names what the product describes and no device has posted yet."""
    page = await person.post("/products", {"name": "Sensors", "kind": "humiture"})
    product = page.path.split("?")[0]
    for name in ("tem_hum", "light"):
        await person.post(
            f"{product}/streams",
            {"name": name, "dimension": "2", "unit": "degree", "symbol": "°C"},
        )
    page = await person.post(f"{product}/devices", {"name": "Room", "count": "1"})
    device = page.path.split("?")[0]
    assert "has not posted a datapoint yet" in (await person.get(f"{device}/data")).text
    number = int(device.rpartition("/")[2])
    key = (await person.secrets(number))["device_key"]
    points = [{"x": 20}, {"x": 21.5, "y": "dry"}]
    await post(person, key, points, "tem_hum")
    page = await person.get(f"{device}/data")
    assert "x 21.5 °C y dry °C 2 " in page.text
    assert "without a datapoint yet: light" in page.text
    page = await person.get(await stream_of(person, number, "tem_hum"))
    assert "x (°C)" in page.text


async def test_the_table_has_all_points_in_pages(person: Person) -> None:
    """The latest first, and each of them once."""
    device, key = await device_of(person)
    await post(person, key, [{"x": n, "at": START + n // 2} for n in range(60)])
    address = await stream_of(person, device)
    page = await person.get(address)
    seen: list[str] = []
    while True:
        cells = page.html.partition("<tbody")[2].split("<td>")
        seen += [cell.partition("</td>")[0] for cell in cells if "<time" not in cell][
            1:
        ]
        if not (older := links(page, "?before=")):
            break
        page = await person.get(older[0])
    assert seen == [str(n) for n in range(59, -1, -1)]
    assert links(page, f"{address}#table")
    for wrong in ("x", "1", "1.", "-1.2", f"{10**19}.1", "1.9999999999999999999"):
        page = await person.get(f"{address}?before={wrong}")
        assert (page.status, "The table has no such page" in page.text) == (400, True)


async def test_a_chart_has_points_or_intervals(person: Person) -> None:
    """A column for each dimension that has numbers; all there is where no time is named."""
    device, key = await device_of(person)
    points = [{"x": n, "y": "text", "at": START + n} for n in range(100)]
    points[7]["z"] = 0.5
    await post(person, key, points)
    address = await stream_of(person, device)
    told = await summary(person, address)
    assert (told["start"], told["end"], told["width"]) == (START, START + 99, 0)
    assert told["at"] == [START + n for n in range(100)]
    assert told["series"].keys() == {"x", "z"}
    assert told["series"]["x"] == {"mean": list(range(100))}
    assert told["series"]["z"]["mean"][6:9] == [None, 0.5, None]
    told = await summary(person, address, f"?start={START}&end={START + 19}&buckets=2")
    assert (
        told
        == {
            "start": START,
            "end": START + 19,
            "width": 10,
            "at": [START, START + 10],
            "counts": [10, 10],
            "series": {
                "x": {"least": [0, 10], "mean": [4.5, 14.5], "greatest": [9, 19]},
                "z": {
                    "least": [0.5, None],
                    "mean": [0.5, None],
                    "greatest": [0.5, None],
                },
            },
            "status": 200,
        }
        or told.get("status") is None
    )
    for wrong in (
        "?start=x",
        "?buckets=0",
        "?buckets=2001",
        "?start=9&end=1",
        "?end=1e3",
    ):
        answer = await summary(person, address, wrong)
        assert answer["status"] == 400, wrong


async def test_the_file_has_every_point(person: Person) -> None:
    """With its time in both notations, all dimensions, and nothing that a spreadsheet would run."""
    device, key = await device_of(person)
    formulas = ["=1+2", "+1", "-1+1", "@SUM(1)", "\t=1", "\r=1"]
    await post(person, key, [{"x": text, "at": START} for text in formulas])
    others = [-1.5, 'a,"b"\n', "ünï", {"red": 1}, "\ud83d"]
    await post(
        person,
        key,
        [{"x": value, "l": 7, "at": START + MINUTE} for value in others],
    )
    await post(person, key, [{"x": n, "at": START + 100 + n} for n in range(900)])
    await post(person, key, [{"x": n, "at": START + 1000 + n} for n in range(900)])
    address = await stream_of(person, device)
    page = await person.get(f"{address}/csv")
    assert page.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert page.headers["Content-Disposition"] == (
        f'attachment; filename="device-{device}-t.csv"'
    )
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    head, *rows = csv.reader(io.StringIO(page.html, newline=""))
    assert head == ["time", "epoch", "x", "y", "z", "k", "l"]
    assert [row[2] for row in rows[:6]] == [f"'{text}" for text in formulas]
    assert [row[2] for row in rows[6:11]] == [
        *("-1.5", 'a,"b"\n', "ünï", '{"red": 1}', "?"),
    ]  # fmt: skip
    assert rows[6][:2] + rows[6][3:] == [
        *("2023-11-14T22:14:20Z", str(START + MINUTE), "", "", "", "7"),
    ]  # fmt: skip
    assert [row[2] for row in rows[11:]] == [*map(str, range(900))] * 2
    page = await person.get(f"{address}/csv?start={START + 100}&end={START + 101}")
    assert page.html.count("\r\n") == 3
    async with person.session.head(f"{person.server.url}{address}/csv") as response:
        assert response.status == 200
    # Nothing of an unread page is left in the way of the next one.
    assert (await person.get(address)).status == 200


async def test_a_file_that_nobody_reads_to_its_end(person: Person) -> None:
    """Hanging up is no failure of the page."""
    device, key = await device_of(person)
    for hundred in range(5):
        await post(
            person,
            key,
            [{"x": "y" * 60, "at": START + hundred * 1000 + n} for n in range(1000)],
        )
    address = await stream_of(person, device)
    async with person.session.get(f"{person.server.url}{address}/csv") as response:
        await response.content.readline()
        response.close()
    assert (await person.get(address)).status == 200


async def test_a_datapoint_is_stored_by_hand(person: Person) -> None:
    """A number as a number, a text as a text; and what the API refuses is refused in words."""
    device, _ = await device_of(person)
    fields = {
        "stream": "t",
        "x": " 21.50 ",
        "y": "-3",
        "z": "warm",
        "k": "",
        "l": "1e3",
    }
    page = await person.post(f"/devices/{device}/data", fields)
    assert page.path.endswith("?done=stored")
    told = await summary(person, await stream_of(person, device))
    assert {name: parts["mean"] for name, parts in told["series"].items()} == {
        "x": [21.5],
        "y": [-3],
        "l": [1000],
    }
    assert "warm" in page.text
    for wrong in (
        {"stream": "t"},
        {"stream": "t", "y": "1"},
        {"stream": "a b", "x": "1"},
        {"stream": "../keys", "x": "1"},
        {"stream": "", "x": "1"},
        {"stream": "t", "x": "1" * 65},
    ):
        page = await person.post(f"/devices/{device}/data", wrong)
        assert page.status in {400, 404}, wrong
    page = await person.post(f"/devices/{device}/data", fields, form_token="x" * 40)
    assert page.status == 403


async def test_names_and_texts_are_shown_as_they_are(person: Person) -> None:
    """Whatever a device posts is a text on the page; a name that the pattern allows is a link."""
    device, key = await device_of(person)
    await post(person, key, [{"x": EVIL, "z": {EVIL[:40]: 1}}, {"x": "\ud83d"}])
    for name in ("..", ".", "a+b:c-d_e.f", "-"):
        # By the form, since a client of the API takes dots in a path for something else.
        await person.post(f"/devices/{device}/data", {"stream": name, "x": "1"})
        page = await person.get(await stream_of(person, device, name))
        assert (page.status, name in page.text) == (200, True)
    for path in (f"/devices/{device}/data", await stream_of(person, device)):
        page = await person.get(path)
        assert page.status == 200
        assert not any("onerror" in attributes for _, attributes in page.tags)
        assert not any(tag == "img" and a.get("src") == "x" for tag, a in page.tags)
    assert EVIL in page.text
    assert "11151" not in page.text


@pytest.mark.parametrize("part", ["", "/summary", "/csv"])
async def test_others_see_nothing(person: Person, guest: Person, part: str) -> None:
    """Nor does who asks for a datastream by another device's number, or is not signed in."""
    device, key = await device_of(person)
    await post(person, key, [{"x": 1}])
    address = await stream_of(person, device)
    assert (await guest.get(f"/devices/{device}/data")).status == 404
    assert (await guest.get(address + part)).status == 404
    other, _ = await device_of(guest)
    theirs = address.replace(f"/devices/{device}/", f"/devices/{other}/")
    page = await guest.get(theirs + part)
    assert page.status == 404
    assert "There is no such datastream" in page.text
    await guest.post(f"/devices/{device}/data", {"stream": "t", "x": "2"})
    assert (await summary(person, address))["counts"] == [1]


async def test_a_guest_sees_and_stores_what_the_owner_shared(
    person: Person, guest: Person
) -> None:
    """Who gave their key up sees nothing any more, not even who has made the device."""
    device, key = await device_of(person)
    await post(person, key, [{"x": 1}])
    address = await stream_of(person, device)
    _, told = await person.ask(f"/devices/{device}/share")
    await guest.post("/devices/join", {"token": told["text"]})
    assert (await guest.get(address)).status == 200
    await guest.post(f"/devices/{device}/data", {"stream": "t", "x": "2"})
    assert (await summary(guest, address))["series"]["x"]["mean"] == [1, 2]
    await guest.post(f"/devices/{device}/leave")
    assert (await guest.get(address)).status == 404
    await person.post(f"/devices/{device}/leave")
    assert (await person.get(f"/devices/{device}")).status == 200
    for path in (f"/devices/{device}/data", address, f"{address}/csv"):
        assert (await person.get(path)).status == 403
