"""Stacks whose lowest address is known, and that were stored to below it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tracedbg.detect.damage import Consumption, consumptions
from tracedbg.detect.evidence import access_evidence, stack_use, victim_of, writer_at
from tracedbg.detect.finding import Certainty, Evidence, Finding, Owner, Severity, VirtualPlace
from tracedbg.format.schema import PAGE_SIZE
from tracedbg.ids import Frame, PhysicalAddress, Time
from tracedbg.kernel.contexts import Context
from tracedbg.kernel.owners import OwnerKind
from tracedbg.kernel.stacks import BaseSource, Stack
from tracedbg.kernel.view import KernelView
from tracedbg.query import Access, Kind

MEMBERS = 512
"""Bytes above the start of an object in which other members of it than the stack are looked for."""


@dataclass(frozen=True)
class BelowBase:
    """The first store of ``context`` below the base of its stack."""

    stack: Stack
    context: Context
    store: Access


def iter_below_base(view: KernelView) -> Iterator[BelowBase]:
    """Yield for each stack with a known base the first store below it, where there was one."""
    for stack in view.stacks:
        if stack.base is None or stack.low >= stack.base:
            continue
        deep = [view.history.contexts[number] for number in stack.contexts]
        deep = [context for context in deep if context.low < stack.base]
        for context in sorted(deep, key=lambda context: context.low_t):
            store = _first_store(view, context, stack.base)
            if store is not None:
                yield BelowBase(stack, context, store)
                break


def _first_store(view: KernelView, context: Context, base: int) -> Access | None:
    rows = view.history.stack_pages
    own = (rows["context"] == context.number) & (rows["page"] * PAGE_SIZE < base)
    for row in rows[own][np.argsort(rows[own]["first"])]:
        where = (PhysicalAddress(int(row["frame"]) * PAGE_SIZE), PAGE_SIZE)
        found = view.accesses(where, (Time(int(row["first"])), Time(int(row["last"]) + 1)))
        below = found.in_stack & (found.context == context.number) & (found.rows["kind"] == Kind.STORE)
        below &= found.rows["virtual"] < np.uint64(base)
        if below.any():
            return Access.of(found.rows[int(np.flatnonzero(below)[0])])
    return None


def below_finding(view: KernelView, detector: str, below: BelowBase) -> Finding:
    """Return the finding on stores below a stack's base: the first whose bytes were used, if any."""
    stack, used = below.stack, _used(view, below)
    assert stack.base is not None, "only stacks with a base have something below it"
    store = used[0].store if used else below.store
    writer, use = writer_at(view, store.t), stack_use(view, below.context)
    owner, name = _owner(view, below, store)
    consumers = tuple(_consumer(view, item) for item in used)
    depth = stack.base - below.context.low
    stored = access_evidence(view, store, "store", f"{writer.code.text} stores to its stack")
    first = () if store.t == below.store.t else (_first(view, below.store),)
    return Finding(
        detector=detector,
        severity=Severity.ERROR,
        title=f"{use.name} ran {depth:,} bytes below its base {stack.base:#x}, into {owner.text}",
        t=below.store.t,
        certainty=Certainty.CERTAIN,
        why=f"the stack's lowest address is known ({stack.base_source.value}), and it stored below that",
        physical_address=store.physical,
        virtual_addresses=() if store.virtual is None else (VirtualPlace(store.virtual, 0),),
        owner=owner,
        stack=use,
        writer=writer,
        victim=victim_of(view, store, name),
        consumers=consumers,
        chain=(*first, stored, *consumers),
    )


def _owner(view: KernelView, below: BelowBase, store: Access) -> tuple[Owner, str | None]:
    """Return whose memory a store hit, and the object in it."""
    stack = below.stack
    symbol = None if store.virtual is None else view.trace.symbols.at(store.virtual)
    frame = Frame(store.physical // PAGE_SIZE)
    owner = view.owners.owner_at(frame, store.t, intruder=below.context)
    if symbol is None or owner.mapping is not None:
        return Owner(owner.kind.value, owner.text), None
    # A page may hold several objects; a neighbour in an array of stacks is a stack.
    is_stack = stack.base_source is BaseSource.ARRAY and symbol.demangled == stack.symbol
    kind = OwnerKind.KERNEL_STACK if is_stack else OwnerKind.KERNEL_DATA
    return Owner(kind.value, symbol.demangled), symbol.demangled


def _first(view: KernelView, store: Access) -> Evidence:
    return access_evidence(view, store, "begin", "the stack is first stored to below its base")


def _used(view: KernelView, below: BelowBase) -> list[Consumption]:
    """Return the loads of others that bring what the stack left below its base or right above it.

    The base of a stack inside a larger object is that of the object, whose other members lie below the stack.
    """
    base, store = below.stack.base or 0, below.store
    slack = MEMBERS if below.stack.base_source is BaseSource.SYMBOL else 0
    highest = base + slack
    assert store.virtual is not None, "it was found by its virtual address"
    lowest = max(below.context.low, base - PAGE_SIZE)
    # Pages that lie elsewhere have no stores of this stack, which are looked for by context.
    start = PhysicalAddress(store.physical - store.virtual + lowest)
    found = view.accesses((start, highest - lowest), (Time(below.context.start), view.trace.end))
    mine = found.in_stack & np.isin(found.context, below.stack.contexts)
    intruding = mine & (found.context == below.context.number) & (found.rows["kind"] == Kind.STORE)
    return consumptions(found, intruding, ~mine)


def _consumer(view: KernelView, item: Consumption) -> Evidence:
    text = f"code elsewhere reads {item.size} of the bytes that the stack left there at t {item.store.t:,}"
    return access_evidence(view, item.load, "read", text)
