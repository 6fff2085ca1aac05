"""Rust's legacy symbol names: an Itanium nested name whose last part is a hash."""

import re

_HASH = re.compile(r"17h[0-9a-f]{16}E")
_LENGTH = re.compile(r"[1-9][0-9]*")
_ESCAPE = re.compile(r"\$(?:([A-Z]{1,2})|u([0-9a-f]{1,6}))\$")
_SIGNS = {"SP": "@", "BP": "*", "RF": "&", "LT": "<", "GT": ">", "LP": "(", "RP": ")", "C": ","}


def demangle_legacy(name: str) -> str | None:
    """The path without its hash, or None when ``name`` is not of this scheme."""
    if not name.startswith("_ZN"):
        return None
    parts: list[str] = []
    position = 3
    while not _HASH.match(name, position):
        length = _LENGTH.match(name, position)
        if length is None:
            return None
        position = length.end() + int(length.group())
        if position >= len(name):
            return None
        parts.append(_unescaped(name[length.end() : position]))
    suffix = name[position + 20 :]
    if not parts or (suffix and not suffix.startswith(".")):
        return None
    return "::".join(parts) + suffix


def _unescaped(part: str) -> str:
    if part.startswith("_$"):
        part = part[1:]
    return _ESCAPE.sub(_sign, part.replace("..", "::"))


def _sign(match: re.Match[str]) -> str:
    letters, digits = match.groups()
    if letters is not None:
        return _SIGNS.get(letters, match.group())
    code = int(digits, 16)
    return chr(code) if 0x20 <= code < 0x110000 and not 0xD800 <= code < 0xE000 else match.group()
