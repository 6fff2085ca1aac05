"""One thing is changed in a true trace, and verify says what and when."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.building.machine import RAM_START, Machine
from tests.verify.alteration import Altered
from tests.verify.small import SATP, write_with_end
from tracedbg.format.schema import STATE_UNKNOWN, Cause, LateKind, Source
from tracedbg.verify.report import Report
from tracedbg.verify.verify import verify

STORE = ("t", "flags", "virtual", "value")
NOTHING = dict.fromkeys(("structure", "registers", "traps", "loads", "console", "spans", "ram"), 0)


def test_a_true_trace_passes_with_exact_counts(small: Path) -> None:
    report = verify(small)
    assert report.passed
    assert report.mismatches == NOTHING
    assert (report.instructions, report.loads, report.stores) == (10, 4, 2)
    # All but x0 at the second and third keyframe, but for those that nothing told of before the first.
    assert (report.keyframes, report.registers) == (3, 2 * 33)
    assert (report.final_ram_compared, report.frames, report.unknown_results) == (True, 1, 0)
    assert {cause: count for cause, count in report.changes.items() if count} == {"dma": 1}
    assert report.examples == []


@pytest.mark.parametrize("seed", range(12))
def test_random_true_traces_pass(seed: int, tmp_path: Path) -> None:
    history = Machine(seed, 1 + seed % 3, start=1000 * seed).run(20, 6)
    report = verify(write_with_end(history, tmp_path / "a.bin"))
    assert report.examples == []
    assert report.passed
    assert report.instructions == len(history.steps)
    touches = [touch for step in history.steps for touch in step.touches]
    assert report.stores == sum(touch.store for touch in touches)
    assert report.loads == sum(not touch.store for touch in touches)
    assert report.keyframes == len(history.keyframes)
    insns = {id(step): history.blocks[step.block].insns[step.place] for step in history.steps}
    silent = [step for step in history.steps if step.late is LateKind.NO_VALUE]
    unsettled = sum(step.is_open and step.late is None for step in history.steps)
    assert report.unknown_results == unsettled + sum(
        insns[id(step)].source is Source.RECORDED for step in silent
    )
    assert report.final_ram_compared


def check(altered: Altered, tmp_path: Path) -> tuple[Report, dict[str, int]]:
    report = verify(altered.write(tmp_path / "altered.bin"))
    return report, {name: count for name, count in report.mismatches.items() if count}


def change_load(altered: Altered) -> None:
    altered.part("accesses", 1).put("value", 2, 0x0506_0709)


def change_store(altered: Altered) -> None:
    altered.part("accesses", 1).put("value", 1, 0x2222_2222_0506_0799)


def change_upper_half_of_store(altered: Altered) -> None:
    altered.part("accesses", 1).put("value", 1, 0x2222_2223_0506_0708)


def drop_store(altered: Altered) -> None:
    altered.part("accesses", 1).drop(1, *STORE)


def change_write(altered: Altered) -> None:
    altered.part("writes", 0).put("value", 0, 0xAAAB)


def change_keyframe(altered: Altered) -> None:
    altered.part("epoch", 1).put("keyframe.value", 2, 0x1235)


def change_keyframe_pc(altered: Altered) -> None:
    altered.part("epoch", 1).put("keyframe.pc", 1, 0x8020_0000)


def change_state(altered: Altered) -> None:
    altered.part("epoch", 0).put("state.value", 0, 0x98)


def move_state(altered: Altered) -> None:
    altered.part("epoch", 0).put("state.register", 0, SATP + 1)


def change_constant(altered: Altered) -> None:
    altered.part("blocks").set("insn.constant", [0x1235])


def change_span_byte(altered: Altered) -> None:
    altered.part("span/0", 1).put("written.bytes", 0, 0x09)


def change_span_mask(altered: Altered) -> None:
    part = altered.part("span/0", 1)
    part.put("written.mask", 0x20 // 8, 0x7F)
    part.put("written.mask", 0x28 // 8, 0x01)


def drop_span_frame(altered: Altered) -> None:
    part = altered.part("span/0", 0)
    for name in ("written.frame", "written.mask", "written.bytes"):
        part.set(name, [])


def change_digest(altered: Altered) -> None:
    altered.part("end").put("digest", 0, altered.part("end").columns["digest"][0] ^ 1)


def drop_digest(altered: Altered) -> None:
    altered.part("end").set("frame", [])
    altered.part("end").set("digest", [])


PLACE = f"byte {RAM_START + 0x20:#x}"


@pytest.mark.parametrize(
    ("alter", "mismatches", "example"),
    [
        (change_load, {"loads": 1}, f"loads: t 109: {PLACE} was loaded as 0x09 and should be 0x08"),
        # In the spans of level 0, and of levels 1 to 4, which the end of the trace cuts short.
        (change_store, {"loads": 1, "spans": 5, "ram": 1},
         f"loads: t 109: {PLACE} was loaded as 0x08 and should be 0x99"),
        (change_upper_half_of_store, {"spans": 5, "ram": 1},
         "spans: level 0 span of epochs 1 to 1: 1 frames differ, 0x80000000"),
        (drop_store, {"loads": 4, "spans": 5, "ram": 1},
         f"loads: t 109: {PLACE} was loaded as 0x08 and should be 0x04"),
        (change_write, {"registers": 1},
         "registers: t 105: x1 of hart 0 is 0xaaaa and was computed as 0xaaab"),
        (change_keyframe, {"registers": 1},
         "registers: t 105: x2 of hart 0 is 0x1235 and was computed as 0x1234"),
        (change_keyframe_pc, {"registers": 1},
         "registers: t 109: pc is 0x80200000 and was computed as 0x8020000e"),
        (change_state, {"registers": 1}, "registers: t 105: satp of hart 0 is 0x99 and was computed as 0x98"),
        (move_state, {"registers": 2}, "registers: t 105: satp of hart 0 is 0x99 and was computed as 0x0"),
        (change_constant, {"registers": 2},
         "registers: t 105: x2 of hart 0 is 0x1234 and was computed as 0x1235"),
        (change_span_byte, {"spans": 1}, "spans: level 0 span of epochs 1 to 1: 1 frames differ, 0x80000000"),
        (change_span_mask, {"spans": 1}, "spans: level 0 span of epochs 1 to 1: 1 frames differ, 0x80000000"),
        (drop_span_frame, {"spans": 1}, "spans: level 0 span of epochs 0 to 0: 1 frames differ, 0x80000000"),
        (change_digest, {"ram": 1}, "ram: frame 0x80000000 is not what QEMU left"),
        (drop_digest, {"ram": 1}, "ram: frame 0x80000000 is not what QEMU left"),
    ],
)  # fmt: skip
def test_one_change_is_found(
    altered: Altered,
    tmp_path: Path,
    alter: Callable[[Altered], None],
    mismatches: dict[str, int],
    example: str,
) -> None:
    alter(altered)
    report, found = check(altered, tmp_path)
    assert (found, report.examples[0]) == (mismatches, example)
    assert not report.passed


def test_a_change_without_a_cause_is_enough_to_fail(altered: Altered, tmp_path: Path) -> None:
    altered.part("accesses", 1).put("change.cause", 0, Cause.UNEXPLAINED)
    report, found = check(altered, tmp_path)
    assert (found, report.unexplained, report.passed) == ({}, 1, False)


def test_a_load_into_a_register_needs_its_access(altered: Altered, tmp_path: Path) -> None:
    altered.part("accesses", 0).drop(0, *STORE)
    report, found = check(altered, tmp_path)
    assert found == {"structure": 1}
    assert report.examples == ["structure: epoch 0: a load retired without an access"]


def test_a_load_into_a_register_that_brought_something_else_is_found_twice(
    altered: Altered, tmp_path: Path
) -> None:
    altered.part("accesses", 0).put("value", 0, 0xFF11)
    report, found = check(altered, tmp_path)
    assert found == {"registers": 1, "loads": 1}
    assert report.examples == [
        f"loads: t 102: byte {RAM_START + 0x11:#x} was loaded as 0xff and should be 0x22",
        "registers: t 105: x3 of hart 0 is 0x2211 and was computed as 0xffffffffffffff11",
    ]


def test_a_register_that_is_said_to_be_unknown_is_not_compared(altered: Altered, tmp_path: Path) -> None:
    epoch = altered.part("epoch", 0)
    epoch.put("state.register", 0, SATP | STATE_UNKNOWN)
    epoch.put("state.value", 0, 0)
    report, found = check(altered, tmp_path)
    assert (found, report.passed, report.registers) == ({}, True, 2 * 33 - 1)
