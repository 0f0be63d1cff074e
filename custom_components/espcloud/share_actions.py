"""The action that shares a device with another account (protocol.md §2.6)."""

from homeassistant.const import CONF_TOKEN
from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.helpers import config_validation as cv

from .coordinator import EspCloudCoordinator
from .errors import invalid_call
from .owner_requests import async_as_owner
from .targets import async_for_each, find_targets

SHARE_DEVICE_SCHEMA = cv.make_entity_service_schema({})


async def async_share_device(call: ServiceCall) -> ServiceResponse:
    """Return a token for every device that is meant, by Home Assistant's ids of them.

    A token is a secret: whoever has it can command the device. It is in the response alone.

    Raises:
        ServiceValidationError: no device is meant, or one that is not the account's own.
        HomeAssistantError: the cloud gave no token.
    """
    targets = find_targets(call)
    for coordinator in targets.values():
        account = coordinator.config_entry.runtime_data.account
        owned = account.owned.get(coordinator.identity.device_id)
        if owned is not None and not owned.is_owner:
            raise invalid_call("not_the_owner", device=coordinator.name)

    async def share(_: str, coordinator: EspCloudCoordinator) -> str:
        return await async_as_owner(
            coordinator, "share", lambda client, key: client.share(key)
        )

    tokens = await async_for_each(targets, share)
    return {device_id: {CONF_TOKEN: token} for device_id, token in tokens.items()}
