"""Names as their authors wrote them: Rust in both its schemes; what is not understood stays raw."""

from functools import lru_cache

from tracedbg.symbols.rust_legacy import demangle_legacy
from tracedbg.symbols.rust_v0 import demangle_v0


@lru_cache(maxsize=65536)
def demangle(name: str) -> str:
    """The readable form of a linker symbol, or the symbol itself.

    A suffix that a compiler put behind (``.constprop.0``, ``.cold``) stays behind; LLVM's ``.llvm.123``,
    which only keeps names apart, goes. C++ names stay raw.
    """
    if not name.startswith(("_R", "_ZN")):
        return name
    plain = _demangle_core(name.partition(".llvm.")[0])
    return name if plain is None else plain


def _demangle_core(name: str) -> str | None:
    legacy = demangle_legacy(name)
    if legacy is not None:
        return legacy
    # Legacy names use dots inside, so a suffix is looked for only in the other schemes.
    core, dot, suffix = name.partition(".")
    plain = demangle_v0(core)
    return None if plain is None else plain + dot + suffix
