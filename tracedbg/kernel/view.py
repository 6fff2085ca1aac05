"""The kernel's view of one trace: everything of this package, made when it is first asked for."""

from functools import cached_property
from threading import RLock

from tracedbg.ids import Hart, Time, VirtualAddress
from tracedbg.kernel.call_arguments import ArgumentReader
from tracedbg.kernel.call_names import CallNames
from tracedbg.kernel.contexts import NO_CONTEXT, Context
from tracedbg.kernel.frame_accesses import FrameAccesses, frame_accesses
from tracedbg.kernel.frame_damage import FrameDamage, FrameDamages
from tracedbg.kernel.guards import GuardPages
from tracedbg.kernel.hints import NO_HINTS, Hints
from tracedbg.kernel.history import Progress, StackHistory, no_progress, read_history
from tracedbg.kernel.other_work import OtherWork
from tracedbg.kernel.overrun_data import OverrunData, OverrunDatas
from tracedbg.kernel.owners import Owners
from tracedbg.kernel.panics import PanicCall, find_panics
from tracedbg.kernel.stack_aliases import find_aliases
from tracedbg.kernel.stack_allocations import Allocation, stack_allocations
from tracedbg.kernel.stack_bases import with_mapped_bases
from tracedbg.kernel.stacks import Stack, cluster
from tracedbg.kernel.system_calls import SystemCalls
from tracedbg.kernel.task_labels import label_stints
from tracedbg.kernel.task_names import named, programs_of
from tracedbg.kernel.tasks import Task, Tasks
from tracedbg.kernel.trace_index import TraceIndex
from tracedbg.kernel.trap_outcomes import TrapOutcomes
from tracedbg.kernel.user_pages import UserPages
from tracedbg.query.accesses import Range
from tracedbg.state import Trace


class KernelView:
    """What a kernel did, from the trace and the instruction set alone; symbols add names.

    What needs a pass over the whole trace is made once; ``progress`` is told how far that is. ``hints`` are
    what the kernel's author added. May be shared between threads.
    """

    def __init__(self, trace: Trace, progress: Progress = no_progress, hints: Hints = NO_HINTS) -> None:
        self.trace = trace
        self.hints = hints
        self.index = TraceIndex(trace.store)
        self._progress = progress
        self._lock = RLock()

    def without_symbols(self) -> "KernelView":
        """Return the view of the same trace without its symbols; what was gathered without them is kept."""
        bare = KernelView(self.trace.without_symbols(), self._progress, self.hints)
        if self.is_made("history"):
            bare.history = self.history
        return bare

    def is_made(self, name: str) -> bool:
        """Say whether a property has been asked for, so that asking again costs nothing."""
        return name in vars(self)

    @cached_property
    def history(self) -> StackHistory:
        """The uses of stacks, and the pages that stacks and user mode touched."""
        with self._lock:
            history = read_history(self.index, self._progress)
            aliases = find_aliases(self.trace, self.index, history)
            return history if aliases is None else read_history(self.index, self._progress, aliases)

    @cached_property
    def stacks(self) -> tuple[Stack, ...]:
        """The stacks outside user mode, in order of first use."""
        stacks = cluster(self.history.contexts, self.trace.symbols, self._allocations)
        return tuple(with_mapped_bases(self.trace, self.index, self.history, stacks))

    @cached_property
    def _allocations(self) -> list[Allocation]:
        return stack_allocations(self.trace, self.index, self.hints.stack_allocators)

    @cached_property
    def guards(self) -> GuardPages:
        """The guard pages of stacks."""
        return GuardPages(self.trace, self.history, self.stacks, self._allocations)

    @cached_property
    def _stack_of(self) -> dict[int, Stack]:
        return {number: stack for stack in self.stacks for number in stack.contexts}

    def stack_of(self, context: Context | int) -> Stack | None:
        """Return the stack that a context uses."""
        return self._stack_of.get(context if isinstance(context, int) else context.number)

    @cached_property
    def user_pages(self) -> UserPages:
        """The pages of user address spaces."""
        return UserPages(self.trace, self.index, self.history)

    @cached_property
    def owners(self) -> Owners:
        """What frames are used for."""
        return Owners(self.trace, self.history, self._stack_of, self.user_pages, self.guards)

    @cached_property
    def frame_damages(self) -> tuple[FrameDamage, ...]:
        """Live frames of stacks that were stored over and used, in order of the use's t."""
        return FrameDamages(self.trace, self.index, self.history).all

    @cached_property
    def overrun_data(self) -> tuple[OverrunData, ...]:
        """Data that stacks ran down over and that was read then, in order of the load's t."""
        return OverrunDatas(self.trace, self.index, self.history, self.stack_of).all

    @cached_property
    def share_without_stack(self) -> float:
        """The part of what ran outside user mode that ran on no stack known to be the kernel's own."""
        rows = self.history.stints
        length = (rows["stop"] - rows["t"]) * (rows["privilege"] != 0)
        without = length[self.history.context_of == NO_CONTEXT].sum()
        return float(without / max(int(length.sum()), 1))

    @cached_property
    def system_calls(self) -> SystemCalls:
        """The calls of user mode."""
        return SystemCalls(self.index)

    @cached_property
    def call_names(self) -> CallNames:
        """The names of system calls, where they are confirmed."""
        return CallNames(self.index, lambda: self.system_calls, self.trace.symbols, self.hints.system_calls)

    @cached_property
    def arguments(self) -> ArgumentReader:
        """Decodes the arguments of system calls."""
        return ArgumentReader(self.trace)

    @cached_property
    def task_times(self) -> Tasks:
        """Who runs when, by numbers of tasks."""
        return Tasks(self.index, self.history, label_stints(self.index, self.history, self.stacks))

    @cached_property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks in order of their numbers, which count from 1."""
        programs = programs_of(self.task_times, self.system_calls, self.call_names, self.arguments)
        return named(self.trace, self.task_times, programs, self.hints.task_tables)

    def task_at(self, hart: Hart, t: Time) -> Task | None:
        """Return the task that a hart works for at ``t``, in user mode or in the kernel."""
        number = self.task_times.number_at(hart, t)
        return None if number is None else self.tasks[number - 1]

    @cached_property
    def trap_outcomes(self) -> TrapOutcomes:
        """What became of exceptions."""
        return TrapOutcomes(self.index, self.history, self.other_work)

    @cached_property
    def other_work(self) -> OtherWork:
        """What harts came to after a moment."""
        return OtherWork(self.index, self.history)

    @cached_property
    def panics(self) -> tuple[PanicCall, ...]:
        """Calls of functions that end a kernel, by their names, of which none returned; in order of t."""
        return tuple(find_panics(self.trace, self.index, self.history, self.other_work))

    def context_at(self, hart: Hart, t: Time) -> Context | None:
        """Return the context that a hart runs in at ``t``; None in user mode and where none is known."""
        return self.history.context_at(hart, t)

    def is_translated(self, root: int) -> bool:
        """Say whether a value of the address space register turns translation on."""
        return self.index.arch.address_space_of(root).is_translated

    def highest_address(self, context: Context) -> VirtualAddress:
        """Return the highest address of the stack that a context uses."""
        return VirtualAddress(max(context.top - 1, 0))

    def accesses(self, where: Range, between: tuple[Time, Time] | None = None) -> FrameAccesses:
        """Return the accesses to physical memory, each with the stack that was in use."""
        window = (self.trace.start, self.trace.end) if between is None else between
        return frame_accesses(self.index, self.history, where, window)
