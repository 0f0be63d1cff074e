"""Remote calls to a device (protocol.md §2.8)."""

from collections.abc import Iterator

from ..access import ANY_DEVICE_KEY, Access
from ..delivery import Delivery
from ..errors import bad_request
from ..models import Device, Key
from ..request import Answer, Request
from ..router import Route


class RpcApi:
    """Hands calls to the live device; the answer is the device's own."""

    def __init__(self, access: Access, delivery: Delivery) -> None:
        """Deliver through `delivery`."""
        self._access = access
        self._delivery = delivery

    def routes(self) -> Iterator[Route]:
        """Return the paths of this family."""
        handler = self._access.device(ANY_DEVICE_KEY, self._call)
        yield Route(("GET", "POST"), "/v1/device/rpc/", handler)

    def _call(self, request: Request, device: Device, key: Key) -> Answer:
        """Deliver any action with any parameters.

        There is nothing else that a call could mean, so `deliver_to_device` may be missing.
        """
        if not request.query.get("action"):
            raise bad_request("action is missing")
        return self._delivery.deliver(request, device)
