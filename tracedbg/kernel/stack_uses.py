"""The uses of one stack, one after the other: how long they belong to one owner, and what is live when."""

from collections.abc import Iterable

import numpy as np

from tracedbg.kernel.contexts import Context
from tracedbg.store.source import Integers

NEVER = np.iinfo(np.int64).max


class StackUses:
    """Answers from the contexts of a stack; immutable."""

    def __init__(self, contexts: Iterable[Context]) -> None:
        self._uses = sorted(contexts, key=lambda context: context.start)
        self._places = {use.number: place for place, use in enumerate(self._uses)}
        self._starts = np.array([use.start for use in self._uses], np.int64)
        self._ends = np.array([use.last_t for use in self._uses], np.int64)
        self._tops = np.array([use.top for use in self._uses], np.uint64)
        self._from_user = np.array([use.from_user for use in self._uses], np.bool_)
        self._needed = self._needed_until()

    def _needed_until(self) -> Integers:
        """Return for each use until when its frames may be needed.

        One that was left and never gone on with is needed until another one begins at the same top: a kernel
        may have put the user's registers there, and load them by another pointer.
        """
        are_left = np.array([_is_left(use) for use in self._uses], np.bool_)
        until = self._ends.copy()
        for top in np.unique(self._tops[are_left]):
            starts = np.append(self._starts[self._tops == top], NEVER)
            left = are_left & (self._tops == top)
            until[left] = starts[np.searchsorted(starts, self._ends[left])]
        return until

    def owned(self, context: Context) -> tuple[int, int]:
        """Return from when to when (t) the stack is known to belong to whoever uses it as ``context``.

        A switch to the top of a stack may begin it for somebody new; a trap from user mode to the same top
        does not.
        """
        traps = self._from_user
        if context.from_user:
            traps = traps & (self._tops == np.uint64(context.top))
        rows = np.flatnonzero(traps | ~self._from_user)
        place = int(np.searchsorted(rows, self._places[context.number]))
        begun = np.flatnonzero(~traps[rows])
        number = int(np.searchsorted(begun, place, "right"))
        first = int(begun[number - 1]) if number else 0
        stop = int(begun[number]) if number < len(begun) else len(rows)
        return int(self._starts[rows[first]]), int(self._ends[rows[first:stop]].max())

    def needing(self, address: int, t: int) -> list[Context]:
        """Return the uses that may be there at ``t``, with an address below their top, in order of start."""
        there = (self._starts <= t) & (t < self._needed) & (self._tops > np.uint64(address))
        return [self._uses[place] for place in np.flatnonzero(there).tolist()]


def _is_left(use: Context) -> bool:
    return use.stop is None and bool(use.freezes) and use.freezes[-1].thaw is None
