"""Objects that span lines, as people paste them into a TCP assistant."""

import json
from typing import Any

import pytest

from custom_components.espcloud.local_cloud import Limits, LocalCloud
from custom_components.espcloud.local_cloud.frame_reader import FrameReader
from custom_components.espcloud.local_cloud.frames import LineTooLongError
from custom_components.espcloud.local_cloud.models import Device

from .helpers import DeviceSocket

PING = b'{"path": "/v1/ping/", "nonce": 7}'


def pasted(frame: dict[str, Any]) -> bytes:
    """Return a frame as a tutorial prints it."""
    return json.dumps(frame, indent=4).encode() + b"\n"


async def test_a_pasted_session(
    cloud: LocalCloud, socket: DeviceSocket, device: Device
) -> None:
    """Identify and ping, each over several lines: one answer each, on one line."""
    meta = {"Authorization": f"token {cloud.master_key(device)}"}
    path = "/v1/device/identify"
    socket.send(pasted({"nonce": 5, "path": path, "method": "GET", "meta": meta}))
    answer = await socket.receive()
    assert (answer["status"], answer["nonce"]) == (200, 5)
    assert cloud.is_online(device)
    socket.send(pasted({"path": "/v1/ping/", "meta": meta, "body": {}, "nonce": 6}))
    assert (await socket.receive())["nonce"] == 6


async def test_what_never_ends_is_refused_in_time(cloud: LocalCloud) -> None:
    """With one answer, without waiting for more; the connection goes on."""
    hasty = LocalCloud(limits=Limits(unfinished_object=0.05))
    await hasty.start()
    try:
        async with DeviceSocket(hasty) as socket:
            socket.send(b'{\n"path": "/v1/ping/",\n')
            assert (await socket.receive())["message"] == "malformed frame"
            socket.send(PING + b"\n")
            assert (await socket.receive())["nonce"] == 7
    finally:
        await hasty.close()


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param([b"{", b'"nonce": 1', b"}"], [[], [], [{"nonce": 1}]], id="pasted"),
        pytest.param(
            [b'{"a": "}{\\"}",', b'"b": "\\\\"}'],
            [[], [{"a": '}{"}', "b": "\\"}]],
            id="braces and escapes in texts",
        ),
        pytest.param(
            [b'{"a": [', b'{"b": 1}', b"]}"],
            [[], [], [{"a": [{"b": 1}]}]],
            id="a record that fills a line",
        ),
        pytest.param([b"{", PING], [[], [None, json.loads(PING)]], id="a frame ends it"),
        pytest.param([b"x", PING], [[None], [json.loads(PING)]], id="no object"),
        pytest.param([b'"a": {', PING], [[None], [json.loads(PING)]], id="no beginning"),
        pytest.param([b'{"a', PING], [[None], [json.loads(PING)]], id="an open text"),
        pytest.param([b'{"a" 1}', PING], [[None], [json.loads(PING)]], id="no JSON"),
        pytest.param([b"{", b"1", b"}", PING], [[], [], [None], [json.loads(PING)]], id="no JSON inside"),
    ],
)  # fmt: skip
def test_lines(lines: list[bytes], expected: list[Any]) -> None:
    """Each line completes what it completes, and a broken one costs only itself."""
    reader = FrameReader(1000)
    assert [reader.take(line) for line in lines] == expected
    assert len(reader) == 0


def test_the_limit_of_a_line_holds_for_all_of_them() -> None:
    """Else a line without end would only have to be cut up."""
    reader = FrameReader(20)
    reader.take(b'{"a": [')
    reader.take(b"1, 2, 3, 4,")
    with pytest.raises(LineTooLongError):
        reader.take(b"5")
