"""The call stack at a moment."""

from tracedbg.arch import Architecture
from tracedbg.session.naming import file_and_line
from tracedbg.session.snapshots import CallPanel, CallRow
from tracedbg.state import FoundBy, Frame, Moment

CERTAIN = (FoundBy.REGISTERS, FoundBy.CFI)


def call_panel(arch: Architecture, moment: Moment, height: int) -> CallPanel:
    """Return the innermost ``height`` frames."""
    frames = moment.backtrace()
    rows = tuple(_row(arch, number, frame) for number, frame in enumerate(frames[:height]))
    hidden = len(frames) - len(rows)
    return CallPanel(rows, f"and {hidden} more" if hidden else "")


def _row(arch: Architecture, number: int, frame: Frame) -> CallRow:
    line = "" if frame.line is None else file_and_line(frame.line)
    return CallRow(number, frame.function or f"{frame.pc:x}", line, _extent(frame), _how(arch, frame))


def _extent(frame: Frame) -> str:
    """Where the frame lies: from its sp up to what sp was before the call."""
    if frame.sp is None:
        return ""
    return f"{frame.sp:x}.." + ("" if frame.cfa is None else f"{frame.cfa:x}")


def _how(arch: Architecture, frame: Frame) -> str:
    """How a frame was found, where that is not a matter of course; for an interrupted one, by which trap."""
    if frame.trap is not None:
        came_from = arch.privilege_name(frame.trap.source)
        return f"{arch.cause_name(frame.trap.cause)}, {came_from} mode"
    if frame.is_inlined:
        return "inlined"
    return "" if frame.found_by in CERTAIN else frame.found_by.value
