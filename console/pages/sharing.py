"""Sharing a device with another account, and taking that back."""

from aiohttp import web

from .. import keys
from ..holdings import holding, owned
from ..rendering import qr_code
from ..responses import json_response, redirect
from ..routing import Route
from ..visits import Visit


async def share(visit: Visit, number: int) -> web.StreamResponse:
    """Make a token that admits one account, and tell it to the script that asked."""
    await visit.json()
    reply = await visit.call(
        "POST",
        "/v1/key/share/",
        {"scope": "device"},
        key=owned(visit, number).token,
    )
    return json_response({"text": reply["token"], "qr": str(qr_code(reply["token"]))})


async def revoke(visit: Visit, number: int) -> web.StreamResponse:
    """Take a guest's key."""
    form = await visit.form()
    owned(visit, number)
    await keys.revoke(visit, form)
    return redirect(f"/devices/{number}?done=unshared")


async def leave(visit: Visit, number: int) -> web.StreamResponse:
    """Give the account's own key to somebody else's device up."""
    await visit.form()
    await visit.call("DELETE", "/v1/key/", key=holding(visit, number).token)
    return redirect("/devices?done=left")


ROUTES = (
    Route("POST", "/devices/{number:number}/share", share),
    Route("POST", "/devices/{number:number}/unshare", revoke),
    Route("POST", "/devices/{number:number}/leave", leave),
)
