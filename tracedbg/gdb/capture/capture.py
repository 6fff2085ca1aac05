"""Capturing: lets a guest run to stops and steps it, and writes what each stop shows."""

from collections.abc import Callable
from dataclasses import replace
from math import inf
from time import monotonic

from tracedbg.format.schema import NEVER, PAGE_SIZE, Source, StopReason
from tracedbg.gdb.capture.access import Access
from tracedbg.gdb.capture.build_check import BuildCheck
from tracedbg.gdb.capture.condition import Condition
from tracedbg.gdb.capture.epoch import EpochColumns
from tracedbg.gdb.capture.guest import LiveGuest
from tracedbg.gdb.capture.plan import Plan, Stop
from tracedbg.gdb.capture.stepper import Stepper
from tracedbg.gdb.capture.stub import StopReply, StubError, StubGoneError
from tracedbg.gdb.capture.survey import Survey
from tracedbg.gdb.capture.watch import Watch, find_target
from tracedbg.gdb.capture.writer import CaptureWriter, Code, Told

POLL_SECONDS = 0.2
SEARCH_SECONDS = 0.05
"""How long the guest runs on while watched bytes have not been met in any address space."""
STEPS_AT_ONCE = 1 << 12
"""Steps between two looks at whether the capture is to end."""
INTERRUPT_SECONDS = 20.0
SIGINT = 2
"""The signal of a stop that was asked for."""


class Capture:
    """One capture, from the guest's standing still to the end of the plan.

    ``stop_soon`` ends it from a signal handler or another thread. ``how`` says how it ended, ``notes`` what
    was found amiss.
    """

    def __init__(self, guest: LiveGuest, writer: CaptureWriter, plan: Plan, builds: BuildCheck) -> None:
        self._guest = guest
        self._writer = writer
        self._plan = plan
        self._builds = builds
        self._survey = Survey(guest, plan.wanted)
        self._breaks: set[int] = set()
        self._watches = [Watch(*watch) for watch in plan.watches]
        self._hart = 0
        self._count = 0
        self._deadline = None if plan.seconds is None else monotonic() + plan.seconds
        self._is_wanted = True
        self._is_interrupted = False
        self.how = "detach"
        self.notes: list[str] = []
        self.status: int | None = None

    def stop_soon(self) -> None:
        """End at the next stop, and make the guest stop for that."""
        self._is_wanted = False

    def interrupt(self) -> None:
        """Make a guest that runs stop, without ending the capture; harmless when it stands still."""
        self._is_interrupted = True

    def run(self, on_stop: Callable[[Stop], None]) -> None:
        """Capture to the end of the plan, or until QEMU has ended; the guest then runs on by itself."""
        try:
            self._run(on_stop)
            self.detach()
        except StubGoneError as error:
            self.how, self.status = "qemu-gone", error.status

    def _run(self, on_stop: Callable[[Stop], None]) -> None:
        stop = self.attach()
        on_stop(stop)
        while not self._is_over(stop):
            first = stop.reason is StopReason.ATTACHED and self._plan.runs
            if self._plan.steps and stop.reason is not StopReason.STEP and not first:
                stop = self.step(self._plan.steps, self._plan.until)
            elif self._plan.runs:
                stop = self.resume()
            else:
                return
            on_stop(stop)

    @property
    def _left(self) -> float:
        """Seconds until the capture is to end."""
        return inf if self._deadline is None else self._deadline - monotonic()

    def _is_over(self, stop: Stop) -> bool:
        plan = self._plan
        if plan.until is not None and plan.until.holds(self._guest, stop.hart):
            return True
        # The steps after a stop are a part of it.
        steps_follow = bool(plan.steps) and stop.reason is not StopReason.STEP
        enough = plan.stops is not None and self._count >= plan.stops and not steps_follow
        return enough or self._left <= 0 or not self._is_wanted

    def attach(self) -> Stop:
        """Write the first stop, and set breakpoints."""
        self._writer.begin(self._guest.describe())
        self._writer.epoch(EpochColumns(self._writer.t, 0, self._guest.harts))
        stop = self._tell(Told(), StopReason.ATTACHED, None)
        for address in self._plan.breaks:
            self.set_break(address)
        return stop

    def set_break(self, address: int) -> None:
        """Stop before the instruction at a virtual address."""
        self._guest.stub.expect_ok(b"Z0,%x,2" % address, f"set a breakpoint at {address:#x}")
        self._breaks.add(address)

    def clear_break(self, address: int) -> None:
        """Stop there no more."""
        self._guest.stub.ask(b"z0,%x,2" % address)
        self._breaks.discard(address)

    @property
    def breaks(self) -> frozenset[int]:
        """The breakpoints that are set."""
        return frozenset(self._breaks)

    def watch(self, virtual: int, size: int) -> bool:
        """Stop at stores to these bytes; return whether it is known by now where they lie."""
        watch = Watch(virtual, size)
        self._watches.append(watch)
        self._settle()
        self._tell_step()
        return bool(watch.homes)

    def read(self, virtual: int, size: int) -> bool:
        """Read bytes of the guest as it stands, for the trace; return whether all of them could be read."""
        pages = range(virtual & -PAGE_SIZE, virtual + size, PAGE_SIZE)
        places = [self._guest.translate(self._hart, page) for page in pages]
        found = [place is not None and self._guest.memory.page(place) is not None for place in places]
        self._tell_step()
        return all(found)

    def detach(self) -> None:
        """Let the guest run on; breakpoints and watchpoints go."""
        for address in self.breaks:
            self.clear_break(address)
        for watch in self._watches:
            watch.pause(self._guest)
        self._guest.detach()

    def step(self, count: int, until: Condition | None = None) -> Stop:
        """Take single steps on the hart that stopped, while the others stand still."""
        met = None if until is None else (lambda: until.holds(self._guest, self._hart))
        taken = 0
        self._is_interrupted = False
        while True:
            part = min(count - taken, STEPS_AT_ONCE)
            window = Stepper(self._guest, self._writer, self._hart).run(part, met)
            taken += window.steps
            if window.watched is not None:
                taken += 1
                stop = self._watched(window.watched, Told())
                if stop is not None:
                    return replace(stop, steps=taken)
            # Fewer than were wanted: a condition holds, or the hart waits for an interrupt.
            elif window.steps < part or self._is_late:
                break
            if taken >= count:
                break
        return self._tell(Told(), StopReason.STEP, None, steps=taken)

    @property
    def _is_late(self) -> bool:
        return not self._is_wanted or self._is_interrupted or self._left <= 0

    def resume(self) -> Stop:
        """Let all harts run to the next stop that counts."""
        while True:
            pc = self._guest.harts[self._hart].pc
            if pc in self._breaks:
                # A breakpoint stops again and again before its own instruction.
                self._step_over()
            stop = self._resume()
            if stop is not None:
                return stop

    def _resume(self) -> Stop | None:
        """Run to the next stop; None for a watchpoint that was hit elsewhere than at the watched place."""
        guest, hart = self._guest, self._hart
        code = guest.code(hart, guest.harts[hart].pc)
        if code is None:
            raise StubError(
                f"no instruction can be read at {guest.harts[hart].pc:#x}, where hart {hart} stands"
            )
        epoch = EpochColumns(self._writer.t, hart, guest.harts)
        state = guest.harts[hart]
        epoch.start(self._writer.block(Code(state.pc, *code, state.privilege, 0, Source.ANY)))
        epoch.leave_open()
        guest.forget()
        guest.stub.resume(b"c")
        try:
            reply, reason = self._wait()
            guest.look()
        except StubGoneError:
            self._writer.epoch(epoch)
            self._writer.tell(Told(gaps=[self._writer.t]))
            raise
        self._hart = guest.hart_of(reply)
        for number, after in enumerate(guest.harts):
            epoch.all_registers(number, after)
        self._writer.epoch(epoch)
        if reply.watched is not None:
            return self._watched(reply.watched, Told(gaps=[self._writer.t]))
        if reason is None:
            self._writer.tell(Told(gaps=[self._writer.t]))
            self._survey.look()
            self._settle()
            self._tell_step()
            return None
        return self._ran(reason, guest.harts[self._hart].pc)

    def _wait(self) -> tuple[StopReply, StopReason | None]:
        """Wait for a stop, and make one when time is over or the capture is to end.

        The reason is None for a stop to look for watched bytes in the address spaces that are in force then.
        """
        stub = self._guest.stub
        is_search = not all(watch.homes for watch in self._watches)
        while not self._is_late:
            reply = stub.wait(min(SEARCH_SECONDS if is_search else POLL_SECONDS, self._left))
            if reply is not None:
                watched = reply.watched is not None
                return reply, StopReason.WATCHPOINT if watched else StopReason.BREAKPOINT
            if is_search:
                break
        is_asked = self._is_late
        if is_asked:
            # Only what was seen: another thread may ask at any time, and is then answered by the next wait.
            self._is_interrupted = False
        stub.interrupt()
        reply = stub.wait(INTERRUPT_SECONDS)
        if reply is None:
            raise StubError(f"the guest did not stop within {INTERRUPT_SECONDS:g} s of being interrupted")
        if reply.signal != SIGINT:
            # It was about to stop by itself.
            return reply, StopReason.BREAKPOINT
        return reply, StopReason.INTERRUPT if is_asked else None

    def _ran(self, reason: StopReason, pc: int) -> Stop:
        if reason is StopReason.BREAKPOINT and pc not in self._breaks:
            reason = StopReason.OTHER
        self._count += 1
        address = pc if reason is StopReason.BREAKPOINT else None
        return self._tell(Told(gaps=[self._writer.t]), reason, address)

    def _watched(self, address: int, told: Told) -> Stop | None:
        """Write a watchpoint's stop, with what else is told of it; None for a store at another place.

        QEMU stops before the instruction that is going to store, which is then stepped over.
        """
        target = find_target(self._guest, self._hart)
        elsewhere = target is not None and not any(
            watch.holds(target.physical, target.size) for watch in self._watches
        )
        stop = None
        if not elsewhere:
            self._count += 1
            stop = self._tell(told, StopReason.WATCHPOINT, address)
        else:
            self._writer.tell(told)
        store = self._step_over()
        self._tell_step()
        return None if stop is None else replace(stop, store=store)

    def _step_over(self) -> Access | None:
        """Step over an instruction that a breakpoint or watchpoint stands at; return what it stored."""
        for watch in self._watches:
            watch.pause(self._guest)
        window = Stepper(self._guest, self._writer, self._hart).run(1)
        for watch in self._watches:
            watch.go_on(self._guest)
        return next((access for access in window.last if access.is_store), None)

    def _tell_step(self) -> None:
        """Write where the harts stand, and what was read, where no stop is shown."""
        told = Told(places=self._places())
        told.samples += [(self._writer.t, *page) for page in self._guest.memory.take_fresh()]
        self._writer.tell(told)

    def _places(self) -> list[tuple[int, int, int, int]]:
        harts = enumerate(self._guest.harts)
        return [(self._writer.t, number, state.pc, state.privilege) for number, state in harts]

    def _tell(
        self,
        told: Told,
        reason: StopReason,
        address: int | None,
        *,
        steps: int = 0,
    ) -> Stop:
        """Look at the guest, write what was found, and return it."""
        t, hart, guest = self._writer.t, self._hart, self._guest
        stacks, ranges = self._survey.stacks(), self._survey.ranges(hart)
        self._settle()
        notes = self._builds.look(guest)
        self.notes += notes
        told.stops.append((t, hart, reason, NEVER if address is None else address))
        told.places += self._places()
        told.samples += [(t, *page) for page in guest.memory.take_fresh()]
        self._writer.tell(told)
        state = guest.harts[hart]
        return Stop(
            self._count, t, hart, reason, address, state, stacks, ranges, steps=steps, notes=notes
        )  # fmt: skip

    def _settle(self) -> None:
        """Set watchpoints in the address spaces that are in force on any hart."""
        for watch in self._watches:
            for hart in range(len(self._guest.harts)):
                watch.settle(self._guest, hart)
