"""What is read of devices."""

from typing import Any

from hypothesis import given, settings
import pytest

from custom_components.espcloud.cloud import (
    CloudDevice,
    OwnedDevice,
    StreamTemplate,
    UnexpectedAnswerError,
    is_stream_name,
)

from .helpers import USER_KEY, altered
from .scripted_server import DEVICE

MAC = "18:fe:34:00:00:01"
OWNED = {**DEVICE, "key": {"token": USER_KEY, "is_owner_key": 1}}
GROUPED = {
    "deviceGroups": [{"id": 1, "name": "Hall", "devices": [OWNED]}],
    "status": 200,
}
FLAT = {"devices": [OWNED], "status": 200}
TEMPLATE = {
    "name": "tem_hum",
    "dimension": 2,
    "unit": "celsius",
    "symbol": "℃",
    "description": "&quot;air&quot;",
}
TEMPLATES = {"devices": [{"id": 301, "datastreamTmpls": [TEMPLATE]}]}

anything = settings(max_examples=100, deadline=None, database=None)


def test_device() -> None:
    """What is shown of a device."""
    device = CloudDevice.from_answer({"device": DEVICE})
    assert device == CloudDevice(
        id=301,
        name="Desk lamp",
        serial="0a1b2c3d",
        ptype=45772,
        rom_version="v1.0.5t45772(a)",
        activated=True,
    )
    assert device.title == "Desk lamp"


def test_device_of_which_little_is_known() -> None:
    """An id is enough; nulls are what an older cloud says of what it does not know."""
    device = CloudDevice.from_record(
        {"id": 5, "name": None, "serial": 3, "ptype": True, "rom_version": None}
    )
    assert device == CloudDevice(5, "", "", None, "", activated=True)
    assert device.title == "Device 5"


@pytest.mark.parametrize(("status", "activated"), [(0, False), (1, True)])
def test_device_activation(status: int, activated: bool) -> None:
    """Whether the device has to be activated."""
    record = {**DEVICE, "activate_status": status}
    assert CloudDevice.from_record(record).activated is activated


@pytest.mark.parametrize(
    "answer", [{}, {"device": None}, {"device": []}, {"device": {"id": "301"}}]
)
def test_device_unusable(answer: dict[str, Any]) -> None:
    """Without an id there is no device."""
    with pytest.raises(UnexpectedAnswerError):
        CloudDevice.from_answer(answer)


@pytest.mark.parametrize("answer", [GROUPED, FLAT])
def test_owned_devices(answer: dict[str, Any]) -> None:
    """By group or flat, each comes with its key, which is not shown."""
    (owned,) = OwnedDevice.list_from_answer(answer)
    assert owned.device.id == 301
    assert owned.owner_key == USER_KEY
    assert USER_KEY not in repr(owned)


def test_owned_devices_of_several_groups() -> None:
    """A device in two groups is one device; a group without devices is none."""
    second = {**OWNED, "id": 302}
    answer = {
        "deviceGroups": [
            {"devices": [OWNED]},
            {"devices": [second, OWNED]},
            {"id": 3},
            {"devices": None},
            None,
        ]
    }
    ids = [owned.device.id for owned in OwnedDevice.list_from_answer(answer)]
    assert ids == [301, 302]


@pytest.mark.parametrize("answer", [{"deviceGroups": []}, {"devices": []}])
def test_no_owned_devices(answer: dict[str, Any]) -> None:
    """An account may have none."""
    assert OwnedDevice.list_from_answer(answer) == []


@pytest.mark.parametrize(
    "odd",
    [
        None,
        "text",
        7,
        [],
        {},
        {**DEVICE},
        {**DEVICE, "key": None},
        {**OWNED, "id": "301"},
    ],
)
def test_odd_record_does_not_hide_the_rest(odd: Any) -> None:
    """A record that cannot be read is left out."""
    second = {**OWNED, "id": 302}
    answer = {"devices": [odd, second]}
    ids = [owned.device.id for owned in OwnedDevice.list_from_answer(answer)]
    assert ids == [302]


@pytest.mark.parametrize("token", ["", None, 3, "a b", "a\nb", "é"])
def test_owner_key_that_cannot_be_sent_is_none(token: Any) -> None:
    """The device is there, but commands will need another key."""
    answer = {"devices": [{**DEVICE, "key": {"token": token}}]}
    (owned,) = OwnedDevice.list_from_answer(answer)
    assert owned.owner_key == ""


@pytest.mark.parametrize(
    "answer", [{}, {"devices": None}, {"deviceGroups": {}, "devices": {}}]
)
def test_owned_devices_unusable(answer: dict[str, Any]) -> None:
    """No list is not an empty list."""
    with pytest.raises(UnexpectedAnswerError):
        OwnedDevice.list_from_answer(answer)


def test_device_in_full() -> None:
    """What an owner is told beyond that."""
    device = CloudDevice.from_record(
        {
            **DEVICE,
            "bssid": "18:FE:34:00:00:01",
            "latest_rom_version": "v1.0.6t45772(a)",
            "last_active": 1574751400,
            "parent_mdev_mac": "18fe34000002",
            "product_id": 9,
        }
    )
    assert device.bssid == MAC
    assert device.latest_rom_version == "v1.0.6t45772(a)"
    assert device.last_active == 1574751400
    assert device.is_mesh
    assert device.product_id == 9


@pytest.mark.parametrize(
    "written", [MAC, MAC.upper(), "18-fe-34-00-00-01", "18FE34000001"]
)
def test_bssid(written: str) -> None:
    """A MAC address is one, however it is written."""
    assert CloudDevice.from_record({**DEVICE, "bssid": written}).bssid == MAC


@pytest.mark.parametrize(
    "written",
    [
        "",
        "12:34:56:78:91",
        ":bssid",
        "18:fe:34:00:00:0g",
        "18:fe:34:00:00:01:02",
        "18:fe:34:00:00:01\n",
        "١8:fe:34:00:00:01",
        "00:00:00:00:00:00",
        "ff:ff:ff:ff:ff:ff",
        "01:00:5e:00:00:01",
        None,
        0x18FE34000001,
        ["18:fe:34:00:00:01"],
    ],
)
def test_bssid_that_is_no_devices_address(written: Any) -> None:
    """Devices would be taken for one by it."""
    assert CloudDevice.from_record({**DEVICE, "bssid": written}).bssid == ""


@pytest.mark.parametrize(
    "said", [None, -62_135_596_800, -1, 2**63, 1e400, 1.5, True, "now", "", [], "٥"]
)
def test_time_that_is_none(said: Any) -> None:
    """The zero time of a device that was never there is no time either."""
    assert CloudDevice.from_record({**DEVICE, "last_active": said}).last_active == 0


@pytest.mark.parametrize("parent", [None, "", 7, {}])
def test_device_that_is_in_no_mesh(parent: Any) -> None:
    """Where the parent is not named, it has none."""
    record = {**DEVICE, "parent_mdev_mac": parent}
    assert not CloudDevice.from_record(record).is_mesh


@pytest.mark.parametrize(
    ("said", "is_owner"),
    [
        (1, True),
        (True, True),
        ("1", True),
        ("true", True),
        (0, False),
        (False, False),
        ("0", False),
        ("false", False),
        # An older cloud may not say it; what is not allowed will be refused.
        (None, True),
        ("no", True),
        ([], True),
    ],
)
def test_whose_key_it_is(said: Any, is_owner: bool) -> None:
    """The owner's, or one of those with whom the device is shared."""
    answer = {"devices": [{**DEVICE, "key": {"token": USER_KEY, "is_owner_key": said}}]}
    (owned,) = OwnedDevice.list_from_answer(answer)
    assert owned.is_owner is is_owner


def group(number: Any, name: Any, *ids: int) -> dict[str, Any]:
    """Return a group of devices."""
    devices = [{**OWNED, "id": each} for each in ids]
    return {
        "id": number,
        "name": name,
        "desc": "{&quot;type&quot;:0}",
        "devices": devices,
    }


def test_groups() -> None:
    """By id, each device in the first group that has it; group 0 is of those in none."""
    answer = {
        "deviceGroups": [
            group(8, "Hall &quot;A&quot;\n", 306, 305),
            group(0, "My devices", 301, 304),
            group(7, "Kitchen", 304, 305, 303),
            group(9, None, 302),
        ]
    }
    assert [
        (each.device.id, each.group) for each in OwnedDevice.list_from_answer(answer)
    ] == [
        (301, ""),
        (302, ""),
        (303, "Kitchen"),
        (304, "Kitchen"),
        (305, r'Hall "A"\n'),
        (306, r'Hall "A"\n'),
    ]


def test_templates() -> None:
    """What a product says of its streams; a device without any has none."""
    answer = {"devices": [*TEMPLATES["devices"], {"id": 302}]}
    expected = StreamTemplate("tem_hum", 2, "celsius", "℃", '"air"')
    assert StreamTemplate.by_device(answer) == {301: [expected], 302: []}


def test_templates_by_group() -> None:
    """A cloud that lists by group unasked is understood, too."""
    answer = {"deviceGroups": [{"id": 0, **TEMPLATES}, {"id": 1, **TEMPLATES}, None]}
    (templates,) = StreamTemplate.by_device(answer).values()
    assert [each.stream for each in templates] == ["tem_hum"]


@pytest.mark.parametrize(
    "odd",
    [
        None,
        [],
        {},
        {"name": 5},
        {"name": ""},
        {"name": "a/b"},
        {"name": ".."},
        {"name": "tem_hum", "dimension": 5},
    ],
)
def test_odd_template_does_not_hide_the_rest(odd: Any) -> None:
    """Nor does a second one of a name replace the first."""
    answer = {
        "devices": [{"id": 301, "datastreamTmpls": [TEMPLATE, odd, {"name": "b"}]}]
    }
    found = StreamTemplate.by_device(answer)[301]
    assert [(each.stream, each.dimension) for each in found] == [
        ("tem_hum", 2),
        ("b", None),
    ]


@pytest.mark.parametrize("dimension", [0, 6, -1, True, "2", 1.0, None, 2**70])
def test_dimension_that_is_none(dimension: Any) -> None:
    """There are five values at most."""
    answer = {
        "devices": [
            {"id": 301, "datastreamTmpls": [{**TEMPLATE, "dimension": dimension}]}
        ]
    }
    assert StreamTemplate.by_device(answer)[301][0].dimension is None


def test_templates_unusable() -> None:
    """No list of devices is not an empty one."""
    with pytest.raises(UnexpectedAnswerError):
        StreamTemplate.by_device({"datastreamTmpls": [TEMPLATE]})


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("plug-status", True),
        ("a+b:c.d_9", True),
        ("...a", True),
        ("", False),
        (".", False),
        ("..", False),
        ("a b", False),
        ("a/b", False),
        ("a%2Fb", False),
        ("é", False),
        ("a\n", False),
        ("a" * 129, False),
    ],
)
def test_form_of_a_streams_name(name: str, answer: bool) -> None:
    """What becomes part of a path cannot lead to another."""
    assert is_stream_name(name) is answer


@anything
@given(altered({"device": {**DEVICE, "bssid": MAC, "last_active": 5}}))
def test_any_device(answer: dict[str, Any]) -> None:
    """Anything in any place gives a value or the one error."""
    try:
        device = CloudDevice.from_answer(answer)
    except UnexpectedAnswerError:
        return
    assert type(device.id) is int
    assert device.ptype is None or type(device.ptype) is int
    assert type(device.activated) is bool
    assert type(device.is_mesh) is bool
    assert len(device.bssid) in (0, 17)
    assert 0 <= device.last_active < 10**12
    assert device.title
    hash(device)


@anything
@given(altered(GROUPED) | altered(FLAT))
def test_any_owned_devices(answer: dict[str, Any]) -> None:
    """Anything in any place gives a list or the one error."""
    try:
        owned = OwnedDevice.list_from_answer(answer)
    except UnexpectedAnswerError:
        return
    assert all(type(each.device.id) is int for each in owned)
    assert all(isinstance(each.owner_key, str) for each in owned)


@anything
@given(altered(TEMPLATES))
def test_any_templates(answer: dict[str, Any]) -> None:
    """Anything in any place gives templates or the one error."""
    try:
        found = StreamTemplate.by_device(answer)
    except UnexpectedAnswerError:
        return
    for number, templates in found.items():
        assert type(number) is int
        assert all(is_stream_name(each.stream) for each in templates)
        hash(tuple(templates))
