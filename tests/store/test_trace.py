"""What an opened trace tells of itself, and what it says about one that contradicts itself."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.building import tracefile
from tests.building.machine import RAM_START, REGISTERS, History, Machine
from tests.building.tracefile import GUEST, write_trace
from tracedbg.errors import TraceFormatError
from tracedbg.format import schema
from tracedbg.format.writer import TraceWriter
from tracedbg.ids import Frame, Hart, PhysicalAddress, Time
from tracedbg.query import Kind, accesses, executed_at, memory_at, registers_at
from tracedbg.store import Device, Ending, MemoryRange, Trace


@pytest.fixture
def history() -> History:
    return Machine(11, 2, start=500).run(20, 5)


@pytest.fixture
def path(tmp_path: Path, history: History) -> Path:
    write_trace(history, tmp_path / "a.trace")
    return tmp_path / "a.trace"


def test_a_trace_tells_what_was_recorded(path: Path, history: History) -> None:
    with Trace.open(path) as trace:
        assert (trace.start, trace.end, trace.epochs) == (500, history.end, 20)
        assert trace.guest.ram == (MemoryRange(PhysicalAddress(RAM_START), 3 * 4096),)
        assert trace.guest.devices == (Device(PhysicalAddress(0x1000_0000), 256, "uart"),)
        assert (trace.guest.harts, trace.guest.clock, trace.guest.start_t) == (2, "icount", 500)
        assert trace.guest.find_register("satp") == REGISTERS.index("satp")
        assert trace.guest.find_register("mtvec") is None
        assert trace.ending == Ending("guest-shutdown", 0, len(history.steps), ("the guest shut down",))
        assert trace.losses == ()
        assert trace.attachment(trace.attachments[0]) == b"\x7fELF"


def test_every_moment_belongs_to_one_epoch(path: Path, history: History) -> None:
    with Trace.open(path) as trace:
        for index, start in enumerate(history.epoch_starts):
            assert trace.epoch_of(Time(start)) == index
            assert trace.epoch_of(Time(history.epoch_end(index) - 1)) == index
        assert trace.epoch_of(trace.end) == 19
        with pytest.raises(
            ValueError, match=f"t 499 is outside the trace, which goes from 500 to {history.end}"
        ):
            trace.epoch_of(Time(499))


def test_blocks_know_their_instructions(path: Path, history: History) -> None:
    with Trace.open(path) as trace:
        blocks = trace.blocks
        addresses = [block.address(place) for block in history.blocks for place in range(len(block.insns))]
        assert blocks.address.tolist() == addresses
        codes = [insn.code for block in history.blocks for insn in block.insns]
        assert [blocks.instruction_bytes(index) for index in range(len(codes))] == codes


def test_an_instruction_in_the_second_page_of_its_block_has_the_address_of_that_page(tmp_path: Path) -> None:
    machine = Machine(1, 1)
    block = machine.history.blocks[0]
    block.insns = [machine._insn() for _ in range(3)]
    for insn in block.insns:
        insn.length, insn.code = 4, bytes(4)
    block.virtual, block.physical, block.next_physical = 0x40_0FF8, 0x8000_0FF8, 0x8055_0000
    write_trace(machine.run(1, 3), tmp_path / "a.trace")
    blocks = Trace.open(tmp_path / "a.trace").blocks
    assert [blocks.instruction_physical(index) for index in range(3)] == [
        0x8000_0FF8,
        0x8000_0FFC,
        0x8055_0000,
    ]


def test_pages_of_the_image_are_zero_where_it_has_none(path: Path, history: History) -> None:
    with Trace.open(path) as trace:
        for frame in range(RAM_START // 4096, RAM_START // 4096 + 3):
            assert trace.image_page(Frame(frame)).tobytes() == history.image.get(frame, bytes(4096))


def test_the_cache_stays_within_its_limit_and_answers_stay_the_same(path: Path) -> None:
    with Trace.open(path, cache_bytes=3000) as small, Trace.open(path) as large:
        for t in range(small.start, small.end, 7):
            for one, other in zip(
                registers_at(small, Hart(0), Time(t)), registers_at(large, Hart(0), Time(t)), strict=True
            ):
                np.testing.assert_array_equal(one, other)
            assert small.cached_bytes <= 3000


def test_threads_may_share_a_trace(path: Path) -> None:
    with Trace.open(path, cache_bytes=5000) as trace:
        moments = [Time(t) for t in range(trace.start, trace.end)] * 3

        def ask(t: Time) -> bytes:
            content, known = memory_at(trace, PhysicalAddress(RAM_START), 4096, t)
            return content.tobytes() + known.tobytes()

        expected = [ask(t) for t in moments]
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(ask, moments)) == expected


def test_a_trace_cut_short_ends_with_its_last_whole_epoch(path: Path, history: History) -> None:
    content = path.read_bytes()
    seen = set()
    for length in range(len(content) * 2 // 3, len(content), 997):
        path.write_bytes(content[:length])
        with Trace.open(path) as trace:
            assert trace.end == history.epoch_end(trace.epochs - 1)
            assert len(trace.losses) == 1
            assert executed_at(trace, Time(trace.end - 1)) is not None
            memory_at(trace, PhysicalAddress(RAM_START), 4096, trace.end)
            seen.add(trace.epochs)
    assert len(seen) > 3


Broken = Mapping[str, list[int]]


def write_broken(path: Path, history: History, message: schema.Message, broken: Broken) -> None:
    """Write a trace of one epoch in which some columns of ``message`` are others."""
    columns = {
        schema.BLOCKS: tracefile.block_columns(history),
        schema.EPOCH: tracefile.epoch_columns(history, 0),
        schema.WRITES: {"value": tracefile.grouped_values(history, 0)},
        schema.ACCESSES: tracefile.access_columns(history, 0),
        schema.SPAN: tracefile.span_columns(history, 0, 1),
    }
    columns[message].update(broken)
    with path.open("wb") as file:
        writer = TraceWriter(file)
        writer.metadata("guest", GUEST)
        for kind, own in columns.items():
            tracefile._put(writer, kind, own, 0, "span/0" if kind is schema.SPAN else None)
        writer.finish()


def ask_everything(path: Path) -> None:
    with Trace.open(path) as trace:
        registers_at(trace, Hart(0), trace.end)
        for kind in Kind:
            accesses(trace, (PhysicalAddress(RAM_START), 3 * 4096), kind=kind)


@pytest.mark.parametrize(
    ("message", "broken", "problem"),
    [
        (schema.EPOCH, {"bounds": [0, 1 << 40]}, "epoch 0 contradicts itself in bounds"),
        (schema.EPOCH, {"bounds": [5, 4]}, "the last epoch has no bounds"),
        (schema.EPOCH, {"run.block": [99]}, "epoch 0 contradicts itself in run.block"),
        (schema.EPOCH, {"run.block": [0]}, "epoch 0 contradicts itself in short.run"),
        (schema.EPOCH, {"short.started": []}, "epoch 0 contradicts itself in short"),
        (schema.EPOCH, {"turn.hart": [7]}, "epoch 0 contradicts itself in turn"),
        (schema.EPOCH, {"last.t": []}, "epoch 0 contradicts itself in last.t"),
        (schema.EPOCH, {"keyframe.value": [1]}, "epoch 0 contradicts itself in keyframe.value"),
        (schema.EPOCH, {"state.register": [1, 2, 3, 4, 5]}, "epoch 0 contradicts itself in state"),
        (schema.EPOCH, {"open.t": [1 << 30]}, "epoch 0 contradicts itself in open.t"),
        (schema.WRITES, {"value": [1]}, "epoch 0 contradicts itself in the number of writes"),
        (schema.ACCESSES, {"t": [9, 8]}, "accesses of epoch 0 contradict themselves in t"),
        (
            schema.ACCESSES,
            {"mapping.access": [1 << 30]},
            "accesses of epoch 0 contradict themselves in mapping",
        ),
        (schema.ACCESSES, {"change.t": [1 << 30]}, "accesses of epoch 0 contradict themselves in change"),
        (schema.BLOCKS, {"insn.length": [200]}, "block message 0 contradicts itself"),
        (schema.SPAN, {"epochs": [0, 9]}, "span/0 0 contradicts itself in epochs"),
        (schema.SPAN, {"written.frame": [9, 8]}, "span/0 0 contradicts itself in written.frame"),
        (schema.SPAN, {"read.lines": []}, "span/0 0 contradicts itself in read.lines"),
    ],
)
def test_columns_that_contradict_each_other_are_named(
    tmp_path: Path, message: schema.Message, broken: Broken, problem: str
) -> None:
    history = Machine(4, 1).run(1, 30)
    path = tmp_path / "broken.trace"
    write_broken(path, history, message, broken)
    with pytest.raises(TraceFormatError) as caught:
        ask_everything(path)
    assert str(caught.value) == f"{path}: {problem}"


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("arch", "x86_64", "arch is 'x86_64', which this tracedbg does not know"),
        ("arch", 5, "arch is not a text"),
        ("harts", 0, "harts is 0"),
        ("harts", True, "harts is not a number of 64 bits"),
        ("registers", ["x0"], "registers has 1 names"),
        ("registers", [1] * 40, "registers holds something that is not a text"),
        ("ram", [{"start": 1, "size": 4096}], "ram does not consist of whole pages"),
        ("ram", [{"start": 0, "size": 0}], "ram holds a range of 0 bytes at 0x0"),
        ("ram", [7], "ram holds something that is not an object"),
        ("devices", [{"start": 0, "size": 8}], "name is not a text"),
        ("devices", {}, "devices is not a list of at most 4096 items"),
        ("clock", "wall", "clock is 'wall'"),
        ("start_t", -1, "start_t is not a number of 64 bits"),
    ],
)
def test_a_guest_that_cannot_be_is_named(tmp_path: Path, field: str, value: object, problem: str) -> None:
    path = tmp_path / "a.trace"
    with path.open("wb") as file:
        writer = TraceWriter(file)
        writer.metadata("guest", {**GUEST, field: value})
        writer.write(schema.LATE, {}, 0)
        writer.finish()
    with pytest.raises(TraceFormatError) as caught:
        Trace.open(path)
    assert str(caught.value) == f"{path}: metadata guest: {problem}"


def test_a_trace_without_guest_or_epoch_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.trace"
    for record, problem in (
        (None, "has no record of the guest: nothing can be shown"),
        (GUEST, "holds no whole epoch: nothing of the recording is left"),
    ):
        with path.open("wb") as file:
            writer = TraceWriter(file)
            if record is not None:
                writer.metadata("guest", record)
            writer.write(schema.LATE, {}, 0)
            writer.finish()
        with pytest.raises(TraceFormatError, match=problem):
            Trace.open(path)
