"""Timeouts that were not what the caller had written when the kernel read them."""

from collections.abc import Iterable, Iterator

from tracedbg.detect import (
    Certainty,
    Check,
    Evidence,
    Finding,
    Outcome,
    Owner,
    Severity,
    Victim,
    VirtualPlace,
)
from tracedbg.detect.evidence import access_evidence, bytes_at, code_at, stack_use, writer_at
from tracedbg.detect.timespecs import (
    Fault,
    GivenTimespec,
    Ruined,
    Undecided,
    given_timespec,
    judge,
    rows_with_timespecs,
)
from tracedbg.ids import Time
from tracedbg.kernel.call_arguments import TIMESPEC_BYTES, Timespec, result_text
from tracedbg.kernel.view import KernelView
from tracedbg.query import Kind

MOST_CALLS = 4096
"""Calls that are looked at; of more the last ones."""


class FutexTimespec:
    """Convicts the last writer of a timespec that a call handed to the kernel."""

    name = "futex-timespec"
    summary = (
        "a timespec given to futex, nanosleep, ppoll and the like was overwritten before the kernel read it"
    )
    needs = "system calls with confirmed names; memory accesses with values; paging"

    def run(self, view: KernelView) -> Iterable[Outcome]:
        """Yield a finding for each way in which timespecs were ruined, and remarks on odd ones."""
        rows = rows_with_timespecs(view)
        if not len(rows):
            yield _nothing(view)
            return
        given = [
            found for row in rows[-MOST_CALLS:].tolist() if (found := given_timespec(view, row)) is not None
        ]
        judged = [(item, judge(view, item)) for item in given]
        yield from _findings(view, [found for _, found in judged if isinstance(found, Ruined)])
        yield from _remarks(view, [item for item, found in judged if found is None])
        undecided = sum(isinstance(found, Undecided) for _, found in judged)
        if undecided:
            text = f"{undecided} timespecs: the kernel's stack is itself mapped for user mode"
            yield Check(text, is_done=False)
        if len(rows) > MOST_CALLS:
            yield Check(f"timespecs of all but the last {MOST_CALLS} of {len(rows)} calls", is_done=False)
        names = ", ".join(sorted({item.name for item in given}))
        how = ", ".join(source.value for source in view.call_names.sources)
        yield Check(f"{len(given)} timespecs of {names or 'no call'} (names by {how})")


def _nothing(view: KernelView) -> Check:
    calls = view.system_calls
    if not len(calls):
        return Check("timespecs: user mode made no system call", is_done=False)
    if not view.call_names.sources:
        text = f"timespecs of {len(calls)} system calls: nothing confirms what their numbers mean"
        return Check(f"{text}; tracedbg.toml may say it", is_done=False)
    return Check(f"{len(calls)} system calls, none of which takes a timespec")


def _findings(view: KernelView, ruined: list[Ruined]) -> Iterator[Finding]:
    """Yield one finding for each instruction that ruined timespecs of a call."""
    groups: dict[object, list[Ruined]] = {}
    for item in ruined:
        code = code_at(view, item.writer.t) if item.writer.kind is Kind.STORE else None
        groups.setdefault((item.given.name, item.fault, code), []).append(item)
    for items in groups.values():
        yield _finding(view, min(items, key=lambda item: item.read.t), len(items))


def _finding(view: KernelView, item: Ruined, count: int) -> Finding:
    given, read = item.given, item.read.t
    value = item.value_read(view)
    written = read if item.fault is Fault.WRONG_FRAME else given.written_at(view, item.writer.t)
    before = None if written is None else given.value_at(view, written)
    is_certain = item.fault in {Fault.OWN_STACK, Fault.WRONG_FRAME}
    by_store = item.writer.kind is Kind.STORE and item.fault is not Fault.WRONG_FRAME
    owner = f"timespec of {given.name} at {given.address:#x} of space {given.space.root:#x}"
    return Finding(
        detector=FutexTimespec.name,
        severity=Severity.ERROR if is_certain else Severity.WARNING,
        title=_title(item, value, before),
        t=item.writer.t,
        certainty=Certainty.CERTAIN if is_certain else Certainty.LIKELY,
        why=_why(view, item, count),
        physical_address=item.writer.physical,
        virtual_addresses=(VirtualPlace(given.address, given.space.root),),
        owner=Owner("user page", owner),
        stack=None
        if item.context is None or item.fault is not Fault.OWN_STACK
        else stack_use(view, item.context),
        writer=writer_at(view, item.writer.t) if by_store else None,
        victim=_victim(view, item),
        consumers=(_read(view, item, value),),
        chain=tuple(_chain(view, item, value)),
    )


def _title(item: Ruined, value: Timespec | None, before: Timespec | None) -> str:
    given = item.given
    read = "" if value is None else f" {value.text}"
    wrote = "" if before is None or before == value else f" where the user had written {before.text}"
    result = "" if given.call.result is None else f", and returned {result_text(given.call.result)}"
    fault = (
        "out of another frame than the one mapped"
        if item.fault is Fault.WRONG_FRAME
        else "that was overwritten"
    )
    return f"{given.name} read a {given.parameter} {fault}:{read}{wrote}{result}"


def _why(view: KernelView, item: Ruined, count: int) -> str:
    given = item.given
    name = view.call_names.find(given.call.number)
    parts = [item.fault.value]
    if item.fault is not Fault.WRONG_FRAME:
        parts.append(
            f"a walk of the caller's tables finds the frame at {given.address:#x} at t {item.writer.t:,}, "
            f"and no entry of it changed until the kernel read it at t {item.read.t:,}"
        )
    if item.fault is Fault.OTHER_SPACE:
        parts.append("memory that processes share through a file would be an innocent explanation")
    if item.fault is Fault.DEVICE:
        parts.append("a transfer that outlives the call which began it would be an innocent explanation")
    if name is not None:
        parts.append(f"number {given.call.number} is {name.name}: {name.evidence}")
    if count > 1:
        parts.append(f"{count} calls were given such a timespec")
    return "; ".join(parts)


def _victim(view: KernelView, item: Ruined) -> Victim:
    physical = item.given.walk(view, item.writer.t).physical
    place = item.writer.physical if physical is None else physical
    written = Time(min(item.writer.t + 1, view.trace.end))
    before = item.given.written_at(view, item.writer.t) or item.writer.t
    return Victim(
        physical=place,
        size=TIMESPEC_BYTES,
        before=bytes_at(view, place, TIMESPEC_BYTES, before),
        after=bytes_at(view, place, TIMESPEC_BYTES, max(written, item.read.t)),
        name=f"{item.given.parameter} of {item.given.name}",
    )


def _read(view: KernelView, item: Ruined, value: Timespec | None) -> Evidence:
    problem = "" if value is None or value.problem is None else f": {value.problem}"
    text = f"{item.given.name} reads its {item.given.parameter}{problem}"
    return access_evidence(view, item.read, "read", text)


def _chain(view: KernelView, item: Ruined, value: Timespec | None) -> Iterator[Evidence]:
    call = item.given.call
    if item.user_write is not None:
        yield access_evidence(view, item.user_write, "user-write", "the user writes the timespec")
    if item.fault is not Fault.WRONG_FRAME:
        yield access_evidence(view, item.writer, "overwrite", f"{item.fault.value}, over the timespec")
    text = f"user mode calls {item.given.name} with the timespec at {item.given.address:#x}"
    yield Evidence(call.t, "call", text, call.hart, code_at(view, call.t))
    yield _read(view, item, value)
    if call.returned is not None and call.returned_hart is not None:
        text = f"{item.given.name} returns {result_text(call.result)}"
        yield Evidence(call.returned, "return", text, call.returned_hart, code_at(view, call.returned))


def _remarks(view: KernelView, given: list[GivenTimespec]) -> Iterator[Finding]:
    """Yield a remark on timespecs that are odd although their writer was nobody else."""
    odd = [(item, value) for item in given if (value := item.value_at(view, item.call.t)) and value.problem]
    if not odd:
        return
    item, value = odd[0]
    more = "" if len(odd) == 1 else f" ({len(odd)} such calls)"
    yield Finding(
        detector=FutexTimespec.name,
        severity=Severity.INFO,
        title=f"{item.name} was given an odd {item.parameter} by its caller: {value.problem}{more}",
        t=item.call.t,
        certainty=Certainty.POSSIBLE,
        why="nobody but the caller, or the kernel on its behalf, wrote it",
        virtual_addresses=(VirtualPlace(item.address, item.space.root),),
    )
