"""What the command line asked for, made or found again, and how to tell of it."""

from dataclasses import dataclass
from pathlib import Path
import shlex

from .command_line import PASSWORD_VARIABLE, AccountWish, DeviceWish
from .device_types import LIGHT, kind_name
from .errors import ApiError, bad_request
from .models import Device, User
from .server import LocalCloud
from .wire import JsonObject


@dataclass(frozen=True, slots=True)
class Readiness:
    """A running cloud and what it was asked to have."""

    cloud: LocalCloud
    user: User | None
    devices: list[Device]


async def prepare(
    cloud: LocalCloud, account: AccountWish | None, wishes: list[DeviceWish]
) -> Readiness:
    """Make the account and the devices that are not there yet.

    The account is found by its e-mail, a device by its name among the account's own; without an
    account devices belong to nobody. Without wishes, every device there is counts as asked for.
    Raises ApiError where a wish cannot be met; its text names which.
    """
    user = None if account is None else await _account(cloud, account)
    known = {device.name: device for device in _devices(cloud, user)}
    for wish in wishes:
        if wish.name in known:
            _check(cloud, known[wish.name], wish)
            continue
        ptype = LIGHT if wish.ptype is None else wish.ptype
        try:
            known[wish.name] = cloud.add_device(
                wish.name, user, ptype, master_key=wish.master_key
            )
        except ApiError as error:
            raise ApiError(error.status, f"{wish.name}: {error.message}") from None
    wanted = dict.fromkeys(wish.name for wish in wishes) or known
    await cloud.flush()
    return Readiness(cloud, user, [known[name] for name in wanted])


async def _account(cloud: LocalCloud, wish: AccountWish) -> User:
    user = cloud.store.user_by_email(wish.email)
    if user is None:
        if wish.password is None:
            raise bad_request(
                f"the new account {wish.email} needs a password: from --password-file, from "
                f"{PASSWORD_VARIABLE}, or typed at a terminal"
            )
        return await cloud.add_account(wish.email, wish.password)
    if wish.password is not None:
        await cloud.set_password(user, wish.password)
    return user


def _check(cloud: LocalCloud, device: Device, wish: DeviceWish) -> None:
    """Refuse a device of this name that is another one than was asked for."""
    if wish.ptype is not None and wish.ptype != device.ptype:
        raise ApiError(409, f"{wish.name}: a device of this name is of another kind")
    if wish.master_key and wish.master_key != _master_key(cloud, device):
        raise ApiError(
            409, f"{wish.name}: a device of this name has another master key"
        )


def as_json(readiness: Readiness) -> JsonObject:
    """Return what a program reads.

    An address is null where that port is not open, `site` where there is no web site, `account` where
    none was asked for. Whoever asked for the account has its password, which is never printed.
    """
    cloud, user = readiness.cloud, readiness.user
    at = cloud.addresses
    return {
        "http": at.http_url,
        "https": at.https_url,
        "site": cloud.site_url or None,
        "device": at.device_address,
        "device_tls": at.device_tls_address,
        "websocket": at.websocket_url,
        "websocket_tls": at.websocket_tls_url,
        "account": user and {"email": user.email, "user_id": user.id},
        "devices": [
            {
                "id": device.id,
                "name": device.name,
                "ptype": device.ptype,
                "serial": device.serial,
                "master_key": _master_key(cloud, device),
                "owner_key": cloud.owner_key(device),
            }
            for device in readiness.devices
        ],
    }


def as_text(readiness: Readiness, certificate: Path | None) -> str:
    """Return what a person reads, with lines to try."""
    ready = as_json(readiness)
    lines = ["local-cloud is ready; Ctrl-C ends it.", ""]
    for title, address in (
        ("HTTP API", ready["http"]),
        ("HTTPS API", ready["https"]),
        ("web site", ready["site"]),
        ("device port", ready["device"]),
        ("device port", ready["device_tls"] and f"{ready['device_tls']} (TLS)"),
        ("WebSocket", ready["websocket"]),
        ("WebSocket", ready["websocket_tls"]),
    ):
        if address:
            lines.append(f"{title:<13}{address}")
    if account := ready["account"]:
        lines.append(f"account      {account['email']}")
    for device in ready["devices"]:
        facts = f"{kind_name(device['ptype'])}, id {device['id']}, serial {device['serial']}"
        lines += [
            f"device       {device['name']} ({facts})",
            f"               master device key  {device['master_key'] or 'revoked'}",
            f"               owner key          {device['owner_key'] or 'nobody owns it yet'}",
        ]
    return "\n".join([*lines, "", "Try it:", *_curl_lines(ready, certificate)])


def _curl_lines(ready: JsonObject, certificate: Path | None) -> list[str]:
    url = ready["http"] or ready["https"]
    trust = ["--cacert", str(certificate)] if certificate and not ready["http"] else []
    commands = [[f"{url}/v1/ping/"]]
    for device in ready["devices"][:1]:
        key = device["owner_key"] or device["master_key"]
        rpc = f"{url}/v1/device/rpc/?deliver_to_device=true&action="
        commands += [
            ["-H", f"Authorization: token {key}", rpc + action]
            for action in ("LED_ON", "LED_OFF")
        ]
    return [f"  {shlex.join(['curl', *trust, *command])}" for command in commands]


def _master_key(cloud: LocalCloud, device: Device) -> str | None:
    key = cloud.store.keyring.master_key(device)
    return key.token if key else None


def _devices(cloud: LocalCloud, user: User | None) -> list[Device]:
    """Return the devices that the account owns, or without an account those that nobody owns."""
    if user is not None:
        return cloud.store.owned_by(user)
    return [
        device
        for device in cloud.store.devices.values()
        if cloud.owner_key(device) is None
    ]
