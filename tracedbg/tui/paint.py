"""Colours by meaning; each meaning also has a sign of its own, so that no colour is needed."""

from collections.abc import Iterable, Mapping
from itertools import groupby

from textual.content import Content

PALETTE: Mapping[str, str] = {
    "U": "$success",
    "S": "$primary-lighten-2",
    "M": "$warning",
    "E": "$error bold",
    "I": "$secondary bold",
    "*": "$warning bold",
    "c": "$accent",
    "r": "$success",
    "w": "$error bold",
    "d": "$primary-lighten-2",
    "o": "$text-muted",
    "t": "$text",
    "~": "$text-muted",
    "b": "$primary-lighten-2",
    "!": "$error bold",
    "^": "$warning bold",
    "i": "$accent",
}
"""Styles of the kinds that lanes give their cells."""

LABEL = "$text-muted"
CURSOR = "reverse"
WINDOW = "$accent bold reverse"
CHANGED = "$warning bold"
CURRENT = "bold"
LIVE = "$primary-lighten-2"
SELECTED = "reverse"
UNKNOWN = "$text-disabled"
SOURCE = "$success"
SYMBOL = "$accent bold"
NOTE = "$text-muted"
BUSY = "…"
"""Stands behind the title of a panel whose content is not there yet."""


def cells(text: str, kinds: str, marked: Mapping[int, str] | None = None) -> Content:
    """A lane's cells in the colours of their kinds; ``marked`` gives columns a style of their own."""
    marks = marked or {}
    styles = [marks.get(column, PALETTE.get(kind, "")) for column, kind in enumerate(kinds)]
    parts = []
    for style, run in groupby(zip(text, styles, strict=True), key=lambda pair: pair[1]):
        parts.append((str("".join(character for character, _ in run)), style))
    return Content.assemble(*parts)


def stack(lines: Iterable[Content]) -> Content:
    """Lines below each other."""
    return Content("\n").join(list(lines))
