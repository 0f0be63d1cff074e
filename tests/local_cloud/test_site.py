"""The hook for a web site beside the API, and the calls that only such a site needs."""

from aiohttp import ClientSession, web
import pytest

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.errors import ApiError
from custom_components.espcloud.local_cloud.models import Device, User
from custom_components.espcloud.local_cloud.site import Connection
from tests.credentials import EMAIL, PASSWORD

MINUTE = 60


class Site:
    """A site of one page."""

    def __init__(self) -> None:
        """Be open."""
        self.is_closed = False

    async def answer(
        self, http: web.BaseRequest, connection: Connection
    ) -> web.StreamResponse:
        """Say which page was asked for."""
        connection.allow(1.0)
        return web.Response(text=f"page {http.path}")

    async def close(self) -> None:
        """Note it."""
        self.is_closed = True


@pytest.fixture
def site(cloud: LocalCloud) -> Site:
    """Mount a site."""
    site = Site()
    cloud.mount(site)
    return site


async def test_a_site_answers_what_is_none_of_the_apis(
    cloud: LocalCloud, site: Site
) -> None:
    """The API keeps its paths, however they are written."""
    async with ClientSession() as client:
        for path in ("/", "/v2/ping/", "/devices", "/v1x"):
            async with client.get(cloud.http_url + path) as response:
                assert await response.text() == f"page {path}"
        for path in ("/v1/ping/", "//v1/ping", "/v1", "/v1/nothing"):
            async with client.get(cloud.http_url + path) as response:
                assert "status" in await response.json()
    await cloud.close()
    assert site.is_closed


async def test_a_user_key_for_a_while(
    cloud: LocalCloud, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It works for its time, then it is nobody's, and makes room at the next sign-in."""
    now = 1_800_000_000
    monkeypatch.setattr(cloud.store.context, "clock", lambda: now)
    wish = {"peer": "192.0.2.1", "name": "web site", "lifetime": MINUTE}
    key = await cloud.sign_in(EMAIL, PASSWORD, **wish)
    assert cloud.user_of(key) is user
    assert (await cloud.call("GET", "/v1/keys/", key))["status"] == 200
    now += MINUTE
    assert cloud.user_of(key) is None
    assert (await cloud.call("GET", "/v1/keys/", key))["status"] == 403
    assert cloud.store.keyring.count_user_keys(user) == 0
    key = await cloud.sign_in(EMAIL, PASSWORD, **wish)
    assert len((await cloud.call("GET", "/v1/keys/", key))["keys"]) == 1
    assert cloud.store.keyring.count_user_keys(user) == 1


async def test_only_user_keys_are_somebodys(cloud: LocalCloud, device: Device) -> None:
    """A device's keys, and texts that are no keys, sign nobody in."""
    for token in (cloud.master_key(device), cloud.owner_key(device), "", "x"):
        assert cloud.user_of(token or "") is None


async def test_wrong_passwords_count_for_the_address_of_the_person(
    cloud: LocalCloud, user: User
) -> None:
    """Whichever way they come in; who is at another address is not locked out."""
    wish = {"name": "web site", "lifetime": MINUTE}
    statuses = []
    while 429 not in statuses and len(statuses) < 200:
        with pytest.raises(ApiError) as caught:
            await cloud.sign_in(EMAIL, "wrong", peer="192.0.2.1", **wish)
        statuses.append(caught.value.status)
    assert {*statuses} == {403, 429}
    reply = await cloud.call(
        "POST",
        "/v1/user/login/",
        body={"email": EMAIL, "password": PASSWORD},
        peer="192.0.2.1",
    )
    assert reply["status"] == 429
    assert await cloud.sign_in(EMAIL, PASSWORD, peer="192.0.2.2", **wish)


async def test_taking_a_device_over(cloud: LocalCloud, user: User) -> None:
    """Who makes a device may own it without activating it first."""
    device = cloud.add_device("Lamp")
    assert cloud.owner_key(device) is None
    cloud.own(device, user)
    assert cloud.owner_key(device) is not None
