"""Bytes as a person names them: an address, a register or a symbol, with an offset and a size."""

import re

from tracedbg.errors import UsageError
from tracedbg.session.place import Selection
from tracedbg.session.selecting import selected
from tracedbg.state import Moment
from tracedbg.state.where import parse_range
from tracedbg.symbols import SymbolTable

LARGEST = 4096
"""Bytes that are selected at most; a symbol may be larger."""
_SPACE = re.compile(r"(?P<space>pa|va)[\s:]+(?P<rest>.*)", re.DOTALL)
_HEXADECIMAL = re.compile(r"[0-9a-fA-F]{8,16}(?![0-9a-zA-Z_])")
_BASE = re.compile(r"[a-z][a-z0-9]*")


def find_selection(text: str, moment: Moment, symbols: SymbolTable, *, virtual: bool) -> Selection:
    """Return the bytes that a text names: ``0x80200000:16``, ``pa 80200000``, ``sp+8``, ``task_table:64``.

    ``virtual`` says what a plain address is; registers and symbols are virtual. UsageError for another text.
    """
    match = _SPACE.fullmatch(text.strip())
    chosen = virtual if match is None else match["space"] == "va"
    plain = text.strip() if match is None else match["rest"].strip()
    found = parse_range(_with_value(plain, moment), symbols, virtual=chosen)
    is_virtual = found.is_virtual or _is_register(plain, moment)
    return selected(found.address, min(found.size, LARGEST), is_virtual=is_virtual)


def _is_register(text: str, moment: Moment) -> bool:
    base = _BASE.match(text)
    return base is not None and base[0] in moment.registers and not text[base.end() :].startswith("_")


def _with_value(text: str, moment: Moment) -> str:
    """Put a register's value in its place, and ``0x`` before what looks like an address without it."""
    if _is_register(text, moment):
        base = _BASE.match(text)
        assert base is not None
        value = moment.registers[base[0]]
        if value is None:
            raise UsageError(f"{base[0]} is not known at this t")
        return f"{value:#x}{text[base.end() :]}"
    return f"0x{text}" if _HEXADECIMAL.match(text) else text
