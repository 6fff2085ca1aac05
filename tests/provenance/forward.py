"""The slow and obvious reference: what every register and byte is made of, carried forward through a trace.

Each value is the set of events that it was made of. One loop over all instructions, from the first one on.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from tracedbg import query
from tracedbg.arch.dataflow import MEMORY
from tracedbg.format.schema import NEVER
from tracedbg.ids import Hart, Time
from tracedbg.provenance import BytesAt, End, Explanation, RegisterAt
from tracedbg.query import Kind
from tracedbg.state import Trace
from tracedbg.state.traps import traps_at

Event = tuple[str, int | str, int]
Made = frozenset[Event]


@dataclass
class Forward:
    """The state at a moment: registers by hart and name, bytes by physical address."""

    trace: Trace
    registers: dict[tuple[int, str], Made] = field(default_factory=dict)
    memory: dict[int, Made] = field(default_factory=dict)

    def register(self, hart: int, name: str) -> Made:
        return self.registers.get((hart, name), frozenset([("start", name, hart)]))

    def byte(self, physical: int) -> Made:
        if physical in self.memory:
            return self.memory[physical]
        return frozenset([("image", "", physical)])

    def run(self) -> Iterator[int]:
        """Yield each moment when the state is that of the moment."""
        changes = self._changes()
        for t in range(self.trace.start, self.trace.end + 1):
            self._take_traps(Time(t))
            self.memory |= changes.get(t, {})
            yield t
            if t < self.trace.end:
                self._step(Time(t))

    def _changes(self) -> dict[int, dict[int, Made]]:
        """Bytes that something else than an instruction changed, by the moment from which it shows."""
        found: dict[int, dict[int, Made]] = defaultdict(dict)
        for area in self.trace.store.guest.ram:
            rows = query.accesses(self.trace.store, (area.start, area.size), kind=Kind.CHANGE)
            for index, t in enumerate(rows["t"].tolist()):
                found[t] |= dict.fromkeys(_places(rows[index : index + 1]), frozenset([("change", "", t)]))
        return found

    def _take_traps(self, t: Time) -> None:
        for trap in traps_at(self.trace.store, t):
            for name in self.trace.recording.arch.trap_registers(trap.target):
                self.registers[trap.hart, name] = frozenset([("trap", "", t)])

    def _step(self, t: Time) -> None:
        store = self.trace.store
        executed = query.executed_at(store, t)
        assert executed is not None
        if not query.has_retired(store, t):
            return
        flow = self.trace.recording.arch.dataflow(store.blocks.instruction_bytes(executed.instruction))
        rows = query.accesses_of(store, t)
        new: dict[tuple[int, str], Made] = {}
        bytes_: dict[int, Made] = {}
        for target, sources in flow.results:
            made: set[Event] = set()
            followed = False
            for source in sources:
                if source == MEMORY and target != MEMORY:
                    made |= self._loaded(rows, t)
                    followed = True
                elif source in self._names:
                    made |= self.register(executed.hart, source)
                    followed = True
            if not followed and MEMORY not in sources:
                made.add(("made", "", t))
            if target == MEMORY:
                for place in _places(rows[rows["kind"] == Kind.STORE]):
                    kept = self.byte(place) if MEMORY in sources else frozenset()
                    bytes_[place] = frozenset(made) | kept
            else:
                new[executed.hart, target] = frozenset(made)
        self.registers |= new
        self.memory |= bytes_

    @cached_property
    def _names(self) -> set[str]:
        return set(self.trace.at(self.trace.start).registers)

    def _loaded(self, rows: np.ndarray, t: int) -> set[Event]:
        guest = self.trace.store.guest
        made: set[Event] = set()
        for place in _places(rows[rows["kind"] == Kind.LOAD][:1]):
            if guest.is_ram(place):  # type: ignore[arg-type]
                made |= self.byte(place)
            else:
                made.add(("outside", "", t))
        return made


def _places(rows: np.ndarray) -> list[int]:
    """Physical addresses of the bytes of accesses."""
    found = []
    for row in rows:
        for index in range(int(row["size"])):
            place = int(row["physical"]) + index
            room = 4096 - int(row["physical"]) % 4096
            if index >= room and row["second"] != NEVER:
                place = int(row["second"]) + index - room
            found.append(place)
    return found


def events_of(explanation: Explanation) -> Made:
    """The events that a walk back ended at, named as the reference names them."""
    events: set[Event] = set()
    for step in explanation.ends:
        if step.end is End.IMAGE:
            assert isinstance(step.place, BytesAt)
            events |= {("image", "", step.place.physical + index) for index in range(step.place.size)}
        elif step.end is End.START:
            assert isinstance(step.place, RegisterAt)
            events.add(("start", step.place.name, step.place.hart))
        elif step.end is End.CHANGE:
            events.add(("change", "", step.t))
        elif step.end is End.TRAP:
            events.add(("trap", "", step.t))
        elif step.end in (End.DEVICE, End.READ_ONLY):
            events.add(("outside", "", step.t))
        else:
            assert step.end in (End.CONSTANT, End.RETURN_ADDRESS, End.NOT_RECORDED), step
            events.add(("made", "", step.t))
    return frozenset(events)


def snapshots(trace: Trace, moments: set[int]) -> dict[int, Forward]:
    """Copies of the reference's state at some moments."""
    forward = Forward(trace)
    found = {}
    for t in forward.run():
        if t in moments:
            found[t] = Forward(trace, dict(forward.registers), dict(forward.memory))
    return found


def harts_that_ran(trace: Trace, t: int) -> list[Hart]:
    """Harts that started an instruction before a moment."""
    store = trace.store
    harts = map(Hart, range(store.guest.harts))
    return [hart for hart in harts if query.last_of_hart(store, hart, Time(t)) is not None]


def touched_bytes(trace: Trace) -> list[int]:
    """All bytes of RAM that the guest stored to."""
    touched: dict[int, bool] = defaultdict(bool)
    for t in range(trace.start, trace.end):
        rows = query.accesses_of(trace.store, Time(t))
        touched |= dict.fromkeys(_places(rows[rows["kind"] == Kind.STORE]), True)
    return sorted(place for place in touched if trace.store.guest.is_ram(place))  # type: ignore[arg-type]
