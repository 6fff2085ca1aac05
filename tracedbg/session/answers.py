"""Who wrote, who reads: one sentence for an access, with all that names it."""

from dataclasses import dataclass

from tracedbg.ids import PhysicalAddress, Time
from tracedbg.query import Access, Kind, last_write, next_read, pc_at
from tracedbg.session.naming import Names
from tracedbg.state import Trace


@dataclass(frozen=True)
class Answers:
    """Answers about one trace, in words."""

    trace: Trace
    names: Names

    def about(self, physical: PhysicalAddress | None, size: int, t: Time) -> tuple[str, str]:
        """Who wrote bytes that a moment shows, and who reads them next."""
        if physical is None:
            return "no physical memory is mapped there at this t", ""
        store = self.trace.store
        writer = last_write(store, (physical, size), t)
        reader = next_read(store, (physical, size), t) if t < store.end else None
        wrote = "not written before this t" if writer is None else self.sentence(writer)
        return wrote, "not read after this t" if reader is None else f"next {self.sentence(reader)}"

    def sentence(self, access: Access) -> str:
        """An access as one line: what, when, where in the code, on which hart; the value comes last."""
        value = f"{access.value:0{2 * access.size}x}"
        if access.kind is Kind.CHANGE:
            cause = "" if access.cause is None else access.cause.name.lower().replace("_", " ")
            return f"changed by {cause}, seen at t {access.t:,}: {value}"
        verb = "read" if access.kind is Kind.LOAD else "written"
        pc = pc_at(self.trace.store, access.t)
        hart = f" on hart {access.hart}" if self.trace.store.guest.harts > 1 else ""
        code = "" if pc is None else f" by {self.names.place(pc)}"
        return f"{verb} at t {access.t:,}{hart}{code}: {value}"

    def with_callers(self, access: Access) -> str:
        """The sentence, and the functions that the access was made under, innermost first."""
        stack = self.trace.origin(access).stack
        callers = [frame.function or f"{frame.pc:x}" for frame in stack[1:]]
        return self.sentence(access) + (f"; called from {' < '.join(callers)}" if callers else "")
