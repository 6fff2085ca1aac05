"""What made the value that a place held."""

from dataclasses import dataclass
from enum import Enum

from tracedbg.ids import Hart, Time
from tracedbg.provenance.place import BytesAt, Place
from tracedbg.query import Access
from tracedbg.state import Trap


class By(Enum):
    """What kind of event made a value."""

    INSTRUCTION = "instruction"
    TRAP = "trap"
    CHANGE = "change"
    START = "start"
    DEVICE = "device"
    READ_ONLY = "read only"
    RESET = "reset"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Maker:
    """The event at ``t`` that left ``value`` in ``place``, which is a part of what was asked for.

    For an instruction t is its start, for anything else the moment from which the value is there.
    """

    by: By
    t: Time
    place: Place
    value: int | None
    trap: Trap | None = None
    access: Access | None = None

    @property
    def key(self) -> tuple[object, ...]:
        """What two makers have in common that are the same event for the same bytes or register."""
        place = self.place
        if isinstance(place, BytesAt):
            return self.by, self.t, place.physical, place.size
        return self.by, self.t, place.name, place.hart

    @property
    def hart(self) -> Hart | None:
        """The hart that made it, None where no hart did."""
        if isinstance(self.place, BytesAt):
            return None if self.access is None else self.access.hart
        return self.place.hart
