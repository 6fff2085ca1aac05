"""The progress line is for terminals only."""

import io

import pytest

from tracedbg.cli.progress import INTERVAL, Progress


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "10")


def test_away_from_a_terminal_nothing_is_written() -> None:
    stream = io.StringIO()
    with Progress(stream) as line:
        line.show("1 M instructions")
    assert stream.getvalue() == ""


@pytest.mark.usefixtures("narrow")
def test_the_line_is_cut_to_the_width_and_wiped_at_the_end() -> None:
    stream = Terminal()
    with Progress(stream) as line:
        line.show("1 M instructions")
    assert stream.getvalue() == "\r\x1b[K1 M instr\r\x1b[K"


@pytest.mark.usefixtures("narrow")
def test_calls_that_come_too_soon_are_dropped() -> None:
    now = iter([1.0, 1.0 + INTERVAL / 2, 1.0 + INTERVAL * 2])
    stream = Terminal()
    line = Progress(stream, lambda: next(now))
    for text in ("one", "two", "three"):
        line.show(text)
    assert stream.getvalue() == "\r\x1b[Kone\r\x1b[Kthree"


def test_a_line_never_drawn_is_not_wiped() -> None:
    stream = Terminal()
    with Progress(stream):
        pass
    assert stream.getvalue() == ""
