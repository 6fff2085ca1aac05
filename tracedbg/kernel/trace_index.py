"""What is sparse enough to be kept for a whole trace: traps, console lines, how blocks end."""

from collections import deque
from dataclasses import dataclass, replace
from functools import cached_property
from threading import RLock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracedbg.arch import architecture
from tracedbg.arch.stack_code import PointerWrite, Registers, StackCode
from tracedbg.disasm import Flow
from tracedbg.disasm.riscv_flow import flow_of
from tracedbg.format.schema import Source
from tracedbg.ids import Hart, Time
from tracedbg.state.register_track import RegisterTrack
from tracedbg.store import Trace
from tracedbg.store.blocks import BlockTable
from tracedbg.store.source import Integers, Numbers

DERIVED_WITHIN = 3
"""Instructions back in which a register that is moved into sp may have been computed from it."""

TRAP = np.dtype(
    [
        ("t", "<i8"), ("hart", "<u2"), ("last", "<i8"), ("cause", "<u8"), ("epc", "<u8"), ("tval", "<u8"),
        ("source", "u1"), ("target", "u1"),
    ]
)  # fmt: skip
"""A trap by absolute ``t`` of the handler's first instruction; ``last`` is -1 where nothing ran before it."""


MOST_TRAPS = 8 << 20
"""Traps of a trace that are kept."""


class _Traps:
    """What ``TraceIndex.traps`` and its like answer."""

    def __init__(self, harts: int) -> None:
        self.rows = np.empty(0, TRAP)
        self.left_out = np.zeros(harts, np.int64)
        self.resume: Time | None = None


@dataclass(frozen=True, slots=True)
class ConsoleLine:
    """A line that the guest wrote; ``t`` of its first byte, ``end`` of its last, as bytes without the end."""

    t: Time
    end: Time
    content: bytes


class TraceIndex:
    """Sparse facts on a whole trace, each gathered when it is first asked for; safe for several threads."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.arch = architecture(trace.guest.arch)
        self.sp_name = self.arch.stack_pointer
        self.space_name = self.arch.address_space_register
        self._lock = RLock()
        self._tracks: dict[str, RegisterTrack | None] = {}

    def track(self, name: str) -> RegisterTrack | None:
        """Return the track of a register, None when the trace does not have it."""
        with self._lock:
            if name not in self._tracks:
                self._tracks[name] = RegisterTrack.find(self.trace, name)
            return self._tracks[name]

    @property
    def traps(self) -> NDArray[np.void]:
        """The traps in order of t, as TRAP rows; of more than MOST_TRAPS the first and the last ones."""
        return self._traps.rows

    @property
    def traps_left_out(self) -> NDArray[np.int64]:
        """How many traps of each hart are not among ``traps``."""
        return self._traps.left_out

    @property
    def traps_resume(self) -> Time | None:
        """The t of the first of ``traps`` behind those that were left out, None where none was."""
        return self._traps.resume

    @cached_property
    def _traps(self) -> "_Traps":
        found, tail = _Traps(self.trace.guest.harts), deque[NDArray[np.void]]()
        parts, kept, waiting = [np.empty(0, TRAP)], 0, 0
        for index in range(self.trace.epochs):
            rows = self._epoch_traps(index)
            if kept + len(rows) <= MOST_TRAPS // 2 and not tail:
                parts.append(rows)
                kept += len(rows)
                continue
            tail.append(rows)
            waiting += len(rows)
            while waiting - len(tail[0]) >= MOST_TRAPS // 2:
                waiting -= len(tail[0])
                found.left_out += np.bincount(tail.popleft()["hart"], minlength=len(found.left_out))
        found.resume = Time(int(tail[0]["t"][0])) if found.left_out.any() else None
        found.rows = np.concatenate([*parts, *tail])
        return found

    def _epoch_traps(self, index: int) -> NDArray[np.void]:
        epoch = self.trace.epoch(index)
        found = epoch.traps
        rows = np.empty(len(found.t), TRAP)
        rows["t"] = found.t.astype(np.int64) + epoch.start
        # All ones, which says that nothing ran before, becomes -1.
        rows["last"] = found.last.view(np.int64)
        for name in ("hart", "cause", "epc", "tval", "source", "target"):
            rows[name] = getattr(found, name)
        return rows

    def find_trap(self, t: Time, hart: Hart) -> np.void | None:
        """Return the trap whose handler's first instruction is at ``t``."""
        rows = self.traps
        low, high = np.searchsorted(rows["t"], [t, t + 1])
        own = np.flatnonzero(rows["hart"][low:high] == hart)
        return rows[int(low + own[-1])] if len(own) else None

    def last_trap_from_user(self, hart: Hart, t: Time) -> np.void | None:
        """Return the last trap from user mode of a hart whose handler begins at or before ``t``."""
        rows = self.traps
        stop = int(np.searchsorted(rows["t"], t, "right"))
        own = np.flatnonzero((rows["hart"][:stop] == hart) & (rows["source"][:stop] == 0))
        return rows[int(own[-1])] if len(own) else None

    @cached_property
    def console_lines(self) -> tuple[ConsoleLine, ...]:
        """The lines of the console; an unfinished last one counts."""
        return self.console_lines_since(Time(0))

    def console_lines_since(self, t: Time) -> tuple[ConsoleLine, ...]:
        """Return the lines of what was printed from a moment on; the first may be the rest of one."""
        times, content = self.trace.console
        first = int(np.searchsorted(times, t))
        times, content = times[first:], content[first:]
        text = content.tobytes()
        ends = np.flatnonzero(content == ord("\n")).tolist()
        if len(text) and (not ends or ends[-1] != len(text) - 1):
            ends.append(len(text) - 1)
        starts = [0, *(end + 1 for end in ends)]
        return tuple(
            ConsoleLine(Time(int(times[start])), Time(int(times[end])), text[start : end + 1].rstrip(b"\r\n"))
            for start, end in zip(starts, ends, strict=False)
        )

    @cached_property
    def stack_code(self) -> StackCode:
        """What each instruction of the dictionary does with the stack pointer."""
        code = self.arch.stack_code(self._words())
        return replace(code, pointer=_with_derived(code))

    @cached_property
    def waits(self) -> Numbers:
        """The addresses of instructions that wait for an interrupt, ascending."""
        found = self.trace.blocks.address[self._words() == self.arch.wait_instruction]
        return np.unique(found)

    def _words(self) -> NDArray[np.uint32]:
        """Return each instruction of the dictionary as a number."""
        blocks = self.trace.blocks
        padded = np.concatenate([blocks.code, np.zeros(4, np.uint8)]).astype(np.int64)
        return sum_of_bytes(padded, blocks.byte[:-1], np.minimum(blocks.length, 4)).astype(np.uint32)

    @cached_property
    def saved_registers(self) -> tuple[int, ...]:
        """The numbers of the registers that a function saves for its caller, with the return address."""
        names = self.arch.integer_registers
        saved = {name for name in names if name in self.arch.callee_saved} | {self.arch.return_address}
        return tuple(number for number, name in enumerate(names) if name in saved)

    @cached_property
    def is_constant(self) -> NDArray[np.bool_]:
        """For each instruction of the dictionary whether its result was known when it was translated."""
        found: NDArray[np.bool_] = self.trace.blocks.source == Source.CONSTANT
        return found

    @cached_property
    def block_flow(self) -> NDArray[np.uint8]:
        """For each block of the dictionary the Flow of its last instruction, as a number."""
        return last_flows(self.trace.blocks)


def _with_derived(code: StackCode) -> Registers:
    """Return how each instruction makes the stack pointer, with moves of what was computed from it.

    Room for a variable array is often made by ``sub a0, sp, a0`` and ``mv sp, a0`` a little later.
    """
    pointer = code.pointer.copy()
    moves = np.flatnonzero(code.pointer_from)
    for distance in range(1, DERIVED_WITHIN + 1):
        before = moves[moves >= distance]
        derived = code.derived[before - distance] == code.pointer_from[before]
        pointer[before[derived]] = PointerWrite.FRAME
    return pointer


def last_flows(blocks: BlockTable) -> NDArray[np.uint8]:
    """Return how each block ends: calls, returns and traps end a block, so no other instruction matters."""
    words = last_words(blocks)
    unique, places = np.unique(words, return_inverse=True)
    # Not the whole disassembler: a kernel has some hundred thousand blocks, and no text is needed.
    flows = np.array([flow_of(word, 0)[0].value for word in unique.tolist()], np.uint8)
    return flows[places] if len(unique) else np.empty(0, np.uint8)


def last_words(blocks: BlockTable) -> Integers:
    """Return the last instruction of each block as a number."""
    last = blocks.first[1:] - 1
    start, length = blocks.byte[last], blocks.length[last]
    padded = np.concatenate([blocks.code, np.zeros(4, np.uint8)]).astype(np.int64)
    word: Integers = sum_of_bytes(padded, start, np.minimum(length, 4))
    return word


def sum_of_bytes(code: Integers, start: Integers, length: Numbers) -> Integers:
    """Return the little-endian numbers of ``length`` bytes that begin at ``start``."""
    word: Any = np.zeros(len(start), np.int64)
    for place in range(4):
        word += np.where(place < length, code[start + place] << (8 * place), 0)
    return np.asarray(word, np.int64)


def has_flow(flows: NDArray[np.uint8], flow: Flow) -> NDArray[np.bool_]:
    """Return which of ``flows`` have a kind of flow."""
    found: NDArray[np.bool_] = (flows & flow.value) != 0
    return found
