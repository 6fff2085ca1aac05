"""Over recorded instructions: what they made follows from the values of the sources that dataflow names."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import numpy as np
import pytest

import tracedbg
from tests.provenance.values import MASK, computed
from tracedbg import query
from tracedbg.arch import Dataflow, Operation
from tracedbg.arch.dataflow import MEMORY
from tracedbg.disasm import Instruction
from tracedbg.ids import Hart, RegisterId, Time
from tracedbg.query import Executed, Kind
from tracedbg.state import Trace

SHIPPED = Path(__file__).parents[2] / "traces"
EPOCHS, BLOCKS = 3, 500


class Sampled:
    """Executed instructions of a trace, each of another place in the code."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.store = trace.store

    def executed(self, random: Random) -> Iterator[Executed]:
        for index in random.sample(range(self.store.epochs), EPOCHS):
            epoch = self.store.epoch(index)
            _, runs = np.unique(epoch.run_block, return_index=True)
            for run in random.sample(runs.tolist(), min(BLOCKS, len(runs))):
                offset = random.randrange(int(epoch.run_start[run]), int(epoch.run_start[run + 1]))
                t = Time(epoch.start + offset)
                executed = query.executed_at(self.store, t)
                assert executed is not None
                if t + 1 < self.store.end and query.has_retired(self.store, t):
                    yield executed

    def flow(self, executed: Executed) -> Dataflow:
        return self.trace.recording.arch.dataflow(self.store.blocks.instruction_bytes(executed.instruction))

    def decoded(self, executed: Executed) -> Instruction:
        data = self.store.blocks.instruction_bytes(executed.instruction)
        return self.trace.recording.disassembler.decode(data, executed.pc)

    def register(self, name: str, hart: Hart, t: int) -> int:
        """What a register held, by the write that it came from."""
        number = self.trace.recording.arch.integer_registers.index(name)
        write = query.last_register_write(self.store, RegisterId(number), hart, Time(t))
        return 0 if write is None else write.value or 0


@pytest.mark.parametrize("name", ["stack_futex.bin", "stack_futex_fixed.bin"])
def test_results_addresses_and_stored_values(name: str) -> None:
    seen: Counter[str] = Counter()
    with tracedbg.open(SHIPPED / name) as trace:
        sampled = Sampled(trace)
        for executed in sampled.executed(Random(name)):
            flow = sampled.flow(executed)
            check_result(sampled, executed, flow, seen)
            check_accesses(sampled, executed, flow, seen)
    assert seen["result"] > 400
    assert seen["address"] > 100
    assert seen["stored"] > 50


def check_result(sampled: Sampled, executed: Executed, flow: Dataflow, seen: Counter[str]) -> None:
    """The value that an integer instruction left is the one that its text makes of its sources."""
    if flow.operation not in (Operation.ARITHMETIC, Operation.MOVE, Operation.CONSTANT) or not flow.results:
        return
    (result,) = flow.results
    t, hart = executed.t, executed.hart
    sources = {source: sampled.register(source, hart, t) for source in result.sources}
    instruction = sampled.decoded(executed)
    expected = computed(instruction.mnemonic, instruction.operands, sources)
    if expected is not None:
        assert sampled.register(result.target, hart, t + 1) == expected, instruction.text
        seen["result"] += 1


def check_accesses(sampled: Sampled, executed: Executed, flow: Dataflow, seen: Counter[str]) -> None:
    """The address is base plus offset; what is stored is the source, what is loaded is memory."""
    rows = query.accesses_of(sampled.store, executed.t)
    assert (len(rows) > 0) == (flow.address is not None), sampled.decoded(executed).text
    if flow.address is None:
        return
    base, offset = flow.address
    value = 0 if base is None else sampled.register(base, executed.hart, executed.t)
    assert int(rows["virtual"][0]) == (value + offset) & MASK
    seen["address"] += 1
    stored = flow.find(MEMORY)
    if flow.operation is Operation.STORE and stored is not None:
        (row,) = rows
        assert row["kind"] == Kind.STORE
        source = sampled.register(stored.sources[0], executed.hart, executed.t) if stored.sources else 0
        assert int(row["value"]) == source & (1 << 8 * int(row["size"])) - 1
        seen["stored"] += 1
