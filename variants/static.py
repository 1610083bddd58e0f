"""Reading registrations out of source text, without importing it and therefore without torch.

Understood is what `variants.registry` shows: literal arguments of `@register`, and a constructor whose
argument is annotated with a dataclass of the same file or of one it imports from. Whatever is written
otherwise raises Unreadable, and the caller imports the file instead.
"""

import ast
import importlib.util
import re
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from variants.parameters import AbsentWhenOff, AtLeast, AtMost, Length, Parameter, parameter, with_defaults
from variants.registry import Entry, make_entry

CALL = re.compile(r"\bregister\(")
"""A call of `register`, or a word of it in a text: a file that speaks of it is imported to be sure."""
TYPES = {"int": int, "float": float, "bool": bool}
NOTES = {"AtLeast": AtLeast, "AtMost": AtMost, "Length": Length, "AbsentWhenOff": AbsentWhenOff}


class Unreadable(Exception):
    """The file registers in a way that only importing it can tell."""


def registrations(path: Path) -> list[Entry]:
    """The entries that the file at `path` registers, in the order of its text."""
    calls = len(CALL.findall(path.read_text(encoding="utf-8")))
    if not calls:
        return []  # nothing to read: parsing every file of a package would take longer than all else
    module = syntax_tree(path)
    found = []
    understood = 0
    for node in module.body:
        if isinstance(node, ast.ClassDef):
            # Python applies the decorator nearest to the class first.
            for call in reversed([each for each in node.decorator_list if is_register(each)]):
                found.append(entry(module, node, call))
                understood += 1
    if understood != calls:
        raise Unreadable(f"{path} calls register other than as a class decorator")
    return found


@cache
def syntax_tree(path: Path) -> ast.Module:
    """The syntax tree of a file. Raises SyntaxError or UnicodeDecodeError as Python would."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def is_register(node: ast.AST) -> bool:
    """Whether the node is a call of `register` or `variants.register`."""
    if not isinstance(node, ast.Call):
        return False
    called = node.func
    return (isinstance(called, ast.Name) and called.id == "register") or (
        isinstance(called, ast.Attribute)
        and called.attr == "register"
        and isinstance(called.value, ast.Name)
        and called.value.id == "variants"
    )


def entry(module: ast.Module, node: ast.ClassDef, call: ast.AST) -> Entry:
    """The entry of one decorator of one class."""
    assert isinstance(call, ast.Call)
    if len(call.args) != 1:
        raise Unreadable(f"{node.name}: register takes its name alone by position")
    given = {keyword.arg: literal(keyword.value) for keyword in call.keywords if keyword.arg}
    if len(given) != len(call.keywords) or "summary" not in given:
        raise Unreadable(f"{node.name}: register without a literal summary")
    summary, kind = given.pop("summary"), given.pop("kind", "variant")
    objective = given.pop("objective", None)
    parameters = with_defaults(constructor_parameters(module, node), given)
    return make_entry(literal(call.args[0]), summary, kind, parameters, objective)


def constructor_parameters(module: ast.Module, node: ast.ClassDef) -> dict[str, Parameter]:
    """The parameters of the dataclass that the constructor of a class is annotated with."""
    for statement in node.body:
        if isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
            arguments = statement.args.args[1:]
            if not arguments:
                return {}
            annotation = arguments[0].annotation
            if not isinstance(annotation, ast.Name):
                raise Unreadable(f"{node.name}: the constructor's argument is not annotated by a name")
            return fields(*find_class(module, annotation.id))
    if any(not isinstance(base, ast.Name) or base.id != "Generator" for base in node.bases):
        raise Unreadable(f"{node.name} inherits its constructor")
    return {}


def fields(module: ast.Module, node: ast.ClassDef) -> dict[str, Parameter]:
    """The fields of a dataclass, those of its bases first."""
    found: dict[str, Parameter] = {}
    for base in reversed(node.bases):
        if not isinstance(base, ast.Name):
            raise Unreadable(f"{node.name} has a base that is not a plain name")
        found |= fields(*find_class(module, base.id))
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            if statement.value is None:
                raise Unreadable(f"{node.name}.{statement.target.id} has no default")
            name = statement.target.id
            found[name] = parameter(name, annotated(statement.annotation), literal(statement.value))
    return found


def find_class(module: ast.Module, name: str) -> tuple[ast.Module, ast.ClassDef]:
    """The class of this name in the file, or in the file that it is imported from."""
    for node in module.body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return module, node
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return find_class(syntax_tree(source(node.module)), alias.name)
    raise Unreadable(f"class {name} is neither defined nor imported by name")


def source(module: str) -> Path:
    """The source file of an importable module; the packages above it are imported to find it."""
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError) as error:
        raise Unreadable(f"module {module} cannot be found") from error
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        raise Unreadable(f"module {module} has no source file")
    return Path(spec.origin)


def literal(node: ast.expr) -> Any:
    """The value of a literal expression."""
    try:
        return ast.literal_eval(node)
    except ValueError as error:
        raise Unreadable(f"line {node.lineno} is not a literal") from error


def annotated(node: ast.expr) -> Any:
    """The type that an annotation spells, as `typing` would give it."""
    match node:
        case ast.Name(id=name) if name in TYPES:
            return TYPES[name]
        case ast.Subscript(value=ast.Name(id="Literal"), slice=choices):
            return Literal[literal(choices)]
        case ast.Subscript(value=ast.Name(id="tuple")):
            return tuple[int, ...]
        case ast.Subscript(value=ast.Name(id="Annotated"), slice=ast.Tuple(elts=[plain, *notes])):
            return Annotated[(annotated(plain), *map(note, notes))]
    raise Unreadable(f"line {node.lineno}: {ast.unparse(node)} is no type of a parameter")


def note(node: ast.expr) -> object:
    """A note of an annotation: a range, a length, or the parameter's description."""
    match node:
        case ast.Call(func=ast.Name(id=name), args=values, keywords=[]) if name in NOTES:
            try:
                return NOTES[name](*map(literal, values))
            except TypeError as error:
                raise Unreadable(f"line {node.lineno}: {error}") from error
    return literal(node)
