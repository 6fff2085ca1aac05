"""What a guest was at when its recording was ended from outside: each hart, and each context that waits."""

from dataclasses import dataclass
from itertools import islice

import numpy as np

from tracedbg.detect.evidence import backtrace_at, code_at, stack_use
from tracedbg.detect.finding import Code, Evidence
from tracedbg.ids import Hart, Time, VirtualAddress
from tracedbg.kernel.contexts import Context
from tracedbg.kernel.view import KernelView
from tracedbg.query import iter_own, last_of_hart, own_back
from tracedbg.store.epoch import EpochData, Instructions

TAIL = 4096
"""Last instructions of a hart that tell what it does."""
TURNS = 16
"""A hart that ran each instruction of its tail so often, on average, goes round in a loop."""
SWITCH = 256
"""Instructions of code that changes stacks, from its call to the change."""
SHOWN = 16
FRAMES = 8


@dataclass(frozen=True)
class Waiting:
    """A context that stands still at the end: since when, and its call stack then, innermost first."""

    context: Context
    hart: Hart
    since: Time
    backtrace: tuple[Code, ...]


@dataclass(frozen=True)
class HartTail:
    """What a hart did last: ``is_idle`` tells that it waited for interrupts, ``is_looping`` that it spun.

    ``is_busy`` tells that it wrote to memory or devices meanwhile, ``is_deaf`` that it had all interrupts
    disabled.
    """

    hart: Hart
    t: Time
    is_idle: bool
    is_looping: bool
    is_busy: bool
    is_deaf: bool
    backtrace: tuple[Code, ...]

    @property
    def text(self) -> str:
        """What it did, in a few words."""
        where = f" in {self.backtrace[0].text}" if self.backtrace else ""
        if self.is_idle:
            disabled = ", all of which are disabled," if self.is_deaf else ""
            return f"hart {self.hart} waits for interrupts{disabled}{where}"
        return f"hart {self.hart} {'goes round in a loop' if self.is_looping else 'runs'}{where}"


def waiting_contexts(view: KernelView) -> list[Waiting]:
    """Return the contexts of the kernel that stand still, those that went last first; at most SHOWN.

    Not those of programs that have ended: their address spaces are gone.
    """
    levels = [stack.privilege for stack in view.stacks]
    kernel = min(levels, default=0)
    found = [
        context
        for context in view.history.contexts
        if context.privilege == kernel and context.stop is None and _since(context) is not None
    ]
    found.sort(key=lambda context: -(_since(context) or 0))
    there = (context for context in found if not _has_ended(view, context))
    return [_waiting(view, context) for context in islice(there, SHOWN)]


def _has_ended(view: KernelView, context: Context) -> bool:
    """Say whether the code that a context was called from is mapped in its address space no more."""
    if not context.from_user:
        return False
    trap = view.index.last_trap_from_user(Hart(context.hart), Time(context.start))
    space = view.user_pages.space_at(Hart(context.hart), Time(context.start))
    if trap is None or space is None or not space.is_translated:
        return False
    walk = view.trace.at(view.trace.end).translate(VirtualAddress(int(trap["epc"])), space=space)
    return view.index.arch.user_flag not in walk.flags


def _since(context: Context) -> Time | None:
    last = context.freezes[-1] if context.freezes else None
    return Time(last.t) if last is not None and last.thaw is None else None


def _waiting(view: KernelView, context: Context) -> Waiting:
    since = _since(context)
    assert since is not None
    hart = _hart_of(view, context, since)
    # The code that changes stacks has half of the next one's registers when it sets the stack pointer.
    called = view.other_work.last_call(hart, since, SWITCH)
    left = called if called is not None else last_of_hart(view.trace.store, hart, since)
    frames = () if left is None else backtrace_at(view, left)
    return Waiting(context, hart, since, frames[:FRAMES])


def _hart_of(view: KernelView, context: Context, since: Time) -> Hart:
    """Return the hart that a context ran on before it stood still."""
    stints, contexts = view.history.stints, view.history.context_of
    stop = int(np.searchsorted(stints["t"], since, "left"))
    own = np.flatnonzero(contexts[:stop] == context.number)
    return Hart(int(stints["hart"][own[-1]]) if len(own) else context.hart)


def hart_tails(view: KernelView) -> list[HartTail]:
    """Return what each hart that ran did last."""
    tails = []
    for number in range(view.trace.store.guest.harts):
        last = last_of_hart(view.trace.store, Hart(number), view.trace.end)
        if last is not None:
            tails.append(_tail(view, Hart(number), view.trace.start, last))
    return tails


def hart_tail_since(view: KernelView, hart: Hart, since: Time) -> HartTail | None:
    """Return what a hart did last, from a moment on; None where it started no instruction any more."""
    last = last_of_hart(view.trace.store, hart, view.trace.end)
    return None if last is None or last < since else _tail(view, hart, since, last)


def _tail(view: KernelView, hart: Hart, since: Time, last: Time) -> HartTail:
    store, stop = view.trace.store, Time(last + 1)
    tail = list(iter_own(store, hart, max(since, own_back(store, hart, stop, TAIL)), stop))
    ran = np.concatenate([rows.instruction for _, rows in tail])
    chosen = np.unique(ran)
    waits = view.index.arch.waits(store.blocks.encoding[chosen])
    return HartTail(
        hart=hart,
        t=last,
        is_idle=bool(waits.any()),
        is_looping=len(chosen) * TURNS <= len(ran),
        is_busy=any(_stores(epoch, rows) for epoch, rows in tail),
        is_deaf=view.trace.at(last, hart=hart).registers.find(view.index.arch.interrupt_enables) == 0,
        backtrace=backtrace_at(view, last)[:FRAMES],
    )


def _stores(epoch: EpochData, rows: Instructions) -> bool:
    """Say whether one of these instructions of an epoch stored anything."""
    table = epoch.accesses
    return bool(np.isin(table.t[table.is_store].astype(np.int64), rows.t).any())


def last_in_user_mode(view: KernelView) -> Time | None:
    """Return the moment after the last instruction in user mode."""
    stints = view.history.stints
    own = stints["stop"][stints["privilege"] == 0]
    return Time(int(own.max())) if len(own) else None


def waiting_evidence(view: KernelView, waiting: Waiting) -> Evidence:
    """Return a context that waits as evidence."""
    name = stack_use(view, waiting.context).text
    calls = " < ".join(code.text for code in waiting.backtrace)
    return Evidence(
        t=waiting.since,
        role="waiting",
        text=f"{name} waits since t {waiting.since:,}: {calls or 'no call stack'}",
        hart=waiting.hart,
        code=waiting.backtrace[0] if waiting.backtrace else code_at(view, waiting.since),
    )
