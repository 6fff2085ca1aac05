"""A line of progress on standard error, which is there only while it is a terminal."""

import shutil
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

INTERVAL = 0.1
"""Seconds between two drawings of the line."""


class Progress:
    """One line that is drawn over itself; a context manager, which wipes it at the end.

    Away from a terminal nothing is ever written.
    """

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._shown = self._stream.isatty()
        self._clock = clock
        self._drawn_at = float("-inf")
        self._is_drawn = False

    def show(self, text: str) -> None:
        """Draws the line anew, cut to the terminal's width; calls that come too soon are dropped."""
        now = self._clock()
        if not self._shown or now - self._drawn_at < INTERVAL:
            return
        width = shutil.get_terminal_size().columns
        self._stream.write(f"\r\x1b[K{text[: width - 1]}")
        self._stream.flush()
        self._drawn_at = now
        self._is_drawn = True

    def wipe(self) -> None:
        """Takes the line away, so that something else can be written in its place."""
        if self._is_drawn:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._is_drawn = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.wipe()
