import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

import tracedbg
from tests.session.program import run_program, write_program
from tracedbg.ids import Time
from tracedbg.session import Session
from tracedbg.tui.app import ReplayApp
from tracedbg.tui.body import Body
from tracedbg.tui.examiner import Examiner
from tracedbg.tui.runner import MoveRunner

Drive = Callable[[Pilot[None]], Awaitable[None]]
Run = Callable[..., None]


@pytest.fixture(scope="session")
def program_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("program") / "program.bin"
    write_program(run_program(), path)
    return path


@pytest.fixture
def app(program_path: Path) -> Iterator[ReplayApp]:
    with tracedbg.open(program_path) as trace:
        yield ReplayApp(Session(trace, at=Time(3)))


@pytest.fixture
def drive(app: ReplayApp) -> Run:
    """Runs the application at a fixed size and does something to it."""

    def run(what: Drive, size: tuple[int, int] = (120, 40)) -> None:
        async def main() -> None:
            async with app.run_test(size=size) as pilot:
                await settled(pilot)
                await what(pilot)

        asyncio.run(main())

    return run


async def settled(pilot: Pilot[None]) -> None:
    """Wait until no panel and no move is at work, and the trace is examined."""
    body = pilot.app.screen_stack[0].query_one(Body)
    runner = pilot.app.screen_stack[0].query_one(MoveRunner)
    examiner = pilot.app.screen_stack[0].query_one(Examiner)
    quiet = 0
    for _ in range(500):
        await pilot.pause(0.01)
        busy = runner.running is not None or examiner.is_busy
        busy = busy or any(panel.is_busy for panel in body.panels)
        quiet = 0 if busy else quiet + 1
        if quiet == 3:
            return
    raise AssertionError("the screen does not come to rest")


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    """Wait until something holds, as the screen works on in threads."""
    for _ in range(3000):
        if holds():
            return
        await pilot.pause(0.01)
    raise AssertionError("waited too long")


async def told(pilot: Pilot[None]) -> str:
    """Wait until a dialog has said what is wrong, and return that."""
    for _ in range(500):
        await pilot.pause(0.01)
        text = str(pilot.app.screen.query_one("#problem", Static).visual)
        if text and not text.startswith("…"):
            return text
    raise AssertionError("the dialog says nothing")
