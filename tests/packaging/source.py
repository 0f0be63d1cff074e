"""The integration's Python source, read without running it."""

import ast
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TypeIs

from .paths import INTEGRATION

type Function = ast.FunctionDef | ast.AsyncFunctionDef
type Scope = frozenset[Function] | None


class UnreadableError(Exception):
    """A text's key is computed in a way that these tests cannot follow.

    Write the key plainly there, or teach `Source.values` to follow.
    """


def callee(call: ast.Call) -> str:
    """Return the last name of what is called: `ir.async_create_issue()` is its last."""
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=ast.Name(id=name)):
            return name
    return ""


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    """Return a keyword argument of a call."""
    return next((each.value for each in call.keywords if each.arg == name), None)


def bases(node: ast.ClassDef) -> set[str]:
    """Return the last names of a class's bases."""
    names = set()
    for base in node.bases:
        inner = base.value if isinstance(base, ast.Subscript) else base
        match inner:
            case ast.Name(id=name) | ast.Attribute(attr=name):
                names.add(name)
    return names


class Source:
    """The modules of the integration, and where each name is defined and used.

    Without `local_cloud`, which has texts of its own, and `kinds`, which has none.

    Names are looked up by their last part alone. That finds too much rather than too
    little, and is enough as long as the integration keeps its names apart.

    Attributes:
        modules: the parsed files, by their path.
    """

    def __init__(self, folder: Path) -> None:
        """Parse the files below the folder."""
        self.modules = {
            path: ast.parse(path.read_text("utf-8"), str(path))
            for path in sorted(folder.rglob("*.py"))
            if not {folder / "local_cloud", folder / "kinds"} & set(path.parents)
        }
        self._parents: dict[ast.AST, ast.AST] = {}
        self._paths: dict[ast.AST, Path] = {}
        self._functions: dict[str, list[Function]] = {}
        self._classes: dict[str, ast.ClassDef] = {}
        self._calls: dict[str, list[ast.Call]] = {}
        for path, module in self.modules.items():
            self._paths[module] = path
            for parent in ast.walk(module):
                for child in ast.iter_child_nodes(parent):
                    self._parents[child] = parent
                match parent:
                    case ast.FunctionDef() | ast.AsyncFunctionDef():
                        self._functions.setdefault(parent.name, []).append(parent)
                    case ast.ClassDef():
                        self._classes[parent.name] = parent
                    case ast.Call():
                        self._calls.setdefault(callee(parent), []).append(parent)

    def path(self, node: ast.AST) -> Path:
        """Return the file that a node is in."""
        while (parent := self._parents.get(node)) is not None:
            node = parent
        return self._paths[node]

    def where(self, node: ast.AST) -> str:
        """Return a node's place, for a person."""
        return f"{self.path(node)}:{getattr(node, 'lineno', '?')}"

    def enclosing(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield what a node is in, inside out."""
        while (parent := self._parents.get(node)) is not None:
            yield parent
            node = parent

    def function_around(self, node: ast.AST) -> Function:
        """Return the innermost function that a node is in."""
        return next(each for each in self.enclosing(node) if _is_function(each))

    def classes(self) -> list[ast.ClassDef]:
        """Return every class."""
        return list(self._classes.values())

    def calls(self, *names: str, scope: Scope = None) -> list[ast.Call]:
        """Return the calls of anything with one of these names, in these functions."""
        return [
            call
            for name in names
            for call in self._calls.get(name, [])
            if scope is None or any(each in scope for each in self.enclosing(call))
        ]

    def all_calls(self) -> list[ast.Call]:
        """Return every call there is."""
        return [call for calls in self._calls.values() for call in calls]

    def reachable(self, flow: ast.ClassDef) -> frozenset[Function]:
        """Return a class's methods and every function they lead to."""
        own = self._inherited(flow)
        found: set[Function] = set()
        ahead: list[Function] = list(own.values())
        while ahead:
            function = ahead.pop()
            if function in found:
                continue
            found.add(function)
            for node in ast.walk(function):
                match node:
                    case ast.Attribute(value=ast.Name(id="self"), attr=name) if (
                        name in own
                    ):
                        ahead.append(own[name])
                    case ast.Name(id=name) | ast.Attribute(attr=name):
                        ahead += self._functions.get(name, [])
                        if name in self._classes:
                            ahead += self._methods(name, "__init__")
        return frozenset(found)

    def _inherited(self, owner: ast.ClassDef) -> dict[str, Function]:
        """Return a class's methods by name, those of its bases in this folder included."""
        own: dict[str, Function] = {}
        for name in bases(owner) & self._classes.keys():
            own |= self._inherited(self._classes[name])
        return own | {node.name: node for node in owner.body if _is_function(node)}

    def assigned(self, name: str, near: ast.AST | None = None) -> list[ast.expr]:
        """Return what is assigned to a name: in the functions around, else anywhere."""
        if near is not None:
            for around in self.enclosing(near):
                if _is_function(around) and (found := list(_targets(around, name))):
                    return found
        return [
            value
            for module in self.modules.values()
            for value in _targets_of(module.body, name)
        ]

    def values(self, node: ast.expr, scope: Scope = None) -> set[str]:
        """Return every string that an expression can be.

        Args:
            node: the expression.
            scope: only calls within these functions count.

        Raises:
            UnreadableError: it cannot be told.
        """
        return self._values(node, scope, frozenset())

    def _values(
        self, node: ast.expr, scope: Scope, seen: frozenset[ast.AST]
    ) -> set[str]:
        if node in seen:
            return set()
        seen |= {node}
        match node:
            case ast.Constant(value=str(constant)):
                return {constant}
            case ast.Constant(value=None):
                return set()
            case ast.Name(id=name) if (text := self._imported(name, node)) is not None:
                return {text}
        sources = _parts(node) or self._origins(node, scope)
        if not sources:
            raise UnreadableError(f"{self.where(node)}: {ast.unparse(node)}")
        return {
            text for source in sources for text in self._values(source, scope, seen)
        }

    def _origins(self, node: ast.expr, scope: Scope) -> list[ast.expr]:
        """Return the expressions, elsewhere, that an expression's value comes from."""
        match node:
            case ast.Call():
                name = callee(node)
                # What a dialog overrides is another's elsewhere.
                return self.returned(name, scope) or self.returned(name)
            case ast.Name(id=name):
                return [
                    *self.assigned(name, node),
                    *self._arguments(name, node, scope),
                ]
            case ast.Attribute(attr=name):
                return self._attribute(name, scope)
        return []

    def _imported(self, name: str, node: ast.AST) -> str | None:
        """Return a constant that the node's file takes from Home Assistant."""
        for statement in self.modules[self.path(node)].body:
            match statement:
                case ast.ImportFrom(level=0, module=str(module)) if any(
                    name == (each.asname or each.name) for each in statement.names
                ):
                    value = getattr(import_module(module), name)
                    return value if isinstance(value, str) else None
        return None

    def returned(self, name: str, scope: Scope = None) -> list[ast.expr]:
        """Return what the functions and methods of a name return, if in the scope."""
        return [
            node.value
            for function in self._functions.get(name, [])
            if scope is None or function in scope
            for node in ast.walk(function)
            if isinstance(node, ast.Return) and node.value is not None
        ]

    def _arguments(self, name: str, node: ast.AST, scope: Scope) -> list[ast.expr]:
        """Return what is passed for a parameter of a function around the node."""
        for function in self.enclosing(node):
            if _is_function(function) and name in _parameters(function):
                return self._passed(function, name, scope)
        return []

    def _passed(self, function: Function, name: str, scope: Scope) -> list[ast.expr]:
        names = _parameters(function)
        called = function.name
        owner = self._parents[function]
        if isinstance(owner, ast.ClassDef):
            if "staticmethod" not in {ast.unparse(d) for d in function.decorator_list}:
                names = names[1:]
            if called == "__init__":
                called = owner.name
        return [
            *_default(function, name),
            *self._given(called, names, name, scope),
        ]

    def _given(
        self, called: str, names: list[str], name: str, scope: Scope
    ) -> list[ast.expr]:
        found = []
        for call in self.calls(called, scope=scope):
            if (value := keyword(call, name)) is not None:
                found.append(value)
            elif name in names and (place := names.index(name)) < len(call.args):
                found.append(call.args[place])
        return found

    def _attribute(self, name: str, scope: Scope) -> list[ast.expr]:
        """Return what an attribute can be, of whatever class that has it."""
        found = [
            node.value
            for owner in self._classes.values()
            for node in ast.walk(owner)
            if isinstance(node, ast.Assign)
            and any(
                isinstance(target, ast.Attribute)
                and target.attr == name
                and isinstance(target.value, ast.Name)
                and target.value.id == "self"
                for target in node.targets
            )
        ]
        for owner in self._classes.values():
            found += _targets_of(owner.body, name)
            fields = [
                node.target.id
                for node in owner.body
                if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
            ]
            if name in fields:  # a dataclass
                found += self._given(owner.name, fields, name, scope)
        return found

    def _methods(self, class_name: str, name: str) -> list[Function]:
        return [
            node
            for node in self._classes[class_name].body
            if _is_function(node) and node.name == name
        ]


@cache
def integration() -> Source:
    """Return the integration's source."""
    return Source(INTEGRATION)


def _is_function(node: ast.AST) -> TypeIs[Function]:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def _parts(node: ast.expr) -> list[ast.expr]:
    """Return the expressions, within an expression, that it can be."""
    match node:
        case ast.IfExp():
            return [node.body, node.orelse]
        case ast.BoolOp() | ast.Dict():
            return node.values
        case ast.NamedExpr() | ast.Subscript() | ast.Starred():
            return [node.value]
        case ast.List() | ast.Tuple() | ast.Set():
            return node.elts
    return []


def _parameters(function: Function) -> list[str]:
    arguments = function.args
    return [
        each.arg
        for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    ]


def _default(function: Function, name: str) -> list[ast.expr]:
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    pairs = [
        *zip(reversed(positional), reversed(arguments.defaults), strict=False),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    return [value for each, value in pairs if each.arg == name and value is not None]


def _targets(owner: ast.AST, name: str) -> Iterator[ast.expr]:
    yield from _targets_of(list(ast.walk(owner)), name)


def _targets_of(nodes: list[ast.AST] | list[ast.stmt], name: str) -> list[ast.expr]:
    found = []
    for node in nodes:
        match node:
            case ast.Assign():
                targets = node.targets
            case ast.AnnAssign() | ast.NamedExpr():
                targets = [node.target]
            case _:
                continue
        if node.value is not None and any(
            isinstance(target, ast.Name) and target.id == name for target in targets
        ):
            found.append(node.value)
    return found
