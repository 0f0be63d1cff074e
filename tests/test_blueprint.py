"""The blueprint does what its words say, in a real Home Assistant with a real cloud."""

from pathlib import Path
import shutil

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_mock_service,
)

from custom_components.espcloud.local_cloud import LocalCloud
from custom_components.espcloud.local_cloud.models import Device
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import load_yaml_dict

from .common import send_command
from .packaging.paths import CHECKOUT, INTEGRATION, read_json

BLUEPRINT = CHECKOUT / "blueprints" / "automation" / "espcloud" / "command_arrives.yaml"
EVENT = "event.desk_lamp_command"
LIGHT = "light.desk_lamp"


@pytest.fixture
async def dimmed(
    hass: HomeAssistant, entry: MockConfigEntry, tmp_path: Path
) -> list[ServiceCall]:
    """Make an automation from the blueprint, and return what it will have done."""
    hass.config.config_dir = str(tmp_path)
    folder = tmp_path / "blueprints" / "automation" / "espcloud"
    folder.mkdir(parents=True)
    shutil.copy(BLUEPRINT, folder)
    calls = async_mock_service(hass, "light", "dim")
    assert await async_setup_component(
        hass,
        "automation",
        {
            "automation": {
                "use_blueprint": {
                    "path": "espcloud/command_arrives.yaml",
                    "input": {
                        "command": EVENT,
                        "action_name": "DIM",
                        "do": [
                            {
                                "action": "light.dim",
                                "data": {
                                    "level": "{{ parameters.get('level', 100) | int }}"
                                },
                            }
                        ],
                    },
                }
            }
        },
    )
    return calls


async def test_it_acts_on_its_action_alone(
    hass: HomeAssistant, cloud: LocalCloud, device: Device, dimmed: list[ServiceCall]
) -> None:
    """With the parameters that came along, each time anew."""
    await send_command(cloud, device, "BRIGHTEN", level="1")
    await send_command(cloud, device, "LED_ON")
    await hass.async_block_till_done()
    assert not dimmed

    await send_command(cloud, device, "DIM", level="30")
    await send_command(cloud, device, "DIM", level="30")
    await send_command(cloud, device, "DIM")
    await hass.async_block_till_done()
    assert [call.data["level"] for call in dimmed] == [30, 30, 100]


def test_it_can_be_imported() -> None:
    """It names its place, and the Home Assistant that it needs."""
    blueprint = load_yaml_dict(str(BLUEPRINT))["blueprint"]
    repository = read_json(INTEGRATION / "manifest.json")["documentation"]
    place = BLUEPRINT.relative_to(CHECKOUT)
    assert blueprint["source_url"] == f"{repository}/blob/main/{place}"
    floor = read_json(CHECKOUT / "hacs.json")["homeassistant"]
    assert blueprint["homeassistant"] == {"min_version": floor}
