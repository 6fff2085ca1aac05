"""Which part of a run is recorded: --start-at, --stop-at and --last; and --icount, which makes runs alike."""

import subprocess
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from tests.record import guests
from tests.record.guests import RAM, Guest, build
from tests.record.runs import Running, ending, left_beside, prove, tracedbg
from tracedbg.errors import UsageError
from tracedbg.format.schema import PAGE_SIZE
from tracedbg.ids import Frame, Time
from tracedbg.query import executions, pc_at
from tracedbg.record.limits import plugin_limits
from tracedbg.store import Trace
from tracedbg.store.source import Numbers

pytestmark = pytest.mark.slow


@pytest.fixture
def guest(tmp_path: Path) -> Guest:
    return build(guests.LOOPS, tmp_path)


def label(guest: Guest, name: str) -> int:
    listing = subprocess.run(
        ["riscv64-unknown-elf-nm", str(guest.elf)], capture_output=True, text=True, check=True
    ).stdout
    return next(int(line.split()[0], 16) for line in listing.splitlines() if line.endswith(f" {name}"))


def record(guest: Guest, *options: object) -> Path:
    trace = guest.elf.with_suffix(".bin")
    done = tracedbg("record", "-o", trace, "--force", *options, "--", *guest.command)
    assert done.status == 0, done.err
    return trace


def t_of(trace: Path, address: int, nth: int = 0) -> int:
    with Trace.open(trace) as opened:
        return int(executions(opened, address)[nth]["t"])  # type: ignore[arg-type]


def test_a_symbol_starts_the_recording_at_its_block(guest: Guest) -> None:
    whole = record(guest, "--icount")
    inner = label(guest, "inner")
    with Trace.open(whole) as opened:
        epoch, blocks = opened.epoch(0), opened.blocks
        holding = blocks.block_of[np.flatnonzero(blocks.address == np.uint64(inner))]
        block = int(epoch.run_start[np.flatnonzero(np.isin(epoch.run_block, holding))[0]])
        pc = pc_at(opened, Time(block))
    for where in ("inner", hex(inner)):
        part = record(guest, "--icount", "--start-at", where)
        prove(part)
        with Trace.open(part) as opened:
            assert opened.start == block
            assert pc_at(opened, opened.start) == pc
        assert ending(part)[0] == "guest-shutdown"


def test_a_count_starts_the_recording_at_the_block_that_holds_it(guest: Guest) -> None:
    whole = record(guest, "--icount")
    part = record(guest, "--icount", "--start-at", 1_000_001)
    prove(part)
    with Trace.open(whole) as all_of_it, Trace.open(part) as opened:
        epoch = all_of_it.epoch(all_of_it.epoch_of(Time(1_000_001)))
        starts = epoch.run_start + epoch.start
        assert opened.start == starts[np.searchsorted(starts, 1_000_001, "right") - 1]
        assert opened.end == all_of_it.end
        assert pc_at(opened, opened.start) == pc_at(all_of_it, opened.start)


def test_an_address_or_symbol_ends_the_recording_before_its_block(guest: Guest) -> None:
    whole = record(guest, "--icount")
    skip = t_of(whole, label(guest, "skip"))
    part = record(guest, "--icount", "--stop-at", "skip")
    prove(part)
    assert ending(part)[0] == "stop-at"
    with Trace.open(part) as opened:
        assert opened.start == 0
        assert opened.end == skip


def test_a_count_ends_the_recording_at_the_first_block_that_begins_there_or_later(guest: Guest) -> None:
    whole = record(guest, "--icount")
    part = record(guest, "--icount", "--stop-at", "1_500_000")
    prove(part)
    with Trace.open(whole) as all_of_it, Trace.open(part) as opened:
        epoch = all_of_it.epoch(all_of_it.epoch_of(opened.end))
        starts = epoch.run_start + epoch.start
        assert opened.end == starts[np.searchsorted(starts, 1_500_000)]


def test_start_and_stop_go_together(guest: Guest) -> None:
    part = record(guest, "--icount", "--start-at", "body", "--stop-at", 500_000)
    prove(part)
    with Trace.open(part) as opened:
        assert 0 < opened.start < 500_000 <= opened.end < 500_100


def test_a_start_that_never_comes_leaves_no_trace_and_says_so(guest: Guest) -> None:
    trace = guest.elf.with_suffix(".bin")
    done = tracedbg("record", "-o", trace, "--start-at", "0x80300000", "--", *guest.command)
    assert done.status == 1
    assert done.err == "tracedbg: QEMU ended before --start-at was reached: nothing was recorded\n"
    assert left_beside(trace) == []


def test_an_unknown_symbol_is_wrong_usage(guest: Guest) -> None:
    trace = guest.elf.with_suffix(".bin")
    done = tracedbg("record", "-o", trace, "--start-at", "bodi", "--", *guest.command)
    assert done.status == 2
    assert done.err == ("tracedbg: bodi: neither a count, an address with 0x, nor a symbol; near it: body\n")


def test_the_newest_part_is_what_the_whole_recording_has_there(tmp_path: Path) -> None:
    guest = build(guests.LOOPS.replace("30000", "250000"), tmp_path)
    kept = record(guest, "--icount", "--last", 3, "--stop-at", "finish").rename(tmp_path / "kept.bin")
    count = prove(kept)
    whole = record(guest, "--icount", "--stop-at", "finish")
    with Trace.open(kept) as part, Trace.open(whole) as all_of_it:
        assert 3_000_000 <= count < 3_000_000 + (1 << 20) + 5000
        assert part.end == all_of_it.end
        assert part.guest.start_t == part.start == part.end - count
        ran, times, *rest = history(all_of_it)
        np.testing.assert_array_equal(history(part)[0], ran[part.start :])
        first = int(np.searchsorted(times, part.start))
        for left, right in zip(history(part)[1:], (times, *rest), strict=True):
            np.testing.assert_array_equal(left, right[first:])
        stack = Frame((RAM + 0x10000) // PAGE_SIZE)
        assert part.image_page(stack)[:8].any()
        assert not all_of_it.image_page(stack).any()
        assert part.epoch(0).last_t.tolist() == [(1 << 64) - 1]
        assert part.ending is not None
        assert part.ending.notes == (
            f"the {part.start:,} instructions before the newest were dropped (--last)",
        )


def test_a_run_shorter_than_the_newest_part_is_whole(guest: Guest) -> None:
    trace = record(guest, "--last", 50)
    prove(trace)
    with Trace.open(trace) as opened:
        assert opened.start == 0
        assert opened.console[1].tobytes() == b"hi\n"
        assert [entry.name for entry in opened.attachments][:1] == [str(guest.elf)]


def test_the_disk_that_the_newest_part_takes_is_bounded(tmp_path: Path) -> None:
    guest = build(guests.LOOPS.replace("30000", "900000"), tmp_path)
    most = 0
    trace = tmp_path / "t.bin"
    with Running(trace, ("--last", 2), guest.command) as running:
        while running.process.poll() is None:
            with suppress(FileNotFoundError):
                most = max(most, len(list(trace.with_name("t.bin.partial").glob("*.segment"))))
        assert running.end().status == 0
    assert prove(trace) >= 2_000_000
    assert 1 <= most <= 3


def test_two_runs_with_icount_are_the_same(guest: Guest) -> None:
    # Without a seed QEMU puts random numbers for the guest into its device tree.
    guest = Guest(guest.elf, ("-seed", "1"))
    first = record(guest, "--icount", "--stop-at", "finish").rename(guest.elf.with_name("first.bin"))
    second = record(guest, "--icount", "--stop-at", "finish")
    with Trace.open(first) as one, Trace.open(second) as two:
        assert one.guest == two.guest
        assert one.guest.clock == "icount"
        for left, right in zip(history(one), history(two), strict=True):
            np.testing.assert_array_equal(left, right)


def history(trace: Trace) -> list[Numbers]:
    """Address of each instruction, and all of each access; where blocks end is QEMU's affair."""
    epochs = [trace.epoch(index) for index in range(trace.epochs)]
    ran = [epoch.blocks.address[epoch.instructions(0, epoch.length).instruction] for epoch in epochs]
    tables = [epoch.accesses for epoch in epochs]
    columns = [
        [epoch.accesses.t + np.uint64(epoch.start) for epoch in epochs],
        *([getattr(table, name) for table in tables] for name in ("flags", "virtual", "physical", "value")),
    ]
    return [np.concatenate(parts) for parts in (ran, *columns)]


@pytest.mark.parametrize("text", [str(1 << 64), "9" * 5000, hex(1 << 64)])
def test_a_limit_of_more_than_64_bits_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"^[0-9a-fx]{18,40}: more than 64 bits hold$"):
        plugin_limits(None, text, [], [])
