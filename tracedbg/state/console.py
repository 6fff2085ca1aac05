"""What the guest printed, byte by byte with the t of each."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracedbg.ids import Time
from tracedbg.store.trace import Trace


@dataclass(frozen=True)
class Console:
    """``data`` are the bytes stored to UARTs, ``times`` the t of each store."""

    times: NDArray[np.uint64]
    data: bytes

    @property
    def text(self) -> str:
        """The bytes as UTF-8, with U+FFFD for what is none."""
        return self.data.decode("utf-8", "replace")

    def iter_lines(self) -> Iterator[tuple[Time, str]]:
        """Yield each line without its end, with the t of its first byte."""
        start = 0
        for line in self.data.splitlines(keepends=True):
            yield Time(int(self.times[start])), line.decode("utf-8", "replace").rstrip("\r\n")
            start += len(line)


def console_before(store: Trace, t: Time) -> Console:
    """Return what was printed by instructions before ``t``."""
    times, content = store.console
    count = int(np.searchsorted(times, np.uint64(t)))
    return Console(times[:count].astype(np.uint64), content[:count].tobytes())
