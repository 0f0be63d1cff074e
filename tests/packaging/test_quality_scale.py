"""quality_scale.yaml answers every rule of Home Assistant's Integration Quality Scale."""

import re
from typing import Any

import pytest

from homeassistant.util.yaml import load_yaml_dict

from .paths import INTEGRATION, read_json

RULES = {
    "bronze": {
        "action-setup",
        "appropriate-polling",
        "brands",
        "common-modules",
        "config-flow",
        "config-flow-test-coverage",
        "dependency-transparency",
        "docs-actions",
        "docs-conditions",
        "docs-high-level-description",
        "docs-installation-instructions",
        "docs-removal-instructions",
        "docs-triggers",
        "entity-event-setup",
        "entity-unique-id",
        "has-entity-name",
        "runtime-data",
        "test-before-configure",
        "test-before-setup",
        "unique-config-entry",
    },
    "silver": {
        "action-exceptions",
        "config-entry-unloading",
        "docs-configuration-parameters",
        "docs-installation-parameters",
        "entity-unavailable",
        "integration-owner",
        "log-when-unavailable",
        "parallel-updates",
        "reauthentication-flow",
        "test-coverage",
    },
    "gold": {
        "devices",
        "diagnostics",
        "discovery",
        "discovery-update-info",
        "docs-data-update",
        "docs-examples",
        "docs-known-limitations",
        "docs-supported-devices",
        "docs-supported-functions",
        "docs-troubleshooting",
        "docs-use-cases",
        "dynamic-devices",
        "entity-category",
        "entity-device-class",
        "entity-disabled-by-default",
        "entity-translations",
        "exception-translations",
        "icon-translations",
        "reconfiguration-flow",
        "repair-issues",
        "stale-devices",
    },
    "platinum": {"async-dependency", "inject-websession", "strict-typing"},
}
ALL_RULES = {rule for rules in RULES.values() for rule in rules}

ANSWERS: dict[str, Any] = load_yaml_dict(str(INTEGRATION / "quality_scale.yaml"))


def status(rule: str) -> str:
    """Return what the file says of a rule."""
    answer = ANSWERS["rules"][rule]
    return answer if isinstance(answer, str) else answer["status"]


def test_every_rule_is_answered() -> None:
    """All of Home Assistant's rules, and no invented ones."""
    assert len(ALL_RULES) == 54
    assert ANSWERS.keys() == {"rules"}
    assert ANSWERS["rules"].keys() == ALL_RULES


@pytest.mark.parametrize("rule", sorted(ALL_RULES))
def test_answer(rule: str) -> None:
    """A rule is done, or exempt for a reason that is given."""
    answer = ANSWERS["rules"][rule]
    if not isinstance(answer, str):
        assert answer.keys() <= {"status", "comment"}
        assert re.fullmatch(r"\S.*\.", answer["comment"].strip(), re.DOTALL)
    assert status(rule) in {"done", "exempt"}
    if status(rule) == "exempt":
        assert not isinstance(answer, str), "without a reason"


def test_manifest_claims_what_that_amounts_to() -> None:
    """With every rule met, the highest tier."""
    manifest = read_json(INTEGRATION / "manifest.json")
    assert manifest["quality_scale"] == list(RULES)[-1]
