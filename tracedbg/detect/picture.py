"""Physical memory around a collision, drawn as a person would on paper: addresses go up the page."""

from tracedbg.format.schema import PAGE_SIZE
from tracedbg.ids import Frame, PhysicalAddress, Time
from tracedbg.kernel.owners import FrameOwner
from tracedbg.kernel.view import KernelView

ROWS_ABOVE, ROWS_BELOW = 4, 2
LINE = 16
"""Bytes shown around the store, in a line that begins at a multiple of this."""


def frame_map(view: KernelView, t: Time, top: Frame, hit: PhysicalAddress, sp: int | None) -> str:
    """Draw the frames from ``top`` (inclusive) down past the one that was hit, one line for each.

    Below the frame that was hit stand its bytes around the store, before and after it. ``sp`` is the physical
    address of the stack pointer, None where that is not known.
    """
    struck = Frame(hit // PAGE_SIZE)
    highest = max(top, struck) + 1
    frames = range(highest, min(struck, top) - ROWS_BELOW - 1, -1)
    shown = [Frame(frame) for frame in frames if frame >= 0]
    if len(shown) > ROWS_ABOVE + ROWS_BELOW + 12:
        shown = shown[:ROWS_ABOVE] + [Frame(f) for f in range(struck + 3, struck - ROWS_BELOW - 1, -1)]
    owners = [view.owners.owner_at(frame, t) for frame in shown]
    width = max(len(owner.text) for owner in owners)
    lines = []
    for owner in owners:
        lines.append(_line(owner, width, struck, hit, sp))
        if owner.frame == struck:
            lines += _bytes(view, t, hit)
    return "\n".join(lines)


def _bytes(view: KernelView, t: Time, hit: PhysicalAddress) -> list[str]:
    start = PhysicalAddress(hit // LINE * LINE)
    moments = (("before", t), ("after", Time(min(t + 1, view.trace.end))))
    return [f"{start:#16x}  {_hex(view, start, moment)}  {name}" for name, moment in moments]


def _hex(view: KernelView, start: PhysicalAddress, t: Time) -> str:
    values = view.trace.at(t).memory.read_physical(start, LINE).values
    return " ".join("??" if value is None else f"{value:02x}" for value in values)


def _line(owner: FrameOwner, width: int, struck: Frame, hit: PhysicalAddress, sp: int | None) -> str:
    start = owner.frame * PAGE_SIZE
    marks = []
    if owner.frame == struck:
        marks.append(f"◀ store at {hit:#x}")
    if sp is not None and start <= sp < start + PAGE_SIZE:
        marks.append(f"◀ SP {sp:#x}")
    return f"{start:#12x}  {owner.text.ljust(width)}  {'  '.join(marks)}".rstrip()
