"""Moves and questions, one after the other: a key that is pressed faster than its answer loses nothing."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from tracedbg.ids import Time
from tracedbg.session.place import Place, Selection, Watch
from tracedbg.session.running_context import Check

WAITING = 32
"""Moves that wait at most; a key held down longer than that has gone too far anyhow."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a move or a question came to: where the cursor goes (None: it stays), and the sentence to show.

    ``found`` are bytes to select, or to watch.
    """

    t: Time | None
    answer: str
    found: Selection | Watch | None = None


Find = Callable[[Place, Check], Outcome]


@dataclass(frozen=True, slots=True)
class Move:
    """Something to find out, in a thread; ``task`` names it while it runs."""

    task: str
    find: Find


class MoveQueue:
    """Moves that wait for the one that runs."""

    def __init__(self) -> None:
        self._waiting: deque[Move] = deque()
        self.running: Move | None = None

    def add(self, move: Move) -> Move | None:
        """Take a move; returns it when it can run at once."""
        if self.running is None:
            self.running = move
            return move
        if len(self._waiting) < WAITING:
            self._waiting.append(move)
        return None

    def next(self) -> Move | None:
        """The move that runs has ended; returns the next one."""
        self.running = self._waiting.popleft() if self._waiting else None
        return self.running

    def clear(self) -> None:
        """Forget what waits, and what runs."""
        self._waiting.clear()
        self.running = None
