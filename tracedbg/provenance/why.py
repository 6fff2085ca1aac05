"""Answers ``why``: what was asked for, the walk back from there, and the call stack of the first store."""

from tracedbg.arch.dataflow import PROGRAM_COUNTER, Operation
from tracedbg.errors import UsageError
from tracedbg.provenance.draft import InputDraft
from tracedbg.provenance.drafting import Drafting
from tracedbg.provenance.explanation import Explanation, Role
from tracedbg.provenance.fault import draft_fault, find_fault
from tracedbg.provenance.place import BytesAt, Place, RegisterAt
from tracedbg.provenance.walk import Limits, Walk
from tracedbg.state import Frame, Moment, Trace
from tracedbg.state.registers import register_numbers
from tracedbg.state.trace import Position
from tracedbg.state.where import Where, check_memory, parse_range, pieces

FAULT = "fault"
SIZE_LIMIT = 4096

_STORES = {Operation.STORE.value, Operation.ATOMIC.value, Operation.STORE_CONDITIONAL.value}

Target = Where | Place
"""A register's name, a range of memory, ``fault``, or a place from another explanation."""


def why(
    trace: Trace,
    target: Target,
    *,
    at: Position | Moment = "end",
    virtual: bool = False,
    limits: Limits | None = None,
) -> Explanation:
    """Walk back from what ``target`` held at a moment to where that was made.

    ``target`` is a register by any of its names or ``pc``, of the hart that runs at the moment (of another
    one with ``at=trace.at(t, hart=1)``); a range of memory as Trace.last_write takes it, up to SIZE_LIMIT
    bytes; or ``fault``, the newest exception at or before the moment, of any hart unless ``at`` is a Moment.
    With the place of an input that was cut the walk goes on there, at its own moment. UsageError for a
    target that is none, PositionError for a moment that is none.
    """
    limits = limits or Limits()
    moment = at if isinstance(at, Moment) else trace.at(at)
    if target == FAULT:
        return _why_fault(trace, moment, limits, chosen=isinstance(at, Moment))
    places = _places(trace, target, moment, virtual=virtual)
    follow_stack = limits.stack or _asks_for_stack_pointer(trace, places)
    drafting = Drafting(trace.recording, follow_stack=follow_stack)
    walk = Walk(drafting, limits)
    roots = [_root(trace, drafting, place) for place in places]
    walk.run(roots)
    return _explanation(trace, walk, roots, _text(target), moment)


def _why_fault(trace: Trace, moment: Moment, limits: Limits, *, chosen: bool) -> Explanation:
    trap = find_fault(trace.recording, moment.t, moment.hart if chosen else None)
    drafting = Drafting(trace.recording, follow_stack=limits.stack)
    walk = Walk(drafting, limits)
    walk.run(walk.start_with(draft_fault(trace.recording, drafting, trap)))
    return _explanation(trace, walk, [], FAULT, trace.at(trap.t, hart=trap.hart))


def _text(target: Target) -> str:
    if isinstance(target, RegisterAt | BytesAt):
        return target.target
    if isinstance(target, tuple):
        return f"{target[0]:#x}:{target[1]}"
    return f"{target:#x}" if isinstance(target, int) else target


def _places(trace: Trace, target: Target, moment: Moment, *, virtual: bool) -> list[Place]:
    if isinstance(target, RegisterAt | BytesAt):
        return [target]
    if isinstance(target, str):
        name = _register(trace, target)
        if name is not None:
            return [RegisterAt(name, moment.hart, moment.t)]
    found = parse_range(target, trace.symbols, virtual=virtual)
    if found.size > SIZE_LIMIT:
        raise UsageError(f"{_text(target)}: {found.size} bytes; why takes up to {SIZE_LIMIT}: add :SIZE")
    parts = pieces(found, moment, trace.store.guest)
    if not any(any(moment.memory.read_physical(part.physical, part.size).mask) for part in parts):
        check_memory(trace.store.guest, parts)
    return [BytesAt(part.physical, part.size, moment.t, part.virtual) for part in parts]


def _register(trace: Trace, text: str) -> str | None:
    """Return the recorded register of a name, for a part of a register the whole one."""
    arch = trace.recording.arch
    name = arch.aliases.get(text, text)
    name = arch.views[name].register if name in arch.views else name
    numbers = register_numbers(arch, trace.store.guest.registers)
    known = [name for name, own in numbers.items() if len(own) == 1]
    return name if name in (PROGRAM_COUNTER, *known) else None


def _asks_for_stack_pointer(trace: Trace, places: list[Place]) -> bool:
    name = trace.recording.arch.stack_pointer
    return any(isinstance(place, RegisterAt) and place.name == name for place in places)


def _root(trace: Trace, drafting: Drafting, place: Place) -> InputDraft:
    if isinstance(place, BytesAt):
        read = trace.at(place.t).memory.read_physical(place.physical, place.size)
        return InputDraft(Role.VALUE, place, read.integer)
    if place.name == PROGRAM_COUNTER:
        return InputDraft(Role.VALUE, place, trace.at(place.t, hart=place.hart).pc)
    return drafting.register_input(place.name, place.hart, place.t)


def _explanation(
    trace: Trace, walk: Walk, roots: list[InputDraft], target: str, moment: Moment
) -> Explanation:
    steps = tuple(step.finish(number, trace.recording) for number, step in enumerate(walk.steps))
    stack_of = _first_store(walk)
    stack: tuple[Frame, ...] = ()
    if stack_of is not None:
        stack = trace.at(steps[stack_of].t, hart=steps[stack_of].hart).backtrace()
    return Explanation(
        target=target,
        t=moment.t,
        hart=moment.hart,
        roots=tuple(root.finish() for root in roots),
        steps=steps,
        spine=tuple(walk.spine),
        stack_of=stack_of,
        stack=stack,
    )


def _first_store(walk: Walk) -> int | None:
    """Return the first store on the spine, else one into the page table, else what an instruction made."""
    ran = [number for number in walk.spine if walk.steps[number].pc is not None]
    entries = [each for each in (walk.steps[0].inputs if ran else []) if each.role is Role.TRANSLATION]
    beside = [number for entry in entries for number in entry.made_by]
    stores = [number for number in (*ran, *beside) if walk.steps[number].kind in _STORES]
    return next(iter((*stores, *ran)), None)
