"""The one object that holds what a person changes: where they are, what they picked out, what they see."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import Enum
from functools import lru_cache, partial

from tracedbg.errors import PositionError
from tracedbg.ids import Hart, Time
from tracedbg.query import Access, hart_at, last_read, last_write, next_read, next_write
from tracedbg.session import completing, marks, stepping
from tracedbg.session import timeline as stretch
from tracedbg.session.answers import Answers
from tracedbg.session.byte_text import find_selection
from tracedbg.session.evidence import FindingRow
from tracedbg.session.examination import NOT_EXAMINED, Examination
from tracedbg.session.function_steps import FunctionSteps, StepError
from tracedbg.session.lanes import BUILT_IN, Lane, LaneSource, LaneView
from tracedbg.session.lanes.overview import overview
from tracedbg.session.naming import Names
from tracedbg.session.place import Place, Selection, Watch
from tracedbg.session.running_context import Check, go_on
from tracedbg.session.selecting import (
    SELECTED_BYTES,
    as_watch,
    in_other_space,
    row_of,
    selected,
    with_selection,
)
from tracedbg.session.trace import Trace as WholeTrace
from tracedbg.session.trace import kernel_of
from tracedbg.state import Moment, Trace

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
    """A question about the selected bytes whose answer is an access."""

    LAST_WRITE = "last write"
    NEXT_WRITE = "next write"
    LAST_READ = "last read"
    NEXT_READ = "next read"


class Session:
    """A person's place in a trace, and everything that can be asked from there.

    What searches takes a place or a moment and returns a value, so that it can run in a thread; only
    ``place`` and ``examination`` (what is known of the kernel) change, and each is swapped as a whole.
    ``last_kernel`` is the last instruction of the kernel, where a session opens unless told otherwise.
    ``lanes`` are the sources of the timeline's lanes; a layer above may add its own. ``kernel`` is the
    kernel's view, of which nothing may be asked that takes a pass over the trace.
    """

    def __init__(
        self, trace: Trace, *, at: Time | None = None, lanes: Sequence[LaneSource] = BUILT_IN
    ) -> None:
        self.lanes = tuple(lanes)
        self._read(trace)
        self.place = self._opening(self.last_kernel if at is None else at)

    def _read(self, trace: Trace) -> None:
        self.trace = trace
        self.store = trace.store
        self.kernel = trace.kernel if isinstance(trace, WholeTrace) else kernel_of(trace)
        self.index = self.kernel.index
        self.names = Names(trace.symbols)
        self.answers = Answers(trace, self.names)
        self.moment: Callable[[Time], Moment] = lru_cache(maxsize=MOMENTS_KEPT)(trace.at)
        self.overview: Callable[[int], Lane] = lru_cache(maxsize=2)(self._overview)
        self.last_kernel = last_moment(trace)
        self.examination: Examination = NOT_EXAMINED

    def follow(self, trace: Trace) -> None:
        """Go on with a longer snapshot of the same trace, whose end becomes the place.

        What still searches the snapshot before may go on: every moment of it is in this one, too.
        """
        self._read(trace)
        self.go(trace.end)

    def _opening(self, t: Time) -> Place:
        visible = stretch.around(self.store, t, stretch.FIRST_VISIBLE)
        stack_pointer = self.moment(t).registers.find(self.trace.recording.arch.stack_pointer)
        selection = selected(stack_pointer or 0, SELECTED_BYTES, is_virtual=True)
        if stack_pointer is None and self.store.guest.ram:
            selection = selected(self.store.guest.ram[0].start, SELECTED_BYTES, is_virtual=False)
        return Place(t, t, visible, selection, row_of(selection.address))

    def _overview(self, width: int) -> Lane:
        return overview(self.index, width)

    def step(self, step: Step, t: Time, check: Check = go_on) -> Time:
        """Return where a step from ``t`` leads; StepError where there is nowhere."""
        functions = FunctionSteps(self.index, self.moment, check)
        moves: dict[Step, Callable[[Time], Time]] = {
            Step.INSTRUCTION: partial(stepping.next_instruction, self.store),
            Step.INSTRUCTION_BACK: partial(stepping.last_instruction, self.store),
            Step.BLOCK: partial(stepping.next_block, self.store),
            Step.BLOCK_BACK: partial(stepping.last_block, self.store),
            Step.OVER: functions.over_forward,
            Step.OVER_BACK: functions.over_backward,
            Step.OUT: functions.out_forward,
            Step.OUT_BACK: functions.out_backward,
        }
        found = moves[step](t)
        if found == t:
            raise StepError("this is the trace's " + ("end" if t == self.store.end else "start"))
        return found

    def resolve(self, text: str) -> Time:
        """Return the moment that a person's text names; PositionError, which says what would, for none."""
        return self.trace.position(text)

    def complete(self, text: str) -> list[str]:
        """Return positions that begin with a text, or have it in them."""
        return completing.complete_position(text, self.names.functions)

    def ask(self, question: Question, place: Place) -> Access | None:
        """Return the access that a question asks for, None where there is none.

        UnmappedError where the selected bytes have no physical address.
        """
        watch, t = as_watch(self.moment(place.t), place.selection), place.t
        where = (watch.start, watch.size)
        if question in (Question.LAST_WRITE, Question.LAST_READ):
            find = last_write if question is Question.LAST_WRITE else last_read
            return find(self.store, where, t)
        find = next_write if question is Question.NEXT_WRITE else next_read
        # The access of the instruction at the cursor was the answer before: go on behind it.
        return find(self.store, where, Time(min(t + 1, self.store.end)))

    def who(self, place: Place) -> str:
        """Say who wrote the selected bytes as they are now, and under which calls."""
        access = self.ask(Question.LAST_WRITE, place)
        if access is None:
            return f"{place.selection.text}: not written before this t"
        return f"{place.selection.text} {self.answers.with_callers(access)}"

    def find_bytes(self, place: Place, text: str) -> Selection:
        """Return the bytes that a person's text names; UsageError for none."""
        virtual = place.selection.is_virtual
        return find_selection(text, self.moment(place.t), self.trace.symbols, virtual=virtual)

    def complete_bytes(self, text: str) -> list[str]:
        """Return names of bytes that begin with a text, or have it in them."""
        return completing.complete_bytes(
            text, self.trace.recording.arch.integer_registers, self.names.functions
        )

    def in_other_space(self, place: Place) -> Selection:
        """Return the selected bytes by physical instead of virtual address, or the other way round."""
        return in_other_space(self.moment(place.t), place.selection)

    def find_watch(self, place: Place) -> Watch:
        """Return the selected bytes as something to watch; UnmappedError where they are not mapped."""
        return as_watch(self.moment(place.t), place.selection)

    def view(self, place: Place, width: int) -> LaneView:
        """Return what lanes are made from."""
        hart = hart_at(self.store, place.t)
        chosen = Hart(0) if hart is None else hart
        examined = self.examination
        kernel = self.kernel if examined.view is None else examined.view
        return LaneView(self.index, place.visible, width, chosen, place.watches, kernel, examined)

    def select(self, selection: Selection) -> None:
        """Pick out bytes and show them."""
        self.place = with_selection(self.place, selection)

    def go(self, t: Time) -> None:
        """Move the cursor; the visible stretch follows."""
        visible = stretch.following(self.store, self.place.visible, t)
        self.place = replace(self.place, t=t, came_from=self.place.t, visible=visible)

    def show_evidence(self, row: FindingRow) -> None:
        """Go to what happened, pick its bytes out by physical address, and watch them."""
        self.go(row.t)
        if row.bytes is not None:
            self.select(selected(row.bytes.start, row.bytes.size, is_virtual=False))
            self.place = marks.with_watched(self.place, row.bytes)

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


def last_moment(trace: Trace) -> Time:
    """Return the last instruction of the kernel; the end of a trace is often firmware or nothing at all."""
    try:
        return trace.position("last-kernel")
    except PositionError:
        return Time(max(trace.end - 1, trace.start))
