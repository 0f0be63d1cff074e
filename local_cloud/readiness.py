"""What the command line asked for, made or found again, and how to tell of it."""

from dataclasses import dataclass
import json
from pathlib import Path
import shlex

from .models import Device, User
from .server import LocalCloud
from .wire import JsonObject


@dataclass(frozen=True, slots=True)
class Readiness:
    """A running cloud and what it was asked to have."""

    cloud: LocalCloud
    user: User | None
    password: str
    devices: list[Device]


async def prepare(
    cloud: LocalCloud, account: tuple[str, str] | None, names: list[str]
) -> Readiness:
    """Make the account and the devices that are not there yet.

    The account is found by its e-mail, a device by its name among the account's own; without an
    account devices belong to nobody. Without names, every device there is counts as asked for.
    Raises ApiError where the e-mail is none.
    """
    user, password = None, ""
    if account is not None:
        email, password = account
        user = cloud.store.user_by_email(email)
        if user is None:
            user = await cloud.add_account(email, password)
        else:
            await cloud.set_password(user, password)
    known = {device.name: device for device in _devices(cloud, user)}
    for name in names:
        if name not in known:
            known[name] = cloud.add_device(name, user)
    wanted = dict.fromkeys(names) or known
    return Readiness(cloud, user, password, [known[name] for name in wanted])


def as_json(readiness: Readiness) -> JsonObject:
    """Return what a program reads; `account` is null where none was asked for."""
    cloud, user = readiness.cloud, readiness.user
    return {
        "http": cloud.http_url,
        "device": f"{cloud.device_host}:{cloud.device_port}",
        "account": user
        and {"email": user.email, "password": readiness.password, "user_id": user.id},
        "devices": [
            {
                "id": device.id,
                "name": device.name,
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
    lines = [
        "local_cloud is ready; Ctrl-C ends it.",
        "",
        f"HTTP API     {ready['http']}",
        f"device port  {ready['device']}{' (TLS)' if certificate else ''}",
    ]
    if account := ready["account"]:
        lines.append(f"account      {account['email']}, password {account['password']}")
    for device in ready["devices"]:
        lines += [
            f"device       {device['name']} (id {device['id']}, serial {device['serial']})",
            f"               master device key  {device['master_key'] or 'revoked'}",
            f"               owner key          {device['owner_key'] or 'nobody owns it yet'}",
        ]
    return "\n".join([*lines, "", "Try it:", *_curl_lines(ready, certificate)])


def _curl_lines(ready: JsonObject, certificate: Path | None) -> list[str]:
    curl = ["curl", *(["--cacert", str(certificate)] if certificate else [])]
    commands = [[f"{ready['http']}/v1/ping/"]]
    if account := ready["account"]:
        sign_in = {
            "email": account["email"],
            "password": account["password"],
            "scope": "user",
        }
        commands.append(["-d", json.dumps(sign_in), f"{ready['http']}/v1/keys/"])
    for device in ready["devices"][:1]:
        key = device["owner_key"] or device["master_key"]
        rpc = f"{ready['http']}/v1/device/rpc/?deliver_to_device=true&action="
        commands += [
            ["-H", f"Authorization: token {key}", rpc + action]
            for action in ("LED_ON", "LED_OFF")
        ]
    return [f"  {shlex.join([*curl, *command])}" for command in commands]


def _master_key(cloud: LocalCloud, device: Device) -> str | None:
    key = cloud.store.keyring.master_key(device)
    return key.token if key else None


def _devices(cloud: LocalCloud, user: User | None) -> list[Device]:
    """Return the devices that the account owns, or without an account those that nobody owns."""
    store = cloud.store
    owned = (
        [key.device_id for key in store.keyring.held_by(user) if key.is_owner_key]
        if user
        else [
            device.id
            for device in store.devices.values()
            if cloud.owner_key(device) is None
        ]
    )
    return [store.devices[number] for number in owned]
