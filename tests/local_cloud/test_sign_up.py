"""Who may make an account (`local-cloud --sign-up`), and invitations."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

from aiohttp import ClientSession
import pytest

from custom_components.espcloud.local_cloud import LocalCloud, SignUp
from custom_components.espcloud.local_cloud.errors import ApiError
from custom_components.espcloud.local_cloud.sign_up import MAX_INVITATIONS
from tests.credentials import EMAIL

from .helpers import Api

JOIN = "/v1/user/join/"
NEW = {"email": "new@example.org", "password": "p"}
DAY = 86400


@pytest.fixture
def policy(request: pytest.FixtureRequest) -> SignUp:
    """Return what was decided, invitations unless a test says otherwise."""
    return getattr(request, "param", SignUp.INVITE)


@pytest.fixture
async def cloud(policy: SignUp, tmp_path: Path) -> AsyncGenerator[LocalCloud]:
    """Run a cloud with that policy."""
    cloud = LocalCloud(sign_up=policy, state_file=tmp_path / "state.db")
    await cloud.start()
    yield cloud
    await cloud.close()


@pytest.fixture
def somebody(cloud: LocalCloud, password_hash: str) -> None:
    """Have the first account."""
    cloud.store.add_user(EMAIL, EMAIL, password_hash)


async def refused(api: Api, body: dict[str, str]) -> str:
    """Try to join in vain and return what is said."""
    reply = await api.post(JOIN, body)
    assert reply.status == reply.json["status"] == 403
    return str(reply.json["message"])


def count(cloud: LocalCloud) -> int:
    """Return how many accounts there are."""
    return len(cloud.store.users)


@pytest.mark.parametrize("policy", list(SignUp), indirect=True)
async def test_the_first_account(api: Api, cloud: LocalCloud, policy: SignUp) -> None:
    """Anybody may make it, whatever was decided; what was decided counts from then on."""
    assert cloud.sign_up is SignUp.OPEN
    await api.ok("POST", JOIN, NEW)
    assert cloud.sign_up is policy


@pytest.mark.parametrize("policy", [SignUp.CLOSED, SignUp.INVITE], indirect=True)
async def test_two_first_accounts(api: Api, cloud: LocalCloud) -> None:
    """Hashing takes a while, in which the other one becomes the first."""
    bodies = [{"email": f"{name}@example.org", "password": "p"} for name in "abc"]
    replies = await asyncio.gather(*(api.post(JOIN, body) for body in bodies))
    assert sorted(reply.status for reply in replies) == [200, 403, 403]
    assert count(cloud) == 1


@pytest.mark.usefixtures("somebody")
@pytest.mark.parametrize("policy", [SignUp.OPEN], indirect=True)
async def test_open(api: Api, cloud: LocalCloud) -> None:
    """Everybody may."""
    await api.ok("POST", JOIN, NEW)
    assert count(cloud) == 2


@pytest.mark.usefixtures("somebody")
@pytest.mark.parametrize("policy", [SignUp.CLOSED], indirect=True)
async def test_closed(api: Api, cloud: LocalCloud) -> None:
    """Nobody may, not with an invitation either, but who runs the cloud."""
    _, text = cloud.operator.invite()
    message = "sign-up is closed: ask the person who runs this cloud for an account"
    assert await refused(api, NEW) == message
    assert await refused(api, {**NEW, "invitation": text}) == message
    await cloud.add_account("other@example.org", "p")
    assert count(cloud) == 2


@pytest.mark.usefixtures("somebody")
class TestInvitations:
    """Where an invitation is needed."""

    async def test_one_account(self, api: Api, cloud: LocalCloud) -> None:
        """It is good for one."""
        assert "sign-up needs an invitation: ask" in await refused(api, NEW)
        _, text = cloud.operator.invite("for Ann")
        unknown = "the invitation was used, revoked, or is too old"
        assert await refused(api, {**NEW, "invitation": "x" * 40}) == unknown
        await api.ok("POST", JOIN, {**NEW, "invitation": text})
        assert cloud.operator.invitations() == []
        other = {**NEW, "email": "other@example.org", "invitation": text}
        assert await refused(api, other) == unknown
        assert count(cloud) == 2

    async def test_a_mistake_costs_nothing(self, api: Api, cloud: LocalCloud) -> None:
        """An account that could not be made leaves the invitation."""
        _, text = cloud.operator.invite()
        for wrong, status in (
            ({"email": EMAIL}, 409),
            ({"email": "no address"}, 400),
            ({"password": ""}, 400),
        ):
            reply = await api.post(JOIN, {**NEW, "invitation": text, **wrong})
            assert reply.status == status
        await api.ok("POST", JOIN, {**NEW, "invitation": text})

    async def test_twice_at_once(self, api: Api, cloud: LocalCloud) -> None:
        """One of the two gets the account."""
        _, text = cloud.operator.invite()
        bodies = [
            {"email": f"{name}@example.org", "password": "p", "invitation": text}
            for name in "ab"
        ]
        replies = await asyncio.gather(*(api.post(JOIN, body) for body in bodies))
        assert sorted(reply.status for reply in replies) == [200, 403]
        assert count(cloud) == 2

    async def test_its_time(self, api: Api, cloud: LocalCloud) -> None:
        """It lives as long as was said; then it is not listed, and goes with the next one."""
        _, text = cloud.operator.invite(days=1)
        now = cloud.store.context.now()
        cloud.store.context.clock = lambda: now + DAY
        assert "too old" in await refused(api, {**NEW, "invitation": text})
        assert cloud.operator.invitations() == []
        later, _ = cloud.operator.invite()
        assert list(cloud.store.account_tokens.records.values()) == [later]

    async def test_revoked(self, api: Api, cloud: LocalCloud) -> None:
        """The operator takes it back."""
        invitation, text = cloud.operator.invite()
        cloud.operator.revoke_invitation(invitation.id)
        assert "revoked" in await refused(api, {**NEW, "invitation": text})
        with pytest.raises(ApiError, match="invitation not exists"):
            cloud.operator.revoke_invitation(invitation.id)

    async def test_it_outlives_a_restart(
        self, cloud: LocalCloud, tmp_path: Path
    ) -> None:
        """The file has its hash, and not what it is."""
        invitation, text = cloud.operator.invite("for Ann")
        await cloud.close()
        assert text.encode() not in (tmp_path / "state.db").read_bytes()
        again = LocalCloud(sign_up=SignUp.INVITE, state_file=tmp_path / "state.db")
        await again.start()
        try:
            assert again.operator.invitations() == [invitation]
            async with ClientSession() as session:
                body = {**NEW, "invitation": text}
                await Api(again, session).ok("POST", JOIN, body)
        finally:
            await again.close()

    def test_what_cannot_be(self, cloud: LocalCloud) -> None:
        """So many at a time, for so many days, with a note of a length."""
        for options in ({"days": 0}, {"days": 366}, {"note": "x" * 256}):
            with pytest.raises(ApiError) as refusal:
                cloud.operator.invite(**options)  # type: ignore[arg-type]  # one or the other
            assert refusal.value.status == 400
        for _ in range(MAX_INVITATIONS):
            cloud.operator.invite()
        with pytest.raises(ApiError, match="at most 100 invitations: revoke some"):
            cloud.operator.invite()
