"""The dialogs of the cloud in Home Assistant, filled in as a person does it in the browser."""

from collections.abc import Iterable, Mapping
from typing import Any

from .dialogs import DOMAIN, ENTRIES
from .errors import DemoError, deadline
from .local_devices import KINDS, key_hash
from .session import Session

FLOW = f"{ENTRIES}/flow"
OPTIONS_FLOW = f"{ENTRIES}/options/flow"


async def local_id(session: Session) -> str | None:
    """Return the id of the cloud's entry, where it is there."""
    entries = await session.call("config_entries/get", domain=DOMAIN)
    return next(
        (each["entry_id"] for each in entries if each["source"] == "user"), None
    )


async def add_local_cloud(session: Session, port: int) -> str:
    """Let Home Assistant be the cloud; return the address that the router has to give."""
    step = await session.post(FLOW, {"handler": DOMAIN})
    path = f"{FLOW}/{step['flow_id']}"
    _expect(step, "menu", "user")
    step = await session.post(path, {"next_step_id": "local"})
    _expect(step, "form", "local")
    api = {"serve_api": False, "port": 8080}
    step = await session.post(path, {"port": port, "api": api})
    _expect(step, "form", "router")
    address: str = step["description_placeholders"]["address"]
    _expect(await session.post(path, {}), "create_entry")
    return address


async def wait_discovered(
    session: Session, keys: Mapping[str, str], names: Iterable[str], seconds: float
) -> dict[str, dict[str, Any]]:
    """Return the dialogs that Home Assistant offers under Discovered, once all are there.

    Args:
        session: with Home Assistant.
        keys: the master keys of the devices.
        names: the devices to wait for.
        seconds: how long to wait.
    """
    changes = await session.subscribe("config_entries/flow/subscribe")
    wanted = set(names)
    async with deadline(seconds, f"the discovery of {', '.join(sorted(wanted))}"):
        while not wanted <= (found := await discovered(session, keys)).keys():
            await changes.get()
    return found


async def discovered(
    session: Session, keys: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """Return the dialogs that Home Assistant offers under Discovered, by the devices' names."""
    names = {key_hash(key): name for name, key in keys.items()}
    return {
        names[flow["context"]["unique_id"]]: flow
        for flow in await session.call("config_entries/flow/progress")
        if flow["handler"] == DOMAIN and flow["context"].get("unique_id") in names
    }


async def confirm(session: Session, flow: Mapping[str, Any], name: str) -> None:
    """Confirm a device that is offered, as what it seems to be, under a name."""
    path = f"{FLOW}/{flow['flow_id']}"
    step = await session.get(path)
    _expect(step, "form", "adopt")
    kind = next(
        field["description"]["suggested_value"]
        for field in step["data_schema"]
        if field["name"] == "kind"
    )
    if kind != KINDS[name]:
        raise DemoError(f"{name} is taken for {kind}, but it is {KINDS[name]}")
    step = await session.post(path, {"kind": kind, "name": name})
    if step["type"] == "form":
        # What a light or a self-made device leaves open.
        step = await session.post(path, {})
    _expect(step, "abort", "device_taken_in")


async def add_firmware(
    session: Session, entry_id: str, version: str, files: Mapping[str, bytes]
) -> None:
    """Upload both files of a version in the options of the cloud."""
    step = await session.post(OPTIONS_FLOW, {"handler": entry_id})
    path = f"{OPTIONS_FLOW}/{step['flow_id']}"
    _expect(step, "menu", "firmware")
    step = await session.post(path, {"next_step_id": "add_firmware"})
    _expect(step, "form", "add_firmware")
    answers = {"version": version}
    for field, content in files.items():
        answers[field] = await session.upload(f"{field}.bin", content)
    _expect(await session.post(path, answers), "abort", "firmware_added")


def _expect(step: Mapping[str, Any], kind: str, name: str | None = None) -> None:
    """Fail where a dialog has gone on to something else.

    `name` is that of a form's or menu's step, or the reason of an abort.
    """
    is_right = step["type"] == kind and (
        name is None or name in (step.get("step_id"), step.get("reason"))
    )
    if not is_right or step.get("errors"):
        reason = step.get("errors") or step.get("reason") or step.get("step_id") or step
        raise DemoError(f"a dialog should be at {name or kind}, but is at {reason}")
