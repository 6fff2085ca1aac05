"""Who ruined the timespec of a futex, on the shipped recordings."""

from pathlib import Path

import pytest

import tracedbg
from tests.kernels.recordings import RunOf
from tests.kernels.variants import KERNELS
from tests.session.program import run_program, write_program
from tracedbg.detect import Certainty, Check, Finding, Outcome, Severity
from tracedbg.detect.plugins import find_plugins
from tracedbg.session.trace import Trace

SHIPPED = Path(__file__).parents[2] / "traces"


def outcomes(trace: Trace) -> list[Outcome]:
    return list(find_plugins(["futex-timespec"])[0].load().run(trace.kernel))


@pytest.fixture(scope="module")
def finding() -> Finding:
    with tracedbg.open(SHIPPED / "stack_futex.bin") as trace:
        found = [item for item in outcomes(trace) if isinstance(item, Finding)]
    assert len(found) == 1
    return found[0]


def test_the_finding_says_what_was_read_and_what_had_been_written(finding: Finding) -> None:
    assert finding.title == (
        "futex read a timeout that was overwritten: {tv_sec 2149582586, tv_nsec 2152812320} where the user "
        "had written {tv_sec 0, tv_nsec 5000000}, and returned -22 (EINVAL)"
    )
    assert (finding.severity, finding.certainty) == (Severity.ERROR, Certainty.CERTAIN)
    assert "all 2 calls of the number reach sys_futex" in finding.why


def test_the_writer_is_the_trap_entry_on_the_callers_own_kernel_stack(finding: Finding) -> None:
    assert finding.writer is not None
    assert finding.stack is not None
    assert (finding.writer.t, finding.writer.code.symbol) == (14_409_298, "trap_entry+0xe")
    assert (finding.writer.code.file, finding.writer.code.line) == ("futex_stack/kernel/trap.S", 25)
    assert finding.stack.top == 0x80518000
    assert [place.address for place in finding.virtual_addresses] == [0x40010E00]


def test_the_victim_is_the_timespec_before_and_after(finding: Finding) -> None:
    assert finding.victim is not None
    assert finding.victim.physical == 0x80514E00
    assert finding.victim.before == bytes(8) + (5_000_000).to_bytes(8, "little")
    assert finding.victim.after == bytes.fromhex("fa06208000000000 204f518000000000")


def test_the_chain_leads_from_the_users_store_to_the_error(finding: Finding) -> None:
    assert [item.role for item in finding.chain] == ["user-write", "overwrite", "call", "read", "return"]
    assert [item.t for item in finding.chain] == sorted(item.t for item in finding.chain)
    assert finding.chain[-1].text == "futex returns -22 (EINVAL)"


def test_a_healthy_run_is_clean_and_the_report_says_what_was_looked_at() -> None:
    with tracedbg.open(SHIPPED / "stack_futex_fixed.bin") as trace:
        found = outcomes(trace)
    assert found == [Check("1 timespecs of futex (names by the function that the call reaches)")]


def test_calls_without_confirmed_names_are_not_judged(tmp_path: Path) -> None:
    write_program(run_program(), tmp_path / "program.bin")
    with tracedbg.open(tmp_path / "program.bin") as trace:
        found = outcomes(trace)
    text = "timespecs of 3 system calls: nothing confirms what their numbers mean; tracedbg.toml may say it"
    assert found == [Check(text, is_done=False)]


@pytest.mark.slow
def test_a_timespec_out_of_a_frame_that_is_no_more_mapped_is_told_with_what_is(kernel_run: RunOf) -> None:
    (kernel,) = [kernel for kernel in KERNELS if kernel.name == "highhalf_moved_page"]
    (found,) = [item for item in outcomes(kernel_run(kernel).trace) if isinstance(item, Finding)]

    assert found.title == (
        "nanosleep read a req out of another frame than the one mapped: {tv_sec 0, tv_nsec 250} where the "
        "user had written {tv_sec 0, tv_nsec 500}, and returned 250"
    )
    assert (found.severity, found.certainty) == (Severity.ERROR, Certainty.CERTAIN)
    assert [item.role for item in found.chain] == ["user-write", "call", "read", "return"]
    user_write, read = found.chain[0], found.chain[2]
    assert user_write.code is not None
    assert user_write.code.symbol is not None
    assert user_write.code.symbol.startswith("user_main+")
    assert read.physical is not None
    assert found.physical_address is not None
    assert read.physical // 4096 != found.physical_address // 4096


@pytest.mark.slow
def test_a_store_under_another_space_is_likely_and_says_what_else_it_may_be(kernel_run: RunOf) -> None:
    (kernel,) = [kernel for kernel in KERNELS if kernel.name == "highhalf_late_answer"]
    (found,) = [item for item in outcomes(kernel_run(kernel).trace) if isinstance(item, Finding)]

    assert (found.severity, found.certainty) == (Severity.WARNING, Certainty.LIKELY)
    assert "memory that processes share through a file would be an innocent explanation" in found.why
    assert found.writer is not None
    assert found.writer.code.symbol is not None
    assert found.writer.code.symbol.startswith("deliver+")
