"""What a session's operations make of a place."""

import pytest

from tests.session.program import CODE, STACK_TOP, G, Program
from tracedbg.errors import PositionError, UsageError
from tracedbg.ids import PhysicalAddress, Time
from tracedbg.session import Question, Selection, Session
from tracedbg.session.completing import complete_bytes, complete_position
from tracedbg.session.lanes import Lane
from tracedbg.session.marks import next_bookmark, with_bookmark, with_fold, with_pin, with_watch
from tracedbg.session.place import Visible, Watch
from tracedbg.session.printable import printable
from tracedbg.session.selecting import row_of, selected, with_moved_selection, with_selection
from tracedbg.session.timeline import following, ordered, panned, zoomed


def test_opens_at_the_kernels_last_instruction(session: Session, program: Program) -> None:
    assert Session(session.trace).place.t == len(program.history.steps) - 1


def test_positions(session: Session, program: Program) -> None:
    starts = [step.t for step in program.history.steps if program.history.blocks[step.block].virtual == G]
    begins = [t for t in starts if program.history.steps[t].starts_run]
    assert session.resolve("12") == 12
    assert session.resolve("end-3") == len(program.history.steps) - 3
    assert session.resolve(f"pc={G:#x}#2") == begins[1]
    with pytest.raises(PositionError, match="no_such_symbol: neither a position nor a known symbol"):
        session.resolve("no_such_symbol")


def test_going_remembers_where_from(session: Session) -> None:
    session.go(Time(7))
    session.go(Time(9))
    assert (session.place.t, session.place.came_from) == (9, 7)


def test_questions_about_bytes(session: Session, program: Program) -> None:
    place = STACK_TOP - 32 - 16 + 8
    touched = [
        (step.t, step.touches[0].store)
        for step in program.history.steps
        if step.touches and step.touches[0].places[0] == place
    ]
    writes, reads = ([t for t, store in touched if store is kind] for kind in (True, False))
    session.place = with_selection(session.place, selected(place, 8, is_virtual=False))
    session.go(Time(writes[1]))
    answers = {question: session.ask(question, session.place) for question in Question}
    assert {question: found and found.t for question, found in answers.items()} == {
        Question.LAST_WRITE: writes[0],
        Question.NEXT_WRITE: writes[2],
        Question.LAST_READ: max(t for t in reads if t < writes[1]),
        Question.NEXT_READ: min(t for t in reads if t > writes[1]),
    }
    assert session.who(session.place) == (
        f"pa {place:x}:8 written at t {writes[0]:,} by 80000104: 0000000080000008"
    )


def test_who_of_untouched_bytes(session: Session) -> None:
    session.place = with_selection(session.place, selected(0x8000_4800, 8, is_virtual=False))
    assert session.who(session.place) == "pa 80004800:8: not written before this t"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0x80000010", selected(0x8000_0010, 8, is_virtual=True)),
        ("80000010:4", selected(0x8000_0010, 4, is_virtual=True)),
        ("pa 0x80000010", selected(0x8000_0010, 8, is_virtual=False)),
        ("sp", selected(STACK_TOP, 8, is_virtual=True)),
        ("sp+16:2", selected(STACK_TOP + 16, 2, is_virtual=True)),
        ("pa 80000000:9000", selected(0x8000_0000, 4096, is_virtual=False)),
    ],
)
def test_bytes_by_text(session: Session, text: str, expected: Selection) -> None:
    assert session.find_bytes(session.place, text) == expected


@pytest.mark.parametrize("text", ["", "nowhere", "0x80000010:0"])
def test_texts_that_name_no_bytes(session: Session, text: str) -> None:
    with pytest.raises(UsageError):
        session.find_bytes(session.place, text)


def test_the_selection_moves_and_the_panel_scrolls(session: Session) -> None:
    place = with_selection(session.place, selected(0x8000_0000, 8, is_virtual=False))
    down = with_moved_selection(place, 16 * 4, 64)
    assert (down.selection.address, down.memory_base) == (0x8000_0040, 0x8000_0010)
    up = with_moved_selection(down, -0x48, 64)
    assert (up.selection.address, up.memory_base) == (0x7FFF_FFF8, 0x7FFF_FFF0)
    lowest = with_moved_selection(place, -(1 << 40), 64)
    assert (lowest.selection.address, lowest.memory_base) == (0, 0)
    highest = with_moved_selection(place, 1 << 64, 64)
    assert highest.selection.address == (1 << 64) - 8
    assert highest.memory_base == (1 << 64) - 64
    assert row_of(0x1234) == 0x1230


def test_without_paging_both_addresses_are_the_same(session: Session) -> None:
    virtual = selected(CODE, 8, is_virtual=True)
    session.place = with_selection(session.place, virtual)
    physical = session.in_other_space(session.place)
    assert physical == selected(CODE, 8, is_virtual=False)
    session.place = with_selection(session.place, physical)
    assert session.in_other_space(session.place) == virtual


def test_marks(session: Session) -> None:
    watch = Watch(PhysicalAddress(CODE), 8)
    place = with_bookmark(with_watch(session.place, watch), "here")
    assert place.watches == (watch,)
    assert next_bookmark(place) == 0
    assert with_watch(place, watch).watches == ()
    assert with_bookmark(place).bookmarks == ()
    assert next_bookmark(session.place) is None
    assert with_pin(place, "traps").pinned == ("traps",)
    assert with_fold(with_fold(place, "traps"), "traps").folded == ()


def test_pinned_lanes_come_first() -> None:
    lanes = [Lane(name, "", "") for name in ("a", "b", "c")]
    assert [lane.name for lane in ordered(lanes, ("c", "b"))] == ["c", "b", "a"]


def test_zooming_keeps_the_cursor_in_its_place(session: Session) -> None:
    store = session.store
    whole = Visible(Time(0), store.end)
    near = zoomed(store, whole, Time(100), 0.5)
    assert near.length == round(store.end / 2)
    assert abs((100 - near.start) / near.length - 100 / store.end) < 0.01
    assert zoomed(store, near, Time(100), 1000) == whole
    assert zoomed(store, near, Time(100), 1e-6).length == 16


def test_panning_and_following_stay_inside_the_trace(session: Session) -> None:
    store = session.store
    stretch = Visible(Time(50), Time(90))
    assert panned(store, stretch, 0.5) == Visible(Time(70), Time(110))
    assert panned(store, stretch, -5) == Visible(Time(0), Time(40))
    assert following(store, stretch, Time(60)) == stretch
    assert following(store, stretch, Time(89)) == Visible(Time(51), Time(91))
    assert following(store, stretch, store.end).stop == store.end
    assert following(store, stretch, Time(0)).start == 0


def test_completion() -> None:
    functions = ("do_futex", "sys_exit", "sys_futex")
    assert complete_position("", functions) == ["start", "end", "last-kernel", "pc=0x"]
    assert complete_position("sys", functions) == ["sys_exit", "sys_futex"]
    assert complete_position("futex", functions) == ["do_futex", "sys_futex"]
    assert complete_bytes("s", ("sp", "s0"), functions)[:4] == ["sp", "s0", "sys_exit", "sys_futex"]


def test_console_bytes_become_harmless_text() -> None:
    assert printable(b"\x1b[31mred\x1b[0m ab\b\x07\x1b]0;title\x07") == "red a·"
    assert printable(b"old\rnew\ttab") == "new    tab"
