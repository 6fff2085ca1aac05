"""One cache for everything decoded, bounded in bytes, for several threads."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, Protocol, TypeVar, cast


class Sized(Protocol):
    """Something that knows how many bytes it takes, such as an array."""

    @property
    def nbytes(self) -> int:
        """Bytes that it takes."""


Value = TypeVar("Value", bound=Sized)


class ByteCache:
    """Keeps what was used last, up to ``limit`` bytes; an entry larger than that is kept alone."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._lock = Lock()
        self._entries: OrderedDict[Hashable, Sized] = OrderedDict()
        self._bytes = 0

    @property
    def nbytes(self) -> int:
        """Bytes of all entries."""
        return self._bytes

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return the entry of ``key``, made by ``make`` when it is not there.

        ``make`` runs without the lock, so that it may use the cache; of two threads that make the same
        entry at once one does so for nothing.
        """
        with self._lock:
            found = self._entries.get(key)
            if found is not None:
                self._entries.move_to_end(key)
                return cast(Value, found)
        value = make()
        with self._lock:
            self._put(key, value)
        return value

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self._bytes = 0

    def _put(self, key: Hashable, value: Sized) -> None:
        old: Any = self._entries.pop(key, None)
        self._bytes += value.nbytes - (0 if old is None else old.nbytes)
        self._entries[key] = value
        while self._bytes > self.limit and len(self._entries) > 1:
            self._bytes -= self._entries.popitem(last=False)[1].nbytes
