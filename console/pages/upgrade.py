"""Upgrading a device, and telling how far it has come."""

from collections.abc import Callable

from aiohttp import web

from ..events import Send
from ..holdings import holding, owned
from ..responses import redirect
from ..routing import Route
from ..upgrades import Upgrade
from ..visits import Visit


async def begin(visit: Visit, number: int) -> web.StreamResponse:
    """Have the device fetch and run a version."""
    form = await visit.form()
    found = owned(visit, number)
    visit.upgrades.begin(found.device, found.token, form.get("version", ""))
    return redirect(f"/devices/{number}/firmware")


async def stream(visit: Visit, number: int) -> web.StreamResponse:
    """Tell of the device's upgrades, from where the present one is."""
    found = holding(visit, number)
    keyring, user = visit.cloud.store.keyring, visit.signed_in.user

    def subscribe(send: Send) -> Callable[[], None]:
        def tell(upgrade: Upgrade) -> None:
            if found.is_made_here or keyring.held_for(user, number) is not None:
                send(
                    "upgrade",
                    {
                        "version": upgrade.version,
                        "step": upgrade.step,
                        "percent": upgrade.percent,
                        "error": visit.told(upgrade.error),
                        "running": found.device.rom_version,
                    },
                )

        return visit.upgrades.listen(found.device, tell)

    return await visit.events.stream(visit, subscribe)


_UPGRADE = "/devices/{number:number}/upgrade"
ROUTES = (
    Route("POST", _UPGRADE, begin),
    Route("GET", f"{_UPGRADE}/events", stream),
)
