"""Physical memory at a moment, frame by frame around the stack pointer and the selected bytes."""

from dataclasses import dataclass

import numpy as np

from tracedbg.format.schema import PAGE_SIZE
from tracedbg.ids import Frame, Hart, PhysicalAddress, Time, VirtualAddress
from tracedbg.kernel.contexts import Context
from tracedbg.kernel.owners import FrameOwner
from tracedbg.kernel.view import KernelView
from tracedbg.session.examination import Examination
from tracedbg.session.place import Place
from tracedbg.session.selecting import find_physical
from tracedbg.session.snapshots import FrameMap, FrameRow
from tracedbg.session.stack_bases import StackBases
from tracedbg.state import Moment

ABOVE = 4
"""Frames that are shown above the higher one of interest, where there is room."""
USES_LOOKED_AT = 64


def frame_map(examination: Examination, moment: Moment, place: Place, sp_name: str, height: int) -> FrameMap:
    """Return ``height`` rows at most, the highest address first; none before the kernel's history is there.

    ``sp_name`` is the stack pointer's name.
    """
    sp = _physical(moment, moment.registers.find(sp_name))
    chosen = find_physical(moment, place.selection)
    if examination.view is None:
        return FrameMap((), sp, chosen, _why_empty(examination))
    points = {Frame(address // PAGE_SIZE) for address in (sp, chosen) if address is not None}
    if not points:
        return FrameMap((), sp, chosen, "neither sp nor the selected bytes are in physical memory")
    live = _LiveStacks(examination.view, moment)
    bases = StackBases(examination)
    rows = [
        None if frame is None else _row(examination.view, live, bases, frame)
        for frame in frames_around(sorted(points), height)
    ]
    return FrameMap(tuple(rows), sp, chosen)


def _why_empty(examination: Examination) -> str:
    if examination.is_running:
        return f"computing … {examination.share:.0%}"
    return examination.problem or "not computed yet: n begins"


def _physical(moment: Moment, virtual: int | None) -> PhysicalAddress | None:
    return None if virtual is None else moment.translate(VirtualAddress(virtual)).physical


def frames_around(points: list[Frame], height: int) -> list[Frame | None]:
    """Return ``height`` frames, descending, that hold one or two points (ascending); None is a gap.

    Two points that are too far apart get a part each.
    """
    if height <= 0:
        return []
    low, high = points[0], points[-1]
    if high - low < height:
        spare = height - 1 - (high - low)
        top = max(high + min(ABOVE, (spare + 1) // 2), height - 1)
        return [Frame(frame) for frame in range(top, top - height, -1)]
    upper = (height - 1) // 2
    return [*frames_around([high], upper), None, *frames_around([low], height - 1 - upper)]


def _row(view: KernelView, live: "_LiveStacks", bases: StackBases, frame: Frame) -> FrameRow:
    owner = view.owners.owner_at(frame, live.moment.t)
    return FrameRow(PhysicalAddress(frame * PAGE_SIZE), _text(owner, bases), live.parts_of(frame))


def _text(owner: FrameOwner, bases: StackBases) -> str:
    """The owner in short; a stack with its ends, where they are in the frame."""
    if owner.mapping is not None:
        rights = "".join(flag.lower() for flag in owner.mapping.walk.flags if flag in "RWX")
        return f"user {owner.mapping.page:x} {rights}, space {owner.mapping.space.root:x}"
    if owner.root is not None:
        return f"page table, space {owner.root:x}"
    if owner.stack is None or owner.stack_page is None:
        return owner.text
    stack, page, base = owner.stack, owner.stack_page, bases.base_of(owner.stack)
    ends = f"  top {stack.top:x}" if page < stack.top <= page + PAGE_SIZE else ""
    if base is not None and page <= base.address < page + PAGE_SIZE:
        ends += f"  base {base.address:x} ({base.source.partition(':')[0]})"
    return f"{owner.text}{ends}"


@dataclass(frozen=True)
class _LiveStacks:
    """Which bytes of a frame are the live part of a stack: from its stack pointer up to its top."""

    view: KernelView
    moment: Moment

    def parts_of(self, frame: Frame) -> tuple[tuple[int, int], ...] | None:
        """Return first and last (exclusive) bytes of a frame that are live, one pair for each use of a stack.

        None for a frame that no use of a stack which goes on has stored to.
        """
        history, t = self.view.history, self.moment.t
        rows = history.stack_pages
        rows = rows[(rows["frame"] == frame) & (rows["first"] <= t)]
        uses = np.unique(rows[["context", "page"]])[::-1][:USES_LOOKED_AT]
        parts = []
        for number, page in uses.tolist():
            context = history.contexts[number]
            sp = None if context.stop is not None and context.stop < t else self._pointer_of(context, t)
            if sp is not None:
                start = page * PAGE_SIZE
                parts.append((max(sp - start, 0), min(max(context.top - start, 0), PAGE_SIZE)))
        return tuple(part for part in parts if part[0] < part[1]) if parts else None

    def _pointer_of(self, context: Context, t: Time) -> int | None:
        """Return the stack pointer of a use of a stack, None where it is not known."""
        frozen = context.frozen_at(t)
        if frozen is not None:
            return frozen.sp
        hart = Hart(context.hart)
        running = self.view.context_at(hart, t)
        if running is None or running.number != context.number:
            return None
        own = self.moment if self.moment.hart == hart else self.moment.on(hart)
        return own.registers.find(self.view.index.sp_name)
