"""Stacks whose lowest address is known, and that were stored to below it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tracedbg.detect.damage import consumptions
from tracedbg.detect.evidence import access_evidence, stack_use, victim_of, writer_at
from tracedbg.detect.finding import Certainty, Evidence, Finding, Owner, Severity, VirtualPlace
from tracedbg.format.schema import PAGE_SIZE
from tracedbg.ids import Frame, PhysicalAddress, Time, VirtualAddress
from tracedbg.kernel.contexts import Context
from tracedbg.kernel.stacks import Stack
from tracedbg.kernel.view import KernelView
from tracedbg.query import Access, Kind


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
    """Return the finding on a store below a stack's base."""
    store, stack = below.store, below.stack
    assert stack.base is not None, "only stacks with a base have something below it"
    writer, use = writer_at(view, store.t), stack_use(view, below.context)
    symbol = None if store.virtual is None else view.trace.symbols.at(VirtualAddress(store.virtual))
    owner = view.owners.owner_at(Frame(store.physical // PAGE_SIZE), store.t)
    whose = owner.text if symbol is None or owner.mapping is not None else f"{symbol.demangled}"
    consumers = tuple(_consumers(view, below))
    depth = stack.base - below.context.low
    stored = access_evidence(view, store, "store", f"{writer.code.text} stores below the stack")
    return Finding(
        detector=detector,
        severity=Severity.ERROR,
        title=f"{use.name} ran {depth:,} bytes below its base {stack.base:#x}, into {whose}",
        t=store.t,
        certainty=Certainty.CERTAIN,
        why=f"the stack's lowest address is known ({stack.base_source.value}), and the store is below it",
        physical_address=store.physical,
        virtual_addresses=() if store.virtual is None else (VirtualPlace(store.virtual, 0),),
        owner=Owner(owner.kind.value, whose),
        stack=use,
        writer=writer,
        victim=victim_of(view, store, None if symbol is None else symbol.demangled),
        consumers=consumers,
        chain=(stored, *consumers),
    )


def _consumers(view: KernelView, below: BelowBase) -> Iterator[Evidence]:
    """Yield the loads of others that bring what the stack left below its base, in the page first hit."""
    base, store = below.stack.base or 0, below.store
    page = PhysicalAddress(store.physical // PAGE_SIZE * PAGE_SIZE)
    found = view.accesses((page, PAGE_SIZE), (store.t, view.trace.end))
    mine = found.in_stack & np.isin(found.context, below.stack.contexts)
    intruding = mine & (found.rows["kind"] == Kind.STORE) & (found.rows["virtual"] < np.uint64(base))
    for item in consumptions(found, intruding, ~mine):
        text = f"reads {item.size} of the bytes that the stack left there at t {item.store.t}"
        yield access_evidence(view, item.load, "read", text)
