"""The shipped recordings: the failing run's whole story with exact values; nothing about the repaired one."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import tracedbg
from tests.detect.judging import function
from tracedbg.cli.main import main
from tracedbg.detect import Certainty, Finding, Severity, VirtualPlace
from tracedbg.detect.analysis import Analysis
from tracedbg.ids import Time, VirtualAddress
from tracedbg.kernel.view import KernelView
from tracedbg.session.trace import Trace

TRACES = Path(__file__).parents[2] / "traces"
FAILING, FIXED = TRACES / "stack_futex.bin", TRACES / "stack_futex_fixed.bin"
SPACE = 0x8000_0000_0008_0511
TIMESPEC = 0x4001_0E00
SOURCES = "futex_stack/kernel"


@pytest.fixture(scope="module")
def trace() -> Iterator[Trace]:
    with tracedbg.open(FAILING) as opened:
        yield opened


@pytest.fixture(scope="module")
def analysis(trace: Trace) -> Analysis:
    return trace.analyze()


@pytest.fixture(scope="module")
def story(analysis: Analysis) -> Finding:
    assert len(analysis.findings) == 1
    return analysis.findings[0]


def test_the_story_is_a_stack_underflow_and_certain(story: Finding) -> None:
    assert (story.detector, story.severity) == ("stack-underflow", Severity.ERROR)
    assert story.certainty is Certainty.CERTAIN
    assert story.t == 14_409_298


def test_the_stack_is_told_with_base_top_and_lowest_sp(story: Finding) -> None:
    assert story.stack is not None
    assert (story.stack.base, story.stack.top) == (0x8051_6000, 0x8051_8000)
    assert story.stack.lowest_sp == 0x8051_4DE0


def test_the_store_is_told_with_line_and_call_stack(story: Finding) -> None:
    writer = story.writer
    assert writer is not None
    assert (writer.t, writer.sp) == (14_409_298, 0x8051_4E00)
    assert (writer.code.symbol, writer.code.file, writer.code.line) == (
        "trap_entry+0xe", f"{SOURCES}/trap.S", 25,
    )  # fmt: skip
    assert [function(code) for code in writer.backtrace[:13]] == [
        "trap_entry", "memcpy", "block_cache_read", "map_extent", "fs_read_block", "fs_read_inode",
        "fs_find_entry", "walk_path", "follow_link", "walk_path", "fs_lookup", "sys_openat",
        "syscall_dispatch",
    ]  # fmt: skip


def test_the_victim_is_the_users_timespec(story: Finding) -> None:
    assert story.physical_address == 0x8051_4E00
    assert story.virtual_addresses[0] == VirtualPlace(VirtualAddress(TIMESPEC), SPACE)
    assert story.owner is not None
    assert story.owner.kind == "user page"
    assert story.victim is not None
    assert story.victim.before == bytes(8)
    assert story.victim.after == (0x8020_06FA).to_bytes(8, "little")


def test_the_reader_is_the_futex_call_through_memcpy(story: Finding, trace: Trace) -> None:
    assert [(reader.t, reader.physical) for reader in story.consumers] == [
        (14_703_483, 0x8051_4E00), (14_703_490, 0x8051_4E08),
    ]  # fmt: skip
    for reader in story.consumers:
        assert function(reader.code) == "memcpy"
        assert "sys_futex" in [frame.function for frame in trace.at(reader.t).backtrace()]


def test_the_timespec_is_a_part_of_the_story(story: Finding) -> None:
    related = {finding.detector: finding for finding in story.related}
    futex = related["futex-timespec"]
    assert futex.severity is Severity.ERROR
    assert "{tv_sec 2149582586, tv_nsec 2152812320}" in futex.title
    assert "{tv_sec 0, tv_nsec 5000000}" in futex.title


def test_the_paragraph_ends_with_what_the_guest_said(story: Finding) -> None:
    assert story.paragraph.endswith(
        "Then the guest printed “getty: futex: error 22” (t 14,704,067), “Smoke test failed: /etc/issue "
        "banner not found” (t 14,794,771)."
    )


def test_the_picture_has_the_frames_in_order_and_marks_the_store(story: Finding) -> None:
    struck = next(index for index, line in enumerate(story.picture.splitlines()) if "◀ store" in line)
    lines = story.picture.splitlines()
    before, after = lines[struck + 1 : struck + 3]
    del lines[struck + 1 : struck + 3]
    assert before.split() == "0x80514e00 00 00 00 00 00 00 00 00 40 4b 4c 00 00 00 00 00 before".split()
    assert after.split() == "0x80514e00 fa 06 20 80 00 00 00 00 40 4b 4c 00 00 00 00 00 after".split()
    addresses = [int(line.split()[0], 16) for line in lines]
    assert addresses == sorted(addresses, reverse=True)
    owners = {address: line.split(None, 1)[1] for address, line in zip(addresses, lines, strict=True)}
    assert [owners[address].split("  ")[0] for address in (0x8051_7000, 0x8051_6000)] == [
        "kernel stack 7"
    ] * 2
    assert owners[0x8051_5000].startswith("user page 0x40020000 (rw)")
    assert owners[0x8051_4000].startswith("user page 0x40010000 (rw)")
    marked = [address for address in addresses if "◀" in owners[address]]
    assert marked == [0x8051_4000]
    assert "◀ store at 0x80514e00  ◀ SP 0x80514e00" in owners[0x8051_4000]


def test_the_chain_is_in_order_of_time(story: Finding) -> None:
    times = [part.t for part in story.chain]
    assert times == sorted(times)
    assert [part.role for part in story.chain] == ["begin", "store", "read", "read"]


def test_the_repaired_run_is_clean(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", str(FIXED), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["clean"], found["findings"], found["failures"]) == (True, [], [])
    assert {check["detector"] for check in found["checks"] if check["done"]} >= {
        "stack-underflow", "live-frame-overwrite", "return-address", "futex-timespec",
    }  # fmt: skip


def test_of_a_console_line_that_began_before_a_moment_the_rest_is_told() -> None:
    with tracedbg.open(FAILING) as trace:
        index = KernelView(trace).index
        line = next(line for line in index.console_lines if line.content.startswith(b"Smoke test failed"))
        rest = index.console_lines_since(Time(line.t + 1))
        assert rest[0].content == line.content[1:]
        assert rest[0].end == line.end
        assert not index.console_lines_since(Time(index.console_lines[-1].end + 1))
