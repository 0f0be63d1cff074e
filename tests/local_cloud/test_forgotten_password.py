"""A password that was forgotten: whoever runs the cloud gets a link, and hands it on."""

from collections.abc import AsyncGenerator
from pathlib import Path
import re

from aiohttp import ClientSession
import pytest

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device, User
from custom_components.espcloud.local_cloud.rate_limits import (
    FAILURES_PER_ADDRESS,
    RESETS_PER_ACCOUNT,
    RESETS_PER_ADDRESS,
)
from tests.credentials import EMAIL, PASSWORD

from .helpers import Api, until
from .test_command_line import ANY_PORTS, _end, _ready, _running

WANT = "/v1/user/resetpassword/mail/"
RESET = "/v1/user/resetpassword/"
SIGN_IN = "/v1/user/login/"
NEW = "another password"


class Handed(list[tuple[User, str]]):
    """What the person who runs the cloud was given."""

    def take(self, user: User, token: str) -> None:
        """Note it."""
        self.append((user, token))


@pytest.fixture
def handed() -> Handed:
    """Return where it is noted."""
    return Handed()


@pytest.fixture
async def cloud(handed: Handed, tmp_path: Path) -> AsyncGenerator[LocalCloud]:
    """Run a cloud whose operator gets the tokens."""
    cloud = LocalCloud(hand_over_reset=handed.take, state_file=tmp_path / "state.db")
    await cloud.start()
    yield cloud
    await cloud.close()


async def token_of(api: Api, handed: Handed) -> str:
    """Forget the password, and return what is handed over."""
    before = len(handed)
    await api.ok("POST", WANT, {"email": EMAIL})
    await until(lambda: len(handed) > before)
    return handed[-1][1]


def body(token: str, password: str = NEW) -> dict[str, str]:
    """Return the body that sets a password."""
    return {"token": token, "new_password": password}


async def test_a_new_password(
    api: Api, user: User, user_key: str, handed: Handed
) -> None:
    """It is set once, it works at once, and the old one does not."""
    token = await token_of(api, handed)
    assert handed == [(user, token)]
    reply = await api.ok("POST", RESET, body(token))
    assert reply["user"]["email"] == EMAIL
    await api.ok("GET", "/v1/user/devices/", key=reply["key"]["token"])
    await api.ok("POST", SIGN_IN, {"email": EMAIL, "password": NEW})
    old = await api.post(SIGN_IN, {"email": EMAIL, "password": PASSWORD})
    assert old.status == 403
    again = await api.post(RESET, body(token, "a third one"))
    assert (again.status, again.json["message"]) == (
        403,
        "the link was used, or is too old: ask for another one",
    )


async def test_sessions_end(
    api: Api, cloud: LocalCloud, device: Device, user_key: str, owner_key: str, handed: Handed
) -> None:  # fmt: skip
    """What the old password opened is over, a device's key that is kept excepted."""
    other = cloud.add_device("other", cloud.store.users[1])
    kept = cloud.store.keyring.owner_key(other)
    assert kept is not None
    kept.keep = 1
    kept_text = kept.token
    await api.ok("POST", RESET, body(await token_of(api, handed)))
    assert (await api.get("/v1/user/devices/", key=user_key)).status == 403
    assert (await api.get("/v1/device/", key=owner_key)).status == 500
    await api.ok("GET", "/v1/device/", key=kept_text)


@pytest.mark.usefixtures("user")
async def test_nothing_tells_who_is_registered(api: Api, handed: Handed) -> None:
    """The answer is the same; what there is to do is done after it."""
    mine = await api.post(WANT, {"email": EMAIL})
    nobody = await api.post(WANT, {"email": "nobody@example.org"})
    assert (mine.status, mine.text) == (nobody.status, nobody.text)
    assert mine.json == {"status": 200}
    await until(lambda: len(handed) == 1)
    for odd in ({"email": "no address"}, {"email": 1}, {}):
        assert (await api.post(WANT, odd)).status == 400


@pytest.mark.usefixtures("user")
async def test_its_time(api: Api, cloud: LocalCloud, handed: Handed) -> None:
    """It lives for an hour."""
    token = await token_of(api, handed)
    now = cloud.store.context.now()
    cloud.store.context.clock = lambda: now + 3600
    assert (await api.post(RESET, body(token))).status == 403
    cloud.store.context.clock = lambda: now + 3590
    await api.ok("POST", RESET, body(token))


async def test_another_password_ends_it(
    api: Api, cloud: LocalCloud, user: User, handed: Handed
) -> None:
    """However that came to be: the link may be in somebody else's hands."""
    token = await token_of(api, handed)
    other = cloud.operator.password_reset(user)
    await cloud.set_password(user, "set by the operator")
    for text in (token, other):
        assert (await api.post(RESET, body(text))).status == 403


async def test_an_invitation_is_no_reset(
    api: Api, cloud: LocalCloud, user: User
) -> None:
    """Nor a key, nor a reset an invitation."""
    _, invitation = cloud.operator.invite()
    key = cloud.user_key(user)
    for text in (invitation, key, "", "x" * 40):
        assert (await api.post(RESET, body(text))).status == 403
    assert (await api.post(RESET, body(cloud.operator.password_reset(user), ""))).status == 400  # fmt: skip


@pytest.mark.usefixtures("user")
async def test_it_outlives_a_restart(
    api: Api, cloud: LocalCloud, handed: Handed, tmp_path: Path
) -> None:
    """The file has its hash, and not what it is."""
    token = await token_of(api, handed)
    await cloud.close()
    assert token.encode() not in (tmp_path / "state.db").read_bytes()
    again = LocalCloud(state_file=tmp_path / "state.db")
    await again.start()
    try:
        async with ClientSession() as session:
            await Api(again, session).ok("POST", RESET, body(token))
    finally:
        await again.close()


@pytest.mark.usefixtures("user")
class TestLimits:
    """What strangers may do."""

    async def test_of_an_account(self, api: Api, handed: Handed) -> None:
        """Who runs the cloud is told three times in an hour; nobody else notices."""
        for _ in range(RESETS_PER_ACCOUNT + 2):
            await api.ok("POST", WANT, {"email": EMAIL})
        await api.ok("POST", WANT, {"email": "nobody@example.org"})
        assert len(handed) == RESETS_PER_ACCOUNT
        # None of them ended another.
        await api.ok("POST", RESET, body(handed[0][1]))

    async def test_of_an_address(self, api: Api) -> None:
        """Whether there are such accounts or not."""
        for number in range(RESETS_PER_ADDRESS):
            await api.ok("POST", WANT, {"email": f"{number}@example.org"})
        for email in (EMAIL, "nobody@example.org"):
            reply = await api.post(WANT, {"email": email})
            assert reply.status == 429
            assert "too many forgotten passwords, try again in" in reply.text

    async def test_guesses(self, api: Api, cloud: LocalCloud, user: User) -> None:
        """They count as passwords that are guessed do."""
        for _ in range(FAILURES_PER_ADDRESS):
            assert (await api.post(RESET, body("x" * 40))).status == 403
        token = cloud.operator.password_reset(user)
        assert (await api.post(RESET, body(token))).status == 429


@pytest.mark.parametrize(
    ("path", "wish"),
    [
        (SIGN_IN, {"phone": "1", "password": "p", "state": "phone_password"}),
        (SIGN_IN, {"remember": 1, "state": "qq", "code": "c"}),
        ("/v1/user/join/", {"phone": "1", "password": "p", "state": "phone_password"}),
    ],
)
async def test_other_ways_to_sign_in(api: Api, path: str, wish: dict[str, str]) -> None:
    """They are refused in words."""
    reply = await api.post(path, wish)
    assert reply.status == reply.json["status"] == 501
    assert "this cloud knows no" in reply.json["message"]


async def test_text_messages(api: Api) -> None:
    """None is sent."""
    reply = await api.get("/v1/resource/sms/?state=login&phone=1")
    assert reply.status == 501


async def test_the_log_of_the_command(tmp_path: Path) -> None:
    """The link stands there, and nowhere else."""
    options = ["--account", f"{EMAIL}:p", "--json", "--state", str(tmp_path / "s.db")]
    async with _running(*ANY_PORTS, *options) as process, ClientSession() as session:
        url = (await _ready(process))["http"]
        async with session.post(url + WANT, json={"email": EMAIL}) as response:
            assert await response.json() == {"status": 200}
        assert process.stderr is not None
        line = (await process.stderr.readline()).decode()
        link = re.search(rf"{EMAIL} has .*: {url}/reset\?token=(\w{{40}})$", line)
        assert link is not None
        async with session.post(url + RESET, json=body(link[1])) as response:
            assert response.status == 200
        await _end(process)
