"""What is told of a device whose keys are gone."""

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.command_line import AccountWish, DeviceWish
from custom_components.espcloud.local_cloud.models import Device
from custom_components.espcloud.local_cloud.readiness import as_json, as_text, prepare
from tests.credentials import EMAIL, PASSWORD

from .test_site import Site


async def test_a_device_without_keys(
    cloud: LocalCloud, device: Device, owner_key: str
) -> None:
    """Its owner gave it up and its master key was revoked; the command still starts."""
    cloud.revoke_key(owner_key)
    cloud.revoke_key(cloud.master_key(device))
    ready = await prepare(cloud, None, [])
    [told] = as_json(ready)["devices"]
    assert (told["id"], told["master_key"], told["owner_key"]) == (
        device.id,
        None,
        None,
    )
    text = as_text(ready, None)
    assert "master device key  revoked" in text
    assert "nobody owns it yet" in text


async def test_the_account_has_no_device(
    cloud: LocalCloud, device: Device, owner_key: str
) -> None:
    """One that it gave up is made anew by its name."""
    cloud.revoke_key(owner_key)
    ready = await prepare(
        cloud, AccountWish(EMAIL, PASSWORD), [DeviceWish(device.name)]
    )
    assert [one.id for one in ready.devices] == [device.id + 1]
    assert "Authorization: token " in as_text(ready, None)


async def test_the_web_site_is_named_where_there_is_one(cloud: LocalCloud) -> None:
    """To people and to programs; without one nothing is said of it."""
    ready = await prepare(cloud, None, [])
    assert as_json(ready)["site"] is None
    assert "web site" not in as_text(ready, None)
    cloud.mount(Site())
    assert as_json(ready)["site"] == f"{cloud.http_url}/"
    assert f"web site     {cloud.http_url}/\n" in as_text(ready, None)
