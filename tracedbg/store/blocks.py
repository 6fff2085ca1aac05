"""The dictionary of translated blocks as flat arrays."""

from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracedbg.format.schema import BLOCKS
from tracedbg.format.schema import Source as ValueSource
from tracedbg.store.source import Flags, Integers, Source

INSTRUCTION_LIMIT = 1 << 26
"""Instructions of all blocks of a trace."""

_U8 = NDArray[np.uint64]
_U1 = NDArray[np.uint8]


@dataclass(frozen=True)
class BlockTable:
    """Blocks 0 to n-1 of the dictionary, and their instructions one after the other.

    Per block, n rows: ``virtual``, ``physical`` and ``next_physical`` (all ones where there is none),
    ``privilege``, ``instructions``; ``first`` (n + 1 rows) is the index of its first instruction.
    Per instruction: ``length`` in bytes, ``destination``, ``source`` (Source), ``constant`` (0 where the
    source is another one). With one row more: ``byte`` is the index of its first byte in ``code``,
    ``recorded`` the number of instructions of source RECORDED before it.
    """

    virtual: _U8
    physical: _U8
    next_physical: _U8
    privilege: _U1
    instructions: Integers
    first: Integers
    length: _U1
    destination: _U1
    source: _U1
    constant: _U8
    byte: Integers
    recorded: Integers
    code: _U1

    def __len__(self) -> int:
        return len(self.virtual)

    @cached_property
    def block_of(self) -> Integers:
        """The block of each instruction."""
        return np.repeat(np.arange(len(self), dtype=np.int64), self.instructions)

    @cached_property
    def address(self) -> _U8:
        """The virtual address of each instruction."""
        start = self.byte[self.first[:-1]].astype(np.uint64)
        return np.repeat(self.virtual - start, self.instructions) + self.byte[:-1].astype(np.uint64)

    @cached_property
    def encoding(self) -> NDArray[np.uint32]:
        """The first four bytes of each instruction as a number, of a shorter one all that it has."""
        padded = np.concatenate([self.code, np.zeros(4, np.uint8)]).astype(np.uint32)
        start = self.byte[:-1]
        word = np.zeros(len(start), np.uint32)
        for place in range(4):
            byte = padded[start + place] << np.uint32(8 * place)
            word |= np.where(self.length > place, byte, np.uint32(0))
        return word

    @cached_property
    def is_load(self) -> Flags:
        """Whether each instruction's destination gets what its own load brought."""
        loads: Flags = (self.source >= ValueSource.LOAD_S8) & (self.source <= ValueSource.LOAD_U32)
        return loads

    def instruction_bytes(self, instruction: int) -> bytes:
        """Return the bytes of an instruction."""
        return self.code[self.byte[instruction] : self.byte[instruction + 1]].tobytes()

    def instruction_physical(self, instruction: int) -> int | None:
        """Return the physical address of an instruction's first byte, or None where it is unknown."""
        block = int(self.block_of[instruction])
        offset = int(self.byte[instruction] - self.byte[self.first[block]])
        virtual, physical = int(self.virtual[block]), int(self.physical[block])
        over = (virtual & 0xFFF) + offset - 0x1000
        start = physical + offset if over < 0 else int(self.next_physical[block]) + over
        base = physical if over < 0 else int(self.next_physical[block])
        return None if base == (1 << 64) - 1 else start


class BlockStore:
    """Loads the dictionary as far as it is needed; a table once handed out stays as it is."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._times = source.file.times(BLOCKS.topic)
        self._lock = Lock()
        self._parts: list[dict[str, NDArray[Any]]] = []
        self._table: BlockTable | None = None

    def up_to(self, t: int) -> BlockTable:
        """Return a table that has at least the blocks of epochs that begin at or before ``t``."""
        return self._load(int(np.searchsorted(self._times, np.uint64(t), "right")))

    def all(self) -> BlockTable:
        """Return the table of all blocks of the trace."""
        return self._load(len(self._times))

    def _load(self, messages: int) -> BlockTable:
        with self._lock:
            if self._table is None or messages > len(self._parts):
                # Twice as many as before at least, so that joining the parts costs little altogether.
                target = min(max(messages, 2 * len(self._parts)), len(self._times))
                for index in range(len(self._parts), target):
                    self._parts.append(self._part(index))
                self._table = _join(self._parts)
            return self._table

    def _part(self, index: int) -> dict[str, NDArray[Any]]:
        message = self._source.file.fetch(BLOCKS.topic, index)
        known = sum(len(part["insn.length"]) for part in self._parts)
        self._source.require(
            known + message.rows("insn.length") <= INSTRUCTION_LIMIT, "the block dictionary is too large"
        )
        part = {column.name: message.column(column.name) for column in BLOCKS.columns}
        self._source.require(_is_consistent(part), f"block message {index} contradicts itself")
        return part


def _is_consistent(part: dict[str, NDArray[Any]]) -> bool:
    names = ("virtual", "physical", "next_physical", "privilege", "instructions")
    blocks = {len(part[name]) for name in names}
    per_instruction = {len(part[name]) for name in ("insn.length", "insn.destination", "insn.source")}
    constants = np.count_nonzero(part["insn.source"] == ValueSource.CONSTANT)
    return (
        len(blocks) == 1
        and per_instruction == {int(part["instructions"].sum(dtype=np.int64))}
        and int(part["insn.length"].sum(dtype=np.int64)) == len(part["insn.bytes"])
        and constants == len(part["insn.constant"])
        and not np.any(part["insn.destination"] > 31)
        and not np.any(part["insn.source"] > max(ValueSource))
        and bool(np.all(part["insn.length"]))
        and bool(np.all(part["instructions"]))
    )


def _join(parts: list[dict[str, NDArray[Any]]]) -> BlockTable:
    def joined(name: str) -> NDArray[Any]:
        dtype = next(np.dtype(column.dtype) for column in BLOCKS.columns if column.name == name)
        return np.concatenate([part[name] for part in parts]) if parts else np.empty(0, dtype)

    source = joined("insn.source")
    constant = np.zeros(len(source), np.uint64)
    constant[source == ValueSource.CONSTANT] = joined("insn.constant")
    instructions = joined("instructions").astype(np.int64)
    return BlockTable(
        virtual=joined("virtual"),
        physical=joined("physical"),
        next_physical=joined("next_physical"),
        privilege=joined("privilege"),
        instructions=instructions,
        first=prefix_sum(instructions),
        length=joined("insn.length"),
        destination=joined("insn.destination"),
        source=source,
        constant=constant,
        byte=prefix_sum(joined("insn.length")),
        recorded=prefix_sum(source == ValueSource.RECORDED),
        code=joined("insn.bytes"),
    )


def prefix_sum(counts: NDArray[Any]) -> Integers:
    """Return the sums of all elements before each index: one row more than ``counts``."""
    out = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=out[1:])
    return out
