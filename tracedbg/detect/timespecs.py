"""Timespecs that calls hand to the kernel: what it read, who wrote that last, and on whose behalf."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import numpy as np

from tracedbg.arch import AddressSpace, Walk
from tracedbg.format.schema import PAGE_SIZE, Cause
from tracedbg.ids import Frame, PhysicalAddress, Time, VirtualAddress
from tracedbg.kernel.call_arguments import TIMESPEC_BYTES, Timespec
from tracedbg.kernel.call_signatures import SIGNATURES, ArgumentKind, Parameter
from tracedbg.kernel.contexts import Context
from tracedbg.kernel.system_calls import SystemCall
from tracedbg.kernel.view import KernelView
from tracedbg.query import Access, Kind, accesses, executed_at, iter_accesses, last_write, last_writers
from tracedbg.query.accesses import Range
from tracedbg.query.rows import Rows
from tracedbg.store.source import Integers

FIELD_BYTES = 8
FIELDS = (0, FIELD_BYTES)
"""Offsets of tv_sec and tv_nsec."""
READS_LOOKED_AT = 16
WAITING = (ArgumentKind.TIMESPEC, ArgumentKind.FUTEX_TIMEOUT)


class Fault(Enum):
    """What is wrong with the last write of a timespec that the kernel read."""

    OWN_STACK = "the kernel stored it into its own stack"
    OTHER_SPACE = "the kernel stored it while another address space was in force"
    DEVICE = "a device wrote it, and no call of this address space was under way"
    WRONG_FRAME = "the kernel read another frame than the one that is mapped there"


@dataclass(frozen=True)
class GivenTimespec:
    """A call named ``name`` was given a timespec at ``address`` as its argument ``parameter``."""

    call: SystemCall
    name: str
    parameter: str
    address: VirtualAddress
    space: AddressSpace

    def walk(self, view: KernelView, t: Time, offset: int = 0) -> Walk:
        """Return how the caller's address space maps a byte of it at a moment."""
        return view.trace.at(t).translate(self.address + offset, space=self.space)

    def value_at(self, view: KernelView, t: Time) -> Timespec | None:
        """Return what it holds at a moment, None where that is not known."""
        return view.arguments.timespec_at(self.address, self.space, t)

    def written_at(self, view: KernelView, before: Time) -> Time | None:
        """Return the moment behind the user's last store to it before a moment."""
        fields = [_field(view, self, offset) for offset in FIELDS]
        stores = [last_user_write(view, where, before) for where in fields if where is not None]
        return max((Time(store.t + 1) for store in stores if store is not None), default=None)

    def end(self, view: KernelView) -> Time:
        """The moment up to which the call may read it."""
        return view.trace.end if self.call.returned is None else self.call.returned


@dataclass(frozen=True)
class Ruined:
    """The kernel's ``read`` brought what ``writer`` had left, which was neither the user nor for the user.

    ``user_write`` is the user's own last store before, None where it never stored there. ``context`` is the
    use of a stack that the writer belonged to.
    """

    given: GivenTimespec
    fault: Fault
    writer: Access
    read: Access
    user_write: Access | None
    context: Context | None

    def value_read(self, view: KernelView) -> Timespec | None:
        """Return what the kernel found, None where that is not known."""
        if self.fault is not Fault.WRONG_FRAME:
            return self.given.value_at(view, self.read.t)
        page = self.read.physical - self.read.physical % PAGE_SIZE
        place = PhysicalAddress(page + self.given.address % PAGE_SIZE)
        known = view.trace.at(self.read.t).memory.read_physical(place, TIMESPEC_BYTES)
        return Timespec.of(known.data) if known.is_complete else None


@dataclass(frozen=True)
class Undecided:
    """The stack that the writer used is itself mapped for user mode."""

    given: GivenTimespec


def rows_with_timespecs(view: KernelView) -> Integers:
    """Return the rows of calls whose names say that they may hand the kernel a timespec."""
    calls = view.system_calls.rows
    numbers = [
        number
        for number in np.unique(calls["number"][calls["number_known"]]).tolist()
        if any(item.kind in WAITING for item in _parameters(view, number))
    ]
    return np.flatnonzero(np.isin(calls["number"], numbers) & calls["number_known"])


def _parameters(view: KernelView, number: int) -> tuple[Parameter, ...]:
    name = view.call_names.find(number)
    return () if name is None else SIGNATURES.get(name.name, ())


def given_timespec(view: KernelView, row: int) -> GivenTimespec | None:
    """Return the timespec that the call of a row hands over, None where it hands over none."""
    call = view.system_calls.call(row)
    name = view.call_names.find(call.number)
    found = None if name is None else view.arguments.timespec(name.name, call)
    if name is None or found is None or call.space is None:
        return None
    return GivenTimespec(call, name.name, found[0].name, found[1], call.space)


def judge(view: KernelView, given: GivenTimespec) -> Ruined | Undecided | None:
    """Return what is wrong with a timespec, None where nothing is or the kernel did not read it."""
    for offset in FIELDS:
        where = _field(view, given, offset)
        if where is None:
            continue
        found = _wrong_frame(view, given, where, offset) or _ruined_field(view, given, where)
        if found is not None:
            return found
    return None


def _ruined_field(view: KernelView, given: GivenTimespec, where: Range) -> Ruined | Undecided | None:
    for read in _kernel_reads(view, given, where):
        for piece in last_writers(view.trace.store, where, read.t):
            writer = piece.access
            if writer is None or _is_by_user(view, writer):
                continue
            found = _judge_writer(view, given, where, (writer, read))
            if found is not None:
                return found
    return None


def _field(view: KernelView, given: GivenTimespec, offset: int) -> Range | None:
    """Return where a field lies; None where it is not mapped or crosses into another page."""
    physical = given.walk(view, given.call.t, offset).physical
    if physical is None or physical % PAGE_SIZE + FIELD_BYTES > PAGE_SIZE:
        return None
    return physical, FIELD_BYTES


def privileges_of(view: KernelView, rows: Rows) -> Integers:
    """Return the privilege of each access of one epoch; those of changes mean nothing."""
    if not len(rows):
        return np.empty(0, np.int64)
    store = view.trace.store
    epoch = store.epoch(store.epoch_of(Time(int(rows["t"][0]))))
    offsets = np.clip(rows["t"].astype(np.int64) - epoch.start, 0, max(epoch.length - 1, 0))
    runs = np.searchsorted(epoch.run_start, offsets, "right") - 1
    return epoch.blocks.privilege[epoch.run_block[runs]].astype(np.int64)


def _kernel_reads(view: KernelView, given: GivenTimespec, where: Range) -> Iterator[Access]:
    """Yield the first loads outside user mode while the call was under way."""
    left = READS_LOOKED_AT
    between = (given.call.t, given.end(view))
    for rows in iter_accesses(view.trace.store, where, between=between, kind=Kind.LOAD):
        for row in rows[privileges_of(view, rows) != 0][:left]:
            left -= 1
            yield Access.of(row)
        if left <= 0:
            return


def _is_by_user(view: KernelView, access: Access) -> bool:
    executed = None if access.hart is None else executed_at(view.trace.store, access.t)
    return executed is not None and executed.privilege == 0


def last_user_write(view: KernelView, where: Range, before: Time) -> Access | None:
    """Return the last store of user mode to a byte of a range before a moment."""
    between = (view.trace.start, before)
    for rows in iter_accesses(view.trace.store, where, between=between, kind=Kind.STORE, reverse=True):
        own = rows[privileges_of(view, rows) == 0]
        if len(own):
            return Access.of(own[-1])
    return None


def _judge_writer(
    view: KernelView, given: GivenTimespec, where: Range, pair: tuple[Access, Access]
) -> Ruined | Undecided | None:
    """Judge a store or change that was not user mode's, and the load that brought it."""
    writer, read = pair
    walk = given.walk(view, writer.t, _offset_in(given, where))
    is_mapped = walk.physical == where[0] and view.index.arch.user_flag in walk.flags
    # Before the frame came to be mapped there it may have been anything.
    if not is_mapped or not view.user_pages.is_unchanged(walk, writer.t, read.t):
        return None
    if _is_in_own_stack(view, where, read):
        return None
    user_write = last_user_write(view, where, writer.t)
    if writer.kind is Kind.CHANGE:
        is_fault = writer.cause is Cause.DMA and user_write is not None and not _in_call(view, given, writer)
        return Ruined(given, Fault.DEVICE, writer, read, user_write, None) if is_fault else None
    if _is_in_own_stack(view, where, writer):
        return _own_stack(view, given, pair, user_write)
    is_fault = user_write is not None and _is_under_other_space(view, given, where, (user_write, writer))
    context = None if writer.hart is None else view.context_at(writer.hart, writer.t)
    return Ruined(given, Fault.OTHER_SPACE, writer, read, user_write, context) if is_fault else None


def _offset_in(given: GivenTimespec, where: Range) -> int:
    return int((where[0] - given.address) % PAGE_SIZE)


def _is_in_own_stack(view: KernelView, where: Range, access: Access) -> bool:
    """Say whether an access went to the stack in use."""
    found = view.accesses(where, (access.t, Time(access.t + 1)))
    own = (found.rows["kind"] == access.kind) & (found.rows["physical"] == access.physical)
    return bool(found.in_stack[own].any())


def _own_stack(
    view: KernelView, given: GivenTimespec, pair: tuple[Access, Access], user_write: Access | None
) -> Ruined | Undecided | None:
    writer, read = pair
    context = None if writer.hart is None else view.context_at(writer.hart, writer.t)
    if context is None:
        return None
    if view.user_pages.is_user_accessible(view.highest_address(context), given.space, writer.t):
        return Undecided(given)
    return Ruined(given, Fault.OWN_STACK, writer, read, user_write, context)


def _in_call(view: KernelView, given: GivenTimespec, change: Access) -> bool:
    """Say whether a call of the address space was under way when a change happened."""
    rows = view.system_calls.rows
    since = given.call.t if change.since is None else change.since
    own = rows[(rows["space"] == given.space.root) & rows["space_known"] & (rows["t"] <= change.t)]
    return bool(np.any((own["returned"] < 0) | (own["returned"] >= since)))


def _is_under_other_space(
    view: KernelView, given: GivenTimespec, where: Range, pair: tuple[Access, Access]
) -> bool:
    """Say whether a kernel's store over the user's own was made in a space that does not have the frame."""
    user_write, writer = pair
    if writer.hart is None:
        return False
    space = view.user_pages.space_at(writer.hart, writer.t)
    if space is None or not space.is_translated or space == given.space:
        return False
    walk = given.walk(view, user_write.t, _offset_in(given, where))
    if walk.physical != where[0] or not view.user_pages.is_unchanged(walk, user_write.t, writer.t):
        return False
    frame = Frame(where[0] // PAGE_SIZE)
    spaces = {mapping.space for mapping in view.user_pages.iter_mappings(frame, writer.t)}
    return spaces == {given.space}


def _wrong_frame(view: KernelView, given: GivenTimespec, where: Range, offset: int) -> Ruined | None:
    """Return a load of the user's address while the call was under way that went to another frame."""
    store, address = view.trace.store, given.address + offset
    epoch = store.epoch(store.epoch_of(given.call.t))
    table = epoch.accesses
    low, high = np.searchsorted(
        table.t.astype(np.int64) + epoch.start, [given.call.t, min(given.end(view), epoch.end)]
    )
    rows = np.arange(low, high)
    rows = rows[~table.is_store[rows] & (table.virtual[rows] == np.uint64(address))]
    rows = rows[table.physical[rows] != np.uint64(where[0])]
    for row in rows[:READS_LOOKED_AT].tolist():
        t = Time(int(table.t[row]) + epoch.start)
        place = PhysicalAddress(int(table.physical[row]))
        found = accesses(store, (place, 1), between=(t, Time(t + 1)), kind=Kind.LOAD)
        executed = executed_at(store, t)
        if executed is None or executed.privilege == 0 or executed.hart != given.call.hart or not len(found):
            continue
        space = view.user_pages.space_at(executed.hart, t)
        if space == given.space and given.walk(view, t, offset).physical == where[0]:
            writer, fields = last_write(store, where, t), [_field(view, given, part) for part in FIELDS]
            stores = [last_user_write(view, field, t) for field in fields if field is not None]
            own = max((one for one in stores if one is not None), key=lambda one: one.t, default=None)
            if writer is not None:
                return Ruined(given, Fault.WRONG_FRAME, writer, Access.of(found[0]), own, None)
    return None
