"""Requests about a device that are no commands to it: its firmware, its timers, its keys."""

from collections.abc import Awaitable, Callable

from homeassistant.exceptions import HomeAssistantError

from .cloud import OwnerClient, RequestRefusedError
from .const import DOMAIN
from .coordinator import EspCloudCoordinator
from .errors import translating


async def async_as_owner[AnswerT](
    coordinator: EspCloudCoordinator,
    action: str,
    request: Callable[[OwnerClient, str], Awaitable[AnswerT]],
) -> AnswerT:
    """Make a request with the owner key of a device, on-line or not.

    Args:
        coordinator: the device's.
        action: what people call the request, for an error's text.
        request: what to ask, given the client and the key.

    Raises:
        HomeAssistantError: it failed; the text says why.
    """
    account = coordinator.config_entry.runtime_data.account
    with translating(
        device=coordinator.name, action=action, url=coordinator.backend.url
    ):
        try:
            return await account.async_as_owner(coordinator.identity.device_id, request)
        except RequestRefusedError as err:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="request_refused",
                translation_placeholders={
                    "action": action,
                    "device": coordinator.name,
                    "status": str(err.status),
                },
            ) from err
