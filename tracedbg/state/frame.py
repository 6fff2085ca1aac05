"""One frame of a call stack."""

from dataclasses import dataclass
from enum import Enum

from tracedbg.ids import Hart, VirtualAddress
from tracedbg.state.traps import Trap
from tracedbg.symbols import SourceLine, SymbolAt


class FoundBy(Enum):
    """How a frame was found; a person should trust the later ones less."""

    REGISTERS = "registers"
    """It is what the hart executes."""
    TRAP = "trap"
    """A trap interrupted it; its registers are those that the trace holds of the moment before."""
    CFI = "cfi"
    """The unwind rules of .debug_frame or .eh_frame."""
    RETURN_ADDRESS = "return-address"
    """The return address register, in a function without unwind rules that has not called yet."""
    FRAME_POINTER = "frame-pointer"
    """The chain of frame pointers."""
    TRAP_REGISTERS = "trap-registers"
    """The trap was not seen; its registers say what it interrupted, unless another one came since."""
    SCAN = "scan"
    """The nearest word of the stack that a call which ran would return to: perhaps a call long past."""


@dataclass(frozen=True)
class Frame:
    """A function that has been entered and not left.

    ``pc`` is the instruction that runs next in it, for a caller the one after its call. ``function`` is the
    demangled name (None without a symbol) and ``symbol`` the symbol that covers the code: those of the
    function around it where ``is_inlined``. ``sp`` is the stack pointer in this frame, ``cfa`` the value it
    had before the function was entered, where unwind rules tell. ``trap`` is the trap that interrupted this
    frame; None also where the frame is found by a return from the trap that is about to happen. Values that
    are not known are None.
    """

    pc: VirtualAddress
    sp: int | None
    cfa: int | None
    function: str | None
    symbol: SymbolAt | None
    line: SourceLine | None
    is_inlined: bool
    found_by: FoundBy
    hart: Hart
    privilege: int
    trap: Trap | None
