"""The dialogs as the code has them: their forms, fields, errors and endings."""

import ast
from dataclasses import dataclass, field

from .source import Function, Source, bases, callee, keyword

# What the helpers of Home Assistant's flows end with, unless told otherwise. Its own
# texts serve already_in_progress, reauth_successful and reconfigure_successful.
DEFAULT_ABORTS = {
    "_abort_if_unique_id_configured": ("error", "already_configured"),
    "_async_abort_entries_match": ("error", "already_configured"),
    "_abort_if_unique_id_mismatch": ("reason", "unique_id_mismatch"),
}
# A flow sends no command to a device, so these have no place in a form.
ONLY_OF_COMMANDS = {"command_rejected", "device_busy", "device_offline"}


@dataclass
class Form:
    """A form's fields, those of its sections, and the placeholders of its texts."""

    fields: set[str] = field(default_factory=set)
    sections: dict[str, set[str]] = field(default_factory=dict)
    placeholders: set[str] = field(default_factory=set)


@dataclass
class Flow:
    """All that a dialog may show.

    Attributes:
        forms: by step.
        menus: by step, the steps that it offers.
        errors: the keys of the errors that its forms show.
        aborts: by reason, the placeholders that each place gives to its text.
    """

    forms: dict[str, Form] = field(default_factory=dict)
    menus: dict[str, set[str]] = field(default_factory=dict)
    errors: set[str] = field(default_factory=set)
    aborts: dict[str, list[set[str]]] = field(default_factory=dict)

    def add(self, other: Flow) -> None:
        """Take over what another dialog shows."""
        self.forms |= other.forms
        self.menus |= other.menus
        self.errors |= other.errors
        for reason, places in other.aborts.items():
            self.aborts.setdefault(reason, []).extend(places)


def flow_classes(source: Source, *kinds: str) -> list[ast.ClassDef]:
    """Return the flows that have one of these bases, or inherit from one that has."""
    own = {each.name: each for each in source.classes()}

    def is_one(flow: ast.ClassDef) -> bool:
        names = bases(flow)
        return bool(names & set(kinds)) or any(
            is_one(own[name]) for name in names & own.keys()
        )

    # What others inherit from is a part of a flow.
    parts = {name for each in own.values() for name in bases(each)}
    return [each for each in own.values() if is_one(each) and each.name not in parts]


def subentry_types(source: Source) -> dict[str, ast.ClassDef]:
    """Return the subentry flows by the type of subentry that each makes."""
    flows = {each.name: each for each in flow_classes(source, "ConfigSubentryFlow")}
    return {
        kind: flows[value.id]
        for module in source.modules.values()
        for node in ast.walk(module)
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
        if key is not None and isinstance(value, ast.Name) and value.id in flows
        for kind in source.values(key)
    }


def methods(source: Source, flow_class: ast.ClassDef) -> set[str]:
    """Return the names of a flow's methods, with those of its own bases."""
    own = {each.name: each for each in source.classes()}
    found = {
        node.name for node in flow_class.body if isinstance(node, ast.AsyncFunctionDef)
    }
    for name in bases(flow_class) & own.keys():
        found |= methods(source, own[name])
    return found


def read_flow(source: Source, flow_class: ast.ClassDef) -> Flow:
    """Return what a flow's code shows."""
    scope = source.reachable(flow_class)
    flow = Flow()
    for call in source.calls("async_show_form", scope=scope):
        _read_form(source, call, flow, scope)
    for call in source.calls("async_show_menu", scope=scope):
        options = keyword(call, "menu_options")
        assert options is not None, source.where(call)
        for step in source.values(_required(call, "step_id")):
            flow.menus[step] = _menu_options(source, options, scope)
    flow.errors = _errors(source, scope) - ONLY_OF_COMMANDS
    _read_aborts(source, scope, flow)
    return flow


def placeholders(call: ast.Call, name: str) -> set[str]:
    """Return the placeholders that a call plainly gives to its text."""
    given = keyword(call, name)
    if not isinstance(given, ast.Dict):
        return set()
    return {str(key.value) for key in given.keys if isinstance(key, ast.Constant)}


def _required(call: ast.Call, name: str) -> ast.expr:
    value = keyword(call, name)
    assert value is not None, f"{ast.unparse(call)}: no {name}"
    return value


def _read_form(
    source: Source, call: ast.Call, flow: Flow, scope: frozenset[Function]
) -> None:
    for step in source.values(_required(call, "step_id")):
        form = flow.forms.setdefault(step, Form())
        form.placeholders |= placeholders(call, "description_placeholders")
        if (schema := keyword(call, "data_schema")) is not None:
            _FieldReader(source, scope, form).read(schema)


class _FieldReader:
    """Collects the markers in an expression and in whatever it names."""

    def __init__(self, source: Source, scope: frozenset[Function], form: Form) -> None:
        """Follow names no further than the functions of the scope."""
        self._source = source
        self._scope = scope
        self._form = form
        self._seen: set[ast.AST] = set()

    def read(self, node: ast.AST) -> None:
        """Add the fields of an expression to the form."""
        if node in self._seen:
            return
        self._seen.add(node)
        ahead = list(ast.iter_child_nodes(node))
        match node:
            case ast.Dict():
                ahead = []
                for key, value in zip(node.keys, node.values, strict=True):
                    if key is None:  # another dictionary, unpacked
                        ahead.append(value)
                    elif isinstance(key, ast.Call) and _is_marker(key):
                        self._read_field(key, value)
            case ast.Name(id=name):
                ahead += self._source.assigned(name, node)
            case ast.Call():
                ahead += self._source.returned(callee(node), self._scope)
        for each in ahead:
            self.read(each)

    def _read_field(self, marker: ast.Call, value: ast.expr) -> None:
        for name in self._source.values(marker.args[0]):
            if isinstance(value, ast.Call) and callee(value) == "section":
                inner = Form()
                _FieldReader(self._source, self._scope, inner).read(value)
                self._form.sections[name] = inner.fields
            else:
                self._form.fields.add(name)


def _is_marker(call: ast.Call) -> bool:
    return callee(call) in {"Required", "Optional", "Inclusive", "Exclusive"}


def _menu_options(
    source: Source, node: ast.expr, scope: frozenset[Function]
) -> set[str]:
    if isinstance(node, ast.Dict):
        return {
            text for key in node.keys if key is not None for text in source.values(key)
        }
    return source.values(node, scope)


def _errors(source: Source, scope: frozenset[Function]) -> set[str]:
    found: set[str] = set()
    for function in scope:
        for node in ast.walk(function):
            match node:
                case ast.Assign(
                    targets=[ast.Subscript(value=ast.Name(id="errors"))], value=value
                ):
                    found |= source.values(value, scope)
                case (
                    ast.keyword(arg="errors", value=ast.Dict() as value)
                    | ast.Assign(
                        targets=[ast.Name(id="errors")], value=ast.Dict() as value
                    )
                    | ast.AnnAssign(
                        target=ast.Name(id="errors"), value=ast.Dict() as value
                    )
                ) if value.values:
                    found |= source.values(value, scope)
    return found


def _read_aborts(source: Source, scope: frozenset[Function], flow: Flow) -> None:
    def add(reason: ast.expr, call: ast.Call) -> None:
        for key in source.values(reason, scope):
            given = placeholders(call, "description_placeholders")
            flow.aborts.setdefault(key, []).append(given)

    for call in source.calls("async_abort", "AbortFlow", scope=scope):
        reason = keyword(call, "reason")
        if reason is None and callee(call) == "AbortFlow":
            reason = call.args[0]
        # A flow's manager has an async_abort as well, which takes no reason.
        if reason is not None and keyword(call, "translation_domain") is None:
            add(reason, call)
    for call in source.calls(
        "async_update_reload_and_abort", "async_update_and_abort", scope=scope
    ):
        if (reason := keyword(call, "reason")) is not None:
            add(reason, call)
    for helper, (name, usual) in DEFAULT_ABORTS.items():
        for call in source.calls(helper, scope=scope):
            add(keyword(call, name) or ast.Constant(usual), call)
