"""What the commands of the person who runs the cloud ask of it, as JSON objects."""

from collections.abc import Callable

from .account_tokens import AccountToken
from .errors import ApiError, bad_request
from .fields import read_integer, read_text
from .server import LocalCloud
from .sign_up import INVITATION_DAYS
from .times import local_time
from .wire import JsonObject


async def answer(cloud: LocalCloud, request: JsonObject) -> JsonObject:
    """Do what the member `call` names, and return what came of it once that is kept.

    Raises nothing: what is refused is answered with `{"message", "status"}`, as the HTTP API does.
    """
    try:
        call = _CALLS.get(read_text(request, "call"))
        if call is None:
            raise bad_request("there is no such call")
        reply = call(cloud, request)
        await cloud.flush()
    except ApiError as error:
        return {"message": error.message, "status": error.status}
    return {"status": 200, **reply}


def _invite(cloud: LocalCloud, request: JsonObject) -> JsonObject:
    invitation, text = cloud.operator.invite(
        read_text(request, "note", ""), read_integer(request, "days", INVITATION_DAYS)
    )
    return {"invitation": _shown(invitation), "token": text}


def _invitations(cloud: LocalCloud, request: JsonObject) -> JsonObject:
    return {"invitations": [_shown(each) for each in cloud.operator.invitations()]}


def _revoke(cloud: LocalCloud, request: JsonObject) -> JsonObject:
    cloud.operator.revoke_invitation(read_integer(request, "id"))
    return {}


def _reset_password(cloud: LocalCloud, request: JsonObject) -> JsonObject:
    user = cloud.store.user_by_email(read_text(request, "email"))
    if user is None:
        raise ApiError(404, "user not registered")
    token = cloud.operator.password_reset(user)
    return {"link": cloud.reset_link(token), "token": token}


def _shown(invitation: AccountToken) -> JsonObject:
    """Return what is told of an invitation: its text never again."""
    until = local_time(invitation.token_expired_at, "UTC")
    return {
        "id": invitation.id,
        "note": invitation.note,
        "until": until.isoformat(" ", "minutes"),
    }


_CALLS: dict[str, Callable[[LocalCloud, JsonObject], JsonObject]] = {
    "invite": _invite,
    "invitations": _invitations,
    "revoke-invitation": _revoke,
    "reset-password": _reset_password,
}
