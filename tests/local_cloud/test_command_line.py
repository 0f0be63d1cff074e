"""`local-cloud` as a person or a program runs it."""

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

from custom_components.espcloud.local_cloud import __main__ as command
from custom_components.espcloud.local_cloud.__main__ import main
from custom_components.espcloud.local_cloud.command_line import PASSWORD_VARIABLE, parse
from custom_components.espcloud.local_cloud.retention import Retention

from .certificates import make_certificate
from .helpers import LOCAL_CLOUD

ANY_PORTS = ["--http-port", "0", "--device-port", "0"]
ACCOUNT = ["--account", "a@example.org:pass:word"]
KEY = "00112233445566778899aabbccddeeff00112233"
TLS_PORTS = ["--https-port", "0", "--device-tls-port", "0"]
WAIT = 20


@asynccontextmanager
async def _running(
    *options: str,
    env: dict[str, str] | None = None,
    stdin: int = asyncio.subprocess.DEVNULL,
) -> AsyncGenerator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, LOCAL_CLOUD, *options, env=env, stdin=stdin,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # else a question goes to the terminal of whoever tests
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
    process: asyncio.subprocess.Process,
    number: int = signal.SIGTERM,
    *,
    error: str = "",
) -> str:
    """End it as asked and return what it still printed; nothing else on stderr."""
    process.send_signal(number)
    async with asyncio.timeout(WAIT):
        out, complaint = await process.communicate()
    assert (process.returncode, complaint.decode()) == (0, error)
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
        assert list(ready) == [
            "http",
            "https",
            "site",
            "device",
            "device_tls",
            "websocket",
            "websocket_tls",
            "account",
            "devices",
        ]
        for name in ("https", "device_tls", "websocket", "websocket_tls"):
            assert ready[name] is None
        assert ready["site"] == f"{ready['http']}/"
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", ready["http"])
        assert re.fullmatch(r"127\.0\.0\.1:\d+", ready["device"])
        assert ready["account"] == {"email": "a@example.org", "user_id": 1}
        assert [device["name"] for device in ready["devices"]] == ["lamp", "灯"]
        assert list(ready["devices"][0]) == [
            "id",
            "name",
            "ptype",
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
            while text.count(b"  curl") < 3:
                text += await process.stdout.readline()
        lines = text.decode().splitlines()
        assert lines[0] == "local-cloud is ready; Ctrl-C ends it."
        assert "it's a lamp (light, id 1, serial " in text.decode()
        assert "a@example.org" in text.decode()
        assert "pass:word" not in text.decode()
        curls = [shlex.split(line) for line in lines if line.startswith("  curl")]
        async with ClientSession() as session:
            for curl, status in zip(curls, (200, 404, 404), strict=True):
                headers = dict(
                    [curl[curl.index("-H") + 1].split(": ")] if "-H" in curl else []
                )
                async with session.get(curl[-1], headers=headers) as response:
                    answer = await response.json(content_type=None)
                    assert response.status == answer["status"] == status
        assert await _end(process, signal.SIGINT) == ""


@pytest.fixture
def certificate(tmp_path: Path) -> list[str]:
    """Return the options that name a certificate and its key."""
    cert, key = make_certificate(tmp_path)
    return ["--cert", str(cert), "--key", str(key)]


async def test_plain_and_tls_side_by_side(certificate: list[str]) -> None:
    """Four ports, of which two speak TLS; a device at one is commanded from the others."""
    options = [*ANY_PORTS, *TLS_PORTS, *certificate, "--device", "lamp", "--json"]
    async with _running(*options) as process:
        ready = await _ready(process)
        context = ssl.create_default_context(cafile=certificate[1])
        [device] = ready["devices"]
        meta = {"Authorization": f"token {device['master_key']}"}
        identify = json.dumps({"path": "/v1/device/identify", "meta": meta}).encode()
        for name, trust in (("device", None), ("device_tls", context)):
            host, port = ready[name].split(":")
            reader, writer = await asyncio.open_connection(host, int(port), ssl=trust)
            writer.write(identify + b"\n")
            assert json.loads(await reader.readline())["status"] == 200
            for scheme in ("http", "https"):
                assert ready[scheme].startswith(f"{scheme}://127.0.0.1:")
                async with ClientSession(headers=meta) as session:
                    rpc = "/v1/device/rpc/?deliver_to_device=true&action=LED_ON"
                    asking = asyncio.ensure_future(
                        session.get(ready[scheme] + rpc, ssl=context)
                    )
                    push = json.loads(await reader.readline())
                    answer = {"status": 200, "nonce": push["nonce"]}
                    writer.write(json.dumps(answer).encode() + b"\n")
                    async with await asking as response:
                        assert response.status == 200
            writer.close()
        await _end(process)


@pytest.mark.parametrize(
    ("options", "closed"),
    [
        (["--https-port", "0", "--device-port", "0"], {"http", "device_tls"}),
        (["--http-port", "0", "--device-tls-port", "0"], {"https", "device"}),
        (TLS_PORTS, {"http", "device"}),
    ],
)
async def test_only_the_ports_that_are_named_open(
    certificate: list[str], options: list[str], closed: set[str]
) -> None:
    """A TLS port leaves the plain one closed where that is not named as well."""
    async with _running(*options, *certificate, "--json") as process:
        ready = await _ready(process)
        addresses = {"http", "https", "device", "device_tls"}
        assert {name for name in addresses if ready[name] is None} == closed
        await _end(process)


async def test_tls_as_text(certificate: list[str]) -> None:
    """The text says which ports speak TLS and how to trust them."""
    cert = certificate[1]
    async with _running(*TLS_PORTS, *certificate) as process:
        assert process.stdout is not None
        text = ""
        async with asyncio.timeout(WAIT):
            while "  curl" not in text:
                text += (await process.stdout.readline()).decode()
        assert re.search(r"^HTTPS API    https://127\.0\.0\.1:\d+$", text, re.MULTILINE)
        assert re.search(r"^device port  127\.0\.0\.1:\d+ \(TLS\)$", text, re.MULTILINE)
        assert f"curl --cacert {cert} https://" in text
        await _end(process)


async def test_websocket_ports(certificate: list[str]) -> None:
    """They open where they are named, plain and with TLS, and the others do all the same."""
    ports = ["--websocket-port", "0", "--websocket-tls-port", "0", *ANY_PORTS]
    async with _running(*ports, *certificate, "--json") as process:
        ready = await _ready(process)
        assert ready["device"] is not None
        context = ssl.create_default_context(cafile=certificate[1])
        for name, scheme in (("websocket", "ws"), ("websocket_tls", "wss")):
            assert ready[name].startswith(f"{scheme}://127.0.0.1:")
            async with (
                ClientSession() as session,
                session.ws_connect(ready[name], ssl=context) as websocket,
            ):
                await websocket.send_str('{"path": "/v1/ping/"}')
                assert "ping success" in await websocket.receive_str()
        await _end(process)


async def test_kinds_and_keys_of_devices(tmp_path: Path) -> None:
    """A device has the kind and the master key that it is given, at every start."""
    options = [*ANY_PORTS, *ACCOUNT, "--json", "--state", str(tmp_path / "state.json")]
    wishes = [f"Fridge:plug:{KEY.upper()}", "Rail:Strip", "Door:27388", "Desk: :"]
    wanted = [word for wish in wishes for word in ("--device", wish)]
    async with _running(*options, *wanted) as process:
        devices = (await _ready(process))["devices"]
        await _end(process)
    assert [(one["name"], one["ptype"]) for one in devices] == [
        ("Fridge", 23701),
        ("Rail", 47446),
        ("Door", 27388),
        ("Desk", 45772),
    ]
    assert devices[0]["master_key"] == KEY
    async with _running(*options, *wanted) as process:
        assert (await _ready(process))["devices"] == devices
        await _end(process)
    for wish, reason in (
        ("Fridge:light", "Fridge: a device of this name is of another kind"),
        (f"Rail::{KEY}", "Rail: a device of this name has another master key"),
        (f"New::{KEY}", "New: the master key is in use already"),
    ):
        code, error = await _fails(*options, "--device", wish)
        assert (code, error) == (1, f"local-cloud: {reason}\n")


async def _signs_in(url: str, password: str) -> bool:
    sign_in = json.dumps({"email": "a@example.org", "password": password})
    async with (
        ClientSession() as session,
        session.post(f"{url}/v1/keys/", data=sign_in) as response,
    ):
        return response.status == 200


async def test_a_password_from_a_file(tmp_path: Path) -> None:
    """Its first line, even where the environment has another."""
    file = tmp_path / "password"
    file.write_text("from a file\r\nanother line\n")
    options = ["--account", "a@example.org", "--password-file", str(file), "--json"]
    environment = {**os.environ, PASSWORD_VARIABLE: "from the environment"}
    async with _running(*ANY_PORTS, *options, env=environment) as process:
        assert await _signs_in((await _ready(process))["http"], "from a file")
        await _end(process)


async def test_a_password_from_the_environment(tmp_path: Path) -> None:
    """And an account that exists keeps its password where none is given."""
    state = ["--state", str(tmp_path / "state.json")]
    options = [*ANY_PORTS, "--account", "a@example.org", "--json", *state]
    environment = {**os.environ, PASSWORD_VARIABLE: "from the environment"}
    for env in (environment, None):
        async with _running(*options, env=env) as process:
            url = (await _ready(process))["http"]
            assert await _signs_in(url, "from the environment")
            await _end(process)


async def test_a_password_typed_at_a_terminal() -> None:
    """It is asked for, and the terminal shows nothing of it."""
    keyboard, terminal = os.openpty()
    async with _running(
        *ANY_PORTS, "--account", "a@example.org", "--json", stdin=terminal
    ) as process:
        assert process.stderr is not None
        prompt = b"Password for a@example.org: "
        async with asyncio.timeout(WAIT):
            assert await process.stderr.readexactly(len(prompt)) == prompt
        os.write(keyboard, b"typed\n")
        assert await _signs_in((await _ready(process))["http"], "typed")
        assert await _end(process, error="\n") == ""
    os.set_blocking(keyboard, False)
    with pytest.raises(BlockingIOError):
        os.read(keyboard, 100)
    for end in (keyboard, terminal):
        os.close(end)


async def test_a_damaged_state_file(tmp_path: Path) -> None:
    """One line says so, and the file stays as it is."""
    state = tmp_path / "state.json"
    state.write_text("damaged")
    code, error = await _fails(*ANY_PORTS, "--state", str(state))
    assert code == 1
    assert error == (
        f"local-cloud: the state file {state} is damaged (it is no database); it was left as it is: "
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
    assert error.startswith("local-cloud: ")
    assert f"'127.0.0.1', {port}" in error
    assert "address already in use" in error


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ([], Retention(10_000, 400)),
        (["--retention", "50"], Retention(50, 400)),
        (["--retention", "50:7"], Retention(50, 7)),
    ],
)
def test_retention(options: list[str], kept: Retention) -> None:
    """How much is kept can be said, and for how long."""
    assert parse(options).retention == kept


@pytest.mark.parametrize(
    "options",
    [
        ["--http-port", "70000"], ["--device-port", "x"], ["--device-tls-port", "-1"],
        ["--account", ":p"], ["--account", "a@example.org:"], ["--cert", "c"], ["--key", "k"],
        ["--what"], ["--device", ""], ["--device", "lamp:chandelier"], ["--device", ":plug"],
        ["--https-port", "0"], ["--device-tls-port", "0"], ["--cert", "c", "--key", "k"],
        ["--https-port", "0", "--cert", "c"], ["--websocket-tls-port", "0"], ["--password-file", "p"],
        ["--account", "a@example.org", "--password-file", "/no/file"],
        ["--account", "a@example.org", "--password-file", os.devnull],
        ["--retention", "0"], ["--retention", "10:x"], ["--retention", "10:"],
    ],
)  # fmt: skip
def test_options_that_are_none(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """They are explained, with the exit status of a wrong command line."""
    with pytest.raises(SystemExit) as ended:
        main(options)
    assert ended.value.code == 2
    assert "local-cloud: error: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--account", "no address:p"], "email must be an e-mail address"),
        (
            ["--https-port", "0", "--cert", "/no/cert", "--key", "/no/key"],
            "No such file",
        ),
        (["--account", "a@example.org"], "a@example.org needs a password"),
        (
            [*ACCOUNT, "--operator", "b@example.org"],
            "no account b@example.org; --account makes one",
        ),
        (["--device", "lamp:plug:123"], "lamp: a master key has 40 hex digits"),
        (
            ["--device", f"one:plug:{KEY}", "--device", f"two:strip:{KEY.upper()}"],
            "two: the master key is in use already",
        ),
    ],
)
async def test_options_that_do_not_work(options: list[str], reason: str) -> None:
    """One line says why; never a traceback."""
    code, error = await _fails(*ANY_PORTS, *options)
    assert code == 1
    assert re.fullmatch(rf"local-cloud: .*{reason}.*\n", error)


def test_the_certificate_is_read_before_the_loop_runs(
    certificate: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is a password for it asked for while somebody waits for an answer."""
    contexts = []
    load = ssl.SSLContext.load_cert_chain

    def note(self: ssl.SSLContext, *names: Any) -> None:
        with pytest.raises(RuntimeError, match="no running event loop"):
            asyncio.get_running_loop()
        contexts.append(self)
        load(self, *names)

    async def run(options: Any, context: ssl.SSLContext | None, mount: object) -> None:
        contexts.append(context)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", note)
    monkeypatch.setattr(command, "_run", run)
    assert main([*TLS_PORTS, *certificate]) == 0
    assert len(contexts) == 2
    assert contexts[0] is contexts[1]


async def test_the_operators_account() -> None:
    """It may be one that is made only now."""
    options = [*ANY_PORTS, *ACCOUNT, "--operator", "a@example.org", "--json"]
    async with _running(*options) as process:
        assert (await _ready(process))["account"]["email"] == "a@example.org"
        await _end(process)


async def test_nobody_listens_to_its_output() -> None:
    """It serves all the same."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    reading, writing = os.pipe()
    os.close(reading)
    process = await asyncio.create_subprocess_exec(
        sys.executable, LOCAL_CLOUD, "--http-port", "0", "--device-port", str(port),
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
