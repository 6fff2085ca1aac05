"""Stacks that ran into the unmapped page below them, and how close others came to their lowest address."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from tracedbg.arch import TrapKind
from tracedbg.detect import Certainty, Check, Evidence, Finding, Outcome, Severity
from tracedbg.detect.evidence import backtrace_at, calls_text, code_at, stack_use, writer_at
from tracedbg.ids import Time, VirtualAddress
from tracedbg.kernel.stacks import Stack
from tracedbg.kernel.trap_outcomes import TrapOutcome
from tracedbg.kernel.view import KernelView

BELOW = 1 << 16
"""How far below a stack an access may lie that a guard page catches, in bytes."""
LOW_SHARE = 0.05


class GuardPage:
    """Tells of faults right below a stack whose base is known, and of stacks that were nearly used up."""

    name = "guard-page"
    summary = "a stack overflow that a guard page caught, and stacks with almost nothing left"
    needs = "traps, paging for guard pages; symbols or unmapped pages below stacks tell where these end"

    def run(self, view: KernelView) -> Iterable[Outcome]:
        """Yield a finding for each stack that was used up, and a Check for what was left of the others."""
        caught: dict[int, Finding] = {}
        for outcome in view.trap_outcomes.of_kernel():
            stack = None if outcome.context is None else view.stack_of(outcome.context)
            if stack is not None and stack.number not in caught and _is_caught(view, outcome, stack):
                caught[stack.number] = _caught(view, outcome, stack)
        yield from caught.values()
        known = [stack for stack in view.stacks if stack.base is not None]
        others = [stack for stack in known if stack.number not in caught]
        for stack in others:
            if 0 <= _left(stack) < LOW_SHARE * (stack.size or 0):
                yield _nearly_used_up(view, stack)
        yield from _checks(view, others)


def _checks(view: KernelView, others: list[Stack]) -> Iterator[Check]:
    roomy = [stack for stack in others if _left(stack) >= LOW_SHARE * (stack.size or 0)]
    if roomy:
        least = min(roomy, key=lambda stack: _left(stack) / (stack.size or 1))
        text = f"{_left(least)} bytes of {least.size} or more were left of {len(roomy)} stacks"
        yield Check(f"{text}, the least of {least.name}")
    unknown = [stack for stack in view.stacks if stack.base is None]
    if unknown:
        text = f"how much was left of {len(unknown)} stacks: nothing tells where they end"
        yield Check(text, is_done=False)


def _left(stack: Stack) -> int:
    """Return the bytes between a stack's base and the lowest stack pointer; below 0 when it went past."""
    assert stack.base is not None
    return stack.low - stack.base


def _is_caught(view: KernelView, outcome: TrapOutcome, stack: Stack) -> bool:
    trap = outcome.trap
    if outcome.returned is not None or view.index.arch.trap_kind(trap.cause) is not TrapKind.DATA:
        return False
    if stack.base is None or trap.last is None or not stack.base - BELOW <= trap.value < stack.base:
        return False
    moment = view.trace.at(trap.last, hart=trap.hart)
    return moment.translate(VirtualAddress(trap.value)).physical is None


def _caught(view: KernelView, outcome: TrapOutcome, stack: Stack) -> Finding:
    trap, last = outcome.trap, outcome.trap.last
    assert outcome.context is not None
    assert last is not None
    assert stack.base is not None
    writer = writer_at(view, last)
    calls = calls_text(writer.backtrace)
    fault = (
        f"{view.index.arch.cause_name(trap.cause)} at {trap.value:#x}, {stack.base - trap.value} bytes below"
    )
    title = f"{stack.name} overflowed into its guard page: {writer.code.text} touched {trap.value:#x}"
    return Finding(
        detector=GuardPage.name,
        severity=Severity.ERROR,
        title=title,
        t=last,
        certainty=Certainty.CERTAIN,
        why=f"The address lies below the stack's base ({stack.base_source.value}), where nothing is mapped.",
        stack=stack_use(view, outcome.context),
        writer=writer,
        chain=(Evidence(last, "fault", fault, trap.hart, writer.code, virtual=VirtualAddress(trap.value)),),
        paragraph=f"All {stack.size} bytes of {stack.name} were in use. Under way: {calls}.",
    )


def _nearly_used_up(view: KernelView, stack: Stack) -> Finding:
    context = next(
        view.history.contexts[number]
        for number in stack.contexts
        if view.history.contexts[number].low == stack.low
    )
    t = _deepest(view, stack)
    frames = backtrace_at(view, t)
    text = f"{_left(stack)} bytes of {stack.size} left"
    return Finding(
        detector=GuardPage.name,
        severity=Severity.WARNING,
        title=f"{stack.name} was almost used up: {text}",
        t=t,
        certainty=Certainty.CERTAIN,
        why=f"Its lowest address is known: {stack.base_source.value}.",
        stack=replace(stack_use(view, context), lowest_sp=VirtualAddress(stack.low)),
        chain=(
            Evidence(t, "deepest", f"sp {stack.low:#x}, {text}", view.trace.at(t).hart, code_at(view, t)),
        ),
        paragraph=f"Under way: {calls_text(frames)}.",
    )


def _deepest(view: KernelView, stack: Stack) -> Time:
    """Return the moment at which the lowest stack pointer of a stack was reached."""
    stints = view.history.stints
    place = view.history.stint_at(view.trace.at(stack.low_t).hart, Time(stack.low_t))
    stop = Time(stack.low_t if place is None else int(stints["stop"][place]))
    rows = view.trace.register_writes(view.index.sp_name, between=(stack.low_t, stop))
    own = rows["t"][rows["value"] == stack.low]
    return Time(int(own[0]) if len(own) else stack.low_t)
