"""The actions that are registered, described and drawn; the icons of entities."""

import ast
import re
from typing import Any

from .paths import icons, read_actions, translations
from .source import integration
from .test_keys import entity_keys

SOURCE = integration()
ACTIONS = read_actions()
TEXTS = translations("en").get("services", {})
ICON = re.compile(r"mdi:[a-z0-9]+(-[a-z0-9]+)*")


def registered() -> set[str]:
    """Return the names of the actions that the code registers."""
    found: set[str] = set()
    for name, place in (
        ("async_register", 1),
        ("async_register_admin_service", 2),
        ("async_register_platform_entity_service", 2),
        ("async_register_entity_service", 0),
    ):
        for call in SOURCE.calls(name):
            # Others register too: a system health, a platform of the frontend.
            if name == "async_register" and not ast.unparse(call.func).endswith(
                "services.async_register"
            ):
                continue
            found |= SOURCE.values(call.args[place])
    return found


def fields_of(action: dict[str, Any]) -> dict[str, Any]:
    """Return an action's fields, those in sections too."""
    found: dict[str, Any] = {}
    for name, field in action.get("fields", {}).items():
        found |= field.get("fields", {name: field})
    return found


def test_actions_are_described() -> None:
    """Each action of the code has its form and its texts."""
    assert registered() == ACTIONS.keys() == TEXTS.keys()
    for name, action in ACTIONS.items():
        assert TEXTS[name]["name"] and TEXTS[name]["description"], name
        fields = TEXTS[name].get("fields", {})
        assert fields.keys() == fields_of(action or {}).keys(), name
        for texts in fields.values():
            assert texts["name"] and texts["description"], name


def test_actions_have_icons() -> None:
    """Each action has one, and no other."""
    drawn = icons().get("services", {})
    assert drawn.keys() == ACTIONS.keys()
    for icon in drawn.values():
        assert ICON.fullmatch(icon["service"])


def test_icons_belong_to_entities() -> None:
    """Each icon is that of an entity's translation key."""
    assert set(icons()) <= {"entity", "services"}
    known = entity_keys()
    for platform, drawn in icons().get("entity", {}).items():
        assert drawn.keys() <= known[platform], platform


def test_icons_are_material_icons() -> None:
    """A state's icon differs from the entity's own, or it would say nothing."""
    for drawn in icons().get("entity", {}).values():
        for key, icon in drawn.items():
            assert ICON.fullmatch(icon["default"]), key
            for state in icon.get("state", {}).values():
                assert ICON.fullmatch(state), key
                assert state != icon["default"], key
