"""Findings on the running screen: the list, jumps to evidence, and the analysis in the background."""

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList

from tests.session.found import PLACE, READ, STORE, examined, finding
from tests.tui.conftest import Run, settled, until
from tracedbg.session import examination as examinations
from tracedbg.session.examination import Examination, Stage, Tell
from tracedbg.session.place import Watch
from tracedbg.session.running_context import Check
from tracedbg.state import Trace
from tracedbg.tui import examiner as examiners
from tracedbg.tui.app import ReplayApp
from tracedbg.tui.body import Body
from tracedbg.tui.examiner import Examiner
from tracedbg.tui.findings import Findings
from tracedbg.tui.frames import FramesView, gauge
from tracedbg.tui.header import HeaderLine


@pytest.fixture
def found(app: ReplayApp) -> ReplayApp:
    """The application on a trace that has been examined, with one finding."""
    app.session.examination = examined(app.session.trace, finding())
    return app


def answer(app: ReplayApp) -> str:
    return app.screen_stack[0].query_one(Body).answer.text


def header(app: ReplayApp) -> str:
    return str(app.screen_stack[0].query_one(HeaderLine).render())


def options(app: ReplayApp) -> list[str]:
    shown = app.screen.query_one(OptionList).options
    return [str(option.prompt) for option in shown]


async def press(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press(*keys)
    await settled(pilot)


def test_the_header_tells_of_findings(found: ReplayApp, drive: Run) -> None:
    async def look(_: Pilot[None]) -> None:
        assert "◆ 1 finding  t 3 (last-kernel" in header(found)
        assert "findings" in found.screen.query_one(Body).lanes

    drive(look)


def test_the_list_has_stories_evidence_and_checks(found: ReplayApp, drive: Run) -> None:
    async def look(pilot: Pilot[None]) -> None:
        await press(pilot, "n")
        assert isinstance(found.screen, Findings)
        assert options(found) == [
            "◆ stack-underflow  t 3  stack 2 ran below its base",
            "  begin      t 1  begins a use of the stack",
            "  store      t 3  stores 8 bytes",
            "  read       t 23  reads 8 of these bytes",
            "✓ stack-underflow: 2 stacks in 2 frames",
            "- not checked, stack-underflow: paging is off",
            "! detector mine of elsewhere: ValueError: it broke",
        ]
        await press(pilot, "escape")
        assert found.session.place.t == STORE
        assert not isinstance(found.screen, Findings)

    drive(look)


def test_enter_goes_to_the_evidence_and_watches_its_bytes(found: ReplayApp, drive: Run) -> None:
    async def go(pilot: Pilot[None]) -> None:
        await press(pilot, "n", "down", "down", "down", "enter")
        place = found.session.place
        assert (place.t, place.selection.text) == (READ, f"pa {PLACE:x}:8")
        assert place.watches == (Watch(PLACE, 8),)
        assert f"{PLACE:x}:8" in found.screen.query_one(Body).lanes
        assert answer(found) == "read: reads 8 of these bytes"

    drive(go)


def test_one_key_leads_from_the_store_to_its_reader_and_back(found: ReplayApp, drive: Run) -> None:
    async def go(pilot: Pilot[None]) -> None:
        await press(pilot, "h")
        assert found.session.place.t == READ
        await press(pilot, "h")
        assert found.session.place.t == STORE
        await press(pilot, "f", "h")
        assert answer(found) == "no finding has its store, or a use of it, at this t: n lists them"
        assert found.session.place.t == STORE + 1

    drive(go)


def test_a_short_trace_is_analysed_without_being_asked(app: ReplayApp, drive: Run) -> None:
    async def look(_: Pilot[None]) -> None:
        assert app.session.examination.stage is Stage.DONE
        assert "nothing found" in header(app)
        assert "kernel stack 1" in str(app.screen.query_one(FramesView).render())

    drive(look)


def test_a_long_trace_is_analysed_when_asked(
    app: ReplayApp, drive: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examiners, "AT_ONCE", 0)

    async def ask(pilot: Pilot[None]) -> None:
        assert "not analysed yet: n begins" in header(app)
        assert str(app.screen.query_one(FramesView).render()) == "not computed yet: n begins"
        await press(pilot, "n")
        assert app.session.examination.stage is Stage.DONE
        assert "nothing found" in header(app)

    drive(ask)


def test_a_running_analysis_shows_how_far_it_is_and_ends_with_the_screen(
    app: ReplayApp, drive: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[bool] = []

    def endless(_: Trace, tell: Tell, check: Check) -> Examination:
        tell(Examination(Stage.READING, "history", 0.25))
        try:
            while True:
                check()
        finally:
            ended.append(True)

    monkeypatch.setattr(examiners, "examine", endless)
    monkeypatch.setattr(examiners, "AT_ONCE", 0)

    async def look(pilot: Pilot[None]) -> None:
        await pilot.press("n")
        await until(pilot, lambda: "analysing 25%" in header(app))
        await pilot.press("f")
        await until(pilot, lambda: app.session.place.t == 4)
        await pilot.press("n")
        assert answer(app) == "analysing 25% history"

    drive(look)
    assert ended == [True]


def test_an_analysis_that_fails_says_why_and_may_be_tried_again(
    app: ReplayApp, drive: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OSError("the disk is gone")

    async def look(pilot: Pilot[None]) -> None:
        monkeypatch.setattr(examinations, "analyze", broken)
        app.screen.query_one(Examiner).start()
        await settled(pilot)
        assert answer(app) == "the analysis failed: the disk is gone"
        assert "! analysis failed" in header(app)
        monkeypatch.undo()
        await press(pilot, "n")
        assert "nothing found" in header(app)

    drive(look)


def test_a_bug_in_the_analysis_is_told_as_one(
    app: ReplayApp, drive: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("frame")

    monkeypatch.setattr(examinations, "analyze", broken)

    async def look(_: Pilot[None]) -> None:
        assert answer(app) == "this is a bug in tracedbg: KeyError: 'frame'"

    drive(look)


@pytest.mark.parametrize(
    ("live", "cells"),
    [
        (None, " " * 8),
        ((), "·" * 8),
        (((0, 4096),), "█" * 8),
        (((0xE00, 4096),), "·······█"),
        (((0x1FF, 0x201), (0xFFF, 0x1000)), "██·····█"),
    ],
)
def test_the_gauge_of_a_frame(live: tuple[tuple[int, int], ...] | None, cells: str) -> None:
    assert gauge(live) == cells
