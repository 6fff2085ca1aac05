"""Why an exception came about, by provenance: the store that left the bad value, and in whose memory."""

from collections.abc import Iterator
from dataclasses import dataclass

from tracedbg.arch import TrapKind
from tracedbg.arch.dataflow import Operation
from tracedbg.detect.evidence import bytes_at, code_at, code_of, victim_of, writer_at
from tracedbg.detect.finding import Code, Evidence, Owner, Victim, Writer
from tracedbg.detect.wording import bytes_text
from tracedbg.errors import TracedbgError
from tracedbg.format.schema import PAGE_SIZE
from tracedbg.ids import Frame, PhysicalAddress, Time
from tracedbg.kernel.contexts import NO_CONTEXT
from tracedbg.kernel.view import KernelView
from tracedbg.provenance import BytesAt, Explanation, Limits, Role, Step, why
from tracedbg.query import Access, Kind
from tracedbg.state.traps import Trap

LIMITS = Limits(steps=48, seconds=5.0)
_EXPLAINED = (TrapKind.FETCH, TrapKind.DATA, TrapKind.INSTRUCTION)
_STORES = {Operation.STORE.value, Operation.ATOMIC.value, Operation.STORE_CONDITIONAL.value}


@dataclass(frozen=True)
class FaultStory:
    """What lies behind a fault; ``chain`` in order of t.

    ``is_ruined`` tells that the bad value was stored into a place by someone whose place it was not: by a
    stack that had run into it, or into a stack of somebody else. ``text`` says so in a sentence.
    """

    chain: tuple[Evidence, ...] = ()
    writer: Writer | None = None
    victim: Victim | None = None
    owner: Owner | None = None
    is_ruined: bool = False
    text: str = ""


def fault_story(view: KernelView, trap: Trap) -> FaultStory:
    """Return the story of an exception; an empty one for a breakpoint, whose cause is no value."""
    if view.index.arch.trap_kind(trap.cause) not in _EXPLAINED:
        return FaultStory()
    try:
        found = why(view.trace, "fault", at=view.trace.at(trap.t, hart=trap.hart), limits=LIMITS)
    except TracedbgError as error:
        return FaultStory(text=f"Where the address came from could not be found out: {error}.")
    chain = tuple(sorted(_iter_chain(view, found), key=lambda item: item.t))
    taken = _taken_away(view, trap, found)
    if taken is not None:
        return taken
    step = None if found.stack_of is None else found.steps[found.stack_of]
    if step is None or step.kind not in _STORES or not isinstance(step.place, BytesAt):
        return FaultStory(chain=chain)
    story = _with_store(view, chain, found, step)
    if story.is_ruined or step.number in found.spine:
        return story
    # Some store made the page-table entry that a translation ended at; that is how an unmapped page looks.
    return FaultStory(chain=tuple(item for item in chain if item.t != step.t))


def _taken_away(view: KernelView, trap: Trap, found: Explanation) -> FaultStory | None:
    """Return the story of a page of the stack in use that was unmapped; None where it was not."""
    context = None if trap.last is None else view.context_at(trap.hart, trap.last)
    steps = [
        found.steps[number]
        for each in found.steps[0].inputs
        if each.role is Role.TRANSLATION
        for number in each.made_by
    ]
    if (
        context is None
        or not steps
        or steps[0].kind not in _STORES
        or not context.low <= trap.value < context.top
    ):
        return None
    rows, step = view.history.stack_pages, steps[0]
    used = (rows["context"] == context.number) & (rows["page"] == trap.value // PAGE_SIZE)
    used &= rows["first"] < step.t
    if not used.any() or not isinstance(step.place, BytesAt):
        return None
    # Of tables that were made since, or never had the page, nobody took it away.
    word = view.index.arch.word_size
    entry = PhysicalAddress(step.place.physical // word * word)
    if not view.owners.tables.is_valid(entry, Time(int(rows["first"][used][-1]))):
        return None
    frame, writer = Frame(int(rows["frame"][used][-1])), writer_at(view, step.t)
    owner, stack = view.owners.owner_at(frame, step.t), view.stack_of(context)
    text = (
        f"The address lies in {'the stack in use' if stack is None else stack.name}, whose page there (frame "
        f"{frame * PAGE_SIZE:#x}) was unmapped by {writer.code.text} at t {step.t:,}, while it was in use."
    )
    spine = [*_iter_chain(view, found), _evidence(view, step, "store")]
    chain = tuple(sorted({item.t: item for item in spine}.values(), key=lambda item: item.t))
    return FaultStory(chain, writer, None, Owner(owner.kind.value, owner.text), is_ruined=True, text=text)


def _iter_chain(view: KernelView, found: Explanation) -> Iterator[Evidence]:
    for number in dict.fromkeys((*found.spine, *([] if found.stack_of is None else [found.stack_of]))):
        yield _evidence(view, found.steps[number], "fault" if number == 0 else "origin")


def _evidence(view: KernelView, step: Step, role: str) -> Evidence:
    place, value = step.place, "??" if step.value is None else f"{step.value:#x}"
    code = None if step.pc is None else code_of(step.pc, step.symbol, step.line)
    if not isinstance(place, BytesAt):
        return Evidence(step.t, role, f"{step.text}: {place.name} = {value}", step.hart, code)
    after = None if step.value is None else step.value.to_bytes(place.size, "little")
    is_store = step.kind in _STORES
    return Evidence(
        t=step.t,
        role=role,
        text=f"{step.text}: {bytes_text(place.size)} at {place.physical:#x} = {value}",
        hart=step.hart,
        code=code,
        physical=place.physical,
        virtual=place.virtual,
        size=place.size,
        before=bytes_at(view, place.physical, place.size, step.t) if is_store else after,
        after=after,
    )


def _with_store(view: KernelView, chain: tuple[Evidence, ...], found: Explanation, step: Step) -> FaultStory:
    place = step.place
    assert isinstance(place, BytesAt)
    near = view.accesses((place.physical, place.size), (step.t, Time(step.t + 1)))
    stores = near.select(near.rows["kind"] == Kind.STORE)
    writer = writer_at(view, step.t)
    own = int(stores.context[-1]) if len(stores.rows) else NO_CONTEXT
    in_stack = bool(stores.in_stack[-1]) if len(stores.rows) else False
    intruder = view.history.contexts[own] if in_stack and own != NO_CONTEXT else None
    owner = view.owners.owner_at(Frame(place.physical // PAGE_SIZE), step.t, intruder=intruder)
    story = FaultStory(chain, writer, None, Owner(owner.kind.value, owner.text))
    text = f"The value was left by {writer.code.text} at t {step.t:,}, in the {owner.text}"
    root = None if owner.mapping is None else view.owners.tables.root_of(owner.frame, step.t)
    if root is not None:
        text += f"; at that moment the tables of space {root:#x} had the same frame as one of theirs"
    if not len(stores.rows):
        return _said(story, f"{text}.", is_ruined=False)
    reader = _reader(view, found, step, place)
    story = _said(story, text, is_ruined=False, victim=victim_of(view, Access.of(stores.rows[-1])))
    return _judged(view, story, (own, in_stack), reader)


_Use = tuple[int, bool]
"""A context's number, and whether an access lay in its stack."""


def _reader(view: KernelView, found: Explanation, step: Step, place: BytesAt) -> _Use | None:
    """Return how the step that took the stored value touched it; None where hardware did."""
    taken = [
        other.t
        for other in found.steps
        if other.pc is not None and other.number
        for given in other.inputs
        if step.number in given.made_by and isinstance(given.place, BytesAt)
    ]
    if not taken:
        return None
    near = view.accesses((place.physical, place.size), (taken[0], Time(taken[0] + 1)))
    loads = near.select(near.rows["kind"] == Kind.LOAD)
    return (int(loads.context[-1]), bool(loads.in_stack[-1])) if len(loads.rows) else None


def _judged(view: KernelView, story: FaultStory, writer: _Use, reader: _Use | None) -> FaultStory:
    """Say whether the store lay in the writer's own stack, and the load in another one or in none."""
    own, in_stack = writer
    stack = view.stack_of(own)
    name = "its stack" if stack is None else stack.name
    if in_stack and own != NO_CONTEXT and (reader is None or not reader[1] or reader[0] != own):
        text = f"{story.text}: a store into {name}, which had come to lie over what belongs to somebody else."
        return _said(story, text, is_ruined=True)
    if reader is not None and reader[1] and not in_stack:
        read = view.stack_of(reader[0])
        text = f"{story.text}: a store from outside into {'the stack' if read is None else read.name}."
        return _said(story, text, is_ruined=True)
    return _said(story, f"{story.text}.", is_ruined=False)


def _said(story: FaultStory, text: str, *, is_ruined: bool, victim: Victim | None = None) -> FaultStory:
    chosen = story.victim if victim is None else victim
    return FaultStory(story.chain, story.writer, chosen, story.owner, is_ruined, text)


def interrupted_code(view: KernelView, trap: Trap) -> Code | None:
    """Return the instruction that trapped, or the one that jumped to where nothing could be fetched."""
    return None if trap.last is None else code_at(view, trap.last)
