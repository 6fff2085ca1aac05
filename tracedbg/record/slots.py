"""The file of slots that the plugin fills: its layout, made from the schema, and numpy views on it.

The C side is plugins/qemu/recorder/slots.h.
"""

import mmap
import os
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tracedbg.arch.riscv64.registers import NAMES, trace_registers
from tracedbg.errors import RecordError
from tracedbg.format.columns import AnyArray, column_dtype
from tracedbg.format.schema import FORMAT_VERSION, SLOT_MESSAGES, Column, Message

MAGIC = 0x3253544F4C534254
SLOTS = 3
RANGES_MAX = 32
VECTOR_WORDS_MAX = 16
RESERVE = 64 << 20
"""Bytes behind the slots that are given up when the disk is full, so that a trace can be finished."""
FREE, FILLING, FULL = 0, 1, 2

COLUMNS: tuple[tuple[Message, Column], ...] = tuple(
    (message, column) for message in SLOT_MESSAGES for column in message.columns
)
_SHARED_WORDS = (
    "magic", "format_version", "slots", "slot_size", "slots_offset", "columns", "ram_ranges", "dma_ranges",
    "started", "harts", "dma_possible", "vector_words",
)  # fmt: skip
_SLOT_WORDS = ("state", "sequence", "first_t", "end_t", "run_t", "run_index")
_PAGE = mmap.PAGESIZE

# Rows of each column in a slot. An epoch ends at three quarters of any of them, looked at every 4,096
# instructions, so the last quarter must hold what so many instructions can bring.
_ROWS = {
    "blocks": 1 << 16,
    "blocks.insn": 1 << 19,
    "blocks.insn.bytes": 1 << 21,
    "epoch": 1 << 16,
    "epoch.run": 3 << 19,
    "epoch.state": 1 << 19,
    "epoch.keyframe": 1 << 15,
    "writes": 3 << 19,
    "accesses": 3 << 19,
    "accesses.mapping": 3 << 19,
    "accesses.crossing": 1 << 17,
    "accesses.change": 1 << 18,
    "late": 1 << 16,
}


def rows_of(message: Message, column: Column) -> int:
    """Return how many rows of a column a slot has room for."""
    name = f"{message.topic}.{column.name}"
    if name == "epoch.keyframe.value":
        # With vectors it is fewer keyframes: the plugin ends an epoch before they are too many.
        return _ROWS["epoch.keyframe"] * len(NAMES)
    while name not in _ROWS:
        name = name.rpartition(".")[0]
    return _ROWS[name]


@dataclass(frozen=True)
class Range:
    """Guest-physical bytes from ``start``; for RAM ``offset`` says where they are in the RAM file."""

    start: int
    size: int
    offset: int


class SlotFile:
    """The mapped file. Counters are read when asked for; columns are views that the plugin may still fill."""

    def __init__(self, path: Path, mapped: mmap.mmap) -> None:
        self.path = path
        self._map = mapped
        self.words: NDArray[np.uint64] = np.frombuffer(mapped, dtype="<u8")

    @classmethod
    def create(cls, path: Path) -> "SlotFile":
        """Make the file with all its space; RecordError when the disk does not have it."""
        offsets, capacities, size = _layout()
        total = _header_size() + SLOTS * size + RESERVE
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise RecordError(f"{path}: the recorder's buffers cannot be made: {error.strerror}") from None
        try:
            os.posix_fallocate(descriptor, 0, total)
            mapped = mmap.mmap(descriptor, total)
        except OSError as error:
            path.unlink()
            raise RecordError(
                f"{path}: no room for the recorder's buffers, {total >> 20} MiB: {error.strerror}"
            ) from None
        finally:
            os.close(descriptor)
        slots = cls(path, mapped)
        slots._write_header(offsets, capacities, size)
        return slots

    @classmethod
    def open(cls, path: Path) -> "SlotFile":
        """Map the file that an interrupted recording left; RecordError when it is none of this version."""
        with path.open("r+b") as file:
            try:
                slots = cls(path, mmap.mmap(file.fileno(), 0))
            except ValueError:
                raise RecordError(f"{path}: empty, so there is nothing to repair from it") from None
        if len(slots.words) < _header_size() // 8 or slots._is_foreign():
            raise RecordError(f"{path}: not the buffers of a recording of this version of tracedbg")
        return slots

    def _is_foreign(self) -> bool:
        size = self.word("slots_offset") + self.word("slots") * self.word("slot_size")
        return (
            self.word("magic") != MAGIC
            or self.word("format_version") != FORMAT_VERSION
            or self.word("columns") != len(COLUMNS)
            or not 0 < self.word("slots") <= 64
            or size > len(self._map)
            or any(
                place + rows * column_dtype(column).itemsize > self.word("slot_size")
                for (_, column), (place, rows) in zip(COLUMNS, self._places(), strict=True)
            )
        )

    def _write_header(self, offsets: Sequence[int], capacities: Sequence[int], size: int) -> None:
        values = {
            "format_version": FORMAT_VERSION,
            "slots": SLOTS,
            "slot_size": size,
            "slots_offset": _header_size(),
            "columns": len(COLUMNS),
            "magic": MAGIC,
        }
        for index, pair in enumerate(zip(offsets, capacities, strict=True)):
            self.words[_column_word(index) : _column_word(index) + 2] = pair
        for name, value in values.items():
            self.words[_SHARED_WORDS.index(name)] = value

    def word(self, name: str) -> int:
        """Return a number of the file's header."""
        return int(self.words[_SHARED_WORDS.index(name)])

    def set_ranges(self, ram: Sequence[Range], dma: Sequence[Range]) -> None:
        """Tell the plugin where RAM is, and which devices can write it; RecordError for more than 32."""
        for place, ranges in ((0, ram), (1, dma)):
            if len(ranges) > RANGES_MAX:
                raise RecordError(
                    f"the machine has {len(ranges)} ranges of memory, more than can be recorded"
                )
            start = len(_SHARED_WORDS) + place * 3 * RANGES_MAX
            for index, area in enumerate(ranges):
                words = (area.start, area.size, area.offset)
                self.words[start + 3 * index : start + 3 * index + 3] = words
        self.words[_SHARED_WORDS.index("ram_ranges")] = len(ram)
        self.words[_SHARED_WORDS.index("dma_ranges")] = len(dma)

    def ram_ranges(self) -> tuple[Range, ...]:
        """Return where RAM is, as ``set_ranges`` was told."""
        start = len(_SHARED_WORDS)
        count = min(self.word("ram_ranges"), RANGES_MAX)
        rows = self.words[start : start + 3 * count].reshape(count, 3)
        return tuple(Range(*map(int, row)) for row in rows)

    def slot(self, index: int) -> "Slot":
        """Return one of the slots, from 0."""
        return Slot(self, index)

    @property
    def registers(self) -> tuple[str, ...]:
        """The registers of a keyframe, as the plugin found them when QEMU had built its machine."""
        return trace_registers(min(self.word("vector_words"), VECTOR_WORDS_MAX))

    def iter_unread(self, sequence: int) -> Iterator["Slot"]:
        """Yield the slots that hold epoch ``sequence`` and those after it; the unfinished one is the last."""
        slots = [self.slot(index) for index in range(self.word("slots"))]
        held = {slot.sequence: slot for slot in slots if slot.state != FREE}
        while sequence in held:
            yield held[sequence]
            sequence += 1

    def _places(self) -> Iterator[tuple[int, int]]:
        for index in range(len(COLUMNS)):
            yield int(self.words[_column_word(index)]), int(self.words[_column_word(index) + 1])

    def view(self, column: Column, rows: int, offset: int) -> AnyArray:
        """Return rows of a column that begin at a byte of the file."""
        found: AnyArray = np.frombuffer(self._map, column_dtype(column), rows, offset)
        return found

    def free_reserve(self) -> None:
        """Give the space behind the slots back to the disk."""
        end = self.word("slots_offset") + self.word("slots") * self.word("slot_size")
        os.truncate(self.path, end)

    def close(self) -> None:
        """Unmap the file, as soon as no view on it is left."""
        self.words = np.empty(0, "<u8")
        with suppress(BufferError):
            self._map.close()


class Slot:
    """One slot: its state, counters, and views on its columns."""

    def __init__(self, slots: SlotFile, index: int) -> None:
        start = slots.word("slots_offset") + index * slots.word("slot_size")
        self._slots = slots
        self._start = start
        self._words = slots.words[start // 8 : start // 8 + len(_SLOT_WORDS) + len(COLUMNS)]

    def _word(self, name: str) -> int:
        return int(self._words[_SLOT_WORDS.index(name)])

    @property
    def state(self) -> int:
        """FREE, FILLING or FULL."""
        return self._word("state")

    @property
    def sequence(self) -> int:
        """Which epoch the slot holds."""
        return self._word("sequence")

    @property
    def first_t(self) -> int:
        """The epoch's first t."""
        return self._word("first_t")

    @property
    def end_t(self) -> int:
        """The first t after the epoch, once the slot is full."""
        return self._word("end_t")

    @property
    def run_t(self) -> int:
        """First t of the run under way."""
        return self._word("run_t")

    @property
    def run_index(self) -> int:
        """Index of the last instruction of that run that is known to have started."""
        return self._word("run_index")

    def columns(self, message: Message) -> dict[str, AnyArray]:
        """Return the rows of each column of a message, by name, as they are now."""
        found: dict[str, AnyArray] = {}
        for index, (owner, column) in enumerate(COLUMNS):
            if owner is message:
                place = int(self._slots.words[_column_word(index)])
                capacity = int(self._slots.words[_column_word(index) + 1])
                rows = min(int(self._words[len(_SLOT_WORDS) + index]), capacity)
                found[column.name] = self._slots.view(column, rows, self._start + place)
        return found

    def release(self) -> None:
        """Give the slot back to the plugin."""
        self._words[0] = FREE


def _column_word(index: int) -> int:
    return len(_SHARED_WORDS) + 2 * 3 * RANGES_MAX + 2 * index


def _header_size() -> int:
    return -(-8 * _column_word(len(COLUMNS)) // _PAGE) * _PAGE


def _layout() -> tuple[list[int], list[int], int]:
    """Return each column's offset in a slot and its rows, and the size of a slot."""
    offsets, capacities = [], []
    place = -(-struct.calcsize("<Q") * (len(_SLOT_WORDS) + len(COLUMNS)) // _PAGE) * _PAGE
    for message, column in COLUMNS:
        rows = rows_of(message, column)
        offsets.append(place)
        capacities.append(rows)
        place += -(-rows * column_dtype(column).itemsize // _PAGE) * _PAGE
    return offsets, capacities, place
