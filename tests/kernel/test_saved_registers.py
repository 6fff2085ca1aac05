"""What was last stored to each slot of a stack, against a dictionary filled by one loop over all accesses."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from numpy.random import Generator, default_rng

from tests.building.machine import RAM_FRAMES, RAM_START, Machine
from tests.building.tracefile import write_trace
from tracedbg.arch.stack_code import StackCode
from tracedbg.format.schema import PAGE_SIZE
from tracedbg.kernel.contexts import Context
from tracedbg.kernel.saved_registers import SlotShadow
from tracedbg.kernel.stack_accesses import StackAccesses
from tracedbg.kernel.trace_index import TraceIndex
from tracedbg.store import Trace
from tracedbg.store.epoch import EpochData

CONTEXTS = 3
RA, T0, S0, S1 = 1, 5, 8, 9


class Written(NamedTuple):
    t: int
    context: int
    spilled: int
    in_stack: bool


def random_code(index: TraceIndex, random: Generator) -> StackCode:
    """Spills and restores of saved registers and of one that is not saved, on any instruction."""
    size = len(index.trace.blocks.length)
    nothing = np.zeros(size, np.uint8)
    spilled, restored = (random.choice([0, RA, T0, S0, S1], size).astype(np.uint8) for _ in range(2))
    return StackCode(nothing, nothing, nothing, spilled, restored, nothing > 0)


def random_places(index: TraceIndex, epoch: EpochData, random: Generator) -> StackAccesses:
    """Say at random which accesses lie in a stack, but none outside RAM, and of which context."""
    table = epoch.accesses
    in_ram = (table.physical >= RAM_START) & (table.physical < RAM_START + PAGE_SIZE * RAM_FRAMES)
    in_stack = in_ram & (random.random(len(table.t)) < 0.6)
    context = random.integers(0, CONTEXTS, len(table.t))
    instruction = random.integers(0, len(index.trace.blocks.length), len(table.t))
    return StackAccesses(
        instruction, np.zeros(len(table.t), np.uint16), np.ones(len(table.t), np.uint8), context, in_stack
    )


def contexts(start: int, end: int, random: Generator) -> list[Context]:
    begun = random.integers(start, end + 1, CONTEXTS).tolist()
    return [Context(number, 0, 1, t, 0, 0, t, False) for number, t in enumerate(begun)]


class Reference:
    """One dictionary, one loop."""

    def __init__(self, saved: tuple[int, ...]) -> None:
        self.saved = saved
        self.frames: set[int] = set()
        self.slots: dict[int, Written] = {}

    def feed(
        self, epoch: EpochData, code: StackCode, found: StackAccesses, all_contexts: list[Context]
    ) -> list[tuple[int, int, int, int, int, bool]]:
        table = epoch.accesses
        stacks = np.flatnonzero(table.is_store & found.in_stack)
        self.frames |= {int(table.physical[row]) // PAGE_SIZE for row in stacks}
        suspects = []
        for row in range(len(table.t)):
            address, t = int(table.physical[row]), int(table.t[row]) + epoch.start
            if address // PAGE_SIZE not in self.frames:
                continue
            instruction, context = int(found.instruction[row]), int(found.context[row])
            if table.is_store[row]:
                spilled = int(code.spilled[instruction]) if address % 8 == 0 else 0
                written = Written(t, context, spilled, bool(found.in_stack[row]))
                last = min(address + int(table.size[row]) - 1, address | (PAGE_SIZE - 1))
                self.slots.update(dict.fromkeys(range(address // 8, last // 8 + 1), written))
            elif found.in_stack[row] and address // 8 in self.slots:
                suspects += self._judge(self.slots[address // 8], t, context, int(code.restored[instruction]),
                                        all_contexts[context].start)  # fmt: skip
        return suspects

    def _judge(
        self, writer: Written, t: int, context: int, restored: int, begun: int
    ) -> list[tuple[int, int, int, int, int, bool]]:
        register = restored if restored in self.saved else 0
        foreign = writer.in_stack and writer.context != context
        changed = register not in (0, writer.spilled)
        if writer.t < begun or not (foreign or changed):
            return []
        return [(t, context, register, writer.t, writer.context, foreign)]


@pytest.mark.parametrize("seed", range(12))
def test_suspects_are_those_of_a_dictionary(seed: int, tmp_path: Path) -> None:
    history = Machine(seed, harts=1).run(epochs=4, runs=60)
    write_trace(history, tmp_path / "trace.bin")
    random = default_rng(seed)
    with Trace.open(tmp_path / "trace.bin") as trace:
        index = TraceIndex(trace)
        code = random_code(index, random)
        index.__dict__["stack_code"] = code
        shadow, reference = SlotShadow(index), Reference(index.saved_registers)
        total = 0
        for number in range(trace.epochs):
            epoch = trace.epoch(number)
            found, known = random_places(index, epoch, random), contexts(trace.start, trace.end, random)
            rows = shadow.feed(epoch, found, known)
            fields = ("t", "context", "register", "writer_t", "writer_context", "foreign")
            expected = reference.feed(epoch, code, found, known)
            assert [tuple(row) for row in rows[list(fields)].tolist()] == expected
            total += len(expected)
        assert total
        assert not shadow.is_full


def test_frames_beyond_the_limit_are_left_out_and_that_is_said(tmp_path: Path) -> None:
    history = Machine(3, harts=1).run(epochs=2, runs=60)
    write_trace(history, tmp_path / "trace.bin")
    random = default_rng(3)
    with Trace.open(tmp_path / "trace.bin") as trace:
        index = TraceIndex(trace)
        index.__dict__["stack_code"] = random_code(index, random)
        shadow = SlotShadow(index, limit=1)
        for number in range(trace.epochs):
            found = random_places(index, trace.epoch(number), random)
            rows = shadow.feed(trace.epoch(number), found, contexts(trace.start, trace.end, random))
            assert len(np.unique(rows["physical"] // PAGE_SIZE)) <= 1
        assert shadow.is_full
