"""What a guest wrote as text that a terminal shows harmlessly."""

import re

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")


def printable(content: bytes) -> str:
    """Return a console line as text: escape sequences left out, backspaces done, controls as ``·``."""
    text = _ESCAPES.sub("", content.decode("utf-8", "replace"))
    shown: list[str] = []
    for character in text:
        if character == "\b":
            del shown[-1:]
        elif character == "\r":
            shown.clear()
        else:
            shown.append("    " if character == "\t" else character if character.isprintable() else "·")
    return "".join(shown)


def ascii_of(value: int | None) -> str:
    """The character of a byte in a hex dump: itself, ``.`` where it has none, ``?`` where it is unknown."""
    if value is None:
        return "?"
    return chr(value) if 0x20 <= value < 0x7F else "."
