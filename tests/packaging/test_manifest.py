"""What the loader, hassfest and HACS read before they read any code."""

import importlib.metadata
import re
import tomllib

from .paths import CHECKOUT, INTEGRATION, read_json

REPOSITORY = "https://github.com/espcloud/espcloud"
SEMANTIC_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9a-z.]+)?")

# The keys that this integration has use for; hassfest refuses ones it does not know,
# and those that are new in Home Assistant are not known to it yet.
MANIFEST_KEYS = {
    "after_dependencies",
    "codeowners",
    "config_flow",
    "dependencies",
    "documentation",
    "domain",
    "integration_type",
    "iot_class",
    "issue_tracker",
    "loggers",
    "name",
    "quality_scale",
    "requirements",
    "single_config_entry",
    "version",
}
HACS_KEYS = {
    "content_in_root",
    "country",
    "filename",
    "hacs",
    "hide_default_branch",
    "homeassistant",
    "name",
    "persistent_directory",
    "render_readme",
    "zip_release",
}

MANIFEST = read_json(INTEGRATION / "manifest.json")
HACS = read_json(CHECKOUT / "hacs.json")


def test_manifest_keys_are_known_and_in_order() -> None:
    """Domain and name come first, the rest by the alphabet."""
    keys = list(MANIFEST)
    assert set(keys) <= MANIFEST_KEYS
    assert keys == ["domain", "name", *sorted(set(keys) - {"domain", "name"})]


def test_manifest_says_what_the_integration_is() -> None:
    """The values that decide how Home Assistant treats it."""
    assert MANIFEST["domain"] == INTEGRATION.name
    assert MANIFEST["config_flow"] is True
    assert (INTEGRATION / "config_flow.py").is_file()
    assert MANIFEST["integration_type"] == "hub"
    assert MANIFEST["iot_class"] == "cloud_push"
    assert MANIFEST["codeowners"]
    assert all(re.fullmatch(r"@[\w-]+", owner) for owner in MANIFEST["codeowners"])


def test_manifest_requires_nothing() -> None:
    """The client is part of the integration, and Home Assistant brings the rest."""
    assert MANIFEST["requirements"] == []


def test_manifest_version_is_semantic() -> None:
    """Without a version the loader refuses a custom integration."""
    assert SEMANTIC_VERSION.fullmatch(MANIFEST["version"])


def test_manifest_links_lead_to_the_repository() -> None:
    """Documentation may not be Home Assistant's own; HACS needs the issue tracker."""
    assert MANIFEST["documentation"] == REPOSITORY
    assert MANIFEST["issue_tracker"] == f"{REPOSITORY}/issues"


def test_manifest_names_every_logger() -> None:
    """Debug logging is switched on in the browser for the loggers named here."""
    assert MANIFEST["loggers"] == [f"custom_components.{MANIFEST['domain']}"]


def test_hacs_keys() -> None:
    """HACS refuses keys it does not know; the name is the manifest's."""
    assert set(HACS) <= HACS_KEYS
    assert HACS["name"] == MANIFEST["name"]
    assert "zip_release" not in HACS  # the tag's own archive is what gets installed


def test_floor_is_the_tested_release() -> None:
    """Who installs it has at least the Home Assistant that the tests run on."""
    tested = importlib.metadata.version("homeassistant")
    pinned = (CHECKOUT / "requirements_test.txt").read_text()
    assert f"\nhomeassistant=={tested}\n" in pinned
    year, month, _patch = tested.split(".")
    assert HACS["homeassistant"] == f"{year}.{month}.0"


def test_one_integration_with_a_licence_in_the_root() -> None:
    """HACS installs the only folder there is, and asks for a licence."""
    folders = [
        each
        for each in INTEGRATION.parent.iterdir()
        if each.is_dir() and each.name != "__pycache__"
    ]
    assert folders == [INTEGRATION]
    licence = (CHECKOUT / "LICENSE").read_text()
    assert "Apache License\n" in licence
    assert "Copyright [yyyy] [name of copyright owner]" in licence  # else unrecognised


def test_python_is_the_one_that_home_assistant_needs() -> None:
    """Code for a newer Python than the floor's would not start there."""
    needed = importlib.metadata.metadata("homeassistant")["Requires-Python"]
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    version = project["tool"]["mypy"]["python_version"]
    assert re.fullmatch(rf">={re.escape(version)}\.\d+", needed)
    assert project["tool"]["ruff"]["target-version"] == f"py{version.replace('.', '')}"
