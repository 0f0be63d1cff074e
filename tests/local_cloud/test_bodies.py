"""Bodies of HTTP requests: how much of them is taken, from whom."""

import asyncio
from collections.abc import AsyncGenerator
import zlib

import pytest

from custom_components.espcloud.local_cloud import Limits, LocalCloud
from custom_components.espcloud.local_cloud.models import User
from custom_components.espcloud.local_cloud.wire import MAX_CONTAINERS, MAX_VALUES

from .helpers import WAIT, Api, until

FIND = "/v1/user/find/"


class Post:
    """A request whose body comes in pieces."""

    def __init__(self, cloud: LocalCloud, key: str, length: int) -> None:
        """Announce a body of this length."""
        self._cloud = cloud
        self._head = (
            f"POST {FIND} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n"
            f"Authorization: token {key}\r\n\r\n"
        ).encode()
        self._writer: asyncio.StreamWriter
        self._reader: asyncio.StreamReader

    async def send(self, body: bytes) -> None:
        """Connect and send a piece; return when it was taken in."""
        bodies = self._cloud._http_server._bodies
        before = list(bodies._sizes.values()).count(len(body))
        await self.connect(body)
        await until(lambda: list(bodies._sizes.values()).count(len(body)) > before)

    async def connect(self, body: bytes) -> None:
        """Connect and send a piece."""
        host, port = self._cloud.http_url.removeprefix("http://").split(":")
        self._reader, self._writer = await asyncio.open_connection(host, int(port))
        self.write(self._head + body)

    def write(self, data: bytes) -> None:
        """Send more."""
        self._writer.write(data)

    def hang_up(self) -> None:
        """End the connection."""
        self._writer.close()

    async def finish(self, body: bytes = b"") -> int:
        """Send the rest and return the status of the answer."""
        self.write(body)
        async with asyncio.timeout(WAIT):
            line = await self._reader.readline()
        self.hang_up()
        return int(line.split()[1])


class TestAllTogether:
    """What is not complete yet has a limit for all together."""

    @pytest.fixture
    async def cloud(self) -> AsyncGenerator[LocalCloud]:
        """Run a cloud that takes 100 kB of unfinished bodies."""
        cloud = LocalCloud(limits=Limits(http_bodies=100_000))
        await cloud.start()
        yield cloud
        await cloud.close()

    async def test_the_longest_gives_way(
        self, cloud: LocalCloud, user_key: str
    ) -> None:
        """The others are answered, and nothing is left."""
        bodies = cloud._http_server._bodies
        longest, short, last = (
            Post(cloud, user_key, length) for length in (60_000, 10_001, 45_001)
        )
        await longest.send(b" " * 50_000)
        await short.send(b" " * 10_000)
        assert bodies.total == 60_000
        await last.send(b" " * 45_000)
        assert await longest.finish() == 503
        assert bodies.total == 55_000
        # 400: a name is missing in what they sent.
        assert await short.finish(b" ") == 400
        assert await last.finish(b" ") == 400
        assert bodies.total == 0

    async def test_many_that_stall(
        self, cloud: LocalCloud, api: Api, user: User, user_key: str
    ) -> None:
        """They never hold more than the limit, and somebody else is served."""
        bodies = cloud._http_server._bodies
        stalled = [Post(cloud, user_key, 1 << 20) for _ in range(20)]
        for number, post in enumerate(stalled):
            if number < 5:
                await post.send(b" " * 20_000)
            else:
                await post.connect(b" " * 20_000)
                assert await stalled[number - 5].finish() == 503
            assert bodies.total == 20_000 * min(number + 1, 5)
        assert (await api.post(FIND, {"email": user.email})).status == 200
        for post in stalled[15:]:
            post.hang_up()
        await until(lambda: bodies.total == 0)

    async def test_one_that_is_too_large_does_not_count(
        self, cloud: LocalCloud, user_key: str
    ) -> None:
        """It is read on, to be refused, and forgotten."""
        bodies = cloud._http_server._bodies
        stranger = Post(cloud, "0" * 40, 1 << 20)
        await stranger.send(b" " * 16_000)
        stranger.write(b" " * 80_000)
        await until(lambda: bodies.total == 0)
        assert await stranger.finish(b" " * ((1 << 20) - 96_000)) == 413


async def test_a_body_without_a_key(api: Api, user_key: str, owner_key: str) -> None:
    """Enough to sign in; with any key that exists, a MiB."""
    for key, limit in (
        (None, 16 << 10),
        ("0" * 40, 16 << 10),
        (user_key, 1 << 20),
        (owner_key, 1 << 20),
    ):
        assert (await api.post(FIND, b" " * limit, key=key)).status == 400
        reply = await api.post(FIND, b" " * (limit + 1), key=key)
        assert (reply.status, reply.json["status"]) == (413, 413)


@pytest.mark.parametrize("key", [False, True])
@pytest.mark.parametrize("encoding", ["deflate", "gzip", "br"])
async def test_nothing_is_inflated(
    api: Api, user_key: str, key: bool, encoding: str
) -> None:
    """Whatever it holds, and whoever sends it."""
    for body in (zlib.compress(b" " * (2 << 20)), zlib.compress(b"{}"), b"none"):
        headers = {"Content-Encoding": encoding}
        reply = await api.post(
            FIND, body, headers=headers, key=user_key if key else None
        )
        assert (reply.status, reply.json) == (
            415,
            {"message": "the body must not be compressed", "status": 415},
        )
    headers = {"Content-Encoding": "identity"}
    assert (await api.post(FIND, {}, headers=headers)).status == 400


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[]," * (MAX_CONTAINERS - 2) + b"[]", 413),
        (b"[]," * (MAX_CONTAINERS - 3) + b"[]", 400),
        (b"0," * (MAX_VALUES + 1) + b"0", 413),
        (b"0," * MAX_VALUES + b"0", 400),
    ],
    ids=["lists", "fewer lists", "numbers", "fewer numbers"],
)
async def test_a_body_with_too_many_values_is_not_parsed(
    api: Api, user_key: str, body: bytes, status: int
) -> None:
    """A MiB of them would keep everybody waiting for a third of a second."""
    reply = await api.post(FIND, b'{"a": [' + body + b"]}", key=user_key)
    assert reply.status == status
