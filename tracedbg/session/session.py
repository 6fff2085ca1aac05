"""The one object that holds what a person changes: where they are, what they picked out, what they see."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import Enum
from functools import lru_cache, partial

from tracedbg.errors import PositionError
from tracedbg.format.schema import PAGE_SIZE
from tracedbg.ids import Hart, PhysicalAddress, Time, VirtualAddress
from tracedbg.query import Access, hart_at, last_read, last_write, next_read, next_write
from tracedbg.session import timeline as stretch
from tracedbg.session.answers import Answers
from tracedbg.session.byte_text import find_selection
from tracedbg.session.function_steps import FunctionSteps, StepError
from tracedbg.session.lanes import BUILT_IN, Lane, LaneSource, LaneView
from tracedbg.session.lanes.overview import overview
from tracedbg.session.memory_panel import physical_of
from tracedbg.session.naming import Names
from tracedbg.session.place import Bookmark, Place, Selection, Watch
from tracedbg.session.running_context import Check, go_on
from tracedbg.session.stepping import last_block, last_instruction, next_block, next_instruction
from tracedbg.session.trace_index import TraceIndex
from tracedbg.state import Moment, Trace

SELECTED_BYTES = 8
ROW = 16
ADDRESSES = 1 << 64
MOMENTS_KEPT = 4


class Step(Enum):
    """A way to move in time."""

    INSTRUCTION_BACK = "instruction back"
    INSTRUCTION = "instruction"
    BLOCK_BACK = "block back"
    BLOCK = "block"
    OVER_BACK = "over the call back"
    OVER = "over the call"
    OUT_BACK = "back to the call"
    OUT = "out to the caller"


class Question(Enum):
    """A question about the selected bytes whose answer is a moment."""

    LAST_WRITE = "last write"
    NEXT_WRITE = "next write"
    LAST_READ = "last read"
    NEXT_READ = "next read"


class Session:
    """A person's place in a trace, and everything that can be asked from there.

    Operations that search take a place or a moment and return a value, so that they can run in a thread;
    ``place`` is only ever swapped as a whole, by ``go`` and its like.
    """

    def __init__(
        self, trace: Trace, *, at: Time | None = None, lanes: Sequence[LaneSource] = BUILT_IN
    ) -> None:
        self.trace = trace
        self.store = trace.store
        self.index = TraceIndex(trace.store)
        self.names = Names(trace.symbols)
        self.answers = Answers(trace, self.names)
        self.lanes = tuple(lanes)
        self.moment = lru_cache(maxsize=MOMENTS_KEPT)(self._moment)
        self.overview = lru_cache(maxsize=2)(self._overview)
        self.last_kernel = _last_moment(trace)
        """The last instruction of the kernel, where a session opens unless told otherwise."""
        self.place = self._opening(self.last_kernel if at is None else at)

    def _opening(self, t: Time) -> Place:
        visible = stretch.around(self.store, t, stretch.FIRST_VISIBLE)
        stack_pointer = self.moment(t).registers.find(self.trace.recording.arch.stack_pointer)
        selection = Selection(VirtualAddress(stack_pointer or 0), SELECTED_BYTES, is_virtual=True)
        if stack_pointer is None and self.store.guest.ram:
            selection = Selection(self.store.guest.ram[0].start, SELECTED_BYTES, is_virtual=False)
        return Place(t, t, visible, selection, row_of(selection.address))

    def _moment(self, t: Time) -> Moment:
        return self.trace.at(t)

    def _overview(self, width: int) -> Lane:
        return overview(self.index, width)

    def step(self, step: Step, t: Time, check: Check = go_on) -> Time:
        """Return where a step from ``t`` leads; StepError where there is nowhere."""
        functions = FunctionSteps(self.index, self.moment, check)
        moves: dict[Step, Callable[[Time], Time]] = {
            Step.INSTRUCTION: partial(next_instruction, self.store),
            Step.INSTRUCTION_BACK: partial(last_instruction, self.store),
            Step.BLOCK: partial(next_block, self.store),
            Step.BLOCK_BACK: partial(last_block, self.store),
            Step.OVER: functions.over_forward,
            Step.OVER_BACK: functions.over_backward,
            Step.OUT: functions.out_forward,
            Step.OUT_BACK: functions.out_backward,
        }
        found = moves[step](t)
        if found == t:
            raise StepError("this is the trace's " + ("end" if t == self.trace.end else "start"))
        return found

    def resolve(self, text: str) -> Time:
        """Return the moment that a person's text names; PositionError, with near names, for none."""
        return self.trace.position(text)

    def ask(self, question: Question, place: Place) -> Access | None:
        """Return the access that a question asks for, None where there is none."""
        physical = physical_of(self.moment(place.t), place.selection)
        if physical is None:
            raise StepError(f"{place.selection.text} is not mapped at this t")
        where, t = (physical, place.selection.size), place.t
        if question in (Question.LAST_WRITE, Question.LAST_READ):
            find = last_write if question is Question.LAST_WRITE else last_read
            return find(self.store, where, t)
        find = next_write if question is Question.NEXT_WRITE else next_read
        # The access that the cursor stands at was found before: go on behind it.
        return find(self.store, where, Time(min(t + 1, self.trace.end)))

    def go(self, t: Time) -> None:
        """Move the cursor; the visible stretch follows."""
        visible = stretch.following(self.store, self.place.visible, t)
        self.place = replace(self.place, t=t, came_from=self.place.t, visible=visible)

    def zoom(self, factor: float) -> None:
        """Make the visible stretch longer (above 1) or shorter, around the cursor."""
        place = self.place
        self.place = replace(place, visible=stretch.zoomed(self.store, place.visible, place.t, factor))

    def pan(self, share: float) -> None:
        """Move the visible stretch by a share of its length; the cursor stays."""
        self.place = replace(self.place, visible=stretch.panned(self.store, self.place.visible, share))

    def show_all(self) -> None:
        """Make the whole trace visible, or go back to the surroundings of the cursor."""
        whole = stretch.whole_of(self.store)
        near = stretch.around(self.store, self.place.t, stretch.FIRST_VISIBLE)
        self.place = replace(self.place, visible=near if self.place.visible == whole else whole)

    def select(self, selection: Selection) -> None:
        """Pick out bytes; the memory panel shows them."""
        self.place = replace(self.place, selection=selection, memory_base=row_of(selection.address))

    def find_bytes(self, place: Place, text: str) -> Selection:
        """Return the bytes that a person's text names; UsageError for none."""
        virtual = place.selection.is_virtual
        return find_selection(text, self.moment(place.t), self.trace.symbols, virtual=virtual)

    def move_selection(self, delta: int, shown: int) -> None:
        """Move the selection by ``delta`` bytes; the panel, which shows ``shown`` bytes, scrolls along."""
        chosen, base = self.place.selection, self.place.memory_base
        address = min(max(chosen.address + delta, 0), ADDRESSES - chosen.size)
        if address < base:
            base = row_of(address)
        elif address + chosen.size > base + shown:
            base = row_of(max(address + chosen.size - shown + ROW - 1, 0))
        base = min(base, row_of(ADDRESSES - shown))
        moved = Selection(_kind(chosen.is_virtual)(address), chosen.size, chosen.is_virtual)
        self.place = replace(self.place, selection=moved, memory_base=base)

    def in_other_space(self, place: Place) -> Selection:
        """Return the selected bytes by physical instead of virtual address, or the other way round.

        StepError where they are not mapped at the moment.
        """
        chosen, moment = place.selection, self.moment(place.t)
        if chosen.is_virtual:
            physical = physical_of(moment, chosen)
            if physical is None:
                raise StepError(f"{chosen.text} is not mapped at this t: it has no physical address")
            return Selection(physical, chosen.size, is_virtual=False)
        if moment.translate(chosen.address).physical == chosen.address:
            return Selection(VirtualAddress(chosen.address), chosen.size, is_virtual=True)
        space = moment.address_space()
        pages = [alias.page for alias in moment.aliases(chosen.address // PAGE_SIZE) if alias.space == space]
        if not pages:
            raise StepError(f"{chosen.text} has no virtual address in the address space in use at this t")
        virtual = pages[0].virtual + chosen.address - pages[0].physical
        return Selection(VirtualAddress(virtual), chosen.size, is_virtual=True)

    def who(self, place: Place) -> str:
        """Say who wrote the selected bytes as they are now, and under which calls."""
        access = self.ask(Question.LAST_WRITE, place)
        if access is None:
            return f"{place.selection.text}: not written before this t"
        return f"{place.selection.text} {self.answers.with_callers(access)}"

    def find_watch(self, place: Place) -> Watch:
        """Return the selected bytes as something to watch; StepError where they are not mapped."""
        physical = physical_of(self.moment(place.t), place.selection)
        if physical is None:
            raise StepError(f"{place.selection.text} is not mapped at this t")
        return Watch(physical, place.selection.size)

    def toggle_watch(self, watch: Watch) -> bool:
        """Give bytes a lane of their own, or take it away; returns whether they have one now."""
        watches = self.place.watches
        left = tuple(other for other in watches if other != watch)
        self.place = replace(self.place, watches=left if watch in watches else (*watches, watch))
        return watch not in watches

    def toggle_bookmark(self, name: str = "") -> bool:
        """Put a bookmark at the cursor or take it away; returns whether there is one now."""
        t, marks = self.place.t, self.place.bookmarks
        left = tuple(mark for mark in marks if mark.t != t)
        if len(left) == len(marks):
            left = tuple(sorted((*marks, Bookmark(t, name or str(len(marks) + 1))), key=lambda mark: mark.t))
        self.place = replace(self.place, bookmarks=left)
        return len(left) > len(marks)

    def next_bookmark(self) -> Time | None:
        """Return the next bookmark after the cursor, the first one after the last; None without any."""
        times = [mark.t for mark in self.place.bookmarks]
        return next((t for t in times if t > self.place.t), times[0] if times else None)

    def toggle_pin(self, lane: str) -> None:
        """Put a lane on top, or back into its place."""
        self.place = replace(self.place, pinned=_toggled(self.place.pinned, lane))

    def toggle_fold(self, lane: str) -> None:
        """Hide a lane, or show it again."""
        self.place = replace(self.place, folded=_toggled(self.place.folded, lane))

    def view(self, place: Place, width: int) -> LaneView:
        """Return what lanes are made from."""
        hart = hart_at(self.store, place.t)
        return LaneView(self.index, place.visible, width, Hart(0) if hart is None else hart, place.watches)

    def complete(self, text: str, limit: int = 8) -> list[str]:
        """Return positions that begin with a text: the fixed words, then functions by name."""
        words = ("start", "end", "last-kernel", "pc=0x")
        if not text:
            return list(words)
        names = [name for name in (*words, *self.names.functions) if name.startswith(text)]
        inside = [name for name in self.names.functions if text in name and not name.startswith(text)]
        return [*names, *inside][:limit]

    def complete_bytes(self, text: str, limit: int = 8) -> list[str]:
        """Return names of bytes that begin with a text: registers, then functions."""
        if not text:
            return ["sp", "0x", "pa 0x"]
        registers = [name for name in self.trace.recording.arch.integer_registers if name.startswith(text)]
        return [*registers, *(name for name in self.names.functions if name.startswith(text))][:limit]


def _toggled(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    left = tuple(other for other in names if other != name)
    return left if name in names else (*names, name)


def row_of(address: int) -> int:
    """Return the address at which the row of memory that holds an address begins."""
    return address - address % ROW


def _kind(is_virtual: bool) -> type[VirtualAddress] | type[PhysicalAddress]:
    return VirtualAddress if is_virtual else PhysicalAddress


def _last_moment(trace: Trace) -> Time:
    """Return the last instruction of the kernel; the end of a trace is often firmware or nothing at all."""
    try:
        return trace.position("last-kernel")
    except PositionError:
        return Time(max(trace.end - 1, trace.start))
