"""What a program that embeds the cloud does with its accounts."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.errors import ApiError
from custom_components.espcloud.local_cloud.models import Device, User
from tests.credentials import EMAIL, PASSWORD

from .helpers import Api

SIGN_IN = {"email": EMAIL, "password": PASSWORD}


@pytest.fixture
async def user(cloud: LocalCloud) -> User:
    """Make an account to which nobody can sign in."""
    return await cloud.add_account(EMAIL, None)


class TestWithoutPassword:
    """An account of the program's own."""

    @pytest.mark.parametrize("password", [PASSWORD, "", "None", "scrypt$"])
    async def test_nobody_signs_in(
        self, api: Api, cloud: LocalCloud, user: User, password: str
    ) -> None:
        """The answer is that to a wrong password, on every path that takes one."""
        await cloud.add_account("b@example.org", "p")
        for path, body in (
            ("/v1/user/login/", {}),
            ("/v1/keys/", {}),
            ("/v1/user/resetpassword/", {"new_password": "q"}),
        ):
            replies = [
                await api.post(path, {"email": email, "password": password, **body})
                for email in (EMAIL, "b@example.org")
            ]
            assert replies[0] == replies[1]
            assert replies[0].status == 403
            assert replies[0].json["message"] == "wrong password"

    async def test_it_takes_as_long(
        self, api: Api, cloud: LocalCloud, user: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The same is computed as for a wrong password."""
        await cloud.add_account("b@example.org", "p")
        computed: list[dict[str, Any]] = []
        scrypt = hashlib.scrypt

        def noted(password: bytes, **options: Any) -> bytes:
            computed.append(options | {"salt": len(options["salt"])})
            return scrypt(password, **options)

        monkeypatch.setattr(hashlib, "scrypt", noted)
        for email in (EMAIL, "b@example.org"):
            await api.post("/v1/user/login/", {"email": email, "password": "wrong"})
        assert len(computed) == 2
        assert computed[0] == computed[1]

    async def test_its_key_works(
        self, cloud: LocalCloud, user: User, device: Device
    ) -> None:
        """It is one, however often the program asks."""
        key = cloud.user_key(user)
        assert [cloud.user_key(user) for _ in range(3)] == [key] * 3
        answer = await cloud.call("GET", "/v1/user/devices/", key)
        assert [each["id"] for each in answer["devices"]] == [device.id]
        assert cloud.store.keyring.count_user_keys(user) == 1

    async def test_it_is_kept(self, tmp_path: Path) -> None:
        """The next start finds the account and the same key."""
        path = tmp_path / "state.db"
        cloud = LocalCloud(state_file=path)
        await cloud.start()
        user = await cloud.add_account(EMAIL, None)
        key = cloud.user_key(user)
        await cloud.close()
        again = LocalCloud(state_file=path)
        await again.start()
        (user,) = again.store.users.values()
        assert again.user_key(user) == key
        assert again.store.keyring.count_user_keys(user) == 1
        assert (await again.call("GET", "/v1/user/devices/", key))["status"] == 200
        assert (await again.call("POST", "/v1/keys/", body=SIGN_IN))["status"] == 403
        await again.close()


class TestPassword:
    """It is given and taken away."""

    async def test_both(self, api: Api, cloud: LocalCloud, user: User) -> None:
        """What people signed in with ends; the program's own key does not."""
        own = cloud.user_key(user)
        await cloud.set_password(user, PASSWORD)
        signed_in = await api.ok("POST", "/v1/user/login/", SIGN_IN)
        key = signed_in["key"]["token"]
        assert key != own
        await api.ok("GET", "/v1/user/devices/", key=key)
        await cloud.set_password(user, None)
        assert (await api.get("/v1/user/devices/", key=key)).status == 403
        assert (await api.post("/v1/user/login/", SIGN_IN)).status == 403
        await api.ok("GET", "/v1/user/devices/", key=own)
        assert cloud.user_key(user) == own
        before = user.updated, user.password_hash
        await cloud.set_password(user, None)
        assert (user.updated, user.password_hash) == before

    async def test_an_empty_one(self, cloud: LocalCloud, user: User) -> None:
        """It is none."""
        with pytest.raises(ApiError, match="must not be empty"):
            await cloud.set_password(user, "")
        with pytest.raises(ApiError, match="must not be empty"):
            await cloud.add_account("b@example.org", "")

    async def test_the_own_key_is_no_secret_of_the_list(
        self, api: Api, cloud: LocalCloud, user: User
    ) -> None:
        """Who signs in sees that it is there, and can revoke it; then there is another."""
        own = cloud.user_key(user)
        await cloud.set_password(user, PASSWORD)
        reply = await api.ok("POST", "/v1/user/login/", SIGN_IN)
        key = reply["key"]["token"]
        listed = await api.ok("GET", "/v1/keys/", key=key)
        [entry] = [each for each in listed["keys"] if each["name"] == "in process"]
        assert entry["token"] == ""
        body = {"keys": [{"id": entry["id"]}]}
        await api.ok("DELETE", "/v1/keys/", body, key=key)
        assert (await cloud.call("GET", "/v1/user/devices/", own))["status"] == 403
        another = cloud.user_key(user)
        assert another not in (own, key)
        assert (await cloud.call("GET", "/v1/user/devices/", another))["status"] == 200


class TestEmail:
    """It changes."""

    async def test_it_signs_in(self, api: Api, cloud: LocalCloud, user: User) -> None:
        """With the new one alone, and others may have the old one."""
        await cloud.set_password(user, PASSWORD)
        cloud.set_email(user, " new@example.org ")
        assert (user.email, user.username) == ("new@example.org", "new@example.org")
        sign_in = SIGN_IN | {"email": "New@example.org"}
        reply = await api.ok("POST", "/v1/user/login/", sign_in)
        assert reply["user"]["id"] == user.id
        assert (await api.post("/v1/user/login/", SIGN_IN)).status == 404
        other = await cloud.add_account(EMAIL, "q")
        assert other.id != user.id
        # The same one in another case is no other account's.
        cloud.set_email(user, "NEW@example.org")
        assert user.email == "NEW@example.org"

    async def test_a_user_name_of_its_own_stays(
        self, api: Api, cloud: LocalCloud
    ) -> None:
        """It has nothing to do with the e-mail."""
        account = {"username": "me", "email": EMAIL, "password": PASSWORD}
        await api.ok("POST", "/v1/user/join/", account)
        user = cloud.store.user_by_name("me")
        assert user is not None
        cloud.set_email(user, "new@example.org")
        assert user.username == "me"
        assert cloud.store.user_by_name("me") is user

    @pytest.mark.parametrize("email", ["B@example.org", "nick@name"])
    async def test_that_of_another_account(
        self, api: Api, cloud: LocalCloud, user: User, email: str
    ) -> None:
        """Be it an e-mail or a user name there; nothing changes."""
        account = {"username": "nick@name", "email": "b@example.org", "password": "p"}
        await api.ok("POST", "/v1/user/join/", account)
        with pytest.raises(ApiError, match="exists already") as caught:
            cloud.set_email(user, email)
        assert caught.value.status == 409
        assert user.email == EMAIL
        assert cloud.store.user_by_email(EMAIL) is user

    async def test_none_at_all(self, cloud: LocalCloud, user: User) -> None:
        """Nothing changes."""
        with pytest.raises(ApiError, match="e-mail address"):
            cloud.set_email(user, "no address")
        assert user.email == EMAIL

    async def test_it_is_kept(self, tmp_path: Path) -> None:
        """The next start knows it."""
        path = tmp_path / "state.db"
        cloud = LocalCloud(state_file=path)
        await cloud.start()
        user = await cloud.add_account(EMAIL, None)
        await cloud.flush()
        cloud.set_email(user, "new@example.org")
        await cloud.close()
        again = LocalCloud(state_file=path)
        await again.start()
        assert again.store.user_by_email(EMAIL) is None
        assert again.store.user_by_email("new@example.org") is not None
        await again.close()
