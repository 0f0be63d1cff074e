"""What the owner's calls make of answers that a real cloud does not give."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
import pytest

from custom_components.espcloud.cloud import (
    AuthenticationError,
    CloudClient,
    CloudError,
    CommandRejectedError,
    DeviceBusyError,
    DeviceOfflineError,
    LoopPeriod,
    LoopTimer,
    OwnerClient,
    RequestRefusedError,
    UnexpectedAnswerError,
)

from .helpers import BYEBYE, USER_KEY, altered, ask
from .scripted_server import ScriptedServer, client_sockets, http_answer

DAILY = LoopTimer(1, LoopPeriod.DAY, "on_switch", 5)
AWAY = {"status": 404, "message": "remote peer is disconnected"}
BUSY = {
    "status": 500,
    "message": "remote device is busy or some errors occured",
    "nonce": 5,
}
# As the cloud answers where nothing is to be delivered.
STORED = {
    "status": 200,
    "datapoint": {"id": 7, "created": 5, "datastream_id": 4, "at": 5, "x": 1},
}

type Call = Callable[[OwnerClient], Awaitable[Any]]

LIVE: dict[str, Call] = {
    "read_live": lambda owner: owner.read_live(USER_KEY, "light"),
    "write_live": lambda owner: owner.write_live(USER_KEY, "light", {"x": 1}),
    "call": lambda owner: owner.call(USER_KEY, "LED_ON", {}),
}
CHANGES: dict[str, Call] = {
    "add_timer": lambda owner: owner.add_timer(USER_KEY, DAILY),
    "change_timer": lambda owner: owner.change_timer(USER_KEY, DAILY),
    "delete_timer": lambda owner: owner.delete_timer(USER_KEY, 5),
}


@pytest.fixture
def owner(stranger: CloudClient) -> OwnerClient:
    """Return the owner's side of a client of the server whose part the test plays."""
    return stranger.owner


@pytest.mark.parametrize("call", LIVE.values(), ids=LIVE)
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (AWAY, DeviceOfflineError),
        (BUSY, DeviceBusyError),
        ({"status": 403, "deliver_to_device": True}, CommandRejectedError),
        ({"status": 403}, AuthenticationError),
        ({"status": 404, "message": "bin not found"}, RequestRefusedError),
        (BYEBYE, UnexpectedAnswerError),
        (STORED, UnexpectedAnswerError),
        ({"status": 200, "nonce": True}, UnexpectedAnswerError),
        ({"status": 200, "nonce": "5"}, UnexpectedAnswerError),
        ({"status": 200, "message": "welcome"}, UnexpectedAnswerError),
    ],
)
async def test_delivered_call(
    owner: OwnerClient,
    server: ScriptedServer,
    call: Call,
    answer: dict[str, Any],
    expected: type[CloudError],
) -> None:
    """Only the device acknowledges; nobody else's success is one."""
    outcome, _ = await ask(server, call(owner), http_answer(answer))
    assert type(outcome) is expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (AWAY, None),
        (BUSY, None),
        # In the place of a device that has left upon it.
        ({"status": 200}, None),
        ({"status": 403, "deliver_to_device": True}, CommandRejectedError),
        ({"status": 403}, AuthenticationError),
        ({"status": 400, "message": "no"}, RequestRefusedError),
    ],
)
async def test_restart(
    owner: OwnerClient,
    server: ScriptedServer,
    answer: dict[str, Any],
    expected: type[CloudError] | None,
) -> None:
    """A device that starts anew answers nothing; that somebody refuses is an error."""
    outcome, head = await ask(server, owner.restart(USER_KEY), http_answer(answer))
    assert "action=sys_reboot" in head
    assert (None if outcome is None else type(outcome)) is expected


@pytest.mark.parametrize("call", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        # The device's acknowledgement, the cloud's answer, or a hotel's: which one a
        # cloud gives is unknown, and the list shows what became of it.
        ({"status": 200, "nonce": 5, "deliver_to_device": True}, None),
        ({"status": 200}, None),
        (AWAY, DeviceOfflineError),
        (BUSY, DeviceBusyError),
        ({"status": 409, "deliver_to_device": True}, CommandRejectedError),
        ({"status": 403, "deliver_to_device": True}, CommandRejectedError),
        ({"status": 403}, AuthenticationError),
        ({"status": 400}, RequestRefusedError),
        (b"<!DOCTYPE html><p>Welcome", UnexpectedAnswerError),
    ],
)
async def test_change_of_timers(
    owner: OwnerClient,
    server: ScriptedServer,
    call: Call,
    answer: dict[str, Any] | bytes,
    expected: type[CloudError] | None,
) -> None:
    """Whoever answers."""
    outcome, _ = await ask(server, call(owner), http_answer(answer))
    assert outcome is None if expected is None else type(outcome) is expected


@pytest.mark.parametrize(
    ("timers", "number"),
    [
        ([{"id": 2**53 + 1}], 2**53 + 1),
        ([{"id": "5"}], None),
        ([{}], None),
        ([], None),
        ([{"id": 5}, {"id": 6}], None),
        ([None], None),
        ({"id": 5}, None),
        (None, None),
    ],
)
async def test_id_of_a_timer_that_was_added(
    owner: OwnerClient, server: ScriptedServer, timers: Any, number: int | None
) -> None:
    """None where the answer does not say it for sure: it was added all the same."""
    answer = http_answer({"status": 200, "timers": timers})
    outcome, head = await ask(server, owner.add_timer(USER_KEY, DAILY), answer)
    assert outcome == number
    assert "Time-Zone: Epoch\r\n" in head


async def test_zone_of_a_timer(owner: OwnerClient, server: ScriptedServer) -> None:
    """It is named where times are set, in place of the one that others use."""
    for zone in ("Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+8", "UTC"):
        call = owner.add_timer(USER_KEY, DAILY, time_zone=zone)
        _, head = await ask(server, call, http_answer({"status": 200}))
        assert [
            line for line in head.split("\r\n") if line.startswith("Time-Zone")
        ] == [f"Time-Zone: {zone}"]


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        ({"status": 200}, "200 OK"),
        ({"status": 403}, "200 OK"),
        ({}, "403 Forbidden"),
        ({"status": 500, "message": "devicekey not exists"}, "200 OK"),
    ],
)
async def test_key_that_is_gone(
    owner: OwnerClient, server: ScriptedServer, answer: dict[str, Any], line: str
) -> None:
    """Deleted now, or before."""
    call = owner.delete_key(USER_KEY)
    outcome, head = await ask(server, call, http_answer(answer, line))
    assert outcome is None
    assert head.startswith("POST /v1/key/?method=DELETE ")
    assert f"Authorization: token {USER_KEY}\r\n" in head


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (http_answer({"status": 401}), AuthenticationError),
        (http_answer({"status": 500}), RequestRefusedError),
        (http_answer(b"<h1>No", "403 Forbidden"), UnexpectedAnswerError),
    ],
)
async def test_key_that_may_still_be_there(
    owner: OwnerClient,
    server: ScriptedServer,
    answer: bytes,
    expected: type[CloudError],
) -> None:
    """What a proxy says of itself is no word of the key."""
    outcome, _ = await ask(server, owner.delete_key(USER_KEY), answer)
    assert type(outcome) is expected


async def test_more_points_than_a_cloud_gives(
    owner: OwnerClient, server: ScriptedServer
) -> None:
    """One that checks would refuse to."""
    call = owner.history(USER_KEY, "light", start=0, end=1, count=1001)
    _, head = await ask(server, call, http_answer({"datapoints": []}))
    assert "&row_count=1000&" in head


@pytest.mark.parametrize("token", ["", None, 5, "a b", "a\r\nCookie: x", "é", ["t"]])
async def test_share_token_unusable(
    owner: OwnerClient, server: ScriptedServer, token: Any
) -> None:
    """Nobody could show it."""
    answer = http_answer({"status": 200, "token": token})
    outcome, _ = await ask(server, owner.share(USER_KEY), answer)
    assert type(outcome) is UnexpectedAnswerError


@pytest.mark.parametrize("epoch", [None, "now", -1, 10**15, True, 1.5, []])
async def test_clock_unusable(
    stranger: CloudClient, server: ScriptedServer, epoch: Any
) -> None:
    """A cloud without a clock tells nothing of who is on-line."""
    answer = http_answer({"status": 200, "epoch": epoch})
    outcome, _ = await ask(server, stranger.ping(), answer)
    assert type(outcome) is UnexpectedAnswerError


@pytest.mark.parametrize(
    "call",
    [LIVE["write_live"], LIVE["call"], *CHANGES.values()],
    ids=["write_live", "call", *CHANGES],
)
async def test_command_that_is_given_up_is_withdrawn(
    owner: OwnerClient, server: ScriptedServer, call: Call
) -> None:
    """By a reset, as it must not be carried out later."""
    command = asyncio.ensure_future(call(owner))
    peer = await server.accept()
    await peer.receive_head()
    peer.stop_reading()
    command.cancel()
    await asyncio.wait([command])
    assert await peer.wait_reset()
    assert client_sockets(server.port) == 0


@settings(
    max_examples=60,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    answer=altered(
        {
            "status": 200,
            "nonce": 5,
            "datapoint": {"x": 1, "z": {"red": 5}},
            "deliver_to_device": True,
        }
    )
)
async def test_live_value_answered_with_anything(
    owner: OwnerClient, server: ScriptedServer, answer: dict[str, Any]
) -> None:
    """Any JSON in any field is a datapoint or one of the errors."""
    outcome, _ = await ask(server, LIVE["read_live"](owner), http_answer(answer))
    assert isinstance(outcome, CloudError) or outcome == answer["datapoint"]
