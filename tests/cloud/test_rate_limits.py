"""What the heads of answers say of how many requests are allowed."""

from hypothesis import given, settings, strategies as st
from multidict import CIMultiDict
import pytest

from custom_components.espcloud.cloud import (
    CloudClient,
    CloudError,
    RateLimitedError,
    RateLimits,
)
from custom_components.espcloud.cloud.rate_limits import retry_after

from .helpers import USER_KEY, ask
from .scripted_server import ScriptedServer, http_answer

DATE = "Wed, 08 Jul 2015 03:06:14 GMT"
NOW = 1436324774
PING = {"status": 200, "epoch": NOW}


async def test_limits_last_seen(stranger: CloudClient, server: ScriptedServer) -> None:
    """Of any answer, by whichever client; one that says nothing changes nothing."""
    assert stranger.limits is None
    await ask(server, stranger.ping(), http_answer(PING))
    assert stranger.limits is None
    full = http_answer(
        PING,
        "200 OK",
        "X-RateLimit-Limit: 3600",
        "X-RateLimit-Remaining: 3599",
        f"X-RateLimit-Reset: {NOW + 900}",
    )
    await ask(server, stranger.ping(), full)
    assert stranger.limits == RateLimits(3600, 3599, NOW + 900)
    await ask(server, stranger.ping(), http_answer(PING))
    assert stranger.limits == RateLimits(3600, 3599, NOW + 900)
    refused = http_answer(
        b"<h1>No", "500 Oops", "x-ratelimit-remaining: 0", "X-RateLimit-Limit: many"
    )
    await ask(server, stranger.owner.list_timers(USER_KEY), refused)
    assert stranger.limits == RateLimits(None, 0, None)


@pytest.mark.parametrize("value", ["", "-1", "1.5", "٥", "0x10", "9" * 30, "9" * 18])
def test_number_that_is_none(value: str) -> None:
    """As if the header were not there."""
    headers = {"X-RateLimit-Limit": value, "X-RateLimit-Remaining": "5"}
    assert RateLimits.from_headers(headers) == RateLimits(None, 5, None)
    del headers["X-RateLimit-Remaining"]
    assert RateLimits.from_headers(headers) is None


@pytest.mark.parametrize("body", [{"status": 429, "message": "slow"}, b"<h1>Slow down"])
@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ((), None),
        (("Retry-After: 17",), 17.0),
        (("Retry-After: 0",), 1.0),
        (("Retry-After: 86400",), 3600.0),
        (("Retry-After: Wed, 08 Jul 2015 03:07:14 GMT", f"Date: {DATE}"), 60.0),
        ((f"X-RateLimit-Reset: {NOW + 900}", f"Date: {DATE}"), 900.0),
        ((f"X-RateLimit-Reset: {NOW - 5}", f"Date: {DATE}"), 1.0),
        # Its clock may be another than ours.
        ((f"X-RateLimit-Reset: {NOW + 900}",), None),
        (("Retry-After: 5", f"X-RateLimit-Reset: {NOW + 900}", f"Date: {DATE}"), 5.0),
        (("Retry-After: soon", f"Date: {DATE}"), None),
        (
            ("Retry-After: soon", f"X-RateLimit-Reset: {NOW + 9}", f"Date: {DATE}"),
            9.0,
        ),
    ],
)
async def test_wait(
    stranger: CloudClient,
    server: ScriptedServer,
    body: bytes | dict[str, object],
    headers: tuple[str, ...],
    wait: float | None,
) -> None:
    """The error says when to ask again, from JSON and from what stands in front."""
    answer = http_answer(body, "429 Too Many Requests", *headers)
    for call in (stranger.ping(), stranger.owner.call(USER_KEY, "LED_ON", {})):
        outcome, _ = await ask(server, call, answer)
        assert isinstance(outcome, RateLimitedError)
        assert outcome.retry_after == wait


def test_error_without_a_wait() -> None:
    """Where nothing is known, nothing is said."""
    error: CloudError = RateLimitedError("slow")
    assert isinstance(error, RateLimitedError)
    assert error.retry_after is None


_written = st.text(max_size=40) | st.sampled_from(
    [DATE, "Wed, 08 Jul 2015 03:06:14 -0000", "1 Jan 1 00:00:00 +2359", "5"]
)


@settings(max_examples=200, deadline=None, database=None)
@given(after=_written, date=_written, reset=_written)
def test_any_header(after: str, date: str, reset: str) -> None:
    """Whatever a head holds, a wait is none or within its bounds."""
    headers = CIMultiDict(
        {"retry-after": after, "date": date, "x-ratelimit-reset": reset}
    )
    wait = retry_after(headers)
    assert wait is None or 1 <= wait <= 3600
    RateLimits.from_headers(headers)
