"""The options of the command `local-cloud`."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from getpass import getpass
import os
from pathlib import Path
import sys

from .device_types import PTYPES
from .operator_command import COMMANDS
from .retention import Retention
from .sign_up import SignUp

PASSWORD_VARIABLE = "LOCAL_CLOUD_PASSWORD"
HTTP_PORT = 8080
DEVICE_PORT = 8000


@dataclass(frozen=True, slots=True)
class AccountWish:
    """An account to have; without a password it has to be there already."""

    email: str
    password: str | None = None


@dataclass(frozen=True, slots=True)
class DeviceWish:
    """A device to have; what is not said, any device of that name fits."""

    name: str
    ptype: int | None = None
    master_key: str = ""


class Options(argparse.Namespace):
    """What the command line says."""

    host: str
    http_port: int | None
    https_port: int | None
    device_port: int | None
    device_tls_port: int | None
    websocket_port: int | None
    websocket_tls_port: int | None
    account: AccountWish | None
    password_file: Path | None
    device: list[DeviceWish]
    operator: str | None
    sign_up: SignUp
    state: Path | None
    retention: Retention
    cert: Path | None
    key: Path | None
    site: bool
    json: bool


def parse(arguments: Sequence[str] | None = None) -> Options:
    """Read the command line, and the password from where it is; ends with 2 where that is wrong."""
    parser = _parser()
    options = parser.parse_args(arguments, Options())
    tls_ports = (
        options.https_port,
        options.device_tls_port,
        options.websocket_tls_port,
    )
    if (options.cert is None) != (options.key is None):
        parser.error("--cert and --key belong together")
    if options.cert is None and any(port is not None for port in tls_ports):
        parser.error("the ports that speak TLS need --cert and --key")
    if options.cert is not None and all(port is None for port in tls_ports):
        parser.error(
            "--cert and --key need a port that speaks TLS, such as --https-port"
        )
    if options.http_port is None and options.https_port is None:
        options.http_port = HTTP_PORT
    if options.device_port is None and options.device_tls_port is None:
        options.device_port = DEVICE_PORT
    if options.account is None and options.password_file is not None:
        parser.error("--password-file needs --account")
    if options.account is not None and options.account.password is None:
        try:
            password = _find_password(options)
        except (OSError, ValueError) as error:
            parser.error(f"--password-file: {error}")
        options.account = AccountWish(options.account.email, password)
    return options


def _find_password(options: Options) -> str | None:
    """Return the password from the file, the environment or a person; None where none has it.

    Raises OSError where the file cannot be read and ValueError where no password is in it.
    """
    if options.password_file is not None:
        text = options.password_file.read_text("utf-8")
        if not (password := text.partition("\n")[0]):
            raise ValueError("the first line is empty")
        return password
    if PASSWORD_VARIABLE in os.environ:
        return os.environ[PASSWORD_VARIABLE] or None
    if not sys.stdin.isatty():
        return None
    assert options.account is not None
    known = options.state is not None and options.state.exists()
    hint = " (Enter keeps the one it has)" if known else ""
    return getpass(f"Password for {options.account.email}{hint}: ") or None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="local-cloud",
        description="A local Espressif IoT Cloud: the HTTP API, and the port for devices.",
        epilog="A port that is named opens; 0 is any free one. Without any, HTTP is at "
        f"{HTTP_PORT} and devices at {DEVICE_PORT}, neither encrypted. "
        f"Further commands, each with its own --help: {', '.join(COMMANDS)}.",
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen at (%(default)s)"
    )
    for name, text in (
        ("--http-port", "the HTTP API"),
        ("--https-port", "the HTTP API over TLS; needs --cert and --key"),
        ("--device-port", "where devices connect"),
        ("--device-tls-port", "where devices connect over TLS; needs --cert and --key"),
        (
            "--websocket-port",
            "where devices connect by WebSocket, as at the cloud at 9000",
        ),
        ("--websocket-tls-port", "the same over TLS, 9443; needs --cert and --key"),
    ):
        parser.add_argument(name, type=_port, metavar="PORT", help=text)
    parser.add_argument(
        "--cert", type=Path, metavar="FILE", help="certificate of the TLS ports"
    )
    parser.add_argument("--key", type=Path, metavar="FILE", help="its private key")
    parser.add_argument(
        "--account",
        type=_account,
        metavar="EMAIL[:PASSWORD]",
        help="an account to have; one that exists gets the password. Others on this machine can see "
        f"what stands here: better leave the password to --password-file, to {PASSWORD_VARIABLE} "
        "in the environment, or to the question that is asked otherwise",
    )
    parser.add_argument(
        "--password-file",
        type=Path,
        metavar="FILE",
        help="its first line is the account's password",
    )
    parser.add_argument(
        "--device",
        action="append",
        type=_device,
        default=[],
        metavar="NAME[:KIND[:MASTER_KEY]]",
        help="a device of the account to have, by its name; may be repeated. "
        f"KIND is {', '.join(PTYPES)}, or a number; light unless you say otherwise. "
        "MASTER_KEY is the one that a device has already",
    )
    parser.add_argument(
        "--operator",
        metavar="EMAIL",
        help="the account of the person who runs this; the first account unless you say otherwise",
    )
    parser.add_argument(
        "--sign-up",
        type=SignUp,
        choices=tuple(SignUp),
        default=SignUp.CLOSED,
        metavar="{" + ",".join(SignUp) + "}",
        help="who may make an account when there is one already: everybody, who has an "
        "invitation (local-cloud invite), or nobody (%(default)s)",
    )
    parser.add_argument(
        "--state",
        type=Path,
        metavar="FILE",
        help="keep everything in this file, a database; without it all is forgotten at the end",
    )
    parser.add_argument(
        "--retention",
        type=_retention,
        default=Retention(),
        metavar="POINTS[:DAYS]",
        help="how many datapoints a datastream keeps, and for how long "
        f"({Retention().points}:{Retention().days}); the oldest go",
    )
    parser.add_argument(
        "--no-console",
        dest="site",
        action="store_false",
        help="serve no web site beside the API, also where one is installed, and keep no device "
        "with an unknown key waiting for its operator",
    )
    parser.add_argument(
        "--json", action="store_true", help="print one line of JSON when ready"
    )
    return parser


def _port(text: str) -> int:
    port = int(text) if text.isdecimal() else -1
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port (0 to 65535)")
    return port


def _retention(text: str) -> Retention:
    points, colon, days = text.partition(":")
    numbers = [points, days] if colon else [points]
    if not all(
        number.isdecimal() and 0 < int(number) <= 10**9 and number.isascii()
        for number in numbers
    ):
        raise argparse.ArgumentTypeError(
            f"{text} is not POINTS or POINTS:DAYS, whole numbers of 1 or more"
        )
    return Retention(*map(int, numbers))


def _account(text: str) -> AccountWish:
    email, colon, password = text.partition(":")
    if not email.strip() or (colon and not password):
        # The text is not repeated: there may be a password in it.
        raise argparse.ArgumentTypeError("EMAIL or EMAIL:PASSWORD is wanted")
    return AccountWish(email, password or None)


def _device(text: str) -> DeviceWish:
    name, _, rest = text.partition(":")
    kind, _, master_key = rest.partition(":")
    if not name.strip():
        raise argparse.ArgumentTypeError("a device needs a name")
    return DeviceWish(name, _ptype(kind), master_key.strip().lower())


def _ptype(kind: str) -> int | None:
    kind = kind.strip().lower()
    if not kind:
        return None
    if kind in PTYPES:
        return PTYPES[kind]
    if kind.isdecimal():
        return int(kind)
    raise argparse.ArgumentTypeError(
        f"{kind} is no kind: it is one of {', '.join(PTYPES)}, or a number"
    )
