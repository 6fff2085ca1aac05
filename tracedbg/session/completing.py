"""Texts that a person may want to type next."""

from collections.abc import Sequence

LIMIT = 8
POSITIONS = ("start", "end", "last-kernel", "pc=0x")
BYTES = ("sp", "0x", "pa 0x")


def complete_position(text: str, functions: Sequence[str]) -> list[str]:
    """Return positions: those that begin with ``text``, then functions that have it in their name."""
    if not text:
        return list(POSITIONS)
    return _matching(text, (*POSITIONS, *functions))


def complete_bytes(text: str, registers: Sequence[str], functions: Sequence[str]) -> list[str]:
    """Return names of bytes: registers and functions that begin with ``text``, then those that have it."""
    return _matching(text, (*registers, *functions)) if text else list(BYTES)


def _matching(text: str, names: Sequence[str]) -> list[str]:
    begun = [name for name in names if name.startswith(text)]
    inside = [name for name in names if text in name and not name.startswith(text)]
    return [*begun, *inside][:LIMIT]
