"""Accesses and changes of an epoch as rows of eight-byte words, sorted by word and then by time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracedbg.format.schema import (
    ACCESS_KIND_MASK,
    ACCESS_KIND_SHIFT,
    ACCESS_SIZE_MASK,
    ACCESS_STORE,
    NEVER,
    AccessKind,
)
from tracedbg.verify.messages import Bytes, Columns, Flags, Integers, Words

_SEVEN = np.uint64(7)
_SIZES = np.array([0x01, 0x03, 0x0F, 0xFF], np.uint16)
"""By log2 of the size: a bit for each byte of an access to a multiple of eight."""


@dataclass(frozen=True)
class WordRows:
    """Accesses cut at eight-byte boundaries: one row a word.

    ``word`` is the physical address / 8, ``mask`` has a bit for each byte of the word that the row touches,
    lowest address lowest, ``value`` those bytes in their places, and anything elsewhere. ``writes`` tells
    stores, changes and whatever else says what memory holds from then on, ``reads`` all loads. ``t`` counts
    from the epoch's first.
    """

    word: Words
    mask: Bytes
    value: Words
    writes: Flags
    reads: Flags
    t: NDArray[np.uint32]

    def take(self, rows: Integers) -> "WordRows":
        """Return some rows, in the order given."""
        return WordRows(
            self.word[rows],
            self.mask[rows],
            self.value[rows],
            self.writes[rows],
            self.reads[rows],
            self.t[rows],
        )


def word_rows(accesses: Columns) -> WordRows:
    """Return all rows that tell of memory, sorted by word; those of one word are in order of time."""
    rows = _cut(accesses)
    if accesses.rows("change.t"):
        rows = _joined(_changes(accesses), rows)
        rows = rows.take(np.argsort(rows.t, kind="stable"))
    return rows.take(_by_word(rows.word))


def physical_addresses(accesses: Columns) -> Words:
    """Return the physical address of each access."""
    count, mapped = accesses.rows("t"), accesses.indices("mapping.access")
    lengths = np.diff(np.concatenate([[0], mapped, [count]]))
    deltas = np.append(np.zeros(1, np.uint64), accesses["mapping.delta"])
    physical: Words = np.repeat(deltas, lengths)
    physical += accesses["virtual"]
    return physical


def _tells(flags: Bytes) -> tuple[Flags, Flags]:
    """Return which accesses tell of memory, and which of those say what it holds from then on."""
    kind = (flags & ACCESS_KIND_MASK) >> ACCESS_KIND_SHIFT
    stores = flags & ACCESS_STORE != 0
    # Boot ROM and flash do not take stores as memory does; what a load brings is all that is known of them.
    other = kind == AccessKind.OTHER_MEMORY
    return (kind == AccessKind.RAM) | other & ~stores, stores | other


def _cut(accesses: Columns) -> WordRows:
    """Return a row for each access of use, another where it goes on in a second word; in order of time."""
    physical = physical_addresses(accesses)
    use, writes = _tells(accesses["flags"])
    at = (physical & _SEVEN).astype(np.uint8)
    both = _SIZES[accesses["flags"] & ACCESS_SIZE_MASK] << at
    value, t = accesses["value"], accesses["t"]
    word = physical >> np.uint64(3)
    reads = accesses["flags"] & ACCESS_STORE == 0
    rows = WordRows(word, both.astype(np.uint8), value << (at * np.uint64(8)), writes, reads, t)
    over = np.flatnonzero(both >> 8)
    if len(over):
        following, known = _following(accesses, word)
        high = value[over] >> (np.uint64(64) - at[over] * np.uint64(8))
        rest = WordRows(
            following[over], (both[over] >> 8).astype(np.uint8), high, writes[over], reads[over], t[over]
        )
        order = np.argsort(np.concatenate([np.arange(len(t)), over]), kind="stable")
        rows, use = _joined(rows, rest), np.concatenate([use, use[over] & known[over]])
        return rows.take(order[use[order]])
    return rows if use.all() else rows.take(np.flatnonzero(use))


def _following(accesses: Columns, word: Words) -> tuple[Words, Flags]:
    """Return the word in which each access would go on, and whether that is known."""
    following, known = word + np.uint64(1), np.ones(len(word), bool)
    crossing, second = accesses["crossing.access"], accesses["crossing.physical"]
    # Pages begin with a word, so that the cut between pages is one between words.
    following[crossing] = second >> np.uint64(3)
    known[crossing] = second != np.uint64(NEVER)
    return following, known


def _changes(accesses: Columns) -> WordRows:
    count = accesses.rows("change.t")
    return WordRows(
        accesses["change.physical"] >> np.uint64(3),
        np.full(count, 255, np.uint8),
        accesses["change.value"],
        np.ones(count, bool),
        np.zeros(count, bool),
        accesses["change.t"],
    )


def _joined(first: WordRows, second: WordRows) -> WordRows:
    return WordRows(
        np.concatenate([first.word, second.word]),
        np.concatenate([first.mask, second.mask]),
        np.concatenate([first.value, second.value]),
        np.concatenate([first.writes, second.writes]),
        np.concatenate([first.reads, second.reads]),
        np.concatenate([first.t, second.t]),
    )


def _by_word(words: Words) -> Integers:
    """Return the order of rows by word; rows of one word stay in order."""
    if not len(words):
        return np.empty(0, np.int64)
    low, bits = words.min(), np.uint64(len(words).bit_length())
    if int(words.max() - low).bit_length() + int(bits) > 64:
        return np.argsort(words, kind="stable")
    # Word and row in one number: no two are equal, so that the faster sort that is not stable will do.
    return np.argsort((words - low) << bits | np.arange(len(words), dtype=np.uint64))
