"""`local-cloud invite` and the like, beside a cloud that runs and without one."""

import asyncio
from collections.abc import AsyncGenerator
import json
from pathlib import Path
import re
import stat

from aiohttp import ClientSession
import pytest
from pytest_socket import socket_allow_hosts

from custom_components.espcloud.local_cloud import LocalCloud, SignUp
from custom_components.espcloud.local_cloud.__main__ import main
from custom_components.espcloud.local_cloud.command_line import parse
from custom_components.espcloud.local_cloud.control_socket import (
    ask,
    control_path,
    control_socket,
)
from tests.credentials import EMAIL

from .helpers import Api

NEW = {"email": "new@example.org", "password": "p"}


@pytest.fixture(autouse=True)
def unix_sockets(loopback: None) -> None:
    """Let the tests open Unix sockets as well, until the test is over."""
    socket_allow_hosts(["127.0.0.1"], allow_unix_socket=True)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Return where the state is kept."""
    return tmp_path / "state.db"


@pytest.fixture
async def cloud(state: Path, password_hash: str) -> AsyncGenerator[LocalCloud]:
    """Run a cloud as the command does."""
    cloud = LocalCloud(state_file=state, sign_up=SignUp.INVITE)
    await cloud.start()
    cloud.store.add_user(EMAIL, EMAIL, password_hash)
    async with control_socket(cloud, state):
        yield cloud
    await cloud.close()


async def run(*arguments: str | Path) -> int:
    """Run a command on a thread, for it has a loop of its own."""
    return await asyncio.to_thread(main, list(map(str, arguments)))


@pytest.mark.usefixtures("cloud")
async def test_while_the_cloud_runs(
    api: Api, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An invitation is made, listed, and lets somebody in; another one is revoked."""
    for note in ("for Ann", "for Bob"):
        assert await run("invite", "--state", state, "--note", note, "--days", "1") == 0
    text, meaning, *_ = capsys.readouterr().out.splitlines()
    assert re.fullmatch(
        r"Whoever has it can make one account\. "
        r"Invitation 1, until \d{4}-\d\d-\d\d \d\d:\d\d\S* UTC: for Ann",
        meaning,
    )
    assert await run("revoke-invitation", "2", "--state", state) == 0
    assert await run("invitations", "--state", state) == 0
    listed = capsys.readouterr().out
    assert "Done." in listed
    assert "for Ann" in listed
    assert "for Bob" not in listed
    assert text not in listed
    await api.ok("POST", "/v1/user/join/", {**NEW, "invitation": text})
    assert await run("invitations", "--state", state) == 0
    assert capsys.readouterr().out == "There are no invitations.\n"
    assert await run("revoke-invitation", "1", "--state", state) == 1
    assert capsys.readouterr().err == "local-cloud: invitation not exists\n"


@pytest.mark.usefixtures("cloud")
async def test_reset_password(
    api: Api, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The link that is printed sets the password."""
    assert await run("reset-password", EMAIL.upper(), "--state", state) == 0
    link, *_ = capsys.readouterr().out.splitlines()
    url, token = link.split("/reset?token=")
    assert url.startswith("http://127.0.0.1:")
    body = {"token": token, "new_password": "another"}
    await api.ok("POST", "/v1/user/resetpassword/", body)
    sign_in = {"email": EMAIL, "password": "another"}
    await api.ok("POST", "/v1/user/login/", sign_in)
    assert await run("reset-password", "x@example.org", "--state", state) == 1
    assert capsys.readouterr().err == "local-cloud: user not registered\n"


async def test_while_it_does_not(
    cloud: LocalCloud, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command takes the state file itself, and the cloud finds what it did."""
    await cloud.close()
    control_path(state).unlink()
    assert await run("invite", "--state", state) == 0
    text = capsys.readouterr().out.splitlines()[0]
    assert await run("reset-password", EMAIL, "--state", state) == 0
    assert capsys.readouterr().out.startswith("/reset?token=")
    again = LocalCloud(state_file=state, sign_up=SignUp.INVITE)
    await again.start()
    try:
        async with ClientSession() as session:
            body = {**NEW, "invitation": text}
            await Api(again, session).ok("POST", "/v1/user/join/", body)
    finally:
        await again.close()


def test_no_state_file(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A slip in the name makes none."""
    assert main(["invite", "--state", str(state)]) == 1
    assert capsys.readouterr().err == f"local-cloud: there is no state file {state}\n"
    assert not state.exists()


@pytest.mark.usefixtures("cloud")
async def test_only_its_owner(state: Path) -> None:
    """The socket is for whoever runs the cloud."""
    mode = control_path(state).stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) & 0o077 == 0


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize(
    "line",
    [b"", b"x", b"[]", b"{}", b'{"call": 1}', b'{"call": "invite", "days": "x"}'],
)
async def test_what_is_no_request(state: Path, line: bytes) -> None:
    """It is refused, and the next one is answered."""
    reader, writer = await asyncio.open_unix_connection(control_path(state))
    writer.write(line + b"\n")
    assert json.loads(await reader.readline())["status"] == 400
    writer.close()
    assert await ask(state, {"call": "invitations"}) == {
        "invitations": [],
        "status": 200,
    }


async def test_one_that_was_killed(cloud: LocalCloud, state: Path) -> None:
    """It leaves a socket behind, which nobody takes for a cloud and the next one replaces."""
    async with control_socket(cloud, state.with_name("other.db")):
        pass
    reader, writer = await asyncio.open_unix_connection(control_path(state))
    async with control_socket(cloud, state):
        # Who was about to ask when it ends is let go.
        writer.write(b"{}\n")
        assert json.loads(await reader.readline())["status"] == 400
        writer.close()
        assert await ask(state, {"call": "invitations"}) is not None
    assert await ask(state, {"call": "invitations"}) is None


async def test_a_path_too_long(
    cloud: LocalCloud, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It runs without the commands, and says so."""
    async with control_socket(cloud, tmp_path / ("x" * 120)):
        assert "Commands cannot reach this cloud while it runs" in caplog.text


@pytest.mark.parametrize(
    ("options", "policy"),
    [
        ([], SignUp.CLOSED),
        (["--sign-up", "open"], SignUp.OPEN),
        (["--sign-up", "invite"], SignUp.INVITE),
        (["--sign-up", "closed"], SignUp.CLOSED),
    ],
)
def test_sign_up(options: list[str], policy: SignUp) -> None:
    """It is closed unless the command line says otherwise."""
    assert parse(options).sign_up is policy


def test_sign_up_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    """The choices are told."""
    with pytest.raises(SystemExit):
        parse(["--sign-up", "maybe"])
    error = capsys.readouterr().err
    assert all(policy in error for policy in SignUp)
