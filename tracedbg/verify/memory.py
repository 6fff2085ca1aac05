"""Memory, rebuilt from the initial image by every store and change, and compared with every load."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracedbg.format.columns import PackedMessage
from tracedbg.format.schema import (
    ACCESS_KIND_MASK,
    ACCESS_KIND_SHIFT,
    ACCESS_SIZE_MASK,
    ACCESS_STORE,
    PAGE_SIZE,
    AccessKind,
    Cause,
)
from tracedbg.verify.report import Report

Words = NDArray[np.uint64]
_SEVEN = np.uint64(7)
_LANES = np.arange(8, dtype=np.uint8)


@dataclass(frozen=True)
class WordRows:
    """Accesses cut at eight-byte boundaries, in order of time: one row a word.

    ``word`` is the physical address / 8, ``mask`` has a bit for each byte of the word that the row touches,
    ``value`` those bytes in their places. ``writes`` tells stores and changes from loads.
    """

    word: Words
    mask: NDArray[np.uint8]
    value: Words
    writes: NDArray[np.bool_]
    t: NDArray[np.int64]


class Memory:
    """All bytes of physical memory that are known, by frame; made from the image and kept up to date."""

    def __init__(self, ram: list[tuple[int, int]]) -> None:
        self._ram = sorted(ram)
        self._pages: dict[int, NDArray[np.uint8]] = {}
        self._known: dict[int, NDArray[np.bool_]] = {}

    def is_ram(self, frame: int) -> bool:
        """Say whether a frame is RAM."""
        return any(start <= frame * PAGE_SIZE < start + size for start, size in self._ram)

    def page(self, frame: int) -> NDArray[np.uint8]:
        """Return a frame's bytes, writable."""
        if frame not in self._pages:
            self._pages[frame] = np.zeros(PAGE_SIZE, np.uint8)
            self._known[frame] = np.full(PAGE_SIZE, self.is_ram(frame))
        return self._pages[frame]

    def known(self, frame: int) -> NDArray[np.bool_]:
        """Return which of a frame's bytes are known, writable."""
        self.page(frame)
        return self._known[frame]

    def add_image(self, image: PackedMessage) -> None:
        """Take in an ``image`` message."""
        content = image.column("bytes").reshape(-1, PAGE_SIZE)
        for frame, bytes_ in zip(image.column("frame").tolist(), content, strict=True):
            self.page(frame)[:] = bytes_

    def frames(self) -> list[int]:
        """Return the frames that hold anything, ascending."""
        return sorted(self._pages)


class MemoryCheck:
    """Compares each epoch's loads with memory, then applies its stores and changes."""

    def __init__(self, memory: Memory, report: Report) -> None:
        self._memory = memory
        self._report = report
        self.written: dict[int, NDArray[np.bool_]] = {}

    def check(self, epoch: PackedMessage, accesses: PackedMessage) -> None:
        """Do so for one epoch; ``written`` then has, by frame, the bytes that it wrote or made known."""
        self._count(accesses)
        rows = _in_order(_accesses(accesses), _changes(accesses))
        order = np.argsort(rows.word, kind="stable")
        rows = WordRows(
            rows.word[order], rows.mask[order], rows.value[order], rows.writes[order], rows.t[order]
        )
        starts = (
            np.flatnonzero(np.append(True, rows.word[1:] != rows.word[:-1]))
            if len(rows.word)
            else np.zeros(0, int)
        )
        words = rows.word[starts]
        content, known = self._gather(words)
        last = self._sweep(rows, starts, content, known, int(epoch.column("bounds")[0]))
        self._scatter(words, content, known, last)

    def _count(self, accesses: PackedMessage) -> None:
        stores = int(np.count_nonzero(accesses.column("flags") & ACCESS_STORE))
        self._report.stores += stores
        self._report.loads += accesses.rows("flags") - stores
        causes, counts = np.unique(accesses.column("change.cause"), return_counts=True)
        for cause, count in zip(causes.tolist(), counts.tolist(), strict=True):
            self._report.changes[Cause(cause).name.lower()] += count

    def _gather(self, words: Words) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Return the bytes of each word, (n, 8), and whether they are known."""
        content, known = np.zeros((len(words), 8), np.uint8), np.zeros((len(words), 8), bool)
        for frame, first, end in _by_frame(words):
            place = (words[first:end] % np.uint64(PAGE_SIZE // 8)).astype(int)
            content[first:end] = self._memory.page(frame).reshape(-1, 8)[place]
            known[first:end] = self._memory.known(frame).reshape(-1, 8)[place]
        return content, known

    def _sweep(
        self,
        rows: WordRows,
        starts: NDArray[np.int64],
        content: NDArray[np.uint8],
        known: NDArray[np.bool_],
        first: int,
    ) -> NDArray[np.bool_]:
        """Compare loads byte lane by byte lane; leaves the final bytes in ``content``; returns what was written."""
        count = len(rows.word)
        group = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, count)))
        values = rows.value.view(np.uint8).reshape(-1, 8)
        touched = np.unpackbits(rows.mask[:, None], axis=1, bitorder="little").astype(bool)
        written = np.zeros_like(known)
        indices = np.arange(count)
        for lane in range(8):
            here = touched[:, lane]
            # A load from memory that had never been seen makes it known.
            source = np.maximum.accumulate(np.where(here & rows.writes, indices, -1)) if count else indices
            inside = source >= starts[group] if count else np.zeros(0, bool)
            expected = np.where(inside, values[source, lane], content[group, lane])
            certain = inside | known[group, lane]
            loads = here & ~rows.writes
            wrong = np.flatnonzero(loads & certain & (expected != values[:, lane]))
            if len(wrong):
                row = wrong[0]
                self._report.differ("loads", len(wrong),
                    f"t {first + int(rows.t[row])}: byte {int(rows.word[row]) * 8 + lane:#x} was loaded as"
                    f" {int(values[row, lane]):#04x} and should be {int(expected[row]):#04x}")  # fmt: skip
            self._learn(lane, loads & ~certain, group, values, content, known, written)
            if count:
                ends = np.append(starts[1:], count) - 1
                newest, own = source[ends], inside[ends]
                content[own, lane] = values[newest[own], lane]
                known[own, lane] = True
                written[own, lane] = True
        return written

    def _learn(
        self, lane: int, rows: NDArray[np.bool_], group: NDArray[np.int64], values: NDArray[np.uint8],
        content: NDArray[np.uint8], known: NDArray[np.bool_], written: NDArray[np.bool_],
    ) -> None:  # fmt: skip
        groups, first = np.unique(group[rows], return_index=True)
        content[groups, lane] = values[np.flatnonzero(rows)[first], lane]
        known[groups, lane] = True
        written[groups, lane] = True

    def _scatter(
        self, words: Words, content: NDArray[np.uint8], known: NDArray[np.bool_], written: NDArray[np.bool_]
    ) -> None:
        self.written = {}
        for frame, first, end in _by_frame(words):
            place = (words[first:end] % np.uint64(PAGE_SIZE // 8)).astype(int)
            self._memory.page(frame).reshape(-1, 8)[place] = content[first:end]
            self._memory.known(frame).reshape(-1, 8)[place] = known[first:end]
            if written[first:end].any():
                mask = np.zeros(PAGE_SIZE, bool)
                mask.reshape(-1, 8)[place] = written[first:end]
                self.written[frame] = mask


def _by_frame(words: Words) -> list[tuple[int, int, int]]:
    """Return (frame, first row, row after) for the runs of ascending ``words`` that share a frame."""
    frames = words // np.uint64(PAGE_SIZE // 8)
    if not len(frames):
        return []
    starts = np.flatnonzero(np.append(True, frames[1:] != frames[:-1]))
    ends = np.append(starts[1:], len(frames))
    return list(zip(frames[starts].tolist(), starts.tolist(), ends.tolist(), strict=True))


def _accesses(message: PackedMessage) -> WordRows:
    flags = message.column("flags")
    virtual, value = message.column("virtual"), message.column("value")
    deltas = np.append(np.zeros(1, np.uint64), message.column("mapping.delta"))
    mapping = np.searchsorted(message.column("mapping.access"), np.arange(len(flags)), "right")
    physical = virtual + deltas[mapping]
    size = np.uint64(1) << (flags & ACCESS_SIZE_MASK).astype(np.uint64)
    second = np.zeros(len(flags), np.uint64)
    crossing = message.column("crossing.access").astype(np.int64)
    in_page = np.uint64(PAGE_SIZE) - physical % np.uint64(PAGE_SIZE)
    second[crossing] = (size - in_page)[crossing]
    kind = (flags & ACCESS_KIND_MASK) >> ACCESS_KIND_SHIFT
    t = message.column("t").astype(np.int64)
    stores = flags & ACCESS_STORE != 0
    # Boot ROM and flash do not take stores as memory does; what a load brings is all that is known of them.
    memory = (kind == AccessKind.RAM) | (kind == AccessKind.OTHER_MEMORY) & ~stores
    writes = stores | (kind == AccessKind.OTHER_MEMORY)
    head = _cut(physical, size - second, value, writes, t, memory)
    rest = message.column("crossing.physical")
    shift = (np.uint64(8) * (size - second))[crossing]
    tail = _cut(rest, second[crossing], value[crossing] >> shift, writes[crossing], t[crossing],
                memory[crossing] & (rest != np.uint64(0xFFFF_FFFF_FFFF_FFFF)))  # fmt: skip
    return _merge(head, tail)


def _cut(
    physical: Words,
    size: Words,
    value: Words,
    writes: NDArray[np.bool_],
    t: NDArray[np.int64],
    use: NDArray[np.bool_],
) -> WordRows:
    """Return one or two rows for each access that is of use."""
    physical, size, value, writes, t = physical[use], size[use], value[use], writes[use], t[use]
    at = physical & _SEVEN
    bits = ((np.uint64(1) << size) - np.uint64(1)) << at
    low = value << (np.uint64(8) * at)
    # Shifting a 64-bit number by 64 is not defined, so the part that goes over is shifted in two steps.
    high = (value >> (np.uint64(8) * (_SEVEN - at))) >> np.uint64(8)
    over = np.flatnonzero(bits >> np.uint64(8))
    order = np.argsort(np.concatenate([np.arange(len(t)), over]), kind="stable")
    word = physical >> np.uint64(3)
    return WordRows(
        np.concatenate([word, word[over] + np.uint64(1)])[order],
        np.concatenate([bits & np.uint64(255), bits[over] >> np.uint64(8)])[order].astype(np.uint8),
        np.concatenate([low, high[over]])[order],
        np.concatenate([writes, writes[over]])[order],
        np.concatenate([t, t[over]])[order],
    )


def _changes(message: PackedMessage) -> WordRows:
    word = message.column("change.physical") >> np.uint64(3)
    count = len(word)
    return WordRows(
        word, np.full(count, 255, np.uint8), message.column("change.value"), np.ones(count, bool),
        message.column("change.t").astype(np.int64),
    )  # fmt: skip


def _merge(first: WordRows, second: WordRows) -> WordRows:
    """Return the rows of both in order of t; at one t those of ``first`` come first."""
    order = np.argsort(np.concatenate([first.t, second.t]), kind="stable")
    return WordRows(
        np.concatenate([first.word, second.word])[order],
        np.concatenate([first.mask, second.mask])[order],
        np.concatenate([first.value, second.value])[order],
        np.concatenate([first.writes, second.writes])[order],
        np.concatenate([first.t, second.t])[order],
    )


def _in_order(accesses: WordRows, changes: WordRows) -> WordRows:
    """At one t, changes come before accesses."""
    return _merge(changes, accesses)
