"""A kernel stack that runs down into memory of someone else."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from tracedbg.detect import (
    Certainty,
    Check,
    Evidence,
    Finding,
    Outcome,
    Owner,
    Severity,
    StackUse,
    VirtualPlace,
    Writer,
)
from tracedbg.detect.below_base import below_finding, iter_below_base
from tracedbg.detect.collisions import (
    TableCollision,
    Undecided,
    UserCollision,
    iter_table_collisions,
    iter_user_collisions,
)
from tracedbg.detect.damage import Consumption, consumptions
from tracedbg.detect.evidence import (
    access_evidence,
    backtrace_at,
    code_at,
    names_of,
    stack_use,
    victim_of,
    writer_at,
)
from tracedbg.detect.frame_findings import by_cause, frame_finding
from tracedbg.detect.overrun import by_stack, overrun_finding
from tracedbg.detect.picture import frame_map
from tracedbg.detect.story import CALLERS_TOLD
from tracedbg.detect.wording import bytes_text
from tracedbg.format.schema import PAGE_SIZE
from tracedbg.ids import Frame, Hart, PhysicalAddress, Time, VirtualAddress
from tracedbg.kernel.contexts import Context
from tracedbg.kernel.frame_accesses import FrameAccesses
from tracedbg.kernel.frame_damage import FrameDamage
from tracedbg.kernel.stacks import Stack
from tracedbg.kernel.view import KernelView
from tracedbg.query import Access, Kind, executed_at
from tracedbg.store.source import Flags

SHARE_TOLD = 0.02
INFERRED = "inferred: the frame below belongs to someone else"
DEEPEST_PAGES = 256
"""Pages below a stack's top that are looked at for its base."""

Collision = UserCollision | TableCollision


class StackUnderflow:
    """Convicts a store into the stack in use whose frame belongs to a user or is a page table."""

    name = "stack-underflow"
    summary = "a kernel stack ran below its lowest address, into memory of someone else"
    needs = "memory accesses with values; paging, for user pages and page tables"

    def run(self, view: KernelView) -> Iterable[Outcome]:
        """Yield a finding for each stack that ran into someone else's memory."""
        collisions: dict[int, list[Collision]] = {}
        undecided = 0
        for found in [*iter_user_collisions(view), *iter_table_collisions(view)]:
            stack = view.stack_of(found.context)
            if isinstance(found, Undecided):
                undecided += 1
            elif stack is not None:
                collisions.setdefault(stack.number, []).append(found)
        for number, own in collisions.items():
            yield _finding(view, view.stacks[number - 1], own)
        told = set(collisions)
        for damages in by_cause(filter(_is_overflow, view.frame_damages)):
            intruder = damages[0].intruder
            stack = None if intruder is None else view.stack_of(intruder)
            told |= set() if stack is None else {stack.number}
            yield frame_finding(view, self.name, damages)
        for below in iter_below_base(view):
            if below.stack.number not in told:
                told.add(below.stack.number)
                yield below_finding(view, self.name, below)
        for number, items in by_stack(view):
            if number not in told:
                yield overrun_finding(view, self.name, items)
        yield from _checks(view, undecided)


def _is_overflow(damage: FrameDamage) -> bool:
    """Say whether a stack that ran down into another one did the damage."""
    return damage.in_stack and not damage.is_own and not damage.is_over_interrupted


def _checks(view: KernelView, undecided: int) -> Iterator[Check]:
    history = view.history
    pages = len(np.unique(history.stack_pages["frame"]))
    yield Check(f"{len(view.stacks)} stacks in {pages} frames")
    spaces = {int(root) for root in history.spaces["root"] if view.is_translated(int(root))}
    if not spaces:
        yield Check("user pages and page tables: the guest never turned paging on", is_done=False)
    if undecided:
        yield Check(
            "stacks against user pages: kernel stacks are themselves mapped for user mode", is_done=False
        )
    share = view.share_without_stack
    if share > SHARE_TOLD:
        text = f"{share:.0%} of what ran outside user mode: on no stack of its own, but the user's, say"
        yield Check(text, is_done=False)
    if history.is_partial:
        yield Check("some stacks: more frames than can be kept track of", is_done=False)


@dataclass(frozen=True)
class _Damage:
    """The intrusion that a finding tells of: the one whose damage was used first, else the first."""

    collision: Collision
    store: Access
    used: tuple[Consumption, ...]


def _finding(view: KernelView, stack: Stack, collisions: list[Collision]) -> Finding:
    damage = min(
        (_damage(view, stack, frame, collisions) for frame in sorted({c.frame for c in collisions})),
        key=lambda found: (not found.used, found.used[0].load.t if found.used else found.store.t),
    )
    collision, store = damage.collision, damage.store
    writer = writer_at(view, store.t)
    context = view.context_at(writer.hart, store.t) or collision.context
    owner = view.owners.owner_at(Frame(store.physical // PAGE_SIZE), store.t)
    base = _inferred_base(view, context, {c.frame for c in collisions}, store.t)
    use = stack_use(view, context)
    if use.base is None and base is not None:
        use = replace(use, base=base, base_source=INFERRED)
    consumers = tuple(_consumer(view, item) for item in damage.used)
    return Finding(
        detector=StackUnderflow.name,
        severity=Severity.ERROR,
        title=f"{use.text} ran {depth_text(use, writer)} and stored into {owner.text}",
        t=store.t,
        certainty=Certainty.CERTAIN,
        why=_why(collision),
        physical_address=store.physical,
        virtual_addresses=_places(collision, store),
        owner=Owner(owner.kind.value, owner.text),
        stack=use,
        writer=writer,
        victim=victim_of(view, store),
        consumers=consumers,
        chain=(_began(view, context), _stored(view, store, writer), *consumers),
        picture=_picture(view, context, store, writer),
    )


def _damage(view: KernelView, stack: Stack, frame: Frame, collisions: list[Collision]) -> _Damage:
    """Return the first intrusion in a frame whose damage was used, else the first one."""
    own = sorted((found for found in collisions if found.frame == frame), key=lambda found: found.t)
    where = (PhysicalAddress(frame * PAGE_SIZE), PAGE_SIZE)
    found = view.accesses(where, (own[0].t, view.trace.end))
    intruding = _intruding(found, own)
    mine = np.isin(found.context, stack.contexts) & found.in_stack
    used = [item for item in consumptions(found, intruding, ~mine) if _is_change(view, item)]
    first = used[0].store if used else _first_store(view, found.select(intruding), own[0])
    collision = max((c for c in own if c.t <= first.t), key=lambda c: c.t, default=own[0])
    return _Damage(collision, first, tuple(used))


def _first_store(view: KernelView, stores: FrameAccesses, collision: Collision) -> Access:
    """Return the first store that did harm: to a page table the first over an entry in use.

    Entries are read by hardware, so no load tells which of them mattered.
    """
    rows = stores.rows
    if isinstance(collision, TableCollision):
        page = view.trace.at(Time(int(rows["t"][0]))).memory.page(collision.frame * PAGE_SIZE)
        entries = np.frombuffer(page, "<u8")
        over = entries[(rows["physical"] % np.uint64(PAGE_SIZE) // np.uint64(8)).astype(np.int64)] != 0
        rows = rows[over] if over.any() else rows
    return Access.of(rows[0])


def _intruding(found: FrameAccesses, collisions: list[Collision]) -> Flags:
    contexts = [collision.context.number for collision in collisions]
    stores = (found.rows["kind"] == Kind.STORE) & found.in_stack
    intruding: Flags = stores & np.isin(found.context, contexts)
    return intruding


def _is_change(view: KernelView, item: Consumption) -> bool:
    """Say whether a store left something else than what had been there."""
    victim = victim_of(view, item.store)
    return victim.before is None or victim.before != victim.after


def _inferred_base(view: KernelView, context: Context, taken: set[Frame], t: Time) -> VirtualAddress | None:
    """Return the end of the highest frame below the stack's top that belongs to someone else."""
    page = (context.top - 1) // PAGE_SIZE
    for step in range(DEEPEST_PAGES):
        address = VirtualAddress((page - step) * PAGE_SIZE)
        physical = view.trace.at(t).translate(address).physical
        if physical is None:
            return None
        if physical // PAGE_SIZE in taken:
            return VirtualAddress(address + PAGE_SIZE)
    return None


def depth_text(use: StackUse, writer: Writer) -> str:
    """Return how far the stack pointer was from where the stack ends, or from its top."""
    if use.base is not None and writer.sp is not None and writer.sp < use.base:
        inferred = " (inferred)" if use.base_source == INFERRED else ""
        return f"{use.base - writer.sp:,} bytes below its base {use.base:#x}{inferred}"
    lowest = use.lowest_sp if writer.sp is None else writer.sp
    return f"{use.top - lowest:,} bytes down from its top {use.top:#x}"


def _why(collision: Collision) -> str:
    if isinstance(collision, TableCollision):
        return (
            f"a walk at t {collision.t:,} reaches the frame as a table of space {collision.root:#x}, which "
            "user mode used before or after without its entries having changed"
        )
    mapping, alive = collision.mapping, collision.alive
    when = "runs there again" if alive.is_later else "ran there while this stack was in use"
    return (
        f"a page-table walk at t {mapping.t:,} finds the frame at user address {mapping.page:#x} of space "
        f"{mapping.space.root:#x}, where user mode used it at t {mapping.touched:,}; user mode {when} at "
        f"t {alive.t:,}, and no entry of the walk changed in between; the stack's own top is no user page"
    )


def _places(collision: Collision, store: Access) -> tuple[VirtualPlace, ...]:
    places = [] if store.virtual is None else [VirtualPlace(store.virtual, 0)]
    if isinstance(collision, UserCollision):
        address = collision.mapping.address_of(store.physical)
        places.insert(0, VirtualPlace(address, collision.mapping.space.root))
    return tuple(places)


def _began(view: KernelView, context: Context) -> Evidence:
    how = "a trap from user mode" if context.from_user else "a switch of stacks"
    text = f"{how} begins a use of the stack at its top {context.top:#x}"
    return Evidence(
        Time(context.start), "begin", text, Hart(context.hart), code_at(view, Time(context.start))
    )


def _stored(view: KernelView, store: Access, writer: Writer) -> Evidence:
    sp = "" if writer.sp is None else f" with sp {writer.sp:#x}"
    return access_evidence(view, store, "store", f"{writer.code.text}{sp} stores {bytes_text(store.size)}")


def _consumer(view: KernelView, item: Consumption) -> Evidence:
    executed = executed_at(view.trace.store, item.load.t)
    privilege = "" if executed is None else view.index.arch.privilege_name(executed.privilege)
    text = f"{privilege} mode reads {bytes_text(item.size)} of what was left there at t {item.store.t:,}"
    callers = names_of(backtrace_at(view, item.load.t))
    if callers:
        text += f", in {' < '.join(callers[:CALLERS_TOLD])}"
    return access_evidence(view, item.load, "read", text)


def _picture(view: KernelView, context: Context, store: Access, writer: Writer) -> str:
    moment = view.trace.at(store.t)
    top = moment.translate(view.highest_address(context)).physical
    sp = None if writer.sp is None else moment.translate(writer.sp).physical
    highest = Frame((store.physical if top is None else top) // PAGE_SIZE)
    return frame_map(view, store.t, highest, store.physical, sp)
