"""All of memory at one moment: the initial image, and what was written since."""

import numpy as np

from tracedbg.format.columns import PackedMessage
from tracedbg.format.schema import PAGE_SIZE
from tracedbg.verify.guest import GuestFacts
from tracedbg.verify.messages import Bytes, Columns, Integers, Words, require
from tracedbg.verify.sweep import WordStates

PAGE_WORDS = PAGE_SIZE // 8
FOREIGN_LIMIT = 1 << 16
"""More frames than these outside RAM no machine shows as memory."""
_GROWTH = 1 << 11
_WORD_BITS = np.uint64(9)


class Memory:
    """All bytes of physical memory that are known. Frames that nothing was written to take no room."""

    def __init__(self, guest: GuestFacts) -> None:
        self._guest = guest
        self._frames: Words = np.empty(0, np.uint64)
        self._slots: Integers = np.empty(0, np.int64)
        self._foreign = 0
        self._words: Words = np.empty(0, np.uint64)
        self._known: Bytes = np.empty(0, np.uint8)

    @property
    def frames(self) -> Words:
        """Frames that have been written, ascending."""
        return self._frames

    def add_image(self, image: PackedMessage) -> None:
        """Take in an ``image`` message; raises Malformed."""
        columns = Columns(image)
        columns.require_ascending("frame", strictly=True)
        frames, given = columns["frame"], columns.rows("bytes")
        require(given == len(frames) * PAGE_SIZE, f"an image of {len(frames)} frames has {given} bytes")
        self._hold(frames)
        places = self._places(frames)
        self._words.reshape(-1, PAGE_WORDS)[places] = columns["bytes"].view(np.uint64).reshape(-1, PAGE_WORDS)
        self._known.reshape(-1, PAGE_WORDS)[places] = 255

    def pages(self, frames: Words) -> Bytes:
        """Return the bytes of frames, of shape (frames, 4096); those that nothing was written to are 0."""
        places = self._places(frames)
        words = self._words.reshape(-1, PAGE_WORDS)
        pages = words[places] if len(words) else np.zeros((len(frames), PAGE_WORDS), np.uint64)
        pages[places < 0] = 0
        return pages.view(np.uint8)

    def states(self, words: Words) -> WordStates:
        """Return what is known of ascending words now; none of them is ``written``."""
        places = self._word_places(words)
        held = places >= 0
        content, known = np.zeros(len(words), np.uint64), np.zeros(len(words), np.uint8)
        content[held], known[held] = self._words[places[held]], self._known[places[held]]
        known[~held] = np.where(self._guest.are_ram(words[~held] >> _WORD_BITS), 255, 0)
        return WordStates(content, known, np.zeros(len(words), np.uint8))

    def write(self, words: Words, after: WordStates) -> None:
        """Put what was written into ascending words; raises Malformed."""
        frames = words >> _WORD_BITS
        self._hold(frames[_starts(frames)])
        places = self._word_places(words)
        self._words[places], self._known[places] = after.content, after.known

    def _places(self, frames: Words) -> Integers:
        """Return the slot of each frame, -1 for one without."""
        found = np.searchsorted(self._frames, frames)
        there = found < len(self._frames)
        there[there] = self._frames[found[there]] == frames[there]
        places = np.full(len(frames), -1)
        places[there] = self._slots[found[there]]
        return places

    def _word_places(self, words: Words) -> Integers:
        frames = words >> _WORD_BITS
        starts = _starts(frames)
        slots = np.repeat(self._places(frames[starts]), np.diff(np.append(starts, len(words))))
        inside = (words & np.uint64(PAGE_WORDS - 1)).astype(np.int64)
        return np.where(slots >= 0, slots * PAGE_WORDS + inside, -1)

    def _hold(self, frames: Words) -> None:
        """Give those of ascending frames a slot that have none."""
        fresh = frames[self._places(frames) < 0]
        if not len(fresh):
            return
        is_ram = self._guest.are_ram(fresh)
        self._foreign += int(np.count_nonzero(~is_ram))
        require(self._foreign <= FOREIGN_LIMIT, f"memory outside RAM has more than {FOREIGN_LIMIT} frames")
        slots = np.arange(len(self._frames), len(self._frames) + len(fresh))
        at = np.searchsorted(self._frames, fresh)
        self._frames = np.insert(self._frames, at, fresh)
        self._slots = np.insert(self._slots, at, slots)
        self._grow(len(self._frames))
        self._known.reshape(-1, PAGE_WORDS)[slots[is_ram]] = 255

    def _grow(self, slots: int) -> None:
        there = len(self._words) // PAGE_WORDS
        if slots > there:
            room = max(slots, there + _GROWTH) * PAGE_WORDS
            # In place, as all of it and a copy might not fit. Nothing else refers to the two arrays.
            self._words.resize(room, refcheck=False)
            self._known.resize(room, refcheck=False)


def _starts(ascending: Words) -> Integers:
    """Return the rows that differ from the one before."""
    differ = ascending[1:] != ascending[:-1]
    return np.flatnonzero(np.concatenate([np.ones(min(len(ascending), 1), bool), differ]))
