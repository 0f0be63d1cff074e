"""What is read from the cloud's answers."""

import re
from typing import Any

from hypothesis import given, settings
import pytest

from custom_components.espcloud.cloud import (
    Push,
    PushKind,
    UnexpectedAnswerError,
    UserKey,
    is_key,
    new_token,
    virtual_bssid,
)
from custom_components.espcloud.cloud.fields import refuses_key, status_of

from .helpers import CALLER_TOKEN, USER_KEY, altered, push_frame

KEYS = {"keys": [{"user_id": 7, "token": USER_KEY, "name": "x"}], "status": 200}

anything = settings(max_examples=100, deadline=None, database=None)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("0123456789abcdef" * 2 + "01234567", True),
        ("0" * 39, False),
        ("0" * 41, False),
        ("0" * 39 + "\n", False),
        ("0" * 40 + "\n", False),
        ("A" * 40, False),
        ("g" * 40, False),
        ("٠" * 40, False),
        ("", False),
    ],
)
def test_form_of_a_key(text: str, answer: bool) -> None:
    """Forty lower-case hexadecimal digits and nothing else."""
    assert is_key(text) is answer


def test_tokens_are_fresh() -> None:
    """Forty characters of the app's alphabet, never the same twice."""
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(re.fullmatch("[0-9a-z]{40}", token) for token in tokens)
    assert set("".join(tokens)) == set("0123456789abcdefghijklmnopqrstuvwxyz")


def test_virtual_address() -> None:
    """A device keeps its address, no other has it, and it is nobody's hardware."""
    addresses = [virtual_bssid(device_id) for device_id in range(1000)]
    assert len(set(addresses)) == 1000
    assert addresses[301] == virtual_bssid(301)
    assert all(re.fullmatch("02(:[0-9a-f]{2}){5}", each) for each in addresses)


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ({"status": 200}, 200),
        ({"status": "200"}, 200),
        ({"status": "404"}, 404),
        ({"status": "000000200"}, 200),
        ({"status": -1}, -1),
        ({}, 302),
    ],
)
def test_status(answer: dict[str, Any], status: int) -> None:
    """A number, a numeric text, or what stands in for it."""
    assert status_of(answer, default=302) == status


def test_status_missing_over_tcp() -> None:
    """Where there is no status line an answer without a status is a good one."""
    assert status_of({}) == 200


@pytest.mark.parametrize(
    "status",
    [
        None,
        True,
        200.0,
        "",
        "ok",
        " 200",
        "200 ",
        "200\n",
        "-200",
        "2e2",
        "٢٠٠",
        "²",
        "0" * 7 + "2001",
        "9" * 5000,
        [200],
        {},
    ],
)
def test_status_unusable(status: Any) -> None:
    """Nothing else is guessed at."""
    with pytest.raises(UnexpectedAnswerError):
        status_of({"status": status})


def test_user_key() -> None:
    """The key is there to be used, not to be shown."""
    key = UserKey.from_answer(KEYS)
    assert (key.user_id, key.token) == (7, USER_KEY)
    assert USER_KEY not in repr(key)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"keys": None},
        {"keys": []},
        {"keys": {}},
        {"keys": ["text"]},
        {"keys": [{}]},
        {"keys": [{"user_id": 7}]},
        {"keys": [{"user_id": 7, "token": 5}]},
        {"keys": [{"user_id": 7, "token": ""}]},
        {"keys": [{"user_id": 7, "token": "two words"}]},
        {"keys": [{"user_id": 7, "token": f"{USER_KEY}\r\nCookie: stolen"}]},
        {"keys": [{"user_id": 7, "token": "钥匙"}]},
        {"keys": [{"token": USER_KEY}]},
        {"keys": [{"user_id": "7", "token": USER_KEY}]},
        {"keys": [{"user_id": True, "token": USER_KEY}]},
    ],
)
def test_user_key_unusable(answer: dict[str, Any]) -> None:
    """A key that cannot stand in a header is none, and is not shown either."""
    with pytest.raises(UnexpectedAnswerError) as caught:
        UserKey.from_answer(answer)
    assert USER_KEY not in str(caught.value)


def test_push() -> None:
    """A push as the handler sees it: without the caller's token."""
    push = Push.from_frame(push_frame(method="post", body={"datapoint": {"x": 1}}))
    assert push == Push(
        nonce=912639262,
        path="/v1/device/rpc/",
        method="POST",
        parameters={"action": "LED_ON"},
        body={"datapoint": {"x": 1}},
    )
    assert push.action == "LED_ON"
    assert CALLER_TOKEN not in repr(push)


@pytest.mark.parametrize("absent", [{}, {"get": None, "body": None}])
def test_push_without_parameters(absent: dict[str, Any]) -> None:
    """What is not there, or is null, is empty; without a method it is a GET."""
    push = Push.from_frame({"path": "/v1/device/rpc", "nonce": 1, **absent})
    assert push == Push(1, "/v1/device/rpc", "GET", {}, {})
    assert push.action is None


@pytest.mark.parametrize(
    "members",
    [
        {"nonce": None},
        {"nonce": "5"},
        {"nonce": 5.0},
        {"nonce": True},
        {"path": None},
        {"path": 5},
        {"method": None},
        {"method": 5},
        {"get": "action"},
        {"get": []},
        {"body": "text"},
        {"body": 0},
    ],
)
def test_push_unusable(members: dict[str, Any]) -> None:
    """Wrong types are refused, not guessed at."""
    with pytest.raises(UnexpectedAnswerError):
        Push.from_frame(push_frame(**members))


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/v1/device/rpc/", PushKind.RPC),
        ("/v1/device/rpc", PushKind.RPC),
        ("//v1/device/rpc/", PushKind.RPC),
        ("/v1/datastreams/light/datapoint/", PushKind.DATAPOINT),
        ("/v1/datastreams/plug-status/datapoints", PushKind.DATAPOINT),
        ("/v1/device/timers/", PushKind.TIMERS),
        ("/v1/device/", PushKind.OTHER),
        ("/v2/device/rpc/", PushKind.OTHER),
        ("/v1/device/rpc/more", PushKind.OTHER),
        ("/v1/datastreams/datapoint/", PushKind.OTHER),
        ("", PushKind.OTHER),
        ("/", PushKind.OTHER),
    ],
)
def test_kind_of_a_push(path: str, kind: PushKind) -> None:
    """The path tells, with or without its slashes; only an RPC has an action."""
    push = Push.from_frame(push_frame(path=path))
    assert push.kind is kind
    assert push.action == ("LED_ON" if kind is PushKind.RPC else None)


@pytest.mark.parametrize("action", [None, 5, ["LED_ON"], {}])
def test_action_that_is_no_text(action: Any) -> None:
    """An odd action is no action."""
    assert Push.from_frame(push_frame(get={"action": action})).action is None


@anything
@given(altered(KEYS))
def test_any_user_key(answer: dict[str, Any]) -> None:
    """Anything in any place gives a value or the one error."""
    try:
        key = UserKey.from_answer(answer)
    except UnexpectedAnswerError:
        return
    assert type(key.user_id) is int
    assert key.token.isascii() and key.token.isprintable() and " " not in key.token


@anything
@given(altered(push_frame(body={"datapoint": {"x": 1}})))
def test_any_push(frame: dict[str, Any]) -> None:
    """Anything in any place gives a push or the one error."""
    try:
        push = Push.from_frame(frame)
    except UnexpectedAnswerError:
        return
    assert type(push.nonce) is int
    assert isinstance(push.parameters, dict) and isinstance(push.body, dict)
    assert isinstance(push.kind, PushKind)
    assert push.action is None or isinstance(push.action, str)


@anything
@given(altered({"status": 200, "message": "ping success"}))
def test_any_status(answer: dict[str, Any]) -> None:
    """Anything in any place gives a number or the one error."""
    try:
        status = status_of(answer)
    except UnexpectedAnswerError:
        return
    assert type(status) is int
    assert type(refuses_key(status, answer)) is bool
