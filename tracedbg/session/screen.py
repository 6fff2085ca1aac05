"""One screen of a session: every panel of the same moment, as frozen values."""

from dataclasses import dataclass, field, replace
from pathlib import PurePath

from tracedbg.ids import Time
from tracedbg.session.call_panel import call_panel
from tracedbg.session.code_panel import code_panel
from tracedbg.session.console_panel import console_panel
from tracedbg.session.frame_map import frame_map
from tracedbg.session.memory_panel import MemorySize, memory_panel
from tracedbg.session.place import Place
from tracedbg.session.register_panel import register_panel
from tracedbg.session.running_context import Check, go_on
from tracedbg.session.session import Session
from tracedbg.session.snapshots import (
    CallPanel,
    CodePanel,
    ConsolePanel,
    FrameMap,
    Header,
    MemoryPanel,
    RegisterPanel,
    Screen,
)
from tracedbg.session.timeline import Timeline, TimelineRequest, following, timeline_of


@dataclass(frozen=True)
class ScreenSize:
    """Columns of the timeline, and the rows of the other panels."""

    timeline_width: int = 100
    code_rows: int = 16
    memory: MemorySize = field(default_factory=lambda: MemorySize(8, 16))
    frame_rows: int = 8
    call_rows: int = 8
    console_rows: int = 8


def screen_at(session: Session, t: Time, size: ScreenSize) -> Screen:
    """Return everything that a screen would show if the session went to ``t``; it stays where it is."""
    here = session.place
    came_from = here.came_from if t == here.t else here.t
    visible = following(session.store, here.visible, t)
    place = replace(here, t=t, came_from=came_from, visible=visible)
    return Screen(
        t,
        header(session, place),
        timeline(session, place, size.timeline_width),
        registers(session, place),
        code(session, place, size.code_rows),
        memory(session, place, size.memory),
        frames(session, place, size.frame_rows),
        calls(session, place, size.call_rows),
        console(session, place, size.console_rows),
    )


def header(session: Session, place: Place) -> Header:
    """What was recorded, how it ended, what was found in it, and where the cursor is."""
    store = session.store
    harts = f"{store.guest.harts} hart{'s' * (store.guest.harts > 1)}"
    machine = f"{store.guest.arch}, {harts}, {in_short(store.end - store.start)} instructions"
    unfinished = "not finished" if store.guest.is_capture else "recording was cut short"
    ending = unfinished if store.ending is None else store.ending.how.replace("-", " ")
    position = _position(session, place.t)
    return Header(PurePath(store.path).name, machine, ending, position, session.examination.summary)


def _position(session: Session, t: Time) -> str:
    distance = t - session.last_kernel
    return f"t {t:,} (last-kernel{distance:+,})" if distance else f"t {t:,} (last-kernel)"


def in_short(count: int) -> str:
    """A number of instructions in a few characters: ``21.4 M``."""
    for unit, size in (("G", 10**9), ("M", 10**6), ("K", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return str(count)


def timeline(session: Session, place: Place, width: int, check: Check = go_on) -> Timeline:
    """The timeline in ``width`` columns."""
    request = TimelineRequest(session.view(place, width), place, session.overview(width), session.lanes)
    return timeline_of(request, check)


def registers(session: Session, place: Place) -> RegisterPanel:
    """The registers of the hart that runs."""
    moment = session.moment(place.t)
    before = session.moment(place.came_from)
    same_hart = before if before.hart == moment.hart else before.on(moment.hart)
    return register_panel(session.trace.recording.arch, moment, same_hart)


def code(session: Session, place: Place, rows: int) -> CodePanel:
    """Code around pc."""
    return code_panel(session.moment(place.t), session.names, rows)


def memory(session: Session, place: Place, size: MemorySize) -> MemoryPanel:
    """Memory around the selection."""
    moments = (session.moment(place.t), session.moment(place.came_from))
    return memory_panel(session.answers, *moments, place, size)


def frames(session: Session, place: Place, rows: int) -> FrameMap:
    """Physical memory around the stack pointer and the selection."""
    return frame_map(session.examination, session.moment(place.t), place, session.index.sp_name, rows)


def calls(session: Session, place: Place, rows: int) -> CallPanel:
    """The call stack."""
    return call_panel(session.trace.recording.arch, session.moment(place.t), rows)


def console(session: Session, place: Place, rows: int) -> ConsolePanel:
    """The console up to t."""
    return console_panel(session.index, place.t, rows)
