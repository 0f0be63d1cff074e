"""The commands `local-cloud invite` and the like, for the person who runs the cloud."""

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path
import sys

from .control_socket import ask
from .errors import StateFileError
from .operator_requests import answer
from .server import LocalCloud
from .sign_up import INVITATION_DAYS
from .wire import JsonObject

COMMANDS = {
    "invite": "make an invitation, with which one account can be made",
    "invitations": "list the invitations that nobody has used",
    "revoke-invitation": "make an invitation worthless",
    "reset-password": "make a link with which an account's password can be set",
}


def run(arguments: Sequence[str]) -> int:
    """Run the command that stands first and return the exit status."""
    options = _parser().parse_args(arguments)
    request = {name: value for name, value in vars(options).items() if name != "state"}
    if not options.state.exists():
        print(f"local-cloud: there is no state file {options.state}", file=sys.stderr)
        return 1
    try:
        reply = asyncio.run(_ask(options.state, request))
    except (OSError, StateFileError) as error:
        print(f"local-cloud: {error}", file=sys.stderr)
        return 1
    if reply["status"] != 200:
        print(f"local-cloud: {reply['message']}", file=sys.stderr)
        return 1
    for line in _lines(reply):
        print(line)
    return 0


async def _ask(state: Path, request: JsonObject) -> JsonObject:
    """Ask the cloud that runs with this state file, or where none does, one of our own.

    Raises OSError and StateFileError.
    """
    reply = await ask(state, request)
    if reply is not None:
        return reply
    # It has a port as every cloud does, but accepts nobody there.
    cloud = LocalCloud(serves_http=False, state_file=state)
    try:
        await cloud.bind()
        return await answer(cloud, request)
    finally:
        await cloud.close()


def _lines(reply: JsonObject) -> list[str]:
    """Return what a person reads."""
    if "invitations" in reply:
        invitations = reply["invitations"]
        return [_line(each) for each in invitations] or ["There are no invitations."]
    if "invitation" in reply:
        return [
            reply["token"],
            f"Whoever has it can make one account. {_line(reply['invitation'])}",
        ]
    if "token" in reply:
        return [
            reply["link"] or f"/reset?token={reply['token']}",
            "Whoever opens this at the cloud within an hour sets the password, once.",
        ]
    return ["Done."]


def _line(invitation: JsonObject) -> str:
    note = f": {invitation['note']}" if invitation["note"] else ""
    return f"Invitation {invitation['id']}, until {invitation['until']} UTC{note}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="local-cloud",
        description="For whoever runs a local cloud, while it runs or while it does not.",
    )
    commands = parser.add_subparsers(dest="call", required=True, metavar="COMMAND")
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument(
            "--state",
            type=Path,
            metavar="FILE",
            required=True,
            help="the state file of the cloud",
        )
        match name:
            case "invite":
                command.add_argument("--note", default="", help="for whom it is")
                command.add_argument(
                    "--days",
                    type=int,
                    default=INVITATION_DAYS,
                    help="how long it lives (%(default)s)",
                )
            case "revoke-invitation":
                command.add_argument("id", type=int, metavar="ID")
            case "reset-password":
                command.add_argument("email", metavar="EMAIL")
    return parser
