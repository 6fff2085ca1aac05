"""Writes a machine's history as a trace file, in the plainest way."""

from pathlib import Path
from typing import Any

import numpy as np

from tests.building.machine import DEVICE_START, RAM_FRAMES, RAM_START, REGISTERS, History, Step, Touch
from tracedbg.format import schema
from tracedbg.format.grouping import encode
from tracedbg.format.schema import NEVER, AccessKind, LateKind, Message, Source
from tracedbg.format.writer import TraceWriter

Columns = dict[str, list[int]]

GUEST: dict[str, Any] = {
    "arch": "riscv64",
    "harts": 1,
    "registers": REGISTERS,
    "ram": [{"start": RAM_START, "size": RAM_FRAMES * 4096}],
    "devices": [{"start": DEVICE_START, "size": 256, "name": "uart"}],
    "qemu": "10.0.2",
    "command": ["qemu-system-riscv64"],
    "clock": "icount",
    "start_t": 0,
}


def write_trace(history: History, path: Path, *, spans: int = 5, finish: bool = True) -> None:
    """Write ``history`` with spans of the first ``spans`` levels."""
    with path.open("wb") as file:
        writer = TraceWriter(file)
        writer.metadata("guest", {**GUEST, "harts": history.harts, "start_t": history.start})
        _put(writer, schema.IMAGE, image_columns(history), history.start)
        for epoch in range(len(history.epoch_starts)):
            write_epoch(writer, history, epoch, spans)
            writer.flush()
        if finish:
            notes = ["the guest shut down"]
            ending = {
                "how": "guest-shutdown",
                "exit_code": 0,
                "instructions": len(history.steps),
                "notes": notes,
            }
            writer.metadata("ending", ending)
            writer.attach("kernel.elf", "application/x-elf", b"\x7fELF")
            writer.finish()


def write_epoch(writer: TraceWriter, history: History, epoch: int, spans: int) -> None:
    start = history.epoch_starts[epoch]
    if epoch == 0:
        _put(writer, schema.BLOCKS, block_columns(history), start)
    _put(writer, schema.EPOCH, epoch_columns(history, epoch), start)
    _put(writer, schema.WRITES, {"value": grouped_values(history, epoch)}, start)
    _put(writer, schema.ACCESSES, access_columns(history, epoch), start)
    late = late_columns(history, epoch)
    if late["t"]:
        _put(writer, schema.LATE, late, start)
    printed = console_columns(history, epoch)
    if printed["t"]:
        _put(writer, schema.CONSOLE, printed, start)
    for level in range(spans):
        size = schema.SPAN_FANOUT**level
        last = epoch + 1 == len(history.epoch_starts)
        if (epoch + 1) % size == 0 or last:
            first = epoch // size * size
            topic = f"span/{level}"
            _put(
                writer,
                schema.SPAN,
                span_columns(history, first, epoch + 1),
                history.epoch_starts[first],
                topic,
            )


def _put(
    writer: TraceWriter, message: Message, columns: Columns, time: int, topic: str | None = None
) -> None:
    arrays = {
        column.name: np.array(columns[column.name], "<" + column.dtype)
        for column in message.columns
        if column.name in columns
    }
    assert len(arrays) == len(columns)
    writer.write(message, arrays, time, topic)


def image_columns(history: History) -> Columns:
    return {"frame": list(history.image), "bytes": list(b"".join(history.image.values()))}


def block_columns(history: History) -> Columns:
    blocks = history.blocks
    insns = [insn for block in blocks for insn in block.insns]
    return {
        "virtual": [block.virtual for block in blocks],
        "physical": [block.physical for block in blocks],
        "next_physical": [block.next_physical for block in blocks],
        "privilege": [block.privilege for block in blocks],
        "instructions": [len(block.insns) for block in blocks],
        "insn.length": [insn.length for insn in insns],
        "insn.destination": [insn.destination for insn in insns],
        "insn.source": [insn.source for insn in insns],
        "insn.bytes": list(b"".join(insn.code for insn in insns)),
        "insn.constant": [insn.constant for insn in insns if insn.source is Source.CONSTANT],
    }


def _runs(steps: list[Step]) -> list[list[Step]]:
    runs: list[list[Step]] = []
    for step in steps:
        if step.starts_run:
            runs.append([])
        runs[-1].append(step)
    return runs


def epoch_columns(history: History, epoch: int) -> Columns:
    start, steps = history.epoch_starts[epoch], history.epoch_steps(epoch)
    runs = _runs(steps)
    sizes = [len(history.blocks[run[0].block].insns) for run in runs]
    short = [index for index, run in enumerate(runs) if len(run) < sizes[index]]
    turns = [index for index, run in enumerate(runs) if index == 0 or run[0].hart != runs[index - 1][0].hart]
    states = [row for row in history.states if row.epoch == epoch]
    frames = [frame for frame in history.keyframes if frame.epoch == epoch]
    before = [
        [step.t for step in history.steps if step.t < start and step.hart == hart]
        for hart in range(history.harts)
    ]
    return {
        "bounds": [start, history.epoch_end(epoch)],
        "run.block": [run[0].block for run in runs],
        "short.run": short,
        "short.started": [len(runs[index]) for index in short],
        "turn.run": turns,
        "turn.hart": [runs[index][0].hart for index in turns],
        "last.t": [times[-1] if times else NEVER for times in before],
        "unretired.t": [step.t - start for step in steps if not step.retired and not step.is_open],
        "open.t": [step.t - start for step in steps if step.is_open],
        "state.t": [row.moment - start for row in states],
        "state.hart": [row.hart for row in states],
        "state.register": [row.register for row in states],
        "state.value": [row.value for row in states],
        "keyframe.t": [frame.moment - start for frame in frames],
        "keyframe.hart": [frame.hart for frame in frames],
        "keyframe.pc": [program_counter(history, frame.moment) for frame in frames],
        "keyframe.run": [sum(run[0].t <= frame.moment for run in runs) - 1 for frame in frames],
        "keyframe.write": [0 for _ in frames],
        "keyframe.access": [0 for _ in frames],
        "keyframe.state": [sum(row.moment <= frame.moment for row in states) for frame in frames],
        "keyframe.value": [value for frame in frames for value in frame.values],
    }


def program_counter(history: History, t: int) -> int:
    step = history.steps[t - history.start]
    return history.blocks[step.block].address(step.place)


def grouped_values(history: History, epoch: int) -> list[int]:
    """The recorded values of an epoch as the ``writes`` column holds them."""
    first = np.cumsum([0, *(len(block.insns) for block in history.blocks)])
    values, keys = [], []
    for step in history.epoch_steps(epoch):
        if history.blocks[step.block].insns[step.place].source is Source.RECORDED:
            known = step.retired and not step.is_open
            values.append(step.value if known and step.value is not None else 0)
            keys.append(int(first[step.block]) + step.place)
    stored: list[int] = encode(np.array(values, np.uint64), np.array(keys, np.int64)).tolist()
    return stored


def access_columns(history: History, epoch: int) -> Columns:
    start = history.epoch_starts[epoch]
    rows = [(step, touch) for step in history.epoch_steps(epoch) for touch in step.touches]
    deltas = [(touch.places[0] - touch.virtual) % (1 << 64) for _, touch in rows]
    mapped = [index for index in range(len(rows)) if deltas[index] != [0, *deltas][index]]
    second = {index: crossing_place(touch) for index, (_, touch) in enumerate(rows)}
    crossing = [index for index, place in second.items() if place is not None]
    changes = [change for change in history.changes if change.epoch == epoch]
    return {
        "t": [step.t - start for step, _ in rows],
        "flags": [access_flags(touch.size, touch.store, touch.kind) for _, touch in rows],
        "virtual": [touch.virtual for _, touch in rows],
        "value": [touch.value for _, touch in rows],
        "mapping.access": mapped,
        "mapping.delta": [deltas[index] for index in mapped],
        "crossing.access": crossing,
        "crossing.physical": [second[index] or 0 for index in crossing],
        "change.t": [change.moment - start for change in changes],
        "change.since": [change.since for change in changes],
        "change.physical": [change.physical for change in changes],
        "change.value": [change.value for change in changes],
        "change.cause": [change.cause for change in changes],
    }


def access_flags(size: int, store: bool, kind: AccessKind) -> int:
    return size.bit_length() - 1 | (schema.ACCESS_STORE if store else 0) | kind << schema.ACCESS_KIND_SHIFT


def crossing_place(touch: Touch) -> int | None:
    """The physical address of the first byte in the second page, None for an access within a page."""
    for place in touch.places[1:]:
        if place % 4096 == 0:
            return place
    return NEVER if len(touch.places) < touch.size else None


def tells(touch: Touch) -> bool:
    """Whether an access tells what memory holds from then on."""
    return touch.kind is (AccessKind.RAM if touch.store else AccessKind.OTHER_MEMORY)


def late_columns(history: History, epoch: int) -> Columns:
    steps = [step for step in history.steps if step.late is not None and step.late_epoch == epoch]
    values = [step.value if step.late is LateKind.VALUE else 0 for step in steps]
    return {
        "t": [step.t for step in steps],
        "kind": [step.late for step in steps if step.late is not None],
        "value": [value or 0 for value in values],
    }


def console_columns(history: History, epoch: int) -> Columns:
    """What the UART prints: the lowest byte of each store to its data register."""
    printed = [
        (step.t, touch.value & 0xFF)
        for step in history.epoch_steps(epoch)
        for touch in step.touches
        if touch.store and touch.places[0] == DEVICE_START
    ]
    return {"t": [t for t, _ in printed], "byte": [byte for _, byte in printed]}


def span_columns(history: History, first: int, stop: int) -> Columns:
    written: dict[int, int] = {}
    lines: dict[int, int] = {}
    executed = set()
    for epoch in range(first, stop):
        steps = history.epoch_steps(epoch)
        executed |= {step.block for step in steps}
        for place, byte in epoch_writes(history, epoch):
            written[place] = byte
        for place in (
            place
            for step in steps
            for touch in step.touches
            if not touch.store and touch.kind is not AccessKind.DEVICE
            for place in touch.places
        ):
            lines[place // 4096] = lines.get(place // 4096, 0) | 1 << (place % 4096 // 64)
    frames = sorted({place // 4096 for place in written})
    places = sorted(written)
    mask = [0] * (512 * len(frames))
    for place in places:
        mask[512 * frames.index(place // 4096) + place % 4096 // 8] |= 1 << (place % 8)
    return {
        "epochs": [first, stop],
        "written.frame": frames,
        "written.mask": mask,
        "written.bytes": [written[place] for place in places],
        "read.frame": sorted(lines),
        "read.lines": [lines[frame] for frame in sorted(lines)],
        "executed.block": sorted(executed),
    }


def epoch_writes(history: History, epoch: int) -> list[tuple[int, int]]:
    """Address and byte of everything written to memory in an epoch, in order."""
    changes = [change for change in history.changes if change.epoch == epoch]
    found = []
    for moment in range(history.epoch_starts[epoch], history.epoch_end(epoch) + 1):
        for change in changes:
            if change.moment == moment:
                found += [(change.physical + index, change.value >> (8 * index) & 0xFF) for index in range(8)]
        if moment < history.epoch_end(epoch):
            for touch in history.steps[moment - history.start].touches:
                if tells(touch):
                    found += [(place, touch.value >> (8 * i) & 0xFF) for i, place in enumerate(touch.places)]
    return found
