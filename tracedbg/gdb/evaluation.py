"""Expressions to typed values: gdb's variable objects, taken apart (gdb manual, 27.17)."""

import re
from dataclasses import dataclass
from typing import Any, TypeAlias

from tracedbg.gdb.launch import GdbError
from tracedbg.gdb.mi import MachineInterface, Payload

DEPTH_LIMIT = 8
CHILDREN_LIMIT = 4096

Plain: TypeAlias = "int | float | bool | str | list[Plain] | dict[str, Plain] | None"
"""A value of the program: lists are arrays, dicts are structures, None is what is not known."""

_INTEGER = re.compile(r"(-?\d+|0x[0-9a-fA-F]+)(?:[\s(<'\"].*)?", re.DOTALL)
_SIGNED = re.compile(r"-?\d+")
_FLOAT = re.compile(r"-?(\d+\.?\d*(e[+-]?\d+)?|inf|nan(\(.*\))?)")
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
        is_whole = isinstance(self.value, list | dict)
        return f"({self.type}) {self.expression} = {self.value if is_whole else self.text}"


def evaluate(gdb: MachineInterface, expression: str) -> Value:
    """Return the value of an expression in the selected frame; GdbError where gdb finds none."""
    quoted = expression.replace("\\", "\\\\").replace('"', '\\"')
    # A variable object that cannot be made does not say why.
    gdb.command(f'-data-evaluate-expression "{quoted}"')
    variable = gdb.command(f'-var-create - * "{quoted}"').result
    try:
        value = _plain(gdb, variable, DEPTH_LIMIT)
    finally:
        gdb.command(f"-var-delete {variable['name']}")
    return Value(expression, variable.get("type", ""), variable.get("value", ""), value)


def _plain(gdb: MachineInterface, variable: Payload, depth: int) -> Plain:
    text, type_name = variable.get("value", ""), variable.get("type", "")
    is_pointer = type_name.rstrip().endswith(("*", "* const", "&")) and text.startswith(("0x", "@0x"))
    if is_pointer or variable.get("numchild", "0") == "0":
        return scalar(text.removeprefix("@"), type_name)
    if depth == 0:
        return str(text)
    listed = gdb.command(f"-var-list-children --all-values {variable['name']} 0 {CHILDREN_LIMIT + 1}").result
    children: list[Payload] = listed.get("children", [])
    if len(children) > CHILDREN_LIMIT:
        raise GdbError(f"{type_name}: more than {CHILDREN_LIMIT} parts; ask for some of them")
    if text.startswith("[") and type_name.endswith("]"):
        return [_plain(gdb, child, depth - 1) for child in children]
    return _fields(gdb, children, depth)


def _fields(gdb: MachineInterface, children: list[Payload], depth: int) -> dict[str, Plain]:
    fields: dict[str, Plain] = {}
    for child in children:
        value = _plain(gdb, child, depth - 1)
        if child["exp"] in _ACCESS and "type" not in child and isinstance(value, dict):
            fields.update(value)
        else:
            fields[child["exp"]] = value
    return fields


def scalar(text: str, type_name: str) -> Plain:
    """Return gdb's text of a scalar as a number, bool or text; None for what gdb cannot read."""
    if text.startswith(("<unavailable>", "<optimized out>", "<error", "<not saved>")):
        return None
    if text in ("true", "false"):
        return text == "true"
    match = _INTEGER.fullmatch(text)
    if match and "." not in text.split(" ", maxsplit=1)[0]:
        number = match[1]
        return int(number) if _SIGNED.fullmatch(number) else int(number, 16)
    if _FLOAT.fullmatch(text) and re.search(r"float|double|f32|f64", type_name):
        return float(re.sub(r"\(.*", "", text))
    return text
