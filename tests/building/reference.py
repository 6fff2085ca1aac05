"""The slow, obvious answers about a machine's history: one loop over everything that happened."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.building.machine import RAM_FRAMES, RAM_START, REGISTERS, Change, History, Step, Touch
from tests.building.tracefile import crossing_place, tells
from tracedbg.format.schema import NEVER, LateKind, Source
from tracedbg.query.rows import Kind

Registers = list[int | None]


def iter_events(history: History) -> Iterator[Change | tuple[Step, Touch]]:
    """Everything that touched memory, in order."""
    for t in range(history.start, history.end + 1):
        yield from (change for change in history.changes if change.moment == t)
        if t < history.end:
            step = history.steps[t - history.start]
            yield from ((step, touch) for touch in step.touches)


def memory_at(history: History, t: int) -> dict[int, int]:
    """Every known byte of memory at moment t, by physical address."""
    memory = dict.fromkeys(range(RAM_START, RAM_START + 4096 * RAM_FRAMES), 0)
    for frame, content in history.image.items():
        memory.update({frame * 4096 + place: byte for place, byte in enumerate(content)})
    for event in iter_events(history):
        if isinstance(event, Change):
            if event.moment <= t:
                memory.update({event.physical + i: event.value >> (8 * i) & 0xFF for i in range(8)})
        else:
            step, touch = event
            if step.t < t and tells(touch):
                memory.update({place: touch.value >> (8 * i) & 0xFF for i, place in enumerate(touch.places)})
    return memory


AccessRow = tuple[int, int, int, int, int, int, int, int]
"""t, hart, kind, size, virtual, physical, second, value."""


def accesses(
    history: History, start: int, size: int, between: tuple[int, int], kind: Kind
) -> list[AccessRow]:
    wanted = set(range(start, start + size))
    rows = []
    for event in iter_events(history):
        if isinstance(event, Change):
            touched = set(range(event.physical, event.physical + 8))
            first = between[0] if between[0] == history.start else between[0] + 1
            if kind & Kind.CHANGE and touched & wanted and first <= event.moment <= between[1]:
                rows.append((event.moment, 0, int(Kind.CHANGE), 8, NEVER, event.physical, NEVER, event.value))
        else:
            step, touch = event
            own = Kind.STORE if touch.store else Kind.LOAD
            if kind & own and set(touch.places) & wanted and between[0] <= step.t < between[1]:
                second = crossing_place(touch)
                places = touch.places[0], NEVER if second is None else second
                rows.append((step.t, step.hart, int(own), touch.size, touch.virtual, *places, touch.value))
    return rows


def executions(history: History, pc: int, between: tuple[int, int]) -> list[tuple[int, int, int]]:
    """t, hart and block of each start of the instruction at an address."""
    return [
        (step.t, step.hart, step.block)
        for step in history.steps
        if history.blocks[step.block].address(step.place) == pc and between[0] <= step.t < between[1]
    ]


@dataclass
class RegisterWrite:
    moment: int
    instruction: int | None
    hart: int
    register: int
    value: int | None


def register_events(history: History) -> list[RegisterWrite]:
    """Every write of a register in order, as far as the trace tells of it; None for an unknown value."""
    events = []
    for t in range(history.start, history.end + 1):
        if t > history.start:
            events += _instruction_event(history, history.steps[t - 1 - history.start])
        events += [
            RegisterWrite(t, None, row.hart, row.register, row.value)
            for row in history.states
            if row.moment == t
        ]
    return events


def _instruction_event(history: History, step: Step) -> list[RegisterWrite]:
    insn = history.blocks[step.block].insns[step.place]
    if not insn.destination:
        return []
    if not step.is_open:
        return (
            [RegisterWrite(step.t + 1, step.t, step.hart, insn.destination, step.value)]
            if step.retired
            else []
        )
    if step.late is LateKind.NOT_RETIRED:
        return []
    known = step.late is not None and (step.late is LateKind.VALUE or insn.source is not Source.RECORDED)
    return [RegisterWrite(step.t + 1, step.t, step.hart, insn.destination, step.value if known else None)]


def registers_at(history: History, hart: int, t: int) -> Registers:
    """Every register of a hart at moment t, None where the trace does not tell."""
    registers: Registers = [0] + [None] * (len(REGISTERS) - 1)
    events = register_events(history)
    for moment in range(history.start, t + 1):
        for event in events:
            if event.hart == hart and event.moment == moment:
                registers[event.register] = event.value
        for frame in history.keyframes:
            if frame.hart == hart and frame.moment == moment:
                registers = list(frame.values)
    return registers


def next_of_hart(history: History, hart: int, t: int) -> int | None:
    return next((step.t for step in history.steps if step.hart == hart and step.t >= t), None)


def last_of_hart(history: History, hart: int, t: int) -> int | None:
    return next((step.t for step in reversed(history.steps) if step.hart == hart and step.t < t), None)
