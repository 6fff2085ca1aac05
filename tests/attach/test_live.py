"""The screen over a trace that grows, driven by keys, with a guest that a test plays."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

import tracedbg
from tests.attach.synthetic import PC, write_capture
from tests.tui.conftest import settled, until
from tracedbg.errors import UsageError
from tracedbg.session import Session
from tracedbg.session.examination import Stage
from tracedbg.session.place import Selection
from tracedbg.state import Trace
from tracedbg.tui.body import Body
from tracedbg.tui.keys import KEYS
from tracedbg.tui.live import LIVE_KEYS, LiveApp


class Played:
    """A guest whose trace has one stop more after each move: snapshots are files of growing length."""

    is_there = True

    def __init__(self, paths: list[Path]) -> None:
        self._paths = paths
        self.calls: list[object] = []
        self.opened: list[Trace] = []

    def snapshot(self) -> Trace:
        path = self._paths[min(len(self.calls), len(self._paths) - 1)]
        self.opened.append(tracedbg.open(path))
        return self.opened[-1]

    def resume(self) -> str:
        self.calls.append("resume")
        return "breakpoint on hart 0 at main"

    def step(self, count: int) -> str:
        self.calls.append(("step", count))
        if count > 1:
            raise UsageError("QEMU has ended: only what was seen can be looked at")
        return "step on hart 0 at main+0x4"

    def toggle_break(self, where: str) -> str:
        self.calls.append(("break", where))
        return f"breakpoint at {where}"

    def watch(self, selection: Selection) -> str:
        self.calls.append(("watch", selection.size))
        return "watching"

    def read(self, selection: Selection) -> str:
        self.calls.append(("read", selection.size))
        return "read"

    def interrupt(self) -> None:
        self.calls.append("interrupt")


Drive = Callable[[Pilot[None], LiveApp, Played], Awaitable[None]]


@pytest.fixture
def drive(tmp_path: Path) -> Callable[[Drive], None]:
    paths = [tmp_path / "first.bin", tmp_path / "second.bin"]
    write_capture(paths[0], stops=1)
    write_capture(paths[1])

    def run(what: Drive) -> None:
        async def main() -> None:
            guest = Played(paths)
            first = guest.snapshot()
            app = LiveApp(Session(first, at=first.end), guest)
            async with app.run_test(size=(120, 40)) as pilot:
                await settled(pilot)
                await what(pilot, app, guest)
            for trace in guest.opened:
                trace.close()

        asyncio.run(main())

    return run


async def press(pilot: Pilot[None], app: LiveApp, *keys: str) -> str:
    """Presses keys, and returns the answer line when all is quiet."""
    await pilot.press(*keys)
    while any(worker.group == "live" and not worker.is_finished for worker in app.workers):
        await pilot.pause(0.01)
    await pilot.pause(0.05)
    await settled(pilot)
    return app.screen_stack[0].query_one(Body).answer.text


def test_a_move_of_the_guest_leads_to_the_end_of_the_longer_trace(drive: Callable[[Drive], None]) -> None:
    async def what(pilot: Pilot[None], app: LiveApp, guest: Played) -> None:
        assert app.session.place.t == 0
        answer = await press(pilot, app, "x")
        assert (answer, guest.calls) == ("breakpoint on hart 0 at main", ["resume"])
        assert (app.session.place.t, app.session.trace.end) == (4, 4)
        assert app.session.moment(app.session.place.t).pc == PC + 12
        await press(pilot, app, "d")
        assert app.session.place.t == 3
        answer = await press(pilot, app, "S")
        assert (answer, app.session.place.t) == ("step on hart 0 at main+0x4", 4)

    drive(what)


def test_findings_are_of_the_trace_as_it_is_when_they_are_asked_for(drive: Callable[[Drive], None]) -> None:
    async def what(pilot: Pilot[None], app: LiveApp, _: Played) -> None:
        stages = [app.session.examination.stage]
        await press(pilot, app, "x")
        stages.append(app.session.examination.stage)
        assert stages == [Stage.DONE, Stage.WAITING]
        assert app.session.examination.analysis is None
        await pilot.press("n")
        await until(pilot, lambda: app.session.examination.stage is Stage.DONE)
        view = app.session.examination.view
        assert view is not None
        assert view.trace is app.session.trace
        assert view.trace.end == 4

    drive(what)


def test_what_cannot_be_done_is_said_and_the_screen_goes_on(drive: Callable[[Drive], None]) -> None:
    async def what(pilot: Pilot[None], app: LiveApp, guest: Played) -> None:
        answer = await press(pilot, app, "T")
        assert answer == "QEMU has ended: only what was seen can be looked at"
        assert await press(pilot, app, "w") == "watching"
        assert await press(pilot, app, "y") == "read"
        await press(pilot, app, "z")
        assert guest.calls == [("step", 1000), ("watch", 8), ("read", 8), "interrupt"]

    drive(what)


def test_a_breakpoint_is_asked_for(drive: Callable[[Drive], None]) -> None:
    async def what(pilot: Pilot[None], app: LiveApp, guest: Played) -> None:
        await pilot.press("H")
        await until(pilot, lambda: bool(app.screen.query(Input)))
        await pilot.press(*"main", "enter")
        answer = app.screen_stack[0].query_one(Body).answer
        await until(pilot, lambda: answer.text == "breakpoint at main")
        assert guest.calls == [("break", "main")]

    drive(what)


def test_no_key_of_the_guest_is_one_of_the_replay_screen() -> None:
    used = {name for key in KEYS for name in key.keys.split(",")}
    assert not used & {name for key in LIVE_KEYS for name in key.keys.split(",")}
