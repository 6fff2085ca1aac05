"""A load or store that a single step made."""

from typing import NamedTuple

from tracedbg.format.schema import PAGE_SIZE, AccessKind


class Access(NamedTuple):
    """A load or store; ``second`` is where its first byte in a second page lies, None for none."""

    virtual: int
    physical: int
    size: int
    value: int
    is_store: bool
    kind: AccessKind
    second: int | None

    @property
    def pieces(self) -> tuple[tuple[int, int], ...]:
        """Physical address and size of what it touches in each page."""
        if self.second is None:
            return ((self.physical, self.size),)
        first = PAGE_SIZE - self.physical % PAGE_SIZE
        return ((self.physical, first), (self.second, self.size - first))
