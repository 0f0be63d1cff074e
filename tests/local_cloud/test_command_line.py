"""`python -m local_cloud` as a person or a program runs it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
import json
import os
from pathlib import Path
import re
import shlex
import signal
import socket
import ssl
import sys
from typing import Any

from aiohttp import ClientSession
import pytest

from local_cloud.__main__ import main

from .certificates import make_certificate

ANY_PORTS = ["--http-port", "0", "--device-port", "0"]
ACCOUNT = ["--account", "a@example.org:pass:word"]
WAIT = 20


@asynccontextmanager
async def _running(*options: str) -> AsyncGenerator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "local_cloud", *options,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def _ready(process: asyncio.subprocess.Process) -> Any:
    assert process.stdout is not None
    async with asyncio.timeout(WAIT):
        return json.loads(await process.stdout.readline())


async def _end(
    process: asyncio.subprocess.Process, number: int = signal.SIGTERM
) -> str:
    """End it as asked and return what it still printed; nothing on stderr."""
    process.send_signal(number)
    async with asyncio.timeout(WAIT):
        out, error = await process.communicate()
    assert (process.returncode, error.decode()) == (0, "")
    return out.decode()


async def _fails(*options: str) -> tuple[int | None, str]:
    async with _running(*options) as process, asyncio.timeout(WAIT):
        out, error = await process.communicate()
    assert out == b""
    assert b"Traceback" not in error
    return process.returncode, error.decode()


async def test_json(tmp_path: Path) -> None:
    """One line of the documented shape, and everything in it works."""
    state = str(tmp_path / "state.json")
    options = [
        *ANY_PORTS,
        *ACCOUNT,
        "--device",
        "lamp",
        "--device",
        "灯",
        "--json",
        "--state",
        state,
    ]
    async with _running(*options) as process:
        ready = await _ready(process)
        assert list(ready) == ["http", "device", "account", "devices"]
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", ready["http"])
        assert re.fullmatch(r"127\.0\.0\.1:\d+", ready["device"])
        assert ready["account"] == {
            "email": "a@example.org",
            "password": "pass:word",
            "user_id": 1,
        }
        assert [device["name"] for device in ready["devices"]] == ["lamp", "灯"]
        assert list(ready["devices"][0]) == [
            "id",
            "name",
            "serial",
            "master_key",
            "owner_key",
        ]
        host, port = ready["device"].split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        meta = {"Authorization": f"token {ready['devices'][0]['master_key']}"}
        writer.write(
            json.dumps({"path": "/v1/device/identify", "meta": meta}).encode() + b"\n"
        )
        assert json.loads(await reader.readline())["device"]["name"] == "lamp"
        async with ClientSession() as session:
            sign_in = json.dumps({"email": "a@example.org", "password": "pass:word"})
            async with session.post(
                f"{ready['http']}/v1/keys/", data=sign_in
            ) as response:
                assert response.status == 200
            headers = {"Authorization": f"token {ready['devices'][1]['owner_key']}"}
            async with session.get(
                f"{ready['http']}/v1/device/", headers=headers
            ) as response:
                assert (await response.json())["device"]["name"] == "灯"
        assert await _end(process) == ""
        assert await reader.read() == b""
        writer.close()

    # The same again: nothing is doubled, the keys are the same; a third device is new.
    async with _running(*options, "--device", "third") as process:
        again = await _ready(process)
        assert again["account"] == ready["account"]
        assert again["devices"][:2] == ready["devices"]
        assert again["devices"][2]["id"] == 3
        await _end(process, signal.SIGINT)

    # Without names all of the account's devices are there; another password is the new one, and
    # ends the owner keys.
    options = [*ANY_PORTS, "--account", "A@example.org:new", "--json", "--state", state]
    async with _running(*options) as process:
        third = await _ready(process)
        master_keys = [each["master_key"] for each in again["devices"]]
        assert [each["master_key"] for each in third["devices"]] == master_keys
        for one, former in zip(third["devices"], again["devices"], strict=True):
            assert one["owner_key"] != former["owner_key"]
        async with ClientSession() as session:
            for password, status in (("pass:word", 403), ("new", 200)):
                sign_in = json.dumps({"email": "a@example.org", "password": password})
                async with session.post(
                    f"{third['http']}/v1/keys/", data=sign_in
                ) as response:
                    assert response.status == status
        await _end(process)


async def test_without_an_account() -> None:
    """Devices belong to nobody then."""
    async with _running(
        *ANY_PORTS, "--device", "lamp", "--device", "lamp", "--json"
    ) as process:
        ready = await _ready(process)
        assert ready["account"] is None
        [device] = ready["devices"]
        assert device["owner_key"] is None
        assert len(device["master_key"]) == 40
        await _end(process)


async def test_text() -> None:
    """What a person reads has lines that can be run as they stand."""
    options = [*ANY_PORTS, *ACCOUNT, "--device", "it's a lamp"]
    async with _running(*options) as process:
        assert process.stdout is not None
        async with asyncio.timeout(WAIT):
            text = b""
            while text.count(b"  curl") < 4:
                text += await process.stdout.readline()
        lines = text.decode().splitlines()
        assert lines[0] == "local_cloud is ready; Ctrl-C ends it."
        assert "it's a lamp (id 1, serial " in text.decode()
        assert "a@example.org, password pass:word" in text.decode()
        curls = [shlex.split(line) for line in lines if line.startswith("  curl")]
        async with ClientSession() as session:
            for curl, status in zip(curls, (200, 200, 404, 404), strict=True):
                headers = dict(
                    [curl[curl.index("-H") + 1].split(": ")] if "-H" in curl else []
                )
                data = curl[curl.index("-d") + 1] if "-d" in curl else None
                async with session.request(
                    "POST" if data else "GET", curl[-1], data=data, headers=headers
                ) as response:
                    answer = await response.json(content_type=None)
                    assert response.status == answer["status"] == status
        assert await _end(process, signal.SIGINT) == ""


async def test_tls(tmp_path: Path) -> None:
    """Both ports speak TLS, and the text says how to trust them."""
    cert, key = make_certificate(tmp_path)
    tls = ["--cert", str(cert), "--key", str(key)]
    async with _running(
        *ANY_PORTS, *ACCOUNT, "--device", "lamp", "--json", *tls
    ) as process:
        ready = await _ready(process)
        assert ready["http"].startswith("https://127.0.0.1:")
        context = ssl.create_default_context(cafile=cert)
        async with (
            ClientSession() as session,
            session.get(f"{ready['http']}/v1/ping/", ssl=context) as response,
        ):
            assert response.status == 200
        host, port = ready["device"].split(":")
        reader, writer = await asyncio.open_connection(host, int(port), ssl=context)
        writer.write(b'{"path": "/v1/ping/"}\n')
        assert b"ping success" in await reader.readline()
        await _end(process)
        writer.close()
    async with _running(*ANY_PORTS, *tls) as process:
        assert process.stdout is not None
        async with asyncio.timeout(WAIT):
            while not (line := await process.stdout.readline()).startswith(b"  curl"):
                pass
        assert f"curl --cacert {cert} https://" in line.decode()
        await _end(process)


async def test_a_damaged_state_file(tmp_path: Path) -> None:
    """One line says so, and the file stays as it is."""
    state = tmp_path / "state.json"
    state.write_text("damaged")
    code, error = await _fails(*ANY_PORTS, "--state", str(state))
    assert code == 1
    assert error == (
        f"local_cloud: the state file {state} is damaged (it is not JSON); it was left as it is: "
        "repair it, or move it away to start afresh\n"
    )
    assert state.read_text() == "damaged"


async def test_a_port_that_is_taken() -> None:
    """One line says so."""
    async with _running(*ANY_PORTS, "--json") as process:
        port = (await _ready(process))["device"].split(":")[1]
        code, error = await _fails("--http-port", "0", "--device-port", port)
        await _end(process)
    assert code == 1
    assert error.startswith("local_cloud: ")
    assert f"'127.0.0.1', {port}" in error
    assert "address already in use" in error


@pytest.mark.parametrize(
    "options",
    [
        ["--http-port", "70000"], ["--device-port", "x"], ["--account", "a@example.org"],
        ["--account", ":p"], ["--account", "a@example.org:"], ["--cert", "c"], ["--key", "k"],
        ["--what"], ["--device", ""],
    ],
)  # fmt: skip
def test_options_that_are_none(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """They are explained, with the exit status of a wrong command line."""
    with pytest.raises(SystemExit) as ended:
        main(options)
    assert ended.value.code == 2
    assert "python -m local_cloud: error: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--account", "no address:p"], "email must be an e-mail address"),
        (["--cert", "/no/cert", "--key", "/no/key"], "No such file"),
    ],
)
async def test_options_that_do_not_work(options: list[str], reason: str) -> None:
    """One line says why; never a traceback."""
    code, error = await _fails(*ANY_PORTS, *options)
    assert code == 1
    assert re.fullmatch(rf"local_cloud: .*{reason}.*\n", error)


async def test_nobody_listens_to_its_output() -> None:
    """It serves all the same."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    reading, writing = os.pipe()
    os.close(reading)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "local_cloud", "--http-port", "0", "--device-port", str(port),
        stdout=writing, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    os.close(writing)
    async with asyncio.timeout(WAIT):
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                break
            except ConnectionRefusedError:
                await asyncio.sleep(0.05)
        writer.write(b'{"path": "/v1/ping/"}\n')
        assert b"ping success" in await reader.readline()
        writer.close()
        process.send_signal(signal.SIGTERM)
        _, error = await process.communicate()
    assert (process.returncode, error) == (0, b"")
