"""The integration's dialogs, filled in as a person does it in the browser."""

from collections.abc import Mapping
from typing import Any

from .cloud import Cloud, CloudDevice
from .errors import DemoError
from .session import Session

DOMAIN = "espcloud"
ENTRIES = "/api/config/config_entries"
# What is chosen from a menu: an account rather than the cloud in Home Assistant, and of
# several ways to a device the one with its key.
CHOICES = ("account", "device_key")


async def account_id(session: Session) -> str | None:
    """Return the id of the account's entry, where one is there."""
    entries = await session.call("config_entries/get", domain=DOMAIN)
    return entries[0]["entry_id"] if entries else None


async def add_account(session: Session, cloud: Cloud, device: CloudDevice) -> None:
    """Add the account and its first device."""
    server = {"url": cloud.url, "port": cloud.device_port}
    answers = {
        "email": cloud.email,
        "password": cloud.password,
        "device_key": device.master_key,
        "server": {**server, "ssl": False, "verify_ssl": True},
    }
    await _fill_in(session, f"{ENTRIES}/flow", DOMAIN, answers)


async def add_device(session: Session, device: CloudDevice) -> None:
    """Add a further device, which is what "Add device" does."""
    answers = {"device_key": device.master_key}
    handler = [await account_id(session), "device"]
    await _fill_in(session, f"{ENTRIES}/subentries/flow", handler, answers)


async def _fill_in(
    session: Session, path: str, handler: object, answers: Mapping[str, Any]
) -> None:
    """Go through a dialog: of each form the fields that are known, defaults for the rest."""
    step = await session.post(path, {"handler": handler})
    while step["type"] in ("form", "menu") and not step.get("errors"):
        if step["type"] == "menu":
            [choice] = set(CHOICES) & set(step["menu_options"])
            data: dict[str, Any] = {"next_step_id": choice}
        else:
            names = {field["name"] for field in step["data_schema"]}
            data = {name: answers[name] for name in names & answers.keys()}
        step = await session.post(f"{path}/{step['flow_id']}", data)
    if step["type"] != "create_entry":
        reason = step.get("errors") or step.get("reason") or step
        raise DemoError(f"the integration's dialog was not accepted: {reason}")
