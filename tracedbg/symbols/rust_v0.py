"""Rust's v0 symbol names (rustc book, "v0 Symbol Format"; RFC 2603): paths. Types are in rust_v0_types."""

from tracedbg.symbols.rust_v0_reader import NotV0Error
from tracedbg.symbols.rust_v0_types import TypePrinter


def demangle_v0(name: str) -> str | None:
    """The path without crate hashes, or None when ``name`` is not of this scheme or not understood.

    Reads as rustfilt prints it: generic arguments in full, closures as ``{closure#0}``.
    """
    if not name.startswith("_R") or not name.isascii():
        return None
    printer = TypePrinter(name[2:])
    try:
        plain = printer.path(in_value=True)
        if printer.position < len(printer.text):
            printer.path(in_value=False)  # the crate that instantiated it
    except (NotV0Error, RecursionError):
        return None
    return plain if printer.position == len(printer.text) else None
