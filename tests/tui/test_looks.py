"""What the screen looks like, pinned as pictures.

After a change that is meant: ``pytest tests/tui/test_looks.py --snapshot-update``, and look at the pictures.
"""

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.session.found import examined, finding
from tests.tui.conftest import settled, told
from tracedbg.detect import Severity
from tracedbg.ids import Time
from tracedbg.tui.app import ReplayApp

Compare = Callable[..., bool]


def pressing(*keys: str) -> Callable[[Pilot[Any]], Any]:
    async def prepare(pilot: Pilot[Any]) -> None:
        await settled(pilot)
        for key in keys:
            await pilot.press(key)
            await settled(pilot)

    return prepare


@pytest.fixture(autouse=True)
def examined_before(app: ReplayApp) -> None:
    """What installed detectors find is no matter of looks."""
    app.session.examination = examined(app.session.trace)


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (50, 16)], ids=["wide", "80x24", "narrow"])
def test_the_screen(app: ReplayApp, snap_compare: Compare, size: tuple[int, int]) -> None:
    keys = ("k", "f", "f", "b", "g")
    assert snap_compare(app, terminal_size=size, run_before=pressing(*keys))


def test_without_colour(app: ReplayApp, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    plain = ReplayApp(app.session)
    assert snap_compare(plain, terminal_size=(100, 30), run_before=pressing("f"))


def test_help(app: ReplayApp, snap_compare: Compare) -> None:
    async def prepare(pilot: Pilot[Any]) -> None:
        await settled(pilot)
        await pilot.press("question_mark")

    assert snap_compare(app, terminal_size=(100, 64), run_before=prepare)


def test_a_wrong_position(app: ReplayApp, snap_compare: Compare) -> None:
    async def prepare(pilot: Pilot[Any]) -> None:
        await settled(pilot)
        await pilot.press("t", *"sys_futx", "enter")
        await told(pilot)
        # A blinking cursor would be there in every other picture.
        pilot.app.screen.query_one("Input").cursor_blink = False  # type: ignore[attr-defined]

    assert snap_compare(app, terminal_size=(100, 30), run_before=prepare)


@pytest.mark.parametrize("keys", [("n",), ("n", "enter", "h")], ids=["list", "reader"])
def test_a_finding(app: ReplayApp, snap_compare: Compare, keys: tuple[str, ...]) -> None:
    story = finding(related=(finding(Time(30), Severity.INFO),))
    app.session.examination = examined(app.session.trace, story)
    assert snap_compare(app, terminal_size=(132, 42), run_before=pressing(*keys))
