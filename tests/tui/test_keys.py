"""What keys and clicks do, asked of the running application."""

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Static

from tests.tui.conftest import Run, settled, told, until
from tracedbg.session.place import Place
from tracedbg.session.running_context import Check
from tracedbg.tui.app import ReplayApp
from tracedbg.tui.body import Body
from tracedbg.tui.help import Help
from tracedbg.tui.keys import KEYS
from tracedbg.tui.timeline import LABEL_WIDTH, TimelinePanel


async def press(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press(*keys)
    await settled(pilot)


def answer(app: ReplayApp) -> str:
    return app.screen_stack[0].query_one(Body).answer.text


@pytest.mark.parametrize(
    ("keys", "t"),
    [
        ("f", 4), ("d", 2), ("ff", 5), ("ffd", 4), ("r", 5), ("e", 2), ("ev", 3), ("c", 2), ("g", 26),
        ("s", 1), ("sv", 26), ("svc", 1), ("sva", 1),
    ],
)  # fmt: skip
def test_the_left_hand_moves_in_time(app: ReplayApp, drive: Run, keys: str, t: int) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        await press(pilot, *keys)
        assert app.session.place.t == t

    drive(steps)


def test_keys_pressed_faster_than_answers_are_all_done(app: ReplayApp, drive: Run) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        for _ in range(10):
            app.action_step("INSTRUCTION")
        await settled(pilot)
        assert app.session.place.t == 13

    drive(steps)


def test_the_ends_of_the_trace(app: ReplayApp, drive: Run) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        await press(pilot, "end")
        assert app.session.place.t == app.session.trace.end
        await press(pilot, "f")
        assert answer(app) == "this is the trace's end"
        await press(pilot, "home", "d")
        assert answer(app) == "this is the trace's start"

    drive(steps)


def test_the_right_hand_asks(app: ReplayApp, drive: Run) -> None:
    async def ask(pilot: Pilot[None]) -> None:
        await press(pilot, "f")
        await press(pilot, "right", "right", "right", "right", "right", "right", "right", "right")
        assert answer(app) == "instruction: t 4 (+1)"
        await press(pilot, "i")
        assert answer(app) == "va 80002fd8:8 written at t 3 by 80000104: 0000000080000008"
        await press(pilot, "o")
        assert app.session.place.t == 23
        await press(pilot, "j")
        assert app.session.place.t == 3
        await press(pilot, "u")
        assert answer(app) == "last read of va 80002fd8:8: there is none in this trace"
        await press(pilot, "l")
        assert app.session.place.t == 30

    drive(ask)


def test_watched_bytes_get_a_lane(app: ReplayApp, drive: Run) -> None:
    async def watch(pilot: Pilot[None]) -> None:
        await press(pilot, "k")
        assert "80002fd0:8" in app.screen_stack[0].query_one(Body).lanes
        await press(pilot, "k")
        assert "80002fd0:8" not in app.screen_stack[0].query_one(Body).lanes

    drive(watch)


def test_jumping_completes_and_says_what_is_wrong(app: ReplayApp, drive: Run) -> None:
    async def jump(pilot: Pilot[None]) -> None:
        def prompts() -> list[str]:
            return [str(option.prompt) for option in app.screen.query_one(OptionList).options]

        await pilot.press("t", *"last")
        await until(pilot, lambda: prompts() == ["last-kernel"])
        await pilot.press("tab", "x", "enter")
        assert (await told(pilot)).startswith("last-kernelx: neither a position nor a known symbol")
        app.screen.query_one(Input).value = "end-3"
        await pilot.press("enter")
        await until(pilot, lambda: app.session.place.t == app.session.trace.end - 3)
        await settled(pilot)

    drive(jump)


def test_selecting_by_register(app: ReplayApp, drive: Run) -> None:
    async def pick(pilot: Pilot[None]) -> None:
        await pilot.press("m", *"sp+16:2", "enter")
        await until(pilot, lambda: app.session.place.selection.text == "va 80002fe0:2")
        await settled(pilot)
        await press(pilot, "p")
        assert app.session.place.selection.text == "pa 80002fe0:2"

    drive(pick)


def test_a_click_on_the_timeline_moves_the_cursor(app: ReplayApp, drive: Run) -> None:
    async def click(pilot: Pilot[None]) -> None:
        panel = app.screen.query_one(TimelinePanel)
        snapshot = panel.snapshot
        assert snapshot is not None
        await pilot.click(TimelinePanel, offset=(LABEL_WIDTH + 50, 3))
        await settled(pilot)
        assert app.session.place.t == snapshot.time_of(50)
        await pilot.click(TimelinePanel, offset=(LABEL_WIDTH, 1))
        await settled(pilot)
        assert app.session.place.t == 0

    drive(click)


def test_zoom_pan_and_the_whole_trace(app: ReplayApp, drive: Run) -> None:
    async def zoom(pilot: Pilot[None]) -> None:
        whole = app.session.place.visible
        await press(pilot, "plus")
        assert app.session.place.visible.length == round(whole.length / 4)
        await press(pilot, "full_stop")
        assert app.session.place.visible.start > 0
        await press(pilot, "0")
        assert app.session.place.visible == whole

    drive(zoom)


def test_bookmarks(app: ReplayApp, drive: Run) -> None:
    async def mark(pilot: Pilot[None]) -> None:
        await press(pilot, "apostrophe")
        assert answer(app) == "there is no bookmark: b puts one at the cursor"
        await press(pilot, "b", "f", "f", "apostrophe")
        assert app.session.place.t == 3

    drive(mark)


def test_help_shows_every_key(app: ReplayApp, drive: Run) -> None:
    async def ask(pilot: Pilot[None]) -> None:
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(app.screen, Help)
        text = str(app.screen.query_one(Static).visual)
        assert all(key.text in text and key.shown in text for key in KEYS)
        await pilot.press("escape")
        assert not isinstance(app.screen, Help)

    drive(ask)


def test_the_command_palette_has_every_key_and_folds_lanes(app: ReplayApp, drive: Run) -> None:
    async def fold(pilot: Pilot[None]) -> None:
        commands = {command.title: command for command in app.get_system_commands(app.screen)}
        assert "Jump to a position: t, end-N, last-kernel, symbol#N, pc=ADDRESS" in commands
        commands["Fold lane traps"].callback()
        await settled(pilot)
        assert "traps" not in app.screen_stack[0].query_one(Body).lanes

    drive(fold)


def test_an_error_of_a_panel_is_one_sentence(
    app: ReplayApp, drive: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("first line\nsecond line")

    async def look(pilot: Pilot[None]) -> None:
        monkeypatch.setattr("tracedbg.session.screen.code_panel", broken)
        await press(pilot, "f")
        line = app.screen.query_one(Body).answer
        assert line.text == "this is a bug in tracedbg: RuntimeError: first line second line"
        assert app.session.place.t == 4

    drive(look)


def test_a_search_can_be_given_up(app: ReplayApp, drive: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(_: object, __: int, check: Check) -> int:
        while True:
            check()

    async def give_up(pilot: Pilot[None]) -> None:
        monkeypatch.setattr(app.session, "step", endless)
        await pilot.press("v")
        line = app.screen.query_one(Body).answer
        await until(pilot, lambda: str(line.render()) == "… over the call (Esc gives up)")
        await press(pilot, "escape")
        assert line.text == "given up"
        assert app.session.place.t == 3

    drive(give_up)


def test_panels_show_the_place_that_was_asked_for_last(app: ReplayApp, drive: Run) -> None:
    async def race(pilot: Pilot[None]) -> None:
        body = app.screen.query_one(Body)
        places: list[Place] = []
        for t in range(4, 24):
            app.session.go(app.session.resolve(str(t)))
            places.append(app.session.place)
            body.show(app.session.place)
        await settled(pilot)
        snapshot = app.screen.query_one(TimelinePanel).snapshot
        assert snapshot is not None
        assert snapshot.cursor == 23 * snapshot.width // snapshot.visible.length

    drive(race)


def test_the_manual_names_every_key() -> None:
    manual = (Path(__file__).parents[2] / "docs" / "replay.md").read_text()
    shown = [name for key in KEYS for name in key.shown.split()]
    assert [name for name in shown if f"`{name}`" not in manual] == []
