"""How fast a stock gdb goes backwards through a served trace: as gdb's machine interface sees it."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import tracedbg
from benchmarks.machine import percentile
from benchmarks.report import Goal, Section
from tracedbg.gdb.hosting import hosted
from tracedbg.gdb.launch import GdbError, find_gdb
from tracedbg.gdb.log import Log
from tracedbg.gdb.mi import MachineInterface
from tracedbg.gdb.server import Served
from tracedbg.gdb.session import Session
from tracedbg.state import Trace

STEPS = 10
"""Steps at one moment: the first also reads what gdb wants to know of a new place."""
STEP_GOAL, RUN_GOAL = 0.02, 0.1


@dataclass
class Timings:
    """Seconds by the clock, and those in which the server's process, which also drives gdb, ran."""

    whole: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Adds what happens inside."""
        start, busy = time.perf_counter(), time.process_time()
        yield
        self.whole.append(time.perf_counter() - start)
        self.busy.append(time.process_time() - busy)


def measure(path: Path, count: int) -> dict[str, Timings]:
    """Steps and runs backwards from ``count`` random moments each."""
    bench = _Bench(random.Random(1), count)
    with tracedbg.open(path) as trace, _driven(trace) as driver:
        return {
            "reverse-stepi": bench.steps(trace, driver),
            "reverse-continue to a breakpoint": bench.runs(trace, driver, bench.breakpoint),
            "reverse-continue to a watchpoint": bench.runs(trace, driver, bench.watchpoint),
        }


@contextmanager
def _driven(trace: Trace) -> Iterator[MachineInterface]:
    gdb = find_gdb(trace.recording.arch.debugger_layout().architecture)
    with hosted(Served(trace, trace.start), ()) as target, MachineInterface(gdb, ()) as driver:
        for line in (*target.commands, target.connect):
            driver.console(line)
        yield driver


@dataclass(frozen=True)
class _Bench:
    chance: random.Random
    count: int

    def moment(self, trace: Trace) -> int:
        """A moment with a past."""
        return self.chance.randrange(trace.start + (trace.end - trace.start) // 20, trace.end)

    def steps(self, trace: Trace, driver: MachineInterface) -> Timings:
        """Single steps, some at each of the moments."""
        timings = Timings()
        for _ in range(self.count):
            Session(driver, Log()).goto(self.moment(trace))
            for _ in range(STEPS):
                with timings.taken():
                    driver.command("-exec-step-instruction --reverse")
        return timings

    def runs(
        self, trace: Trace, driver: MachineInterface, put: Callable[[Trace, Session], int | None]
    ) -> Timings:
        """Runs to what ``put`` sets at a random moment; those that hit nothing do not count."""
        timings, session = Timings(), Session(driver, Log())
        while len(timings.whole) < self.count:
            session.goto(self.moment(trace))
            number = put(trace, session)
            if number is None:
                continue
            tried = Timings()
            with tried.taken():
                answer = driver.command("-exec-continue --reverse")
            if answer.stopped and "reason" in answer.stopped:
                timings.whole += tried.whole
                timings.busy += tried.busy
            session.delete(number)
        return timings

    def breakpoint(self, trace: Trace, session: Session) -> int | None:
        """A breakpoint where something else ran at an earlier moment of the trace."""
        pc = trace.at(self.moment(trace)).pc
        return session.break_(f"*{pc:#x}")

    def watchpoint(self, _: Trace, session: Session) -> int | None:
        """A watchpoint on the top of the stack; None where no memory is there."""
        try:
            sp = session.evaluate("(unsigned long) $sp").value
            return session.watch(f"*(unsigned long *) {sp:#x}")
        except GdbError:
            return None


def section(timings: dict[str, Timings]) -> Section:
    """The table of steps and runs."""
    rows, goals = [], []
    for name, taken in timings.items():
        goal = STEP_GOAL if name == "reverse-stepi" else RUN_GOAL
        cells = [percentile(values, percent) for values in (taken.whole, taken.busy) for percent in (50, 95)]
        rows.append(" | ".join([name, str(len(taken.whole)), *map(_ms, cells), _ms(max(taken.whole))]))
        goals.append(Goal(f"{name}, p95 under {_ms(goal)}", _ms(cells[1]), cells[1] < goal))
    head = "what | times | p50 | p95 | p50 of processor time | p95 of processor time | longest"
    return Section("reverse", head, rows, goals)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 0.01 else f"{seconds * 1000:.0f} ms"
