"""Where values come from: back through loads, stores, moves and arithmetic to where each was made."""

from tracedbg.provenance.explanation import Cut, End, Explanation, Input, Role, Step
from tracedbg.provenance.place import BytesAt, Place, RegisterAt
from tracedbg.provenance.walk import Limits
from tracedbg.provenance.why import why

__all__ = [
    "BytesAt", "Cut", "End", "Explanation", "Input", "Limits", "Place", "RegisterAt", "Role", "Step", "why",
]  # fmt: skip
