"""Timers that devices run themselves, set from Home Assistant (protocol.md §2.9, §3.6)."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import voluptuous as vol

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.errors import ApiError
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr
from homeassistant.util import dt as dt_util
from tests.common import http, wait_for_state
from tests.local_cloud.helpers import until

from .house import House

KETTLE, STRIP = "switch.kettle", "switch.desk_socket_1"
MONDAY = datetime(2014, 1, 5, 16)
"""Monday, 6 January 2014, 00:00 in Beijing, from which firmware counts weeks; in UTC."""
WEEK = 7 * 86400


@pytest.fixture(autouse=True)
async def berlin(hass: HomeAssistant) -> ZoneInfo:
    """Live in a zone with summer time, 6 or 7 hours behind the devices."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    return ZoneInfo("Europe/Berlin")


@pytest.fixture
async def kettle(hass: HomeAssistant, house: House) -> Any:
    """Return a plug that Home Assistant knows."""
    plug = await house.show("Kettle", "plug", activates=True)
    await wait_for_state(hass, KETTLE, "off")
    return plug


@pytest.fixture
async def strip(hass: HomeAssistant, house: House) -> Any:
    """Return a power strip of four sockets that Home Assistant knows."""
    strip = await house.show("Desk", "strip", activates=True)
    await wait_for_state(hass, STRIP, "off")
    return strip


async def call(hass: HomeAssistant, name: str, **data: Any) -> Any:
    """Call an action for the kettle, where nothing else is named; return its response."""
    data = data if "entity_id" in data else {"entity_id": KETTLE, **data}
    wants = name != "delete_timer"
    response = await hass.services.async_call(
        "espcloud", name, data, blocking=True, return_response=wants
    )
    return next(iter(response.values())) if wants and len(response) == 1 else response


async def set_timer(hass: HomeAssistant, **data: Any) -> int:
    """Set a timer and return its number."""
    answer = await call(hass, "set_timer", **{"action": "on", **data})
    number: int = answer["timer_id"]
    return number


async def entries(hass: HomeAssistant, **data: Any) -> list[Any]:
    """Return the entries of all timers, as people see them."""
    answer = await call(hass, "get_timers", **data)
    return [entry for timer in answer["timers"] for entry in timer["entries"]]


def tomorrow(hass: HomeAssistant) -> str:
    """Return what the date-time selector gives for tomorrow at half past seven."""
    return f"{dt_util.now() + timedelta(days=1):%Y-%m-%d} 07:30:00"


def as_moment(text: str) -> datetime:
    """Return the moment of such a text in Home Assistant's zone."""
    return datetime.fromisoformat(text).replace(tzinfo=dt_util.get_default_time_zone())


async def test_weekly(hass: HomeAssistant, kettle: Any, berlin: ZoneInfo) -> None:
    """A late hour is early on the next day in Beijing, and the device is told."""
    number = await set_timer(
        hass, time="22:15:00", weekdays=["sun", "tue"], action="toggle"
    )
    offset = datetime.now(berlin).utcoffset()
    sunday, tuesday = (datetime(2014, 1, day, 22, 15) - offset for day in (12, 7))
    seconds = [(moment - MONDAY).total_seconds() for moment in (sunday, tuesday)]
    expected = {f"w{int(each) % WEEK}=on_off_switch" for each in seconds}
    await until(lambda: set((kettle.timers or "").split(";")) == expected)
    assert await call(hass, "get_timers") == {
        "timers": [
            {
                "id": number,
                "type": "weekly",
                "entries": [
                    {
                        "time": "22:15:00",
                        "weekdays": ["tue", "sun"],
                        "action": "toggle",
                    }
                ],
            }
        ]
    }


async def test_every_day(hass: HomeAssistant, kettle: Any) -> None:
    """No weekday means all of them."""
    await set_timer(hass, time="06:00:00", action="off")
    (entry,) = await entries(hass)
    assert entry["weekdays"] == ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    await until(lambda: (kettle.timers or "").count("=off_switch") == 7)


async def test_once(hass: HomeAssistant, kettle: Any) -> None:
    """At a moment, wherever the device counts from."""
    at = tomorrow(hass)
    await set_timer(hass, at=at)
    moment = as_moment(at)
    await until(lambda: kettle.timers == f"f{int(moment.timestamp())}=on_switch")
    assert await entries(hass) == [{"at": moment.isoformat(), "action": "on"}]


@pytest.mark.parametrize(
    ("every", "seconds", "shown"),
    [
        ({"minutes": 90}, 5400, {"minutes": 90}),
        ({"hours": 1, "minutes": 60}, 7200, {"hours": 2}),
        ({"days": 2}, 172_800, {"days": 2}),
        ({"minutes": 1, "seconds": 1}, 61, {"seconds": 61}),
    ],
)
async def test_interval(
    hass: HomeAssistant, kettle: Any, every: Any, seconds: int, shown: Any
) -> None:
    """In the largest unit that it is a whole number of."""
    await set_timer(hass, every=every, action="toggle")
    await until(lambda: kettle.timers == f"l{seconds}=on_off_switch")
    assert await entries(hass) == [{"every": shown, "action": "toggle"}]
    # What is shown can be given again.
    await set_timer(hass, every=shown, action="toggle")


async def test_change_and_delete(hass: HomeAssistant, kettle: Any) -> None:
    """By the number of a timer."""
    number = await set_timer(hass, every={"minutes": 5})
    assert await set_timer(hass, every={"minutes": 6}, timer_id=number) == number
    await until(lambda: kettle.timers == "l360=on_switch")
    await call(hass, "delete_timer", timer_id=number)
    await until(lambda: kettle.timers == "")
    assert await entries(hass) == []


async def test_sockets_of_a_strip(hass: HomeAssistant, strip: Any) -> None:
    """They are two hexadecimal digits behind the action; without a response it works as well."""
    await hass.services.async_call(
        "espcloud",
        "set_timer",
        {
            "entity_id": STRIP,
            "action": "on",
            "every": {"minutes": 5},
            "sockets": ["1", "4"],
        },
        blocking=True,
    )
    await until(lambda: strip.timers == "l300=on_switch09")
    (entry,) = await entries(hass, entity_id=STRIP)
    assert entry == {"every": {"minutes": 5}, "action": "on", "sockets": [1, 4]}


async def test_several_devices(hass: HomeAssistant, house: House) -> None:
    """Each gets one, and tells its own."""
    plugs = [
        await house.add(name, "plug", activates=True) for name in ("Kettle", "Radio")
    ]
    await house.wait_online("Kettle", "Radio")
    await house.set_up()
    await wait_for_state(hass, KETTLE, "off")
    await wait_for_state(hass, "switch.radio", "off")
    both = [KETTLE, "switch.radio"]
    answers = await call(
        hass, "set_timer", entity_id=both, action="on", every={"minutes": 5}
    )
    registry = dr.async_get(hass)
    names = {registry.async_get(device_id).name for device_id in answers}
    assert names == {"Kettle", "Radio"}
    for plug in plugs:
        await until(lambda plug=plug: plug.timers == "l300=on_switch")
    with pytest.raises(ServiceValidationError) as caught:
        await call(hass, "delete_timer", entity_id=both, timer_id=1)
    assert caught.value.translation_key == "timer_of_several"


async def test_a_timer_of_the_app(
    hass: HomeAssistant, cloud: LocalCloud, house: House, kettle: Any
) -> None:
    """It has several times and a zone of its own, and perhaps an action of its own."""
    answer = await http(
        cloud,
        "POST",
        "/v1/device/timers/",
        cloud.owner_key(house.devices["Kettle"]),
        body={
            "timers": [
                {
                    "type": "LOOP_IN_WEEK",
                    "weekdays": [1, 0],
                    "time_actions": [
                        {"time": "010000", "action": "on_switch"},
                        {"time": "120000", "action": "blink"},
                    ],
                }
            ]
        },
    )
    assert answer["status"] == 200
    hours = 8 - dt_util.now().utcoffset() / timedelta(hours=1)
    assert await entries(hass) == [
        {
            "time": f"{25 - int(hours):02d}:00:00",
            "weekdays": ["sat", "sun"],
            "action": "on",
        },
        {
            "time": f"{12 - int(hours):02d}:00:00",
            "weekdays": ["mon", "sun"],
            "action": "blink",
        },
    ]


async def test_a_zone_that_is_none(
    hass: HomeAssistant, cloud: LocalCloud, house: House, kettle: Any
) -> None:
    """A server's words for a zone lead nowhere."""
    await set_timer(hass, time="07:30:00", weekdays=["mon"])
    before = await entries(hass)
    (timer,) = cloud.store.timers_of(house.devices["Kettle"]).values()
    for zone in ("../../etc/passwd", "Nowhere", "/", "Europe"):
        timer.zone = zone
        assert await entries(hass) == before


def refusal(key: str, **data: Any) -> Any:
    """Return a call for the kettle, and why it is refused."""
    return pytest.param(data, key, id=f"{key} {sorted(data)}")


@pytest.mark.parametrize(
    ("data", "key"),
    [
        refusal("timer_without_time"),
        refusal("timer_without_time", weekdays=["mon"]),
        refusal("timer_without_time", time="07:00:00", every={"minutes": 1}),
        refusal("timer_without_time", weekdays=["mon"], every={"minutes": 1}),
        refusal("timer_in_the_past", at="2020-01-01 00:00:00"),
        refusal("timer_interval", every={"seconds": 0}),
        refusal("timer_interval", every={"seconds": 1.5}),
        refusal("timer_sockets_of_plug", every={"minutes": 1}, sockets=[1]),
        refusal("unknown_timer", every={"minutes": 1}, timer_id=77),
    ],
)
async def test_refused(
    hass: HomeAssistant, kettle: Any, data: dict[str, Any], key: str
) -> None:
    """What cannot work is not sent."""
    with pytest.raises(ServiceValidationError) as caught:
        await set_timer(hass, **data)
    assert caught.value.translation_key == key
    assert await entries(hass) == []


@pytest.mark.parametrize(
    ("data", "key"),
    [
        refusal("timer_toggle", action="toggle", sockets=[1]),
        refusal("timer_sockets"),
        refusal("timer_sockets", sockets=[5]),
    ],
)
async def test_refused_for_a_strip(
    hass: HomeAssistant, strip: Any, data: dict[str, Any], key: str
) -> None:
    """Its actions are longer, and its sockets few."""
    with pytest.raises(ServiceValidationError) as caught:
        await set_timer(hass, entity_id=STRIP, every={"minutes": 1}, **data)
    assert caught.value.translation_key == key
    assert await entries(hass, entity_id=STRIP) == []


@pytest.mark.parametrize(
    "data", [{"action": "dance"}, {"weekdays": ["someday"]}, {"sockets": [9]}]
)
async def test_malformed(
    hass: HomeAssistant, kettle: Any, data: dict[str, Any]
) -> None:
    """Nobody can choose that, only write it."""
    with pytest.raises(vol.Invalid):
        await set_timer(hass, time="07:00:00", **data)


async def test_others_have_none(hass: HomeAssistant, house: House) -> None:
    """A light runs no timers, nor does Home Assistant."""
    await house.add("Lamp", "light", activates=True)
    await house.wait_online("Lamp")
    await house.set_up_with_lamp("Desk lamp")
    await wait_for_state(hass, "light.lamp", "off")
    for entity_id, key in (
        ("light.lamp", "timers_of_others"),
        ("light.desk_lamp", "timers_of_virtual"),
    ):
        with pytest.raises(ServiceValidationError) as caught:
            await set_timer(hass, entity_id=entity_id, every={"minutes": 1})
        assert caught.value.translation_key == key


async def test_ten_entries(
    hass: HomeAssistant, cloud: LocalCloud, house: House, kettle: Any
) -> None:
    """Each time of each weekday is one; an eleventh would break the device's memory."""
    seven = await set_timer(hass, time="07:00:00")
    await set_timer(hass, time="08:00:00", weekdays=["mon", "tue"])
    await set_timer(hass, every={"hours": 1}, action="off")
    before = cloud.store.timers_of(house.devices["Kettle"]).copy()
    with pytest.raises(ServiceValidationError) as caught:
        await set_timer(hass, every={"hours": 2})
    assert caught.value.translation_key == "too_many_timers"
    assert caught.value.translation_placeholders["count"] == "11"
    assert cloud.store.timers_of(house.devices["Kettle"]) == before
    # One that is changed makes room for itself.
    await set_timer(hass, time="07:30:00", timer_id=seven)
    await until(lambda: (kettle.timers or "").count("=") == 10)


async def test_two_at_once(hass: HomeAssistant, kettle: Any) -> None:
    """Together they would be too many: the second one is refused here, not by the server."""
    await set_timer(hass, time="07:00:00")
    first = hass.async_create_task(
        set_timer(hass, time="08:00:00", weekdays=["mon", "tue"])
    )
    second = hass.async_create_task(
        set_timer(hass, time="09:00:00", weekdays=["mon", "tue"])
    )
    await first
    with pytest.raises(ServiceValidationError) as caught:
        await second
    assert caught.value.translation_key == "too_many_timers"


async def test_what_is_over_goes(
    hass: HomeAssistant, cloud: LocalCloud, house: House, kettle: Any
) -> None:
    """As long as it is listed, firmware may run none of the others."""
    device = house.devices["Kettle"]
    await set_timer(hass, at=tomorrow(hass))
    await set_timer(hass, every={"hours": 1})
    (over, kept) = cloud.store.timers_of(device).values()
    over.plan = over.plan | {
        "time_actions": [{"time": "20200101000000", "action": "on_switch"}]
    }
    added = await set_timer(hass, every={"hours": 2})
    assert list(cloud.store.timers_of(device)) == [kept.id, added]
    await until(lambda: kettle.timers == "l3600=on_switch;l7200=on_switch")


async def test_a_device_that_is_away(
    hass: HomeAssistant, cloud: LocalCloud, house: House, kettle: Any
) -> None:
    """It fetches its timers when it comes back."""
    await kettle.power_off()
    await until(lambda: not cloud.is_online(house.devices["Kettle"]))
    await set_timer(hass, every={"minutes": 5})
    kettle.power_on()
    await until(lambda: kettle.timers == "l300=on_switch")


async def test_a_server_that_refuses(
    hass: HomeAssistant,
    cloud: LocalCloud,
    kettle: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The text says who refused what."""
    number = await set_timer(hass, every={"minutes": 5})

    def refuse(_timer: Any) -> None:
        raise ApiError(409, "not now")

    monkeypatch.setattr(cloud.store, "remove_timer", refuse)
    with pytest.raises(HomeAssistantError) as caught:
        await call(hass, "delete_timer", timer_id=number)
    assert caught.value.translation_key == "request_refused"
    assert caught.value.translation_placeholders == {
        "action": "delete_timer",
        "device": "Kettle",
        "status": "409",
    }
