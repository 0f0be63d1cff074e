"""What a person makes in Home Assistant's editors: automations, scenes and scripts."""

from typing import Any

from .errors import DemoError, deadline
from .session import Session

BLUEPRINT = "espcloud/command_arrives.yaml"
APPEAR_TIMEOUT = 30
DRAFTS: dict[str, dict[str, Any]] = {
    "automation": {"alias": "Check", "triggers": [], "actions": []},
    "scene": {"name": "Check", "entities": {}},
    "script": {"alias": "Check", "sequence": []},
}


async def check_editors(session: Session) -> None:
    """Save one of each, see it appear, and find the blueprint."""
    wanted = {f"{domain}.check" for domain in DRAFTS}
    events = await session.subscribe("subscribe_entities", entity_ids=sorted(wanted))
    for domain, draft in DRAFTS.items():
        await session.post(f"/api/config/{domain}/config/check", draft)
    async with deadline(APPEAR_TIMEOUT, "the appearance of what was saved"):
        while wanted:
            wanted -= (await events.get()).get("a", {}).keys()
    blueprints = await session.call("blueprint/list", domain="automation")
    if "metadata" not in blueprints.get(BLUEPRINT, {}):
        raise DemoError(f"the blueprint {BLUEPRINT} is not there: {blueprints}")
