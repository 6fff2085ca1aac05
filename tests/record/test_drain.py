"""Epochs are completed out of slots that QEMU left in the middle of something."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tracedbg.arch.riscv64 import registers
from tracedbg.errors import RecordError
from tracedbg.format.columns import AnyArray
from tracedbg.format.schema import ACCESSES, BLOCKS, EPOCH, WRITES, Message, Source
from tracedbg.record.drain import BlockSizes, read_slot
from tracedbg.record.slots import COLUMNS, RESERVE, Slot, SlotFile

REGISTERS = len(registers.NAMES)
STATE, FIRST_T, RUN_T, RUN_INDEX, WORDS = 0, 2, 4, 5, 6
FILLING = 1

Rows = dict[tuple[Message, str], list[int]]

TWO_BLOCKS: Rows = {
    (BLOCKS, "virtual"): [0x1000, 0x2000],
    (BLOCKS, "physical"): [0x1000, 0x2000],
    (BLOCKS, "next_physical"): [0, 0],
    (BLOCKS, "privilege"): [3, 3],
    (BLOCKS, "instructions"): [2, 3],
    (BLOCKS, "insn.length"): [4] * 5,
    (BLOCKS, "insn.destination"): [5] * 5,
    (BLOCKS, "insn.source"): [Source.RECORDED] * 5,
    (BLOCKS, "insn.bytes"): [0] * 20,
}


@pytest.fixture
def slots(tmp_path: Path) -> Iterator[SlotFile]:
    made = SlotFile.create(tmp_path / "t.slots")
    yield made
    made.close()


def fill(slots: SlotFile, rows: Rows, *, run_t: int = 100, run_index: int = 0) -> Slot:
    """Put rows into the first slot, as the plugin does in an epoch from t 100 on."""
    start = slots.word("slots_offset") // 8
    slots.words[start : start + WORDS] = (FILLING, 0, 100, 100, run_t, run_index)
    slot = slots.slot(0)
    for index, (message, column) in enumerate(COLUMNS):
        values = rows.get((message, column.name), [])
        slots.words[start + WORDS + index] = len(values)
        view = slot.columns(message)[column.name]
        view[:] = values
    return slot


def drained(slot: Slot) -> tuple[dict[Message, dict[str, AnyArray]], int]:
    return read_slot(slot, BlockSizes(), REGISTERS)


def test_the_run_under_way_ends_where_it_is_known_to_have_come(slots: SlotFile) -> None:
    rows = {**TWO_BLOCKS, (EPOCH, "run.block"): [0, 1], (WRITES, "value"): [7, 8, 9]}
    rows |= {(EPOCH, "turn.run"): [0], (EPOCH, "turn.hart"): [0]}
    messages, end_t = drained(fill(slots, rows, run_t=102, run_index=1))
    epoch = messages[EPOCH]
    assert end_t == 104
    assert epoch["short.run"].tolist() == [1]
    assert epoch["short.started"].tolist() == [2]
    assert epoch["open.t"].tolist() == [3]
    assert messages[WRITES]["value"].tolist() == [7, 8, 9, 0]


def test_a_turn_whose_run_never_came_is_dropped(slots: SlotFile) -> None:
    rows = {**TWO_BLOCKS, (EPOCH, "turn.run"): [0], (EPOCH, "turn.hart"): [0]}
    messages, end_t = drained(fill(slots, rows))
    assert end_t == 100
    assert messages[EPOCH]["turn.run"].tolist() == []
    assert messages[EPOCH]["turn.hart"].tolist() == []


def test_accesses_of_an_instruction_that_is_not_known_are_dropped(slots: SlotFile) -> None:
    rows = {**TWO_BLOCKS, (EPOCH, "run.block"): [0], (WRITES, "value"): [7]}
    rows |= {(ACCESSES, name): [0, 1, 5] for name in ("t", "flags", "virtual", "value")}
    rows |= {(ACCESSES, "mapping.access"): [0, 2], (ACCESSES, "mapping.delta"): [1, 2]}
    messages, end_t = drained(fill(slots, rows, run_index=1))
    assert end_t == 102
    assert messages[ACCESSES]["t"].tolist() == [0, 1]
    assert messages[ACCESSES]["mapping.access"].tolist() == [0]


def test_a_row_that_was_written_in_part_is_dropped(slots: SlotFile) -> None:
    rows = {**TWO_BLOCKS, (EPOCH, "run.block"): [0], (WRITES, "value"): [7]}
    rows |= {(EPOCH, "state.hart"): [0, 0], (EPOCH, "state.register"): [40, 41]}
    rows |= {(EPOCH, "state.value"): [1], (EPOCH, "state.t"): [1]}
    messages, _ = drained(fill(slots, rows, run_index=1))
    assert [len(messages[EPOCH][f"state.{name}"]) for name in ("t", "hart", "register", "value")] == [1] * 4


def test_the_reserve_is_given_back_to_the_disk(slots: SlotFile) -> None:
    size = slots.path.stat().st_size
    slots.free_reserve()
    assert slots.path.stat().st_size == size - RESERVE
    assert np.array_equal(slots.slot(0).columns(WRITES)["value"], [])


def test_what_are_no_slots_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.slots"
    for content, problem in ((b"", "empty"), (bytes(100_000), "not the buffers of a recording")):
        path.write_bytes(content)
        with pytest.raises(RecordError, match=problem):
            SlotFile.open(path)
