"""Expressions to typed values: gdb's variable objects, taken apart (gdb manual, 27.17)."""

import re
from dataclasses import dataclass
from typing import Any, TypeAlias

from tracedbg.gdb.launch import GdbError
from tracedbg.gdb.mi import MachineInterface, Payload

DEPTH_LIMIT = 8
CHILDREN_LIMIT = 4096

Plain: TypeAlias = "int | float | bool | str | list[Plain] | dict[str, Plain] | None"
"""A value of the program: lists are arrays and tuples, dicts are structures, None is what is not known.

A variant of a Rust enumeration is a dict with its name.
"""

_INTEGER = re.compile(r"(?:\{.*\} )?(-?\d+|0x[0-9a-fA-F]+)(?:[\s(<'\"].*)?", re.DOTALL)
_SIGNED = re.compile(r"-?\d+")
_FLOAT = re.compile(r"-?(\d+\.?\d*(e[+-]?\d+)?|inf|nan(\(.*\))?)")
_NUMBERED = re.compile(r"(__)?\d+")
_ACCESS = ("public", "private", "protected")


@dataclass(frozen=True)
class Value:
    """What an expression is: gdb's name of its type, gdb's text, and the value in Python's own types.

    ``value`` is a Plain; its type is left open so that a script can use it without asking first.
    """

    expression: str
    type: str
    text: str
    value: Any

    def __str__(self) -> str:
        return f"({self.type}) {self.expression} = {self.text}"


def evaluate(gdb: MachineInterface, expression: str) -> Value:
    """Return the value of an expression in the selected frame; GdbError where gdb finds none."""
    quoted = expression.replace("\\", "\\\\").replace('"', '\\"')
    # A variable object has no text for a structure, and does not say why it cannot be made.
    text = gdb.command(f'-data-evaluate-expression "{quoted}"').result["value"]
    variable = gdb.command(f'-var-create - * "{quoted}"').result
    try:
        value = _plain(gdb, variable, DEPTH_LIMIT)
    finally:
        gdb.command(f"-var-delete {variable['name']}")
    return Value(expression, variable.get("type", ""), str(text), value)


def _plain(gdb: MachineInterface, variable: Payload, depth: int) -> Plain:
    text, type_name = variable.get("value", ""), variable.get("type", "")
    if text.startswith(("0x", "@0x")) or variable.get("numchild", "0") == "0":
        return scalar(text.removeprefix("@"), type_name)
    if depth == 0:
        return str(text)
    children = _children(gdb, variable)
    if text.startswith("[") and type_name.endswith("]"):
        return [_plain(gdb, child, depth - 1) for child in children]
    names = [child["exp"] for child in children]
    if names == ["data_ptr", "length"] and type_name.startswith("&"):
        return _slice(gdb, type_name, children, depth)
    return _structure(gdb, children, depth)


def _children(gdb: MachineInterface, variable: Payload) -> list[Payload]:
    listed = gdb.command(f"-var-list-children --all-values {variable['name']} 0 {CHILDREN_LIMIT + 1}").result
    children: list[Payload] = listed.get("children", [])
    if len(children) > CHILDREN_LIMIT:
        raise GdbError(f"{variable.get('type')}: more than {CHILDREN_LIMIT} parts; ask for some of them")
    return children


def _structure(gdb: MachineInterface, children: list[Payload], depth: int) -> Plain:
    """Return a structure's fields by name; a list where they have only numbers, as a tuple's in Rust."""
    fields: dict[str, Plain] = {}
    for child in children:
        value, name = _plain(gdb, child, depth - 1), child["exp"]
        if not (name.startswith("<anonymous") or (name in _ACCESS and "type" not in child)):
            fields[name] = value
        elif isinstance(value, dict):
            # An unnamed part of C, or what a class calls public: its fields are the structure's own. A
            # number there is the one by which an enumeration of Rust tells its variants apart.
            fields.update(value)
    if fields and all(map(_NUMBERED.fullmatch, fields)):
        return list(fields.values())
    return fields


def _slice(gdb: MachineInterface, type_name: str, children: list[Payload], depth: int) -> Plain:
    """Return what a slice of Rust refers to: a text for ``&str``, else a list."""
    start, length = (_plain(gdb, child, depth) for child in children)
    if not isinstance(start, int) or not isinstance(length, int):
        return None
    if length > CHILDREN_LIMIT:
        raise GdbError(f"{type_name}: {length} elements, more than {CHILDREN_LIMIT}; ask for some of them")
    if not length:
        return "" if type_name == "&str" else []
    if type_name == "&str":
        part = gdb.command(f"-data-read-memory-bytes {start:#x} {length}").result["memory"][0]
        return bytes.fromhex(part["contents"]).decode("utf-8", "replace")
    path = gdb.command(f"-var-info-path-expression {children[0]['name']}").result["path_expr"]
    found = evaluate(gdb, f"*({path})@{length}").value
    return found if isinstance(found, list) else [found]


def scalar(text: str, type_name: str) -> Plain:
    """Return gdb's text of a scalar as a number, bool or text; None for what gdb cannot read."""
    if text.startswith(("<unavailable>", "<optimized out>", "<error", "<not saved>")):
        return None
    if text in ("true", "false"):
        return text == "true"
    if text == "{...}":
        return {}
    match = _INTEGER.fullmatch(text)
    if match and "." not in text.split(" ", maxsplit=1)[0]:
        number = match[1]
        return int(number) if _SIGNED.fullmatch(number) else int(number, 16)
    if _FLOAT.fullmatch(text) and re.search(r"float|double|f32|f64", type_name):
        return float(re.sub(r"\(.*", "", text))
    return text
