"""Answers about a recorded guest whose source tells where each value comes from."""

import pytest

from tracedbg.errors import PositionError, UsageError
from tracedbg.ids import Hart
from tracedbg.provenance import BytesAt, Cut, End, Explanation, Limits, RegisterAt, Role, Step, why
from tracedbg.provenance.text import explanation_text
from tracedbg.state import Trace

pytestmark = pytest.mark.slow


def function_of(step: Step) -> str:
    """The function that a step ran in, without what a compiler puts behind the name of a copy of it."""
    return "" if step.symbol is None else step.symbol.name.partition(".")[0]


def path(explanation: Explanation) -> list[tuple[str, str]]:
    """Kind and function of the steps on the spine."""
    steps = [explanation.steps[number] for number in explanation.spine]
    return [(step.kind, function_of(step)) for step in steps]


def last(explanation: Explanation) -> Step:
    return explanation.steps[explanation.spine[-1]]


def test_a_crash_leads_through_the_copy_to_the_message(crashed: Trace) -> None:
    found = why(crashed, "fault")
    assert path(found)[:2] == [("jump", "consumer"), ("load", "consumer")]
    assert set(path(found)[2:-1]) == {("store", "copy"), ("load", "copy")}
    first, end = found.steps[0], last(found)
    assert "instruction access fault" in first.text
    assert first.value == 0x4141_4122_3340
    assert (end.end, end.value) == (End.IMAGE, first.value)
    assert end.text.startswith("message+0x10 in .rodata") or isinstance(end.place, BytesAt)
    assert found.stack_of is not None
    assert function_of(found.steps[found.stack_of]) == "copy"
    assert [frame.function for frame in found.stack][1:] == ["consumer", "_start"]


def test_a_page_fault_has_an_address_and_a_page_table_entry(translated: Trace) -> None:
    found = why(translated, "fault", at="on_call#3")
    fault = found.steps[0]
    assert function_of(fault) == "load_or_fault"
    assert fault.text == "ld a1, 0(a0): load page fault"
    address, entry = fault.inputs
    assert (address.role, entry.role) == (Role.VALUE, Role.TRANSLATION)
    assert address.value == fault.value
    assert fault.value is not None
    table = translated.symbols.find("last")
    assert table is not None
    assert isinstance(entry.place, BytesAt)
    assert entry.place.physical == table.address + (fault.value >> 12 & 511) * 8
    (unmapped,) = [found.steps[number] for number in entry.made_by]
    assert (unmapped.end, unmapped.value) == (End.IMAGE, 0)
    assert ("arithmetic", "descend") in path(found)


def test_a_translated_page_is_explained_by_what_wrote_its_entry(translated: Trace) -> None:
    table = translated.symbols.find("last")
    assert table is not None
    found = why(translated, (table.address + 16 * 8, 8), at="on_call#3")
    assert {name for _, name in path(found)} & {"main", "map"}
    assert found.roots[0].value is not None
    assert found.roots[0].value >> 10 << 12 == translated.symbols.find("user_stack").address  # type: ignore[union-attr]


def test_a_value_comes_through_a_queue_from_the_other_hart(crashed: Trace) -> None:
    found = why(crashed, "passed")
    harts = [found.steps[number].hart for number in found.spine]
    turn = harts.index(Hart(1))
    assert set(harts[:turn]) == {0}
    assert set(harts[turn:]) == {1}
    assert {name for _, name in path(found)} == {"consumer", "receive", "producer", "seed"}
    assert last(found).end is End.CONSTANT
    assert found.roots[0].value == 0x5EED * 3 + 1


def test_overlapping_stores_are_told_apart(crashed: Trace) -> None:
    found = why(crashed, "pieces")
    stores = [found.steps[number] for number in found.roots[0].made_by]
    places = sorted(
        (step.place.physical - stores_start(found), step.place.size, step.value or 0, step.text.split()[0])
        for step in stores
        if isinstance(step.place, BytesAt)
    )
    assert places == [
        (0, 1, 0x11, "sd"),
        (1, 1, 0x22, "sb"),
        (2, 2, 0x1111, "sd"),
        (4, 2, 0x3333, "sh"),
        (6, 2, 0x1111, "sd"),
    ]
    assert stores[0].t == max(step.t for step in stores)


def stores_start(found: Explanation) -> int:
    place = found.roots[0].place
    assert isinstance(place, BytesAt)
    return place.physical


@pytest.mark.parametrize(
    ("target", "end", "text"),
    [
        ("stamp", End.DEVICE, "riscv.aclint.mtimer"),
        ("rom", End.READ_ONLY, "boot ROM or flash"),
        ("scratched", End.IMAGE, "initial+0x0 in .data, as it was when the recording began"),
        ("initial", End.IMAGE, "initial+0x0 in .data, as it was when the recording began"),
        ("product", End.IMAGE, "quotient+0x0 in .data, as it was when the recording began"),
    ],
)
def test_where_values_end(crashed: Trace, target: str, end: End, text: str) -> None:
    step = last(why(crashed, target))
    assert (step.end, step.text) == (end, text)


def test_a_control_register_holds_what_the_last_of_two_equal_writes_put_there(crashed: Trace) -> None:
    found = why(crashed, "scratched")
    (write,) = [
        step for step in found.steps if isinstance(step.place, RegisterAt) and step.place.name == "mscratch"
    ]
    writes = [
        step
        for step in range(write.t - 4, write.t + 1)
        if crashed.at(step).disassembly(before=0, after=0)[0].instruction.text.startswith("csrw mscratch")
    ]
    assert len(writes) == 2
    assert write.t == writes[-1]


def test_what_a_trap_put_into_registers(crashed: Trace) -> None:
    for name in ("mepc", "mcause", "mtval", "mstatus"):
        (step,) = why(crashed, name).steps
        assert (step.kind, step.end) == ("trap", End.TRAP)
    assert why(crashed, "mcause").roots[0].value == 1
    assert why(crashed, "mepc").roots[0].value == 0x4141_4122_3340


def test_a_register_that_traps_saved_and_restored_is_one_step(crashed: Trace) -> None:
    found = why(crashed, "t3", at="on_call#4")
    assert [(step.kind, step.end) for step in found.steps] == [("restored", None), ("start", End.START)]
    assert found.steps[0].text.startswith("ld t3, 224(sp) (as saved at t ")
    assert found.steps[0].text.endswith("; restored 3 times since)")


def test_a_loop_that_goes_on_turning_is_cut_and_can_be_followed(crashed: Trace) -> None:
    found = why(crashed, "called")
    turning = [each for each in found.cuts if each.cut is Cut.TURNS]
    assert turning
    assert all(step.number in found.spine for step in found.steps if step.kind == "store")
    whole = why(crashed, "called", limits=Limits(steps=1000, turns=1000))
    assert not [each for each in whole.cuts if each.cut in (Cut.TURNS, Cut.STEPS)]
    assert len(whole.steps) > len(found.steps)
    assert why(crashed, turning[0].place).steps


def test_both_operands_of_an_atomic_addition(crashed: Trace) -> None:
    found = why(crashed, "counter")
    assert found.steps[0].text.startswith("amoadd.d")
    assert {step.end for step in found.ends} == {End.IMAGE, End.CONSTANT}
    assert {step.value for step in found.ends} == {40, 2}


def test_a_load_across_pages_has_two_parts(crashed: Trace) -> None:
    found = why(crashed, "crossed:8")
    load = found.steps[found.spine[1]]
    parts = [each.place for each in load.inputs if each.role is Role.VALUE]
    assert [part.size for part in parts if isinstance(part, BytesAt)] == [4, 4]
    assert last(found).value == 0x0807060504030201


def test_the_hart_itself_is_not_recorded(crashed: Trace) -> None:
    found = why(crashed, "t0", at=crashed.at("producer", hart=1))
    assert last(found).text == "csrr a0, mhartid"
    assert last(found).end is End.NOT_RECORDED


def test_control_came_by_a_call(crashed: Trace) -> None:
    (step,) = why(crashed, "pc", at="seed").steps
    assert (step.kind, function_of(step), step.end) == ("call", "producer", End.CONSTANT)


def test_a_walk_that_was_cut_goes_on_where_it_stopped(crashed: Trace) -> None:
    whole = why(crashed, "passed")
    part = why(crashed, "passed", limits=Limits(steps=3))
    assert part.spine == (0, 1, 2)
    (cut,) = [each for each in part.cuts if each.cut is Cut.STEPS]
    rest = why(crashed, cut.place)
    shown = [(step.t, step.place) for step in (*part.steps, *rest.steps)]
    assert shown == [(step.t, step.place) for step in whole.steps]
    assert "limit of steps" in explanation_text(part)


def test_no_time_is_no_steps(crashed: Trace) -> None:
    found = why(crashed, "passed", limits=Limits(seconds=-1.0))
    assert found.steps == ()
    assert [each.cut for each in found.cuts] == [Cut.SECONDS]
    assert "limit of time" in explanation_text(found)


def test_addresses_are_offered_and_not_followed(crashed: Trace) -> None:
    found = why(crashed, "stamp")
    (address,) = [each for each in found.steps[0].inputs if each.role is Role.ADDRESS]
    assert (address.cut, address.made_by) == (Cut.ADDRESS, ())
    went_on = why(crashed, address.place)
    assert went_on.roots[0].value == address.value
    assert last(went_on).end is End.CONSTANT


def test_bad_questions_are_refused_in_a_sentence(crashed: Trace) -> None:
    with pytest.raises(UsageError, match="neither an address nor a known symbol"):
        why(crashed, "passd")
    with pytest.raises(UsageError, match="why takes up to 4096: add :SIZE"):
        why(crashed, (0x8000_0000, 5000))
    with pytest.raises(PositionError, match="no exception on hart 1 up to t"):
        why(crashed, "fault", at=crashed.at("end", hart=1))
    with pytest.raises(PositionError, match="neither a position"):
        why(crashed, "a0", at="nowhere")
