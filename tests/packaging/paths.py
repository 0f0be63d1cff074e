"""Where things are, and how to read them."""

import json
from pathlib import Path
from typing import Any

from homeassistant.util.yaml import load_yaml_dict

CHECKOUT = Path(__file__).parents[2]
INTEGRATION = CHECKOUT / "custom_components" / "espcloud"


def read_json(path: Path) -> dict[str, Any]:
    """Return a JSON file's object; a key that occurs twice is an error."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        assert len(keys) == len(set(keys)), f"{path.name}: a key twice in {keys}"
        return dict(pairs)

    content = json.loads(path.read_text("utf-8"), object_pairs_hook=unique)
    assert isinstance(content, dict)
    return content


def translations(language: str) -> dict[str, Any]:
    """Return all texts of a language."""
    return read_json(INTEGRATION / "translations" / f"{language}.json")


def icons() -> dict[str, Any]:
    """Return icons.json, which only something with an icon of its own needs."""
    path = INTEGRATION / "icons.json"
    return read_json(path) if path.exists() else {}


def read_actions() -> dict[str, Any]:
    """Return services.yaml, which only an integration with actions has."""
    path = INTEGRATION / "services.yaml"
    return load_yaml_dict(str(path)) if path.exists() else {}
