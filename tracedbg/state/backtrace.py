"""The call stack at a moment, innermost frame first, through trap frames into what they interrupted."""

from collections.abc import Iterator
from dataclasses import replace

from tracedbg.ids import VirtualAddress
from tracedbg.state.activation import Activation, Unwinder
from tracedbg.state.frame import FoundBy, Frame
from tracedbg.state.unwind_cfi import caller_by_cfi, find_cfa, is_outermost
from tracedbg.state.unwind_fallback import caller_by_fallback
from tracedbg.state.unwind_trap import interrupted, is_trap_entry
from tracedbg.state.unwind_unseen import interrupted_unseen

FRAMES = 256
"""Frames that a backtrace has at most."""


def backtrace(unwinder: Unwinder, first: Activation) -> tuple[Frame, ...]:
    """Return the frames from ``first`` outwards, inlined ones as frames of their own; at most FRAMES."""
    frames: list[Frame] = []
    for activation in _activations(unwinder, first):
        frames += _frames_of(unwinder, activation)
        if len(frames) >= FRAMES:
            break
    return tuple(frames[:FRAMES])


def _activations(unwinder: Unwinder, first: Activation) -> Iterator[Activation]:
    current: Activation | None = first
    for _ in range(FRAMES):
        if current is None:
            return
        yield current
        current = _caller(unwinder, current)


def _caller(unwinder: Unwinder, activation: Activation) -> Activation | None:
    if activation.found_by is FoundBy.TRAP_REGISTERS:
        return None
    row = unwinder.row(activation)
    if row is None or is_trap_entry(unwinder, activation):
        found = interrupted(unwinder, activation, None)
        if found is None and is_trap_entry(unwinder, activation):
            found = interrupted_unseen(unwinder, activation)
        if found is not None:
            return found
    if row is None:
        return _advancing(unwinder, activation, caller_by_fallback(unwinder, activation))
    if is_outermost(row):
        return interrupted(unwinder, activation, None)
    caller = caller_by_cfi(unwinder, activation, row)
    if caller is None:
        return _advancing(unwinder, activation, caller_by_fallback(unwinder, activation))
    if not unwinder.recording.code.is_return_site(caller.pc):
        return interrupted(unwinder, activation, row) or _advancing(unwinder, activation, _code(caller))
    return _advancing(unwinder, activation, caller)


def _code(caller: Activation) -> Activation | None:
    """Return a caller unless its pc says that there is none: entry code often clears the register."""
    return caller if caller.pc else None


def _advancing(unwinder: Unwinder, callee: Activation, caller: Activation | None) -> Activation | None:
    """Return the caller unless its stack lies below its callee's, or nothing changed: stacks grow down."""
    if caller is None:
        return None
    old, new = unwinder.stack_pointer(callee), unwinder.stack_pointer(caller)
    if old is None or new is None or new < old or (new == old and callee.live is None):
        return None
    return None if (new, caller.pc) == (old, callee.pc) else caller


def _frames_of(unwinder: Unwinder, activation: Activation) -> list[Frame]:
    """Return the inlined functions at an activation, innermost first, and then its own."""
    symbols, lookup = unwinder.recording.symbols, activation.lookup
    own = _frame_of(unwinder, activation)
    frames, line = [], own.line
    for call in symbols.inlined_at(lookup):
        frames.append(replace(own, function=call.demangled, line=line, is_inlined=True))
        line = call.call_site
    return [*frames, replace(own, line=line)]


def _frame_of(unwinder: Unwinder, activation: Activation) -> Frame:
    symbols, lookup = unwinder.recording.symbols, activation.lookup
    symbol, row = symbols.at(lookup), unwinder.row(activation)
    return Frame(
        pc=VirtualAddress(activation.pc),
        sp=unwinder.stack_pointer(activation),
        cfa=None if row is None else find_cfa(unwinder, activation, row),
        function=None if symbol is None else symbol.demangled,
        symbol=symbol,
        line=symbols.line_at(lookup),
        is_inlined=False,
        found_by=activation.found_by,
        hart=activation.hart,
        privilege=activation.privilege,
        trap=activation.trap,
    )
