"""The command palette: every key's action by name, and a pin and a fold for each lane."""

from collections.abc import Callable, Iterable, Iterator

from textual.app import SystemCommand

from tracedbg.session.marks import with_fold, with_pin
from tracedbg.session.place import Place
from tracedbg.tui.keys import KEYS

Run = Callable[[str], None]
"""Runs an action of the application."""

Change = Callable[[Callable[[Place], Place]], None]
"""Swaps the session's place for what a function makes of it."""

LEFT_OUT = ("command_palette", "give_up")


def key_commands(run: Run) -> Iterator[SystemCommand]:
    """Yield a command for each key."""
    for key in KEYS:
        if key.action not in LEFT_OUT:
            title = key.text[0].upper() + key.text[1:]
            yield SystemCommand(title, f"{key.group}; key {key.shown}", _bound(run, key.action))


def lane_commands(lanes: Iterable[str], change: Change) -> Iterator[SystemCommand]:
    """Yield two commands for each lane."""
    for lane in lanes:
        yield SystemCommand(f"Pin lane {lane}", "Put it on top, or back", _change(change, with_pin, lane))
        yield SystemCommand(f"Fold lane {lane}", "Hide it, or show it", _change(change, with_fold, lane))


def _bound(run: Run, action: str) -> Callable[[], None]:
    return lambda: run(action)


def _change(change: Change, how: Callable[[Place, str], Place], lane: str) -> Callable[[], None]:
    return lambda: change(lambda place: how(place, lane))
