"""An exception or a panic that a kernel did not get over, and what a guest that hangs was waiting for."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from tracedbg.detect import Certainty, Check, Evidence, Finding, Outcome, Severity
from tracedbg.detect.dead_vectors import dead_vector_finding, find_dead_vectors
from tracedbg.detect.evidence import backtrace_at, calls_text, code_at, stack_use
from tracedbg.detect.fault_story import FaultStory, fault_story, interrupted_code
from tracedbg.detect.last_words import console_tail, missing_banners
from tracedbg.detect.standstill import (
    HartTail,
    hart_tail_since,
    hart_tails,
    last_in_user_mode,
    waiting_contexts,
    waiting_evidence,
)
from tracedbg.detect.trap_storms import Storm, cascade_before, find_storms
from tracedbg.ids import Time
from tracedbg.kernel.panics import PanicCall
from tracedbg.kernel.trap_outcomes import TrapOutcome
from tracedbg.kernel.view import KernelView
from tracedbg.query import executed_at

BY_GUEST = ("guest-shutdown", "guest-reset")
"""Endings that the guest itself asked for."""
FRAMES = 8
STUCK = "No interrupt could wake a hart any more: it hangs, or was halted on purpose."
WAITS_OR_HANGS = "A guest that waits for input looks the same as one that hangs."


class FatalTrap:
    """Tells of traps that a kernel did not get over, of panics, and else of how the guest stood still."""

    name = "fatal-trap"
    summary = "a trap or a panic that the kernel did not get over, or what a guest that hangs waits for"
    needs = "traps and memory accesses with values; symbols, for panics without a trap"

    def run(self, view: KernelView) -> Iterable[Outcome]:
        """Yield a finding for each hart that a trap or a panic ended, or for the guest's standstill."""
        found = [dead_vector_finding(view, self.name, dead) for dead in find_dead_vectors(view)]
        found += _iter_storms(view)
        told = {finding.t for finding in found}
        for outcome in view.trap_outcomes.of_kernel():
            if outcome.returned is None and outcome.trap.t not in told:
                found += _of_kernel_trap(view, outcome)
        found += [_of_user_trap(view, outcome) for outcome in view.trap_outcomes.of_user()]
        found = _first_of_each_end(found)
        found += [_of_panic(view, call) for call in _panics_alone(view, found)]
        if not any(finding.severity is Severity.ERROR for finding in found):
            found += _standstill(view)
        yield from found
        yield from _checks(view)


def _checks(view: KernelView) -> Iterator[Check]:
    faults = view.trap_outcomes.faults
    kernel = int((faults["source"] != 0).sum())
    yield Check(f"{kernel} exceptions outside user mode and {len(faults) - kernel} in it")
    if not view.trace.symbols.functions():
        yield Check("panics without a trap: there are no symbols", is_done=False)


def _iter_storms(view: KernelView) -> Iterator[Finding]:
    for storm in find_storms(view):
        outcome = view.trap_outcomes.outcome(storm.first)
        end = "and then the same one over and over in its trap handler"
        finding = _of_trap(view, outcome, Severity.ERROR, end)
        yield replace(
            finding,
            certainty=Certainty.CERTAIN,
            why=_storm_text(storm),
            paragraph=f"{finding.paragraph} {_storm_text(storm)}".strip(),
        )


def _storm_text(storm: Storm) -> str:
    return (
        f"Up to the end of the recording the handler itself trapped {storm.count} times at {storm.pc:#x}, "
        f"at most {storm.apart} instructions apart, and never returned."
    )


def _of_kernel_trap(view: KernelView, outcome: TrapOutcome) -> Iterator[Finding]:
    if outcome.went_on is not None and outcome.cause_read:
        yield _of_trap(view, outcome, Severity.WARNING)
    elif outcome.is_final and (
        outcome.cause_read or _leads_to_panic(view, outcome) or _ends_in_a_loop(view, outcome)
    ):
        yield _of_final_trap(view, outcome)


def _of_final_trap(view: KernelView, outcome: TrapOutcome) -> Finding:
    """Tell of the trap that a hart did not get over; where its handler trapped itself, of the first one."""
    cascade = cascade_before(view, outcome.trap)
    if cascade is None:
        return _of_trap(view, outcome, Severity.ERROR)
    first = view.trap_outcomes.outcome(cascade.first)
    times = "one more" if cascade.count == 1 else f"{cascade.count} more"
    end = f"then {times} in its trap handler, after which its hart did nothing else"
    last = Evidence(
        outcome.trap.t,
        "trap",
        f"the last of {cascade.count} traps of the handler, at most {cascade.apart} instructions apart",
        outcome.trap.hart,
        interrupted_code(view, outcome.trap),
    )
    found = _of_trap(view, first, Severity.ERROR, end)
    chain = tuple(sorted([*found.chain, last], key=lambda item: item.t))
    return replace(found, certainty=Certainty.CERTAIN, why=_why(outcome), chain=chain)


def _ends_in_a_loop(view: KernelView, outcome: TrapOutcome) -> bool:
    """Say whether a handler that never asked for the cause only spins or waits, up to the end."""
    tail = hart_tail_since(view, outcome.trap.hart, outcome.handled_from)
    return tail is not None and (tail.is_looping or tail.is_idle) and not tail.is_busy


def _leads_to_panic(view: KernelView, outcome: TrapOutcome) -> bool:
    return any(call.t >= outcome.trap.t and call.hart == outcome.trap.hart for call in view.panics)


def _of_user_trap(view: KernelView, outcome: TrapOutcome) -> Finding:
    """A kernel may end a user program that faults; that it comes to its own end by it is another matter."""
    finding = _of_trap(view, outcome, Severity.INFO)
    if outcome.is_final and _leads_to_panic(view, outcome):
        return replace(finding, severity=Severity.ERROR)
    ruined = fault_story(view, outcome.trap).is_ruined
    return replace(finding, severity=Severity.WARNING) if ruined else finding


def _of_trap(view: KernelView, outcome: TrapOutcome, severity: Severity, end: str | None = None) -> Finding:
    """Return the finding on a trap; ``end`` says what came of it, where that is more than its own outcome."""
    trap, story = outcome.trap, fault_story(view, outcome.trap)
    title = _title(view, outcome, end or _end(outcome))
    use = None if outcome.context is None else stack_use(view, outcome.context)
    return Finding(
        detector=FatalTrap.name,
        severity=severity,
        title=title,
        t=trap.t,
        certainty=Certainty.CERTAIN if outcome.is_final and outcome.cause_read else Certainty.LIKELY,
        why=_why(outcome),
        owner=story.owner,
        stack=use,
        writer=story.writer,
        victim=story.victim,
        chain=_chain(view, outcome, story),
        paragraph=" ".join(part for part in (f"{title}.", _calls(view, outcome), story.text) if part),
    )


def _end(outcome: TrapOutcome) -> str:
    return "after which its hart did nothing else" if outcome.is_final else "from which it never came back"


def _title(view: KernelView, outcome: TrapOutcome, end: str) -> str:
    trap, arch = outcome.trap, view.index.arch
    code = interrupted_code(view, trap)
    where = f"{trap.epc:#x}" if code is None else code.text
    before = None if trap.last is None else executed_at(view.trace.store, trap.last)
    if code is not None and before is not None and before.privilege != trap.source:
        # It never got there: what went to a place that cannot be fetched is the return to it.
        where = f"{trap.epc:#x}, which {code.text} led to"
    cause = arch.cause_name(trap.cause)
    who = f"{arch.privilege_name(trap.source)} mode"
    return f"{who} took the exception '{cause}' ({trap.value:#x}) at {where}, {end}"


def _why(outcome: TrapOutcome) -> str:
    reads = "asked for its cause" if outcome.cause_read else "never asked for its cause"
    if outcome.went_on is None:
        return f"The handler {reads}, and its hart came to no user mode and no other context up to the end."
    return f"The handler {reads} and never returned; its hart came to other work at t {outcome.went_on:,}."


def _calls(view: KernelView, outcome: TrapOutcome) -> str:
    trap = outcome.trap
    if trap.last is None:
        return ""
    frames = backtrace_at(view, trap.last)
    return f"Under way: {calls_text(frames)}." if frames else ""


def _chain(view: KernelView, outcome: TrapOutcome, story: FaultStory) -> tuple[Evidence, ...]:
    trap = outcome.trap
    cause = view.index.arch.cause_name(trap.cause)
    text = f"{cause}: pc {trap.epc:#x}, value {trap.value:#x}"
    events = [*story.chain, Evidence(trap.t, "trap", text, trap.hart, interrupted_code(view, trap))]
    events += [
        Evidence(call.t, "panic", f"{call.function} is entered", call.hart, code_at(view, call.t))
        for call in view.panics
        if call.hart == trap.hart and call.t >= trap.t
    ]
    return tuple(sorted([*events, *console_tail(view, trap.t)], key=lambda item: item.t))


def _first_of_each_end(found: list[Finding]) -> list[Finding]:
    """Of several traps that ended one hart keep the first: the others are what came of it."""
    kept: list[Finding] = []
    ended: set[int | None] = set()
    for finding in sorted(found, key=lambda item: item.t):
        hart = next((item.hart for item in finding.chain if item.role == "trap"), None)
        if finding.severity is Severity.ERROR:
            if hart in ended:
                continue
            ended.add(hart)
        kept.append(finding)
    return kept


def _panics_alone(view: KernelView, found: list[Finding]) -> list[PanicCall]:
    """Return the first panic of each hart that no trap of ``found`` led to."""
    told = {
        event.hart for finding in found if finding.severity is not Severity.INFO for event in finding.chain
    }
    first: dict[int, PanicCall] = {}
    for call in view.panics:
        if call.went_on is None and call.hart not in told:
            first.setdefault(call.hart, call)
    return list(first.values())


def _of_panic(view: KernelView, call: PanicCall) -> Finding:
    frames = backtrace_at(view, call.t)
    said = console_tail(view, call.t)
    event = Evidence(call.t, "panic", f"{call.function} is entered", call.hart, code_at(view, call.t))
    text = "; ".join(item.text for item in said[-2:])
    calls = " < ".join(code.text for code in frames[1:FRAMES])
    return Finding(
        detector=FatalTrap.name,
        severity=Severity.ERROR,
        title=f"{call.function} was called, after which hart {call.hart} did nothing else",
        t=call.t,
        certainty=Certainty.LIKELY,
        why="The function's name says that it ends a kernel; it never returned.",
        stack=None if call.context is None else stack_use(view, call.context),
        chain=(event, *said),
        paragraph=f"{call.function} under {calls}. {text}".strip(),
    )


def _standstill(view: KernelView) -> Iterator[Finding]:
    """A guest that was ended from outside, or never printed what it should: what it was at in the end.

    That it was ended from outside is no fault, nor that nothing could have woken it: what halts when its work
    is done looks the same as what hangs, down to the stacks of tasks that have ended. Of a capture's end
    nothing is told: the guest ran on.
    """
    if view.trace.store.guest.is_capture:
        return
    ending, missing = view.trace.store.ending, missing_banners(view)
    by_guest = ending is not None and ending.how in BY_GUEST
    if (by_guest and not missing) or view.history.end is not None:
        return
    tails, waiting = hart_tails(view), waiting_contexts(view)
    if not tails:
        return
    user = last_in_user_mode(view)
    events = [waiting_evidence(view, item) for item in waiting]
    events += [Evidence(tail.t, "end", tail.text, tail.hart, code_at(view, tail.t)) for tail in tails]
    events += console_tail(view, Time(0))
    stuck = bool(waiting) and all(tail.is_idle and tail.is_deaf for tail in tails)
    sure, why = Certainty.POSSIBLE, WAITS_OR_HANGS
    if missing:
        sure, why = Certainty.CERTAIN, "tracedbg.toml says what a good run prints."
    elif stuck:
        sure, why = Certainty.LIKELY, STUCK
    yield Finding(
        detector=FatalTrap.name,
        severity=Severity.WARNING if missing else Severity.INFO,
        title=f"{_end_text(missing, by_guest=by_guest)}: {_doing(tails)}, {_wait_text(len(waiting))}",
        t=max(tail.t for tail in tails),
        certainty=sure,
        why=why,
        chain=tuple(sorted(events, key=lambda item: item.t)),
        paragraph="User mode never ran." if user is None else f"User mode ran last at t {user - 1}.",
    )


def _end_text(missing: tuple[str, ...], *, by_guest: bool) -> str:
    end = "the guest shut down" if by_guest else "the recording was ended from outside"
    return f"{', '.join(map(repr, missing))} was never printed, and {end}" if missing else end


def _wait_text(count: int) -> str:
    return "1 context waits" if count == 1 else f"{count} contexts wait"


def _doing(tails: list[HartTail]) -> str:
    return ", ".join(tail.text for tail in tails)
