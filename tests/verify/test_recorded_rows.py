"""One thing is changed in a real recording: a trap, a console byte, what a span says it touched."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tests.verify.alteration import Altered, Part
from tracedbg.format.schema import CONSOLE, EPOCH, Message
from tracedbg.verify.verify import verify

pytestmark = pytest.mark.slow

RECORDING = Path(__file__).parents[2] / "traces" / "stack_futex.bin"
TRAP = tuple(column.name for column in EPOCH.columns if column.name.startswith("trap."))


@cache
def busiest_epoch() -> tuple[int, int]:
    """An epoch with several traps, and how many it has."""
    parts = [part for part in Altered.of(RECORDING).parts if part.topic == EPOCH.topic]
    counts = [len(part.columns["trap.t"]) for part in parts]
    return int(np.argmax(counts)), max(counts)


def trap_epoch(altered: Altered) -> Part:
    return altered.part(EPOCH.topic, busiest_epoch()[0])


def change(name: str, by: int) -> Callable[[Altered], None]:
    def alter(altered: Altered) -> None:
        part = trap_epoch(altered)
        part.put(name, 1, int(part.columns[name][1]) + by)

    return alter


def drop_trap(altered: Altered) -> None:
    part = trap_epoch(altered)
    rises = part.columns["trap.from"] < part.columns["trap.to"]
    part.drop(int(np.flatnonzero(rises)[0]), *TRAP)


def drop_interrupt_within_a_privilege(altered: Altered) -> None:
    """Drop one that came behind an instruction that succeeded, so that only the control flow tells of it."""
    for part in (part for part in altered.parts if part.topic == EPOCH.topic):
        columns = part.columns
        within = columns["trap.from"] == columns["trap.to"]
        rows = np.flatnonzero(within & (columns["trap.cause"] >> np.uint64(63) == 1))
        if len(rows):
            part.drop(int(rows[0]), *TRAP)
            return
    raise AssertionError("the recording has no interrupt of the kernel")


def drop_failure(altered: Altered) -> None:
    index = next(
        index
        for index, part in enumerate(p for p in altered.parts if p.topic == EPOCH.topic)
        if len(part.columns["unretired.t"])
    )
    altered.part(EPOCH.topic, index).drop(0, "unretired.t")


def change_origin(altered: Altered) -> None:
    part = trap_epoch(altered)
    part.put("trap.from", 0, 1 - int(part.columns["trap.from"][0]) % 2)


def change_byte(altered: Altered) -> None:
    part = altered.part(CONSOLE.topic)
    part.put("byte", 3, int(part.columns["byte"][3]) ^ 1)


def move_byte(altered: Altered) -> None:
    part = altered.part(CONSOLE.topic)
    part.put("t", 3, int(part.columns["t"][3]) + 1)


def drop_byte(altered: Altered) -> None:
    altered.part(CONSOLE.topic).drop(3, *names(CONSOLE))


def names(message: Message) -> tuple[str, ...]:
    return tuple(column.name for column in message.columns)


def change_lines(altered: Altered) -> None:
    part = altered.part("span/0", 2)
    part.put("read.lines", 1, int(part.columns["read.lines"][1]) ^ 1 << 63)


def drop_loaded_frame(altered: Altered) -> None:
    altered.part("span/1").drop(0, "read.frame", "read.lines")


def drop_block(altered: Altered) -> None:
    altered.part("span/0", 2).drop(1, "executed.block")


def add_block(altered: Altered) -> None:
    part = altered.part("span/1")
    blocks = part.columns["executed.block"]
    part.set("executed.block", [*blocks.tolist(), int(blocks[-1]) + 1])


@pytest.mark.parametrize(
    ("alter", "check"),
    [
        (change("trap.cause", 1), "traps"),
        (change("trap.epc", 4), "traps"),
        (change("trap.tval", 8), "traps"),
        (change("trap.last", 1), "traps"),
        (change("trap.t", 1), "traps"),
        (change_origin, "traps"),
        (drop_trap, "traps"),
        (drop_interrupt_within_a_privilege, "traps"),
        (drop_failure, "traps"),
        (change_byte, "console"),
        (move_byte, "console"),
        (drop_byte, "console"),
        (change_lines, "spans"),
        (drop_loaded_frame, "spans"),
        (drop_block, "spans"),
        (add_block, "spans"),
    ],
)
def test_a_changed_row_is_found(alter: Callable[[Altered], None], check: str, tmp_path: Path) -> None:
    altered = Altered.of(RECORDING)
    alter(altered)
    report = verify(altered.write(tmp_path / "altered.bin"))
    assert report.mismatches[check] > 0
    assert not report.passed
    assert report.examples[0].startswith(f"{check}: ")


def test_the_recording_as_it_is_passes(tmp_path: Path) -> None:
    report = verify(Altered.of(RECORDING).write(tmp_path / "same.bin"))
    assert report.passed
    assert report.traps == all_traps()


def all_traps() -> int:
    parts = Altered.of(RECORDING).parts
    return sum(len(part.columns["trap.t"]) for part in parts if part.topic == EPOCH.topic)
