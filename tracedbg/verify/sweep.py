"""The sweep over rows of words: what memory held at each load, and holds after all of them.

Most words are always written with the same bytes of them (a stack slot, a pointer, a counter): there the
newest write tells all, and eight bytes are compared at once. In the others, which are called mixed, each
byte has a newest write of its own.
"""

from dataclasses import dataclass

import numpy as np

from tracedbg.verify.accesses import WordRows
from tracedbg.verify.messages import Bytes, Flags, Integers, Words

_LANES = 8
_BITS = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little")
_SPREAD: Words = (_BITS * np.uint8(255)).view(np.uint64).reshape(-1)
"""By mask of a word's bytes: all bits of these bytes."""


@dataclass(frozen=True)
class WordStates:
    """Words of memory: ``content``, and masks of the bytes that are ``known``, and that were ``written``."""

    content: Words
    known: Bytes
    written: Bytes

    def take(self, rows: Integers) -> "WordStates":
        """Return some of the words."""
        return WordStates(self.content[rows], self.known[rows], self.written[rows])


@dataclass(frozen=True)
class Swept:
    """``expected`` is what memory held at each row, ``certain`` the mask of bytes of which that is known."""

    after: WordStates
    expected: Words
    certain: Bytes


@dataclass(frozen=True)
class _Groups:
    """Rows by word: first and last row of each, and the group of each row."""

    start: Integers
    end: Integers
    group: Integers


def group_starts(rows: WordRows) -> Integers:
    """Return the first row of each word."""
    word = rows.word
    return np.flatnonzero(np.concatenate([[True], word[1:] != word[:-1]])) if len(word) else np.empty(0, int)


def sweep(rows: WordRows, starts: Integers, before: WordStates) -> Swept:
    """Go through rows, sorted by word and time; ``starts`` and ``before`` have an element for each word."""
    sizes = np.diff(np.append(starts, len(rows.word)))
    groups = _Groups(starts, starts + sizes - 1, np.repeat(np.arange(len(starts)), sizes))
    newest = np.maximum.accumulate(np.where(rows.writes, np.arange(len(rows.word)), -1))
    swept = _sweep_words(rows, groups, before, newest)
    # Words that are not always written with the same bytes.
    last = swept.after.written[groups.group]
    mixed = np.zeros(len(starts), bool)
    mixed[groups.group[rows.writes & (rows.mask != last)]] = True
    if mixed.any():
        _put_mixed(rows, groups, before, mixed, swept)
    return swept


def _sweep_words(rows: WordRows, groups: _Groups, before: WordStates, newest: Integers) -> Swept:
    """Sweep as if no word were mixed; ``newest`` is the last writing row up to each row."""
    content, known = before.content[groups.group], before.known[groups.group]
    mask = np.where(newest >= groups.start[groups.group], rows.mask[newest], np.uint8(0))
    spread = _SPREAD[mask]
    # The bits of the first where not spread, of the second where spread.
    expected = content ^ (content ^ rows.value[newest]) & spread
    written = mask[groups.end]
    after = WordStates(expected[groups.end], before.known | written, written)
    return Swept(after, expected, known | mask)


def _put_mixed(rows: WordRows, groups: _Groups, before: WordStates, mixed: Flags, swept: Swept) -> None:
    """Sweep the mixed words byte by byte, and put what comes out into ``swept``."""
    own = np.flatnonzero(mixed[groups.group])
    place = np.flatnonzero(mixed)
    some = rows.take(own)
    part = sweep_bytes(some, group_starts(some), before.take(place))
    swept.expected[own], swept.certain[own] = part.expected, part.certain
    swept.after.content[place] = part.after.content
    swept.after.known[place] = part.after.known
    swept.after.written[place] = part.after.written


def sweep_bytes(rows: WordRows, starts: Integers, before: WordStates) -> Swept:
    """Do as ``sweep`` does, with the newest write of each byte by itself."""
    count = len(rows.word)
    sizes = np.diff(np.append(starts, count))
    group, first, indices = (
        np.repeat(np.arange(len(starts)), sizes),
        np.repeat(starts, sizes),
        np.arange(count),
    )
    values, ends = _bytes(rows.value), starts + sizes - 1
    expected, certain = _bytes(before.content)[group], before.known[group]
    written = np.zeros(len(starts), np.uint8)
    for lane in range(_LANES):
        bit = np.uint8(1 << lane)
        newest = np.maximum.accumulate(np.where(rows.writes & (rows.mask & bit != 0), indices, -1))
        inside = newest >= first
        expected[inside, lane] = values[newest[inside], lane]
        certain |= inside * bit
        written |= inside[ends] * bit
    whole = np.ascontiguousarray(expected).view(np.uint64).reshape(-1)
    return Swept(WordStates(whole[ends], before.known | written, written), whole, certain)


def _bytes(words: Words) -> Bytes:
    """Return the bytes of words, lowest address first, of shape (words, 8)."""
    return np.ascontiguousarray(words).view(np.uint8).reshape(-1, _LANES)


def differing_bytes(rows: WordRows, swept: Swept) -> Words:
    """Return what each load has other than expected, exclusive-or, 0 in bytes that are not known."""
    compared = np.where(rows.writes, np.uint8(0), rows.mask & swept.certain)
    return (rows.value ^ swept.expected) & _SPREAD[compared]


def learn(rows: WordRows, starts: Integers, swept: Swept) -> None:
    """Make known what was not known before and was loaded first, unless it was written afterwards."""
    group = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(rows.word))))
    fresh = np.where(rows.writes, np.uint8(0), rows.mask & ~swept.certain)
    content, values = _bytes(swept.after.content), _bytes(rows.value)
    for lane in range(_LANES):
        bit = np.uint8(1 << lane)
        loads = np.flatnonzero(fresh & bit)
        groups, first = np.unique(group[loads], return_index=True)
        unwritten = swept.after.written[groups] & bit == 0
        groups, first = groups[unwritten], first[unwritten]
        content[groups, lane] = values[loads[first], lane]
        swept.after.written[groups] |= bit
    np.bitwise_or(swept.after.known, swept.after.written, out=swept.after.known)
