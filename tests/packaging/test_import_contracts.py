"""The import contracts of pyproject.toml hold for modules that nobody has written yet."""

from pathlib import Path
import shutil
import subprocess
import sys

import pytest

from .paths import CHECKOUT

PACKAGES = ("custom_components", "console", "demo", "tests/firmware")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Copy what the contracts speak of."""
    for package in PACKAGES:
        shutil.copytree(
            CHECKOUT / package,
            tmp_path / package,
            ignore=shutil.ignore_patterns("__pycache__", "static"),
        )
    for file in ("pyproject.toml", "tests/__init__.py"):
        shutil.copy(CHECKOUT / file, tmp_path / file)
    return tmp_path


def broken(checkout: Path) -> list[str]:
    """Return the names of the contracts that a checkout breaks."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    assert any(line.startswith("Contracts:") for line in lines), done.stdout
    return [line.partition(" BROKEN")[0] for line in lines if " BROKEN" in line]


@pytest.mark.parametrize(
    ("path", "line", "contract"),
    [
        pytest.param(
            "custom_components/espcloud/fan.py",
            "from .cloud import CloudClient",
            "Nothing but what is named here knows of sockets or HTTP",
            id="a platform that speaks to the cloud",
        ),
        pytest.param(
            "custom_components/espcloud/fan.py",
            "import aiohttp",
            "Nothing but what is named here knows of sockets or HTTP",
            id="a platform that speaks HTTP",
        ),
        pytest.param(
            "custom_components/espcloud/fan.py",
            "from .entity import EspCloudEntity",
            "What the integration is made of, from the top down; nothing imports upwards",
            id="a platform without a place",
        ),
        pytest.param(
            "custom_components/espcloud/cloud/fan.py",
            "import homeassistant.core",
            "The cloud client knows nothing of Home Assistant",
            id="a client that knows Home Assistant",
        ),
        pytest.param(
            "custom_components/espcloud/kinds/fan.py",
            "from homeassistant.components.light import ColorMode",
            "Kinds of devices know nothing of Home Assistant, and of no way to a device",
            id="a kind that knows Home Assistant",
        ),
        pytest.param(
            "custom_components/espcloud/kinds/fan.py",
            "from custom_components.espcloud.cloud.models import integer",
            "Kinds of devices know nothing of Home Assistant, and of no way to a device",
            id="a kind that knows the client",
        ),
        pytest.param(
            "custom_components/espcloud/kinds/fan.py",
            "from custom_components.espcloud.entity import EspCloudEntity",
            "What the integration is made of, from the top down; nothing imports upwards",
            id="a kind that knows the integration",
        ),
        pytest.param(
            "custom_components/espcloud/local_cloud/api/fan.py",
            "from ...cloud import models",
            "local_cloud stands alone",
            id="a server that reads what the client reads",
        ),
        pytest.param(
            "custom_components/espcloud/local_cloud/api/fan.py",
            "import homeassistant.core",
            "local_cloud stands alone",
            id="a server that knows Home Assistant",
        ),
        pytest.param(
            "custom_components/espcloud/local_cloud/api/fan.py",
            "from ...const import DOMAIN",
            "What the integration is made of, from the top down; nothing imports upwards",
            id="a server that knows the integration",
        ),
        pytest.param(
            "custom_components/espcloud/fan.py",
            "from .local_cloud import LocalCloud",
            "Nothing but what is named here knows of sockets or HTTP",
            id="a platform that runs a server",
        ),
        pytest.param(
            "tests/firmware/fan.py",
            "from custom_components.espcloud.local_cloud import wire",
            "The simulated devices are a third reading of the protocol",
            id="a simulated device that reads what the server reads",
        ),
        pytest.param(
            "console/fan.py",
            "from custom_components.espcloud.local_cloud import wire",
            "The web site knows the server alone",
            id="a web site that knows the integration's folder",
        ),
        pytest.param(
            "console/fan.py",
            "from homeassistant.util import dt",
            "The web site knows the server alone",
            id="a web site that knows Home Assistant",
        ),
        pytest.param(
            "custom_components/espcloud/local_cloud/api/fan.py",
            "import local_cloud_console",
            "Home Assistant's folder knows nothing of the web site, nor of what that takes",
            id="a server that knows its web site",
        ),
        pytest.param(
            "custom_components/espcloud/sensor.py",
            "from console import mount",
            "Home Assistant's folder knows nothing of the web site, nor of what that takes",
            id="an integration that knows the web site",
        ),
    ],
)
def test_a_new_module_is_guarded(
    checkout: Path, path: str, line: str, contract: str
) -> None:
    """A contract that lists modules by name would not know it."""
    module = checkout / path
    module.write_text(f'"""Something new."""\n\n{line}\n')
    assert contract in broken(checkout)


def test_the_checkout_itself_breaks_none(checkout: Path) -> None:
    """Else the others would prove nothing."""
    assert broken(checkout) == []
