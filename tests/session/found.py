"""An analysis of the small program, made by hand: a store below a base that is made up, and its reader."""

from tests.session.program import STACK_TOP
from tracedbg.detect import Certainty, Code, Evidence, Finding, Severity, StackUse, Victim, Writer
from tracedbg.detect.analysis import Analysis, Checked
from tracedbg.detect.detector import Check
from tracedbg.ids import Hart, PhysicalAddress, Time, VirtualAddress
from tracedbg.kernel.view import KernelView
from tracedbg.session.examination import Examination, Stage
from tracedbg.state import Trace

STORE, READ, BEGIN = Time(3), Time(23), Time(1)
PLACE = PhysicalAddress(0x8000_2FD8)
BASE = STACK_TOP - 0x28
WRITER = Code(VirtualAddress(0x8000_0104))


def evidence(t: Time, role: str, text: str, physical: PhysicalAddress | None = PLACE) -> Evidence:
    size = None if physical is None else 8
    return Evidence(t, role, text, physical=physical, size=size, before=b"\0" * 8, after=b"\0" * 8)


def finding(
    t: Time = STORE,
    severity: Severity = Severity.ERROR,
    *,
    top: int = STACK_TOP,
    related: tuple[Finding, ...] = (),
) -> Finding:
    store, read = evidence(t, "store", "stores 8 bytes"), evidence(READ, "read", "reads 8 of these bytes")
    return Finding(
        detector="stack-underflow",
        severity=severity,
        title="stack 2 ran below its base",
        t=t,
        certainty=Certainty.CERTAIN,
        why="the test says so",
        physical_address=PLACE,
        stack=StackUse("stack 2", VirtualAddress(top), VirtualAddress(PLACE), VirtualAddress(BASE)),
        writer=Writer(t, Hart(0), WRITER, VirtualAddress(PLACE - 8), (WRITER,)),
        victim=Victim(PLACE, 8, None, None),
        consumers=(read,),
        chain=(evidence(BEGIN, "begin", "begins a use of the stack", None), store, read),
        related=related,
    )


def analysis(*findings: Finding) -> Analysis:
    checked = Checked(
        "stack-underflow", (Check("2 stacks in 2 frames"), Check("paging is off", is_done=False))
    )
    return Analysis(findings, (checked,), ("detector mine of elsewhere: ValueError: it broke",))


def examined(trace: Trace, *findings: Finding) -> Examination:
    return Examination(Stage.DONE, view=KernelView(trace), analysis=analysis(*findings))
