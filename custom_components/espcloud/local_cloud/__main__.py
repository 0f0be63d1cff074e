"""The command `local-cloud`, which is `python -m local_cloud` as well: a local Espressif cloud."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
import json
import logging
import os
from pathlib import Path
import resource
import signal
import ssl
import sys

from . import LocalCloud
from .command_line import Options, parse
from .control_socket import control_socket
from .errors import ApiError, StateFileError, bad_request
from .models import User
from .operator_command import COMMANDS, run as run_command
from .readiness import Readiness, as_json, as_text, prepare
from .site import Mount, installed_mount

_LOGGER = logging.getLogger(__package__)


def main(
    arguments: list[str] | None = None,
    *,
    find_mount: Callable[[], Mount | None] = installed_mount,
) -> int:
    """Run until SIGTERM or Ctrl-C, or one of the COMMANDS, and return the exit status.

    Unless the command line wants none, the web site is the one that `find_mount` finds.
    """
    if arguments is None:
        arguments = sys.argv[1:]
    if arguments and arguments[0] in COMMANDS:
        return run_command(arguments)
    try:
        options = parse(arguments)
    except EOFError, KeyboardInterrupt:
        # Instead of a password.
        print(file=sys.stderr)
        return 1
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger(__package__).setLevel(logging.INFO)
    _allow_many_connections()
    try:
        # Reading the certificate may take a while, or ask for a password: not in the event loop.
        ssl_context = _tls(options.cert, options.key)
        mount = find_mount() if options.site else None
        asyncio.run(_run(options, ssl_context, mount))
    except (OSError, StateFileError, ApiError) as error:
        print(f"local-cloud: {error}", file=sys.stderr)
        return 1
    return 0


async def _run(
    options: Options, ssl_context: ssl.SSLContext | None, mount: Mount | None
) -> None:
    """Serve; raises OSError, StateFileError or ApiError where it cannot begin."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)

    def hand_over_reset(user: User, token: str) -> None:
        """Give it to who runs this, by the log: there is no mail, and nobody else reads it."""
        _LOGGER.info(
            "%s has forgotten the password. If it is them, send them this link; "
            "who opens it within an hour sets the password: %s",
            user.email,
            cloud.reset_link(token),
        )

    cloud = LocalCloud(
        options.host,
        options.http_port,
        options.device_port,
        https_port=options.https_port,
        device_tls_port=options.device_tls_port,
        websocket_port=options.websocket_port,
        websocket_tls_port=options.websocket_tls_port,
        state_file=options.state,
        retention=options.retention,
        ssl_context=ssl_context,
        operator=options.operator,
        sign_up=options.sign_up,
        hand_over_reset=hand_over_reset,
        # Nobody could take them in without the web site.
        pending_devices=mount is not None,
    )
    if mount is not None:
        cloud.mount(mount(cloud))
    await cloud.start()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(cloud.close)
        readiness = await prepare(cloud, options.account, options.device)
        if options.operator is not None and cloud.operator.user is None:
            raise bad_request(
                f"--operator: there is no account {options.operator}; --account makes one"
            )
        if options.state is not None:
            await stack.enter_async_context(control_socket(cloud, options.state))
        _print(readiness, options)
        await ended.wait()


def _print(readiness: Readiness, options: Options) -> None:
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
