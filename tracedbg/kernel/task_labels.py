"""Which task each stretch of a hart's time belongs to, as labels that are equal for the same task.

A task is a kernel stack where that serves one task at a time; each time the stack is begun anew by a switch
it is another one. Where the spaces of user mode take turns on one stack, as on a stack for each hart, and
where traps are taken on the user's own stack, a task is an address space. Firmware, user mode and stacks that
handlers borrow count to the task that they came from.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tracedbg.ids import VirtualAddress
from tracedbg.kernel.contexts import FRESH, NO_CONTEXT, Context
from tracedbg.kernel.history import StackHistory
from tracedbg.kernel.register_values import register_values
from tracedbg.kernel.stacks import Stack
from tracedbg.kernel.stints import Begin
from tracedbg.kernel.trace_index import TraceIndex
from tracedbg.query import Kind, accesses
from tracedbg.store.source import Flags, Integers, Numbers

NO_TASK = -1
_FIRMWARE = 3
_BORROWED_SHARE = 0.9
MOST = 0.5
SPACES_TRIED = 64
"""Address spaces that came back to one stack of which it is looked up whether they are still the same."""


@dataclass(frozen=True)
class Label:
    """What a task is: a use of a ``stack``, or the address space of ``root``; the other one is None."""

    stack: Stack | None
    root: int | None


@dataclass(frozen=True)
class Labels:
    """``of_stint`` is for each stint the index of its label, NO_TASK where it belongs to none."""

    all: tuple[Label, ...]
    of_stint: Integers


def label_stints(index: TraceIndex, history: StackHistory, stacks: Sequence[Stack]) -> Labels:
    """Return the labels of all stints of a trace."""
    maker = _Maker(index, history)
    borrowed = _borrowed(history, stacks)
    has_firmware = any(stack.privilege != _FIRMWARE for stack in stacks)
    for stack in stacks:
        is_firmware = has_firmware and stack.privilege == _FIRMWARE
        if not is_firmware and stack.number not in borrowed:
            maker.add(stack)
    of_stint = maker.of_stints()
    return Labels(tuple(maker.labels), of_stint)


class _Maker:
    """Gives labels to contexts, then to stints."""

    def __init__(self, index: TraceIndex, history: StackHistory) -> None:
        self._index = index
        self._history = history
        self.labels: list[Label] = []
        self._by_root: dict[int, int] = {}
        self._label_of = np.full(len(history.contexts) + 1, NO_TASK, np.int64)
        self._is_shared = np.zeros(len(history.contexts) + 1, np.bool_)
        self._origin_of = _origins(index, history)
        self._is_by_space = uses_users_stack(history)
        users = history.stints["t"][history.stints["privilege"] == 0]
        self._first_user = int(users[0]) if len(users) else index.trace.end

    def add(self, stack: Stack) -> None:
        """Give labels to the contexts of a stack."""
        contexts = sorted((self._history.contexts[n] for n in stack.contexts), key=lambda one: one.start)
        origins = [self._origin_of[one.number] for one in contexts if one.number in self._origin_of]
        if self._is_by_space:
            # What began later is a user's stack, come back to by a switch.
            contexts = [context for context in contexts if context.start < self._first_user]
        elif takes_turns([origin.root for origin in origins]) and self._come_back(origins):
            self._add_shared(stack, contexts)
            return
        for context in contexts:
            is_anew = not context.from_user and context.within is None
            if context is contexts[0] or is_anew:
                self.labels.append(Label(stack, None))
            self._label_of[context.number] = len(self.labels) - 1

    def _come_back(self, origins: Sequence["_Origin"]) -> bool:
        """Say whether spaces take turns that are still the same when they come again.

        A new program of the same task may get the page tables that the one before it gave back.
        """
        pages = {origin.root: origin.pc for origin in reversed(origins)}
        if len(pages) > SPACES_TRIED:
            return True
        changes = {root: _changes(self._index, root, pc) for root, pc in pages.items()}
        return takes_turns(
            [(one.root, int(np.searchsorted(changes[one.root], one.t, "right"))) for one in origins]
        )

    def _add_shared(self, stack: Stack, contexts: Sequence[Context]) -> None:
        own: int | None = None
        for context in contexts:
            origin = self._origin_of.get(context.number)
            self._is_shared[context.number] = True
            if origin is not None:
                self._label_of[context.number] = self._space(origin.root)
                continue
            if own is None:
                own = len(self.labels)
                self.labels.append(Label(stack, None))
            self._label_of[context.number] = own

    def _space(self, root: int) -> int:
        if root not in self._by_root:
            self._by_root[root] = len(self.labels)
            self.labels.append(Label(None, root))
        return self._by_root[root]

    def of_stints(self) -> Integers:
        """Return the label of each stint."""
        stints, contexts = self._history.stints, self._history.context_of
        labels, shared = self._label_of[contexts], self._is_shared[contexts]
        in_user = (stints["privilege"] == 0) & stints["known"]
        labels[in_user] = NO_TASK
        for hart in np.unique(stints["hart"]).tolist():
            own = np.flatnonzero(stints["hart"] == hart)
            last = _last_true(labels[own] != NO_TASK)
            by_space = shared[own[np.maximum(last, 0)]] & (last >= 0)
            user = own[in_user[own] & (by_space | self._is_by_space)]
            values, known = register_values(
                self._index, self._index.space_name, stints["hart"][user], stints["t"][user]
            )
            roots = values[known].tolist()
            labels[user[known]] = [self._space(root) for root in roots]
            last = _last_true(labels[own] != NO_TASK)
            labels[own] = np.where(last >= 0, labels[own[np.maximum(last, 0)]], NO_TASK)
        return labels


def _last_true(flags: Flags) -> Integers:
    """Return for each place that of the last true one up to it, -1 where there is none."""
    places = np.where(flags, np.arange(len(flags)), -1)
    found: Integers = np.maximum.accumulate(places) if len(places) else places
    return found


def takes_turns(values: Sequence[Hashable]) -> bool:
    """Say whether a value comes again after another one."""
    changes = [value for place, value in enumerate(values) if not place or value != values[place - 1]]
    return len(set(changes)) < len(changes)


def _changes(index: TraceIndex, root: int, pc: int) -> Integers:
    """Return when the highest page-table entry above ``pc`` in a space came to lead elsewhere, ascending."""
    space, size = index.arch.address_space_of(root), index.arch.word_size
    levels = index.arch.walk(space, VirtualAddress(pc), lambda _: None).levels
    if not levels:
        return np.empty(0, np.int64)
    rows = accesses(index.trace, (levels[0].address, size), kind=Kind.WRITE)
    # Part of an entry is no entry.
    frames = np.where(rows["size"] == size, index.arch.entry_frames(rows["value"]), ~np.uint64(0))
    changed = np.append(True, frames[1:] != frames[:-1])[: len(rows)]
    times: Integers = rows["t"][changed].astype(np.int64)
    return times


def uses_users_stack(history: StackHistory) -> bool:
    """Say whether most traps from user mode are handled on the stack that user mode had in use."""
    stints = history.stints
    begun = (stints["begin"] == Begin.TRAP) & (stints["source"] == 0) & (stints["privilege"] > 0)
    stays = (history.context_of == NO_CONTEXT) & (stints["own"] > FRESH)
    return bool(begun.any()) and bool(stays[begun].mean() > MOST)


@dataclass(frozen=True)
class _Origin:
    """Where a trap from user mode came from that began a context: its time, the address space and the pc."""

    t: int
    root: int
    pc: int


def _origins(index: TraceIndex, history: StackHistory) -> Mapping[int, _Origin]:
    """Return where the contexts came from that a trap from user mode began, by their numbers."""
    traps = index.traps[index.traps["source"] == 0]
    values, known = register_values(index, index.space_name, traps["hart"], traps["t"])
    found = {}
    for hart in range(index.trace.guest.harts):
        own = np.flatnonzero(traps["hart"] == hart)
        for context in history.contexts if len(own) else ():
            if context.from_user and context.hart == hart:
                place = own[max(int(np.searchsorted(traps["t"][own], context.start, "right")) - 1, 0)]
                if known[place]:
                    trap = traps[place]
                    found[context.number] = _Origin(int(trap["t"]), int(values[place]), int(trap["epc"]))
    return found


def _borrowed(history: StackHistory, stacks: Sequence[Stack]) -> frozenset[int]:
    """Return the numbers of stacks that are used for a while and left for what was interrupted, as a rule."""
    returns_to: dict[int, bool] = {}
    for before, number, after in _neighbours(history):
        returns_to[number] = before == after and returns_to.get(number, True)
    found = set()
    for stack in stacks:
        own = [returns_to.get(number, False) for number in stack.contexts]
        is_user = any(history.contexts[number].from_user for number in stack.contexts)
        if len(own) > 1 and not is_user and sum(own) >= _BORROWED_SHARE * len(own):
            found.add(stack.number)
    return frozenset(found)


def _neighbours(history: StackHistory) -> Iterator[tuple[int, int, int]]:
    """Yield for each stretch in which a hart stays in one context the contexts before, then and after."""
    for hart in np.unique(history.stints["hart"]).tolist():
        own: Numbers = history.context_of[history.stints["hart"] == hart]
        own = own[own != NO_CONTEXT]
        numbers = own[np.append(True, own[1:] != own[:-1])] if len(own) else own
        yield from zip(numbers[:-2].tolist(), numbers[1:-1].tolist(), numbers[2:].tolist(), strict=True)
