"""Who touched memory: an access with the code, the call stack and the source that made it."""

from dataclasses import dataclass

from tracedbg.ids import VirtualAddress
from tracedbg.query import Access, executed_at
from tracedbg.state.frame import Frame
from tracedbg.state.moment import Moment
from tracedbg.state.recording import Recording
from tracedbg.symbols import SourceLine, SymbolAt


@dataclass(frozen=True)
class Origin:
    """An access and where it comes from; of a change (DMA and the like) there is no code to show."""

    access: Access
    pc: VirtualAddress | None
    symbol: SymbolAt | None
    line: SourceLine | None
    stack: tuple[Frame, ...]


def origin_of(recording: Recording, access: Access) -> Origin:
    """Return the code behind an access: the instruction at its t, and the call stack there."""
    executed = None if access.hart is None else executed_at(recording.store, access.t)
    if executed is None:
        return Origin(access, None, None, None, ())
    return Origin(
        access=access,
        pc=executed.pc,
        symbol=recording.symbols.at(executed.pc),
        line=recording.symbols.line_at(executed.pc),
        stack=Moment(recording, access.t).backtrace(),
    )
