"""What clients of 2014 ask for, and what mesh firmware reports (protocol.md §2.4, §2.11, §3.2)."""

from typing import Any

import pytest

from custom_components.espcloud.local_cloud import LocalCloud, quotas
from custom_components.espcloud.local_cloud.debug_reports import MAX_REPORTS
from custom_components.espcloud.local_cloud.models import Device, User

from .helpers import Api, DeviceSocket, until

JOIN = "/v1/users/join/"
DEPLOYED = "/v1/device/deployed/"
DEBUGS = "/v1/device/debugs/"
TEMPLATE = {
    "name": "plug-status",
    "description": "plug-status 1:on,0:off",
    "stream_type": "1",
    "dimension": "1",
    "tags": "plug",
    "unit": "boolean",
    "symbol": "on/off",
}
PLUG = {
    "product": {"name": "Power Plug Product", "ptype": 23701},
    "device": {"name": "device plug 1"},
    "datastreamTmpls": [TEMPLATE],
}


class TestIdentify:
    """GET /v1/device/ where there was no identify yet."""

    async def test_a_session(
        self, api: Api, cloud: LocalCloud, socket: DeviceSocket, device: Device,
        master_key: str, owner_key: str,
    ) -> None:  # fmt: skip
        """The device is on-line, and gets what is sent to it."""
        answer = await socket.ask("/v1/device/", key=master_key, nonce=12306)
        assert (answer["nonce"], answer["status"]) == (12306, 200)
        assert answer["device"]["id"] == device.id
        assert cloud.is_online(device)
        again = await socket.ask("/v1/device/", key=master_key, nonce=12307)
        assert again["device"]["id"] == device.id
        assert cloud.connection_count(device) == 1
        assert (await socket.ask("/v1/ping/"))["message"] == "ping success"

    @pytest.mark.parametrize("kind", ["owner", "shared"])
    async def test_other_keys(
        self, cloud: LocalCloud, socket: DeviceSocket, device: Device, owner_key: str,
        kind: str, password_hash: str,
    ) -> None:  # fmt: skip
        """Who has another one looks at the device, and is not it."""
        guest = cloud.store.add_user("guest@example.org", "guest", password_hash)
        shared = cloud.store.keyring.share_with(device, guest, "guest").token
        key = {"owner": owner_key, "shared": shared}[kind]
        assert (await socket.ask("/v1/device/", key=key))["status"] == 200
        assert not cloud.is_online(device)

    async def test_over_http(
        self, api: Api, cloud: LocalCloud, device: Device, master_key: str
    ) -> None:
        """It is nobody's session."""
        await api.ok("GET", "/v1/device/", key=master_key)
        assert not cloud.is_online(device)

    async def test_another_device_on_the_connection(
        self, cloud: LocalCloud, lamp: DeviceSocket, device: Device, user: User
    ) -> None:
        """Of one that has identified, it asks after another."""
        other = cloud.add_device("other", user)
        answer = await lamp.ask("/v1/device/", key=cloud.master_key(other))
        assert answer["device"]["id"] == other.id
        assert cloud.is_online(device)
        assert not cloud.is_online(other)


class TestJoin:
    """The registration of 2014."""

    @pytest.mark.parametrize(
        "body",
        [
            b"username=ann&email=ann%40example.org&password=p+q",
            b'{"username": "ann", "email": "ann@example.org", "password": "p q"}',
        ],
    )
    async def test_a_form(self, api: Api, body: bytes) -> None:
        """Or JSON; the account works at once."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        reply = await api.post(JOIN, body, headers=headers)
        assert reply.json == {
            "message": "the account is made",
            "result": "success",
            "status": 200,
        }
        names = {"username": "ann", "password": "p q"}
        await api.ok("POST", "/v1/keys/", {"Authorization": names})

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            (b"username=ann&email=nothing&password=p", 400),
            (b"", 400),
            (b"&".join(b"a%d=1" % number for number in range(40)), 400),
            (b"email=\xff", 400),
            (b"email=someone%40example.org&password=p", 409),
        ],
    )
    async def test_refusals(
        self, api: Api, user: User, body: bytes, status: int
    ) -> None:
        """In the words of then."""
        reply = await api.post(JOIN, body)
        assert reply.status == reply.json["status"] == status
        assert reply.json["message"]

    async def test_words(self, api: Api, user: User) -> None:
        """The result is told as well."""
        reply = await api.post(JOIN, b"email=someone%40example.org&password=p")
        assert reply.json["result"] == "failed"

    async def test_no_form_elsewhere(self, api: Api) -> None:
        """There a body is JSON."""
        reply = await api.post("/v1/user/join/", b"email=a%40example.org&password=p")
        assert reply.status == 400


class TestDeviceKeys:
    """The account's keys to devices, apart from those."""

    async def test_those_that_it_holds(
        self, api: Api, cloud: LocalCloud, user: User, user_key: str, owner_key: str,
        password_hash: str,
    ) -> None:  # fmt: skip
        """Owner and shared keys, with their texts."""
        other = cloud.store.add_user("other@example.org", "other", password_hash)
        theirs = cloud.add_device("theirs", other)
        shared = cloud.store.keyring.share_with(theirs, user, "shared").token
        reply = await api.ok("GET", "/v1/user/devicekeys/", key=user_key)
        assert [key["token"] for key in reply["keys"]] == [owner_key, shared]
        assert [key["is_owner_key"] for key in reply["keys"]] == [1, 0]


class TestDeployed:
    """Product, device and templates in one call."""

    async def test_all_at_once(
        self, api: Api, cloud: LocalCloud, user_key: str
    ) -> None:
        """The example of 2014 works, with numbers as texts."""
        reply = await api.ok("POST", DEPLOYED, PLUG, key=user_key)
        assert list(reply) == [
            "datastreamTmpls",
            "device",
            "device_key",
            "product",
            "status",
        ]
        (template,) = reply["datastreamTmpls"]
        assert template["dimension"] == template["stream_type"] == 1
        assert template["product_id"] == reply["product"]["id"]
        device = cloud.store.devices[reply["device"]["id"]]
        assert (device.name, device.ptype) == ("device plug 1", 23701)
        key = reply["device_key"]["token"]
        assert key == cloud.master_key(device)
        await api.ok("GET", "/v1/device/", key=key)
        path = "/v1/datastreams/plug-status/datapoint/"
        await api.ok("POST", path, {"datapoint": {"x": 1}}, key=key)

    @pytest.mark.parametrize(
        ("wrong", "status"),
        [
            ({"product": {}}, 400),
            ({"device": 1}, 400),
            ({"datastreamTmpls": []}, 400),
            ({"datastreamTmpls": [TEMPLATE | {"dimension": "x"}]}, 400),
            ({"datastreamTmpls": [TEMPLATE | {"dimension": "6"}]}, 400),
            ({"datastreamTmpls": [TEMPLATE, TEMPLATE]}, 409),
        ],
    )
    async def test_all_or_nothing(
        self, api: Api, cloud: LocalCloud, user_key: str, wrong: dict[str, Any], status: int
    ) -> None:  # fmt: skip
        """Where a part is wrong nothing is made."""
        reply = await api.post(DEPLOYED, PLUG | wrong, key=user_key)
        assert reply.status == status
        assert not cloud.store.products
        assert not cloud.store.devices

    @pytest.mark.parametrize("quota", ["MAX_PRODUCTS", "MAX_DEVICES"])
    async def test_quotas(
        self, api: Api, cloud: LocalCloud, user_key: str, quota: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        """Those of the calls for each part."""
        monkeypatch.setattr(quotas, quota, 1)
        await api.ok("POST", DEPLOYED, PLUG, key=user_key)
        assert (await api.post(DEPLOYED, PLUG, key=user_key)).status == 403
        assert len(cloud.store.products) == 1


class TestDebugs:
    """What firmware reports of its failures."""

    async def test_kept_for_the_owner(
        self, api: Api, lamp: DeviceSocket, master_key: str, owner_key: str
    ) -> None:
        """The last ones, as they were told."""
        for number in range(MAX_REPORTS + 2):
            entry = {"type": "wifi", "errno": -number, "message": f"try {number}"}
            answer = await lamp.ask(
                DEBUGS, "POST", key=master_key, body={"debugs": [entry]}, nonce=1
            )
            assert answer == {"nonce": 1, "status": 200}
        reports = (await api.ok("GET", DEBUGS, key=owner_key))["debugs"]
        assert [each["errno"] for each in reports] == [
            -number for number in range(2, MAX_REPORTS + 2)
        ]
        assert list(reports[0]) == [
            *("id", "created", "updated", "visibly"),
            *("type", "errno", "message"),
        ]

    @pytest.mark.parametrize(
        "entry", [{"type": []}, {"errno": 1.5}, {"message": 1}, {"type": "x" * 65}]
    )
    async def test_what_cannot_be(
        self, api: Api, cloud: LocalCloud, master_key: str, entry: dict[str, Any]
    ) -> None:
        """400, and none of the request is kept."""
        body = {"debugs": [{"type": 1, "errno": 2, "message": "m"}, entry]}
        assert (await api.post(DEBUGS, body, key=master_key)).status == 400
        assert not cloud.store.debugs.records

    async def test_they_go_with_the_device(
        self, api: Api, cloud: LocalCloud, device: Device, master_key: str
    ) -> None:
        """Nothing of them is left."""
        await api.ok("POST", DEBUGS, {"debugs": [{"type": 1}]}, key=master_key)
        cloud.remove_device(device)
        await until(lambda: not cloud.store.debugs.records)
