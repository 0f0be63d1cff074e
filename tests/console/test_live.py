"""The page of a device as it is now, with real devices at the server's device port."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import re
from typing import Any

import pytest

from tests.firmware.kinds import make
from tests.local_cloud.helpers import until

from .listening import event_stream
from .person import Person


async def add(person: Person, kind: str) -> int:
    """Make a device of a kind, and return its id."""
    return await person.make_device("Thing", kind)


@asynccontextmanager
async def running(
    person: Person, device: int, kind: str, **options: Any
) -> AsyncIterator[Any]:
    """Run the device's firmware, and return when it is on-line."""
    address = ("127.0.0.1", person.server.device_port)
    key = (await person.secrets(device))["master_key"]
    async with (
        event_stream(person, f"/devices/{device}/live/events") as events,
        make(kind, address, key, **options) as made,
    ):
        await events.until("online", online=True)
        yield made


async def test_a_call_arrives_with_its_parameters_and_its_answer_comes_back(
    person: Person,
) -> None:
    """All as the device has got it and as it has said it, with the time it took."""
    device = await add(person, "light")
    members = {"emulating_steps": {"count": 4}}
    async with running(person, device, "self_made", members=members) as made:
        status, told = await person.ask(
            f"/devices/{device}/live/command",
            {"action": "LED_ON", "parameters": [["speed", "5"], ["text", "a&b=c"]]},
        )
        assert made.rpcs == [{"action": "LED_ON", "speed": "5", "text": "a&b=c"}]
    assert status == 200
    assert told["answer"]["emulating_steps"] == {"count": 4}
    assert told["answer"]["status"] == 200
    assert told["milliseconds"] >= 0


async def test_two_commands_are_under_way_at_once(person: Person) -> None:
    """Each gets its own answer; one that the device refuses is shown as it says it."""
    device = await add(person, "light")
    error = {"error": {"code": 422, "message": "no"}}
    async with running(person, device, "self_made", status=422, members=error) as made:
        path = f"/devices/{device}/live/command"
        answers = await asyncio.gather(
            *(person.ask(path, {"action": name}) for name in ("A", "B"))
        )
        assert sorted(call["action"] for call in made.rpcs) == ["A", "B"]
    for status, told in answers:
        assert status == 200
        assert told["answer"]["status"] == 422
        assert told["answer"]["error"] == {"code": 422, "message": "no"}


async def test_a_datapoint_arrives_as_it_was_typed(person: Person) -> None:
    """Numbers, texts and a color; then the device is asked for its own."""
    device = await add(person, "light")
    path = f"/devices/{device}/live/command"
    point = {"datapoint": {"x": 7}}
    async with running(person, device, "self_made", members=point) as made:
        values = {"x": "2", "y": "on", "z": '{"red": 255}', "k": "", "l": " "}
        await person.ask(path, {"stream": "own", "values": values})
        _, told = await person.ask(path, {"stream": "own"})
        set_push, get_push = made.pushes
    sent = dict(set_push["body"]["datapoint"])
    sent.pop("at")
    assert sent == {"x": 2, "y": "on", "z": {"red": 255}}
    assert get_push["method"] == "GET"
    assert get_push["path"] == "/v1/datastreams/own/datapoint/"
    assert told["answer"]["datapoint"] == {"x": 7}


async def test_what_goes_wrong_is_said_in_words(person: Person) -> None:
    """A device that is away, one that does not answer, and a form that makes no sense."""
    device = await add(person, "light")
    path = f"/devices/{device}/live/command"
    status, told = await person.ask(path, {"action": "LED_ON"})
    assert (status, told["status"]) == (200, 404)
    assert told["message"] == "The device is not connected."
    status, told = await person.ask(path, {"action": "A", "parameters": [["", "1"]]})
    assert status == 400
    assert told["message"] == "Every parameter needs a name, and no two the same."
    async with running(person, device, "self_made", answers=False):
        _, told = await person.ask(path, {"action": "LED_ON"})
    assert told["status"] == 500
    assert told["message"] == "The device is connected, but has not answered in time."
    assert told["milliseconds"] > 1000


async def test_the_owner_sees_frames_without_keys(person: Person) -> None:
    """Both directions, in their order, the command's own key masked as well."""
    device = await add(person, "light")
    keys = await person.secrets(device)
    path = f"/devices/{device}/live"
    async with (
        event_stream(person, f"{path}/events") as events,
        running(person, device, "self_made"),
    ):
        await events.until("online", online=True)
        await person.ask(f"{path}/command", {"action": "LED_ON"})
        push = await events.until("frame")
        while "LED_ON" not in push["text"]:
            push = await events.until("frame")
        answer = await events.until("frame")
    assert not push["from_device"]
    assert '"Authorization": "***"' in push["text"]
    assert push["length"] == len(push["text"])
    assert answer["from_device"]
    assert answer["at"] >= push["at"]
    assert "identify" in events.text
    assert not any(key in events.text for key in keys.values())


async def test_guests_command_but_see_no_frames(person: Person, guest: Person) -> None:
    """A guest's key is enough for a command, and ends with the share."""
    device = await add(person, "plug")
    path = f"/devices/{device}/live"
    _, told = await person.ask(f"/devices/{device}/share")
    await guest.post("/devices/join", {"token": told["text"]})
    page = await guest.get(path)
    assert 'data-part="commands"' in page.html
    assert 'data-part="frames"' not in page.html
    assert "MASTER_KEY" not in page.html
    assert 'data-part="frames"' in (await person.get(path)).html
    async with (
        running(person, device, "plug") as plug,
        event_stream(guest, f"{path}/events") as events,
    ):
        assert (await events.until("online"))["online"]
        _, told = await guest.ask(f"{path}/control", {"on": True})
        assert told["answer"]["datapoint"] == {"x": 1}
        assert plug.appliance.is_on
        assert await events.until("state") == {"on": True}
        page = await person.get(f"/devices/{device}")
        number = re.search(r'name="key" value="(\d+)"', page.html)
        assert number is not None
        await person.post(f"/devices/{device}/unshare", {"key": number[1]})
        status, _ = await guest.ask(f"{path}/command", {"action": "LED_ON"})
        assert status == 404
        await person.ask(f"{path}/control", {"on": False})
        _, told = await person.ask(f"/devices/{device}/share")
        await guest.post("/devices/join", {"token": told["text"]})
        await guest.ask(f"{path}/control", {"on": True})
        await events.until("state")
    assert {name for name, _ in events.events} == {"online", "state"}
    # What was between the two shares is not there.
    states = events.of("state")
    assert states == [{"on": True}, {"on": True}]


async def test_nothing_of_somebody_elses_device_leaks(
    person: Person, guest: Person
) -> None:
    """Neither its page nor its stream is there, and another device's stream has none of it."""
    device, own = await add(person, "plug"), await add(guest, "plug")
    for path in ("", "/events"):
        assert (await guest.get(f"/devices/{device}/live{path}")).status == 404
    for path, body in (
        ("command", {"action": "LED_ON"}),
        ("read", {}),
        ("control", {"on": True}),
    ):
        status, _ = await guest.ask(f"/devices/{device}/live/{path}", body)
        assert status == 404
    async with (
        event_stream(guest, f"/devices/{own}/live/events") as events,
        running(person, device, "plug"),
    ):
        await person.ask(f"/devices/{device}/live/control", {"on": True})
        async with running(guest, own, "plug"):
            await guest.ask(f"/devices/{own}/live/read")
            await events.until("state")
    assert events.of("online") == [
        {"id": own, "online": False, "seconds": 0},
        {"id": own, "online": True, "seconds": 0},
    ]
    assert events.of("state") == [{"on": False}]


async def test_forged_commands_are_refused(person: Person, guest: Person) -> None:
    """The device hears nothing of them."""
    device = await add(person, "light")
    async with running(person, device, "self_made") as made:
        for name, body in (
            ("command", {"action": "LED_ON"}),
            ("read", {}),
            ("control", {"on": False}),
        ):
            for headers in (
                {"X-Form-Token": ""},
                {"X-Form-Token": guest.form_token},
                {"Origin": "http://evil.example"},
            ):
                path = f"/devices/{device}/live/{name}"
                assert (await person.ask(path, body, **headers))[0] == 403
            assert (await person.post(path, form_token="")).status == 403
        assert made.pushes == []


async def test_a_plug_is_switched_and_followed(person: Person) -> None:
    """Its button is seen with the next reading."""
    device = await add(person, "plug")
    path = f"/devices/{device}/live"
    async with (
        running(person, device, "plug") as plug,
        event_stream(person, f"{path}/events") as events,
    ):
        await person.ask(f"{path}/read")
        assert await events.until("state") == {"on": False}
        await person.ask(f"{path}/control", {"on": True})
        assert await events.until("state") == {"on": True}
        plug.appliance.press()
        await person.ask(f"{path}/read")
        assert await events.until("state") == {"on": False}
        # Whoever commands it, the page follows.
        key = (await person.secrets(device))["device_key"]
        async with person.session.post(
            f"{person.server.url}/v1/datastreams/plug-status/datapoint/",
            params={"deliver_to_device": "true"},
            headers={"Authorization": f"token {key}"},
            json={"datapoint": {"x": 1}},
        ) as response:
            assert response.status == 200
        assert await events.until("state") == {"on": True}


@pytest.mark.parametrize("kind", ["light", "light_nonos", "light_new"])
async def test_a_light_takes_color_and_brightness(person: Person, kind: str) -> None:
    """What is shown is what was wished, not a moment of the fade."""
    device = await add(person, "light")
    path = f"/devices/{device}/live"
    async with (
        running(person, device, kind) as lamp,
        event_stream(person, f"{path}/events") as events,
    ):
        await person.ask(f"{path}/read")
        state = await events.until("state")
        assert not state["on"]
        assert state["is_new"] is (kind == "light_new")
        wish = {
            "on": True,
            "is_new": state["is_new"],
            "channels": [255, 128, 0, 0],
            "brightness": 128,
        }
        _, told = await person.ask(f"{path}/control", wish)
        state = await events.until("state")
        assert state["levels"] == [128, 64, 0, 0]
        assert told["state"] == state | {"has_white": told["state"]["has_white"]}
        values = lamp.appliance.values
    if kind == "light_new":
        assert values["x"] == 2
        assert values["z"] == {"red": 128, "green": 64, "blue": 0, "white": 0}
    else:
        assert values == {"x": 1000, "y": 11155, "z": 5578, "k": 0, "l": 0}


async def test_two_people_switch_sockets_of_one_strip(
    person: Person, guest: Person
) -> None:
    """Each changes one socket; none undoes what another has done meanwhile."""
    device = await add(person, "strip")
    path = f"/devices/{device}/live"
    _, told = await person.ask(f"/devices/{device}/share")
    await guest.post("/devices/join", {"token": told["text"]})
    async with running(person, device, "strip") as strip:
        await asyncio.gather(
            *(
                who.ask(f"{path}/control", {"socket": socket, "on": True})
                for socket, who in enumerate((person, guest, person, guest))
            )
        )
        assert strip.appliance.mask == 0b1111
        status, _ = await person.ask(f"{path}/control", {"socket": 4, "on": True})
        assert status == 400
    status, told = await person.ask(f"{path}/control", {"socket": 0, "on": True})
    assert (status, told["message"]) == (200, "The device is not connected.")


async def test_a_posted_datapoint_moves_the_control(person: Person) -> None:
    """A device that tells of its button, over HTTP or its connection, is believed."""
    device = await add(person, "plug")
    async with (
        event_stream(person, f"/devices/{device}/live/events") as events,
        running(person, device, "self_made") as made,
    ):
        await until(lambda: made.is_identified)
        await made.post("other", x=0)
        await made.post("plug-status", x=1)
        assert await events.until("state") == {"on": True}


async def test_lines_for_programs_have_the_address_but_no_key(person: Person) -> None:
    """The host is the one that the browser has used, and stays a word of the shell."""
    device = await add(person, "plug")
    keys = await person.secrets(device)
    path = f"/devices/{device}/live"
    page = await person.get(path, headers={"Host": "cloud.lan:8080"})
    assert "http://cloud.lan:8080/v1/device/rpc/" in page.text
    assert (
        f"<code>cloud.lan</code></dd> <dt>Port</dt><dd><code>{person.server.device_port}"
        in (re.sub(r"\s+", " ", page.html))
    )
    assert "plug-status" in page.text
    assert "Authorization: token DEVICE_KEY" in re.sub(r"\s+", " ", page.text)
    assert not any(key in page.html for key in keys.values())
    page = await person.get(path, headers={"Host": "a';reboot;'"})
    assert "'\"'\"';reboot" in page.text


async def test_the_lines_have_a_datapoint_of_the_light_that_it_is(
    person: Person,
) -> None:
    """Which stream it has, its firmware tells once it has activated."""
    device = await add(person, "light")
    path = f"/devices/{device}/live"
    assert '"y": 22222' in (await person.get(path)).text
    async with running(person, device, "light_new", activates=True):
        assert '"z": {"red": 255' in (await person.get(path)).text


async def test_a_device_without_owner_has_no_commands(person: Person) -> None:
    """Its maker is told to take it over first."""
    device = await add(person, "plug")
    path = f"/devices/{device}/live"
    assert (await person.post(f"/devices/{device}/leave")).status == 200
    page = await person.get(path)
    assert "Nobody owns this device" in page.text
    assert "data-part" not in page.html
    status, told = await person.ask(f"{path}/command", {"action": "LED_ON"})
    assert status == 403
    assert told["message"] == "Nobody owns the device yet: take it over first."
