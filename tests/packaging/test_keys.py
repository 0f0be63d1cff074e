"""Every text that the code refers to is there, and none is there for nothing."""

import ast
from collections.abc import Iterator
import re
from typing import Any

import pytest

from .flows import (
    Flow,
    Form,
    flow_classes,
    methods,
    placeholders as given_placeholders,
    read_flow,
    subentry_types,
)
from .paths import read_actions, translations
from .source import callee, integration, keyword
from .test_texts import placeholders, texts

SOURCE = integration()
ENGLISH = translations("en")
EXCEPTIONS = {
    "ConfigEntryAuthFailed",
    "ConfigEntryError",
    "ConfigEntryNotReady",
    "HomeAssistantError",
    "ServiceValidationError",
    "UpdateFailed",
}


def flows() -> Iterator[tuple[str, Flow, dict[str, Any]]]:
    """Yield each dialog's name, what its code shows, and its texts."""
    (config_flow,) = flow_classes(SOURCE, "ConfigFlow")
    yield "config", read_flow(SOURCE, config_flow), ENGLISH["config"]
    # An account has other options than the cloud, but all share their texts.
    options = Flow()
    for each in flow_classes(
        SOURCE, "OptionsFlow", "OptionsFlowWithReload", "SchemaConfigFlowHandler"
    ):
        options.add(read_flow(SOURCE, each))
    yield "options", options, ENGLISH["options"]
    for kind, each in subentry_types(SOURCE).items():
        yield kind, read_flow(SOURCE, each), ENGLISH["config_subentries"][kind]


FLOWS = list(flows())
every_flow = pytest.mark.parametrize(
    ("flow", "tree"), [pytest.param(*rest, id=name) for name, *rest in FLOWS]
)


def in_texts(tree: dict[str, Any]) -> set[str]:
    """Return the placeholders of all texts of a tree."""
    return {name for _, text in texts(tree) for name in placeholders(text)}


@every_flow
def test_steps(flow: Flow, tree: dict[str, Any]) -> None:
    """Each form and menu has a title, and its texts get what they name."""
    assert tree["step"].keys() == flow.forms.keys() | flow.menus.keys()
    for step, texts_of_step in tree["step"].items():
        assert "title" in texts_of_step, step
        given = set()
        if step in flow.forms:
            given = set(flow.forms[step].placeholders)
            if step.startswith(("reauth", "reconfigure")):
                given.add("name")  # from Home Assistant: the entry's title
        assert in_texts(texts_of_step) <= given, step


@every_flow
def test_fields(flow: Flow, tree: dict[str, Any]) -> None:
    """Each field of each form has a label and a description, each section a name."""
    for step, form in flow.forms.items():
        _check_fields(form.fields, tree["step"][step], step)
        sections = tree["step"][step].get("sections", {})
        assert sections.keys() == form.sections.keys(), step
        for name, fields in form.sections.items():
            assert sections[name]["name"]
            _check_fields(fields, sections[name], f"{step}, {name}")


def _check_fields(fields: set[str], tree: dict[str, Any], where: str) -> None:
    assert set(tree.get("data", {})) == fields, where
    assert set(tree.get("data_description", {})) == fields, where


@every_flow
def test_menus(flow: Flow, tree: dict[str, Any]) -> None:
    """Each way out of a menu has a text."""
    for step, options in flow.menus.items():
        assert tree["step"][step]["menu_options"].keys() == options, step


@every_flow
def test_errors(flow: Flow, tree: dict[str, Any]) -> None:
    """Each error of a form has a text, and each text an error that shows it."""
    assert set(tree.get("error", {})) == flow.errors
    everywhere = [form.placeholders for form in flow.forms.values()]
    assert in_texts(tree.get("error", {})) <= set.intersection(*everywhere)


@every_flow
def test_aborts(flow: Flow, tree: dict[str, Any]) -> None:
    """Each ending has a text that gets what it names, and each text an ending."""
    assert set(tree.get("abort", {})) == flow.aborts.keys()
    for reason, places in flow.aborts.items():
        for given in places:
            assert set(placeholders(tree["abort"][reason])) <= given, reason


def test_subentries() -> None:
    """Each type of subentry has its name and a text for each way to begin."""
    types = subentry_types(SOURCE)
    assert ENGLISH.get("config_subentries", {}).keys() == types.keys()
    for kind, flow_class in types.items():
        tree = ENGLISH["config_subentries"][kind]
        steps = methods(SOURCE, flow_class)
        ways = {way for way in ("user", "reconfigure") if f"async_step_{way}" in steps}
        assert tree["entry_type"]
        assert tree["initiate_flow"].keys() == ways


def keys_of(*calls: ast.Call) -> set[str]:
    """Return the translation keys that these calls can have."""
    return {
        key
        for call in calls
        if (value := keyword(call, "translation_key")) is not None
        for key in SOURCE.values(value)
    }


def exception_calls() -> list[ast.Call]:
    """Return what makes an exception with a translated text."""
    return [
        call
        for call in SOURCE.all_calls()
        if keyword(call, "translation_domain") is not None
        and keyword(call, "translation_key") is not None
        and not callee(call).startswith("async_create_issue")
    ]


def test_exceptions() -> None:
    """Each translated exception has a text, and each text an exception."""
    assert ENGLISH.get("exceptions", {}).keys() == keys_of(*exception_calls())


def exception_texts() -> Iterator[tuple[str, set[str], ast.Call]]:
    """Yield the keys of exceptions with the placeholders that each place gives.

    As far as they are written plainly: in the call itself, or in the call of a function
    around it that passes its keyword arguments on.
    """
    for call in exception_calls():
        given = keyword(call, "translation_placeholders")
        if not isinstance(given, ast.Name):
            for key in keys_of(call):
                yield key, given_placeholders(call, "translation_placeholders"), call
            continue
        function = SOURCE.function_around(call)
        kind = keyword(call, "translation_key")
        passed_on = function.args.kwarg and function.args.kwarg.arg == given.id
        names = [each.arg for each in (*function.args.args, *function.args.kwonlyargs)]
        if not passed_on or not isinstance(kind, ast.Name) or kind.id not in names:
            continue
        for outer in SOURCE.calls(function.name):
            named = {each.arg for each in outer.keywords if each.arg} - set(names)
            place = names.index(kind.id)
            value = keyword(outer, kind.id) or outer.args[place]
            for key in SOURCE.values(value):
                yield key, named, outer


def test_exceptions_get_what_their_texts_name() -> None:
    """Each place gives at least the placeholders of the text."""
    for key, given, call in exception_texts():
        message = ENGLISH["exceptions"][key]["message"]
        assert set(placeholders(message)) <= given, SOURCE.where(call)


def test_every_exception_is_translated() -> None:
    """A text in the code would be English for everybody."""
    bare = [
        SOURCE.where(call)
        for call in SOURCE.calls(*EXCEPTIONS)
        if keyword(call, "translation_key") is None
    ]
    assert not bare


def test_issues() -> None:
    """Each repair issue has a title and says what to do."""
    calls = SOURCE.calls("async_create_issue")
    issues = ENGLISH.get("issues", {})
    assert issues.keys() == keys_of(*calls)
    for call in calls:
        given = given_placeholders(call, "translation_placeholders")
        plain = not isinstance(keyword(call, "translation_placeholders"), ast.Name)
        for key in keys_of(call):
            issue = issues[key]
            assert "title" in issue
            assert ("fix_flow" in issue) != ("description" in issue)
            if plain:
                assert in_texts(issue) <= given, SOURCE.where(call)


def test_fix_flows() -> None:
    """The dialogs of repair issues have texts for all that they show."""
    read = [
        read_flow(SOURCE, each)
        for each in flow_classes(SOURCE, "RepairsFlow", "ConfirmRepairFlow")
    ]
    own = {"confirm"} if SOURCE.calls("ConfirmRepairFlow") else set()
    trees = [
        issue["fix_flow"]
        for issue in ENGLISH.get("issues", {}).values()
        if "fix_flow" in issue
    ]
    for part, used in (
        ("step", {step for flow in read for step in (*flow.forms, *flow.menus)} | own),
        ("error", {key for flow in read for key in flow.errors}),
        ("abort", {reason for flow in read for reason in flow.aborts}),
    ):
        assert {key for tree in trees for key in tree.get(part, {})} == used, part


def entity_keys() -> dict[str, set[str]]:
    """Return the translation keys of entities, by platform."""
    found: dict[str, set[str]] = {}
    for path, module in SOURCE.modules.items():
        for node in ast.walk(module):
            values: list[ast.expr] = []
            match node:
                case ast.Assign(
                    targets=[
                        ast.Name(id="_attr_translation_key")
                        | ast.Attribute(attr="_attr_translation_key")
                    ],
                    value=value,
                ):
                    values = [value]
                case ast.Call() if callee(node).endswith("EntityDescription"):
                    if (key := keyword(node, "translation_key")) is not None:
                        values = [key]
            for value in values:
                found.setdefault(path.stem, set()).update(SOURCE.values(value))
    return found


def test_entities() -> None:
    """Each entity's key has a text, and each text an entity."""
    tree = ENGLISH.get("entity", {})
    assert {platform: set(keys) for platform, keys in tree.items()} == entity_keys()


def event_types() -> dict[str, set[str]]:
    """Return the event types of each class of event entities, by its translation key."""
    found: dict[str, set[str]] = {}
    for each in flow_classes(SOURCE, "EventEntity"):
        values = {
            node.targets[0].id: SOURCE.values(node.value)
            for node in each.body
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and node.targets[0].id in {"_attr_event_types", "_attr_translation_key"}
        }
        (key,) = values["_attr_translation_key"]
        found[key] = values["_attr_event_types"]
    return found


def test_event_types() -> None:
    """Each type of event has a text."""
    for key, types in event_types().items():
        attributes = ENGLISH["entity"]["event"][key]["state_attributes"]
        assert attributes["event_type"]["state"].keys() == types


def test_selectors() -> None:
    """Each list to choose from has its options' texts."""
    calls = SOURCE.calls("SelectSelectorConfig")
    selectors = ENGLISH.get("selector", {})
    of_actions = set(re.findall(r"'translation_key': '(\w+)'", str(read_actions())))
    assert selectors.keys() == keys_of(*calls) | of_actions


def test_system_health() -> None:
    """Each line of the system information has a label."""
    shown = {
        key.value
        for path, module in SOURCE.modules.items()
        if path.stem == "system_health"
        for node in ast.walk(module)
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant)
    }
    assert set(ENGLISH.get("system_health", {}).get("info", {})) == shown


def test_the_flows_were_found() -> None:
    """If reading the code went blind, all of the above would pass on nothing."""
    flow = next(flow for name, flow, _ in FLOWS if name == "config")
    assert flow.forms["account"] == Form(
        fields={"clear_text", "email", "password"},
        sections={"server": {"port", "ssl", "url", "verify_ssl"}},
        placeholders={"default_url"},
    )
    assert flow.forms["device_key"].fields == {"area", "device_key", "take_over"}
    assert flow.menus["device"] == {
        "account_devices",
        "create_device",
        "device_key",
        "pick_device",
    }
    assert "invalid_auth" in flow.errors
    assert "device_added" in flow.aborts
    assert exception_calls()
