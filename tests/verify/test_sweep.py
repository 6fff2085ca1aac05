"""The sweep over words tells what a loop over single bytes tells."""

from dataclasses import dataclass, field

import hypothesis.strategies as st
import numpy as np
from hypothesis import given, settings

from tracedbg.format.columns import PackedMessage, Packer
from tracedbg.format.schema import ACCESS_STORE, ACCESSES, NEVER, AccessKind, Cause, Column, Message
from tracedbg.verify.accesses import word_rows
from tracedbg.verify.guest import GuestFacts
from tracedbg.verify.loaded import LoadCheck
from tracedbg.verify.memory import Memory
from tracedbg.verify.messages import Columns, EpochMessages
from tracedbg.verify.report import Report

RAM, ROM = 0x8000_0000, 0x2000
FRAMES = (ROM // 4096, ROM // 4096 + 1, RAM // 4096, RAM // 4096 + 1)
GUEST = GuestFacts(1, tuple(f"x{number}" for number in range(32)), ((RAM, 2 * 4096),))


@dataclass(frozen=True)
class Access:
    """A load or store; ``second`` is where its bytes in another page are, NEVER where that is unknown."""

    size: int
    store: bool
    kind: AccessKind
    start: int
    second: int | None
    value: int

    @property
    def places(self) -> list[int | None]:
        """Physical address of each byte."""
        inside = min(self.size, 4096 - self.start % 4096)
        rest: list[int | None] = [None] * (self.size - inside)
        if self.second is not None and self.second != NEVER:
            rest = [self.second + index for index in range(self.size - inside)]
        return [*range(self.start, self.start + inside), *rest]


@dataclass(frozen=True)
class Change:
    """Eight bytes that changed without a store before the access of this index."""

    before: int
    start: int
    value: int


@st.composite
def accesses(draw: st.DrawFn) -> Access:
    size = draw(st.sampled_from([1, 2, 4, 8]))
    base = draw(st.sampled_from([RAM, RAM, RAM + 4096, ROM]))
    place = draw(st.one_of(st.integers(0, 20), st.integers(4088, 4095)))
    crosses = place + size > 4096
    second = draw(st.sampled_from([RAM, RAM + 4096, NEVER])) if crosses else None
    kind = draw(st.sampled_from([AccessKind.RAM, AccessKind.RAM, AccessKind.OTHER_MEMORY, AccessKind.DEVICE]))
    # Few different bytes, so that loads are often right.
    value = draw(st.sampled_from([0, 0x0101_0101_0101_0101, 0x0101_0000_0101_0000])) & ((1 << 8 * size) - 1)
    return Access(size, draw(st.booleans()), kind, base + place, second, value)


changes = st.builds(
    Change,
    st.integers(0, 40),
    st.sampled_from([RAM, RAM + 8, RAM + 4088, ROM]),
    st.sampled_from([0, 1 << 56]),
)


@dataclass
class Slow:
    """Memory byte by byte, as a loop over all that happened leaves it."""

    content: dict[int, int] = field(default_factory=dict)
    wrong: int = 0

    def __post_init__(self) -> None:
        self.content |= dict.fromkeys(range(RAM, RAM + 2 * 4096), 0)

    def epoch(self, rows: list[Access], changed: list[Change]) -> set[int]:
        """Go through an epoch and return the places that it wrote, or made known."""
        written: set[int] = set()
        learnt: dict[int, int] = {}
        for index, row in enumerate(rows):
            self._change([change for change in changed if change.before == index], written)
            for place, byte in zip(row.places, row.value.to_bytes(row.size, "little"), strict=True):
                if place is not None and row.kind is not AccessKind.DEVICE:
                    self._byte(row, place, byte, written, learnt)
        self._change([change for change in changed if change.before >= len(rows)], written)
        for place, byte in learnt.items():
            self.content.setdefault(place, byte)
        return written | set(learnt)

    def _change(self, changed: list[Change], written: set[int]) -> None:
        for change in changed:
            for place, byte in enumerate(change.value.to_bytes(8, "little"), change.start):
                self.content[place] = byte
                written.add(place)

    def _byte(self, row: Access, place: int, byte: int, written: set[int], learnt: dict[int, int]) -> None:
        if row.kind is AccessKind.OTHER_MEMORY and row.store:
            return
        if row.store or row.kind is AccessKind.OTHER_MEMORY:
            self.content[place] = byte
            written.add(place)
        elif place in self.content:
            self.wrong += self.content[place] != byte
        else:
            learnt.setdefault(place, byte)


def message(rows: list[Access], changed: list[Change]) -> PackedMessage:
    crossing = [index for index, row in enumerate(rows) if row.second is not None]
    columns = {
        "t": range(len(rows)),
        "flags": [row.size.bit_length() - 1 | row.store * ACCESS_STORE | row.kind << 4 for row in rows],
        "virtual": [row.start for row in rows],
        "value": [row.value for row in rows],
        "crossing.access": crossing,
        "crossing.physical": [rows[index].second for index in crossing],
        "change.t": [min(change.before, len(rows)) for change in changed],
        "change.since": [0] * len(changed),
        "change.physical": [change.start for change in changed],
        "change.value": [change.value for change in changed],
        "change.cause": [Cause.DMA] * len(changed),
    }
    arrays = {
        name: np.array(list(rows), "<" + _column(ACCESSES, name).dtype) for name, rows in columns.items()
    }
    return PackedMessage.of(ACCESSES, Packer().pack(ACCESSES, arrays))


def _column(of: Message, name: str) -> Column:
    return next(column for column in of.columns if column.name == name)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(st.lists(accesses(), max_size=40), st.lists(changes, max_size=4)), max_size=3))
def test_words_and_bytes_agree(epochs: list[tuple[list[Access], list[Change]]]) -> None:
    report, memory, slow = Report(), Memory(GUEST), Slow()
    check = LoadCheck(memory, report)
    for rows, unsorted in epochs:
        changed = sorted(unsorted, key=lambda change: change.before)
        columns = Columns(message(rows, changed))
        written = check.check(EpochMessages(0, 0, len(rows), columns, columns, columns), word_rows(columns))
        expected = slow.epoch(rows, changed)
        assert report.mismatches["loads"] == slow.wrong
        bits = np.unpackbits(written.masks, axis=1, bitorder="little")
        row, place = np.nonzero(bits)
        assert set((written.frames[row] * np.uint64(4096)).astype(int) + place) == expected
        pages = memory.pages(np.array(FRAMES, np.uint64))
        for frame, page in zip(FRAMES, pages, strict=True):
            own = bytes(slow.content.get(frame * 4096 + index, 0) for index in range(4096))
            assert page.tobytes() == own
