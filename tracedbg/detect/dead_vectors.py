"""Harts whose trap vector cannot be fetched: each trap is followed by another one, and nothing runs."""

from dataclasses import dataclass, replace

import numpy as np

from tracedbg.arch import AddressSpace, TrapKind, Use, Walk
from tracedbg.detect.evidence import (
    access_evidence,
    backtrace_at,
    calls_text,
    code_at,
    stack_use,
    victim_of,
    writer_at,
)
from tracedbg.detect.finding import Certainty, Evidence, Finding, Owner, Severity
from tracedbg.format.schema import PAGE_SIZE
from tracedbg.ids import Frame, Hart, Time, VirtualAddress
from tracedbg.kernel.contexts import NO_CONTEXT, Context
from tracedbg.kernel.view import KernelView
from tracedbg.provenance import Limits, RegisterAt, why
from tracedbg.query import Access, Kind, last_of_hart

ONE_STEP = Limits(steps=1, seconds=1.0)
CERTAIN = "while no instruction ran QEMU was busy, and its registers stood at the trap vector with this cause"


@dataclass(frozen=True)
class DeadVector:
    """A hart stands at a trap vector that cannot be fetched.

    ``last`` is its last instruction, ``cause`` that of the trap that comes over and over, ``register`` holds
    the vector's address, and ``space`` is the address space in force (None where that is not known).
    """

    hart: Hart
    last: Time
    vector: VirtualAddress
    cause: int
    register: str
    space: AddressSpace | None


def find_dead_vectors(view: KernelView) -> list[DeadVector]:
    """Return the harts that ran no instruction any more for that reason; the end of the recording tells."""
    state, store = view.trace.store.last_state, view.trace.store
    if state is None or state.t != store.end:
        return []
    levels = [level for level in np.unique(store.blocks.privilege).tolist() if level]
    return [
        dead
        for hart, values in enumerate(state.harts[: store.guest.harts])
        for level in levels
        if (dead := _dead_vector(view, Hart(hart), level, dict(values))) is not None
    ]


def _dead_vector(view: KernelView, hart: Hart, privilege: int, values: dict[str, int]) -> DeadVector | None:
    """Return the vector of a hart for traps handled at a privilege, where the hart cannot get past it."""
    arch, last = view.index.arch, last_of_hart(view.trace.store, hart, view.trace.end)
    names, register = arch.trap_registers(privilege), arch.trap_vector_register(privilege)
    pc, cause, base = values.get("pc"), values.get(names.cause), values.get(register)
    if last is None or pc is None or cause is None or values.get(names.epc) != pc:
        return None
    if arch.trap_kind(cause) is not TrapKind.FETCH or pc not in arch.trap_vectors({register: base}.get):
        return None
    space = arch.address_space(values.get, privilege, Use.FETCH)
    return DeadVector(hart, last, VirtualAddress(pc), cause, register, space)


def dead_vector_finding(view: KernelView, detector: str, dead: DeadVector) -> Finding:
    """Return the finding on a hart that only traps: what it did last, and who made the vector unreachable."""
    cause = view.index.arch.cause_name(dead.cause)
    code = code_at(view, dead.last)
    where = "??" if code is None else code.text
    vector = view.trace.symbols.at(dead.vector)
    name = f"{dead.vector:#x}" + ("" if vector is None else f" ({vector.demangled})")
    title = f"hart {dead.hart} traps for ever: its trap vector {name} cannot be fetched, '{cause}'"
    walk = _walk(view, dead)
    store = None if walk is None else _unmapping(view, walk)
    last = Evidence(dead.last, "end", f"{where} is the last instruction that started", dead.hart, code)
    chain = [*_vector_set(view, dead), last]
    parts = [f"{title}. No instruction ran after {where} at t {dead.last:,}.", _under_way(view, dead)]
    parts.append("" if walk is None else f"In space {walk.space.root:#x} {walk.problem or 'it is mapped'}.")
    found = Finding(
        detector=detector,
        severity=Severity.ERROR,
        title=title,
        t=dead.last,
        certainty=Certainty.CERTAIN,
        why=CERTAIN,
        chain=tuple(sorted(chain, key=lambda item: item.t)),
        paragraph=" ".join(part for part in parts if part),
    )
    return found if store is None else _with_store(view, found, store)


def _under_way(view: KernelView, dead: DeadVector) -> str:
    frames = backtrace_at(view, dead.last)
    return f"Under way: {calls_text(frames)}." if len(frames) > 1 else ""


def _vector_set(view: KernelView, dead: DeadVector) -> list[Evidence]:
    """Return the instruction that set the vector's address."""
    place = RegisterAt(dead.register, dead.hart, view.trace.end)
    found = why(view.trace, place, at=view.trace.at(view.trace.end, hart=dead.hart), limits=ONE_STEP)
    steps = [found.steps[number] for number in found.spine if found.steps[number].pc is not None]
    text = f"{dead.register} = {dead.vector:#x}, where traps begin"
    return [Evidence(step.t, "origin", text, dead.hart, code_at(view, step.t)) for step in steps[:1]]


def _walk(view: KernelView, dead: DeadVector) -> Walk | None:
    """Return the walk of the page tables to the vector, None where nothing is translated."""
    if dead.space is None or not dead.space.is_translated:
        return None
    return view.trace.at(view.trace.end).translate(dead.vector, space=dead.space)


def _unmapping(view: KernelView, walk: Walk) -> Access | None:
    """Return the store that took a valid entry away at which the walk ends, None where none was there."""
    arch = view.index.arch
    if walk.physical is not None or not walk.levels:
        return None
    where = (walk.levels[-1].address, arch.word_size)
    last = view.trace.last_write(where, view.trace.end)
    if last is None or last.kind is not Kind.STORE:
        return None
    return last if view.owners.tables.is_valid(where[0], last.t) else None


def _with_store(view: KernelView, found: Finding, store: Access) -> Finding:
    """Return the finding with the store that made the vector's page-table entry invalid."""
    near = view.accesses((store.physical, store.size), (store.t, Time(store.t + 1)))
    own = near.select(near.rows["kind"] == Kind.STORE)
    intruder: Context | None = None
    if len(own.rows) and bool(own.in_stack[-1]) and int(own.context[-1]) != NO_CONTEXT:
        intruder = view.history.contexts[int(own.context[-1])]
    owner = view.owners.owner_at(Frame(store.physical // PAGE_SIZE), store.t, intruder=intruder)
    writer = writer_at(view, store.t)
    stored = access_evidence(view, store, "store", f"{writer.code.text} takes the page-table entry away")
    text = f"Its page-table entry was taken away by {writer.code.text} at t {store.t:,}"
    if intruder is not None:
        stack = stack_use(view, intruder)
        text += f": a store into {stack.text}, which had come to lie over the {owner.text}"
        found = replace(found, stack=stack)
    return replace(
        found,
        physical_address=store.physical,
        owner=Owner(owner.kind.value, owner.text),
        writer=writer,
        victim=victim_of(view, store),
        chain=tuple(sorted([*found.chain, stored], key=lambda item: item.t)),
        paragraph=f"{found.paragraph} {text}.",
    )
