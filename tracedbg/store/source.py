"""Columns of a trace file through the cache, with the checks that every reader needs."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracedbg.errors import TraceFormatError
from tracedbg.format.columns import PackedMessage
from tracedbg.format.reader import TraceFile
from tracedbg.store.cache import ByteCache

Numbers = NDArray[np.integer[Any]]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

CACHE_BYTES = 400 << 20


class Source:
    """A trace file and the cache of what was decoded from it; safe for several threads."""

    def __init__(self, path: str | Path, cache_bytes: int = CACHE_BYTES) -> None:
        self.file = TraceFile(path)
        self.cache = ByteCache(cache_bytes)

    def message(self, topic: str, index: int) -> PackedMessage:
        """Return a message, still packed."""
        return self.cache.get(("message", topic, index), lambda: self.file.fetch(topic, index))

    def column(self, topic: str, index: int, name: str) -> NDArray[Any]:
        """Return a whole column of a message: read-only, of the schema's dtype."""
        return self.cache.get((topic, index, name), lambda: self.message(topic, index).column(name))

    def rows(self, topic: str, index: int, name: str) -> int:
        """Return the number of rows of a column, without unpacking it."""
        return self.message(topic, index).rows(name)

    def require(self, condition: bool | np.bool_, problem: str) -> None:
        """Raise TraceFormatError with ``problem`` unless ``condition`` holds."""
        if not condition:
            raise TraceFormatError(self.file.path, None, problem)


def is_ascending(column: Numbers) -> bool:
    """Say whether no element is less than the one before it."""
    return bool(np.all(column[1:] >= column[:-1]))


def is_strictly_ascending(column: Numbers) -> bool:
    """Say whether every element is greater than the one before it."""
    return bool(np.all(column[1:] > column[:-1]))


def is_below(column: Numbers, limit: int) -> bool:
    """Say whether every element is less than ``limit``."""
    return not len(column) or int(column.max()) < limit
