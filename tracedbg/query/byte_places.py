"""Where the bytes of an access lie in physical memory."""

import numpy as np

from tracedbg.format.schema import NEVER, PAGE_SIZE
from tracedbg.store.source import Numbers

_LARGEST = 8


def byte_places(physical: Numbers, second: Numbers, size: Numbers) -> Numbers:
    """Return the physical addresses of eight bytes from each access's first on, one row for each.

    ``second`` is where the first byte in a second page lies, NEVER where that is not known or there is none.
    Only the first ``size`` columns of a row mean anything.
    """
    start, elsewhere = physical[:, None], second[:, None]
    room = np.uint64(PAGE_SIZE) - (start & np.uint64(PAGE_SIZE - 1))
    count = np.arange(_LARGEST, dtype=np.uint64)
    crosses = (count >= room) & (room < size[:, None])
    over = np.where(elsewhere == NEVER, np.uint64(NEVER), elsewhere + (count - room))
    found: Numbers = np.where(crosses, over, start + count)
    return found
