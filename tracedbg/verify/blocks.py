"""The block dictionary as flat arrays, and an epoch's runs expanded to instructions."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracedbg.format.columns import PackedMessage
from tracedbg.format.schema import Source
from tracedbg.verify.flow import leads
from tracedbg.verify.guest import INTEGER_REGISTERS
from tracedbg.verify.messages import AnyArray, Bytes, Columns, EpochMessages, Integers, Words, require


class _Growing:
    """Rows that are appended now and then; ``rows`` are all of them."""

    def __init__(self, dtype: type[np.generic]) -> None:
        self._room: AnyArray = np.empty(1 << 12, dtype)
        self._used = 0

    @property
    def rows(self) -> AnyArray:
        return self._room[: self._used]

    def add(self, rows: AnyArray) -> None:
        needed = self._used + len(rows)
        if needed > len(self._room):
            room = np.empty(max(needed, 2 * len(self._room)), self._room.dtype)
            room[: self._used] = self.rows
            self._room = room
        self._room[self._used : needed] = rows
        self._used = needed


class Dictionary:
    """All blocks up to an epoch."""

    def __init__(self) -> None:
        self._first = _Growing(np.int64)
        self._size = _Growing(np.int64)
        self._destination = _Growing(np.uint8)
        self._source = _Growing(np.uint8)
        self._constant = _Growing(np.uint64)
        self._address = _Growing(np.uint64)
        self._privilege = _Growing(np.uint8)
        self._lead = _Growing(np.uint8)
        self._behind = _Growing(np.uint64)
        self._target = _Growing(np.uint64)

    def add(self, message: PackedMessage) -> None:
        """Take in one ``blocks`` message; raises Malformed."""
        columns = Columns(message)
        _check(columns)
        sizes, source = columns.indices("instructions"), columns["insn.source"]
        constant = np.zeros(len(source), np.uint64)
        constant[source == Source.CONSTANT] = columns["insn.constant"]
        first = np.cumsum(sizes) - sizes
        lengths = columns["insn.length"].astype(np.uint64)
        before = np.cumsum(lengths) - lengths
        address = before + np.repeat(columns["virtual"] - before[first], sizes)
        self._address.add(address)
        lead, behind, target = leads(columns["insn.bytes"], columns["insn.length"], address)
        self._lead.add(lead)
        self._behind.add(behind)
        self._target.add(target)
        self._first.add(first + len(self.source))
        self._size.add(sizes)
        self._privilege.add(columns["privilege"])
        self._destination.add(columns["insn.destination"])
        self._source.add(source)
        self._constant.add(constant)

    @property
    def first(self) -> Integers:
        """Index of each block's first instruction in the arrays that have a row for each instruction."""
        return self._first.rows

    @property
    def size(self) -> Integers:
        """Number of each block's instructions."""
        return self._size.rows

    @property
    def privilege(self) -> Bytes:
        """Privilege at which each block runs."""
        return self._privilege.rows

    @property
    def destination(self) -> Bytes:
        """Integer register that each instruction writes."""
        return self._destination.rows

    @property
    def source(self) -> Bytes:
        """Where its value comes from (Source), for each instruction."""
        return self._source.rows

    @property
    def constant(self) -> Words:
        """The value, for each instruction whose source is CONSTANT, else 0."""
        return self._constant.rows

    @property
    def address(self) -> Words:
        """Virtual address of each instruction."""
        return self._address.rows

    @property
    def lead(self) -> Bytes:
        """How the next instruction's address follows from each (flow.Lead)."""
        return self._lead.rows

    @property
    def behind(self) -> Words:
        """One of the addresses that each instruction leads to, where ``lead`` is PLACES."""
        return self._behind.rows

    @property
    def target(self) -> Words:
        """The other one."""
        return self._target.rows


def _check(columns: Columns) -> None:
    columns.require_equal("virtual", "instructions", "privilege")
    columns.require_equal("insn.length", "insn.destination", "insn.source")
    sizes = columns["instructions"]
    claimed, there = int(sizes.sum(dtype=np.int64)), columns.rows("insn.source")
    require(bool(sizes.all()), "a block has no instruction")
    lengths, code = int(columns["insn.length"].sum(dtype=np.int64)), columns.rows("insn.bytes")
    require(lengths == code, f"instructions have {lengths} bytes, and the dictionary holds {code}")
    require(claimed == there, f"blocks claim {claimed} instructions, and the dictionary holds {there}")
    columns.require_below("insn.source", len(Source))
    columns.require_below("insn.destination", INTEGER_REGISTERS)
    constants = int(np.count_nonzero(columns["insn.source"] == Source.CONSTANT))
    given = columns.rows("insn.constant")
    require(constants == given, f"{constants} instructions load a constant, and {given} constants are there")


@dataclass(frozen=True)
class Instructions:
    """The started instructions of an epoch in order: ``index`` in the dictionary and ``hart`` of each.

    The other three have a row for each run: its first instruction, its hart, and its privilege.
    """

    index: Integers
    hart: NDArray[np.uint16]
    run_start: Integers
    run_hart: NDArray[np.uint16]
    run_privilege: Bytes


def expand(messages: EpochMessages, dictionary: Dictionary) -> Instructions:
    """Return an epoch's instructions from its runs; raises Malformed."""
    epoch = messages.epoch
    epoch.require_below("run.block", len(dictionary.size))
    blocks = epoch["run.block"]
    started = dictionary.size[blocks]
    short, count = epoch["short.run"], epoch.indices("short.started")
    is_shorter = bool(count.all()) and bool((count < started[short]).all())
    require(is_shorter, "a short run is not shorter than its block")
    started[short] = count
    total = int(started.sum())
    require(total == messages.length, f"its runs have {total} instructions, and it claims {messages.length}")
    before = np.cumsum(started) - started
    index = np.repeat(dictionary.first[blocks] - before, started)
    index += np.arange(total)
    turns = epoch["turn.run"]
    require(not total or (len(turns) > 0 and turns[0] == 0), "its first run has no hart")
    harts = epoch["turn.hart"]
    hart = np.repeat(harts, np.diff(np.append(before[turns], total)))
    run_hart = np.repeat(harts, np.diff(np.append(turns.astype(np.int64), len(blocks))))
    return Instructions(index, hart, before, run_hart, dictionary.privilege[blocks])
