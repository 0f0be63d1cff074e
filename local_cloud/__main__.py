"""`python -m local_cloud`: run a local Espressif cloud."""

import argparse
import asyncio
from contextlib import suppress
import json
import logging
import os
from pathlib import Path
import resource
import signal
import ssl
import sys

from . import LocalCloud
from .errors import ApiError, StateFileError
from .readiness import Readiness, as_json, as_text, prepare


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGTERM or Ctrl-C and return the exit status."""
    options = _parser().parse_args(arguments)
    if (options.cert is None) != (options.key is None):
        _parser().error("--cert and --key belong together")
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("local_cloud").setLevel(logging.INFO)
    _allow_many_connections()
    try:
        asyncio.run(_run(options))
    except (OSError, StateFileError, ApiError) as error:
        print(f"local_cloud: {error}", file=sys.stderr)
        return 1
    return 0


async def _run(options: argparse.Namespace) -> None:
    """Serve; raises OSError, StateFileError or ApiError where it cannot begin."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    cloud = LocalCloud(
        options.host,
        options.http_port,
        options.device_port,
        state_file=options.state,
        ssl_context=_tls(options.cert, options.key),
    )
    await cloud.start()
    try:
        readiness = await prepare(cloud, options.account, options.device)
        _print(readiness, options)
        await ended.wait()
    finally:
        await cloud.close()


def _print(readiness: Readiness, options: argparse.Namespace) -> None:
    text = (
        json.dumps(as_json(readiness))
        if options.json
        else as_text(readiness, options.cert)
    )
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # Whoever started this has stopped listening, which is no reason to end. Python would try
        # again at the end, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local_cloud",
        description="A local Espressif IoT Cloud: HTTP API and device port. Port 0 is any free one.",
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen at (%(default)s)"
    )
    parser.add_argument("--http-port", type=_port, default=8080, help="(%(default)s)")
    parser.add_argument("--device-port", type=_port, default=8000, help="(%(default)s)")
    parser.add_argument(
        "--account",
        type=_account,
        metavar="EMAIL:PASSWORD",
        help="an account to have; one that exists gets this password",
    )
    parser.add_argument(
        "--device",
        action="append",
        type=_name,
        default=[],
        metavar="NAME",
        help="a device of the account to have, by its name; may be repeated",
    )
    parser.add_argument(
        "--state", type=Path, metavar="FILE", help="keep everything in this file"
    )
    parser.add_argument(
        "--json", action="store_true", help="print one line of JSON when ready"
    )
    parser.add_argument(
        "--cert", type=Path, metavar="FILE", help="certificate: TLS on both ports"
    )
    parser.add_argument("--key", type=Path, metavar="FILE", help="its private key")
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise ValueError(text)
    return port


def _account(text: str) -> tuple[str, str]:
    email, colon, password = text.partition(":")
    if not colon or not email or not password:
        raise ValueError(text)
    return email, password


def _name(text: str) -> str:
    if not text.strip():
        raise ValueError(text)
    return text


def _tls(cert: Path | None, key: Path | None) -> ssl.SSLContext | None:
    if cert is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    return context


def _allow_many_connections() -> None:
    """Take all the open files that the system grants; each connection is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    sys.exit(main())
