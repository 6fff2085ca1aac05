"""Physical memory around a collision, drawn as a person would on paper: addresses go up the page."""

from tracedbg.format.schema import PAGE_SIZE
from tracedbg.ids import Frame, PhysicalAddress, Time
from tracedbg.kernel.owners import FrameOwner
from tracedbg.kernel.view import KernelView

ROWS_ABOVE, ROWS_BELOW = 4, 2


def frame_map(view: KernelView, t: Time, top: Frame, hit: PhysicalAddress, sp: int | None) -> str:
    """Draw the frames from ``top`` (inclusive) down past the one that was hit, one line for each.

    ``sp`` is the physical address of the stack pointer, None where that is not known.
    """
    struck = Frame(hit // PAGE_SIZE)
    highest = max(top, struck) + 1
    frames = range(highest, min(struck, top) - ROWS_BELOW - 1, -1)
    shown = [Frame(frame) for frame in frames if frame >= 0]
    if len(shown) > ROWS_ABOVE + ROWS_BELOW + 12:
        shown = shown[:ROWS_ABOVE] + [Frame(f) for f in range(struck + 3, struck - ROWS_BELOW - 1, -1)]
    owners = [view.owners.owner_at(frame, t) for frame in shown]
    width = max(len(owner.text) for owner in owners)
    return "\n".join(_line(owner, width, struck, hit, sp) for owner in owners)


def _line(owner: FrameOwner, width: int, struck: Frame, hit: PhysicalAddress, sp: int | None) -> str:
    start = owner.frame * PAGE_SIZE
    marks = []
    if owner.frame == struck:
        marks.append(f"◀ store at {hit:#x}")
    if sp is not None and start <= sp < start + PAGE_SIZE:
        marks.append(f"◀ SP {sp:#x}")
    return f"{start:#12x}  {owner.text.ljust(width)}  {'  '.join(marks)}".rstrip()
