"""Names, source lines, inlined calls and unwind rules out of ELF and DWARF files."""

from tracedbg.symbols.attachment import debug_only, source_files, without_segments
from tracedbg.symbols.demangle import demangle
from tracedbg.symbols.loaded_file import SymbolFile
from tracedbg.symbols.model import (
    AtCfa,
    CfaRule,
    Content,
    InlinedCall,
    InRegister,
    LoadSegment,
    RegisterRule,
    SameValue,
    SourceLine,
    Symbol,
    SymbolAt,
    Undefined,
    Unsupported,
    UnwindRow,
    ValueOfCfa,
)
from tracedbg.symbols.table import SymbolTable

__all__ = [
    "AtCfa",
    "CfaRule",
    "Content",
    "InRegister",
    "InlinedCall",
    "LoadSegment",
    "RegisterRule",
    "SameValue",
    "SourceLine",
    "Symbol",
    "SymbolAt",
    "SymbolFile",
    "SymbolTable",
    "Undefined",
    "Unsupported",
    "UnwindRow",
    "ValueOfCfa",
    "debug_only",
    "demangle",
    "source_files",
    "without_segments",
]
