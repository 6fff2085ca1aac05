"""Recordings that lack something are analysed as far as they go, and the report says what is missing."""

import json
from pathlib import Path
from random import Random

import pytest

import tracedbg
from tests.building.machine import Machine
from tests.building.tracefile import write_trace
from tests.detect.judging import alarms
from tests.kernels.recordings import RunOf
from tests.kernels.variants import KERNELS, UNDERFLOW, Kernel
from tracedbg.cli.main import main
from tracedbg.detect.analysis import Analysis
from tracedbg.detect.report import report

FAILING = Path(__file__).parents[2] / "traces" / "stack_futex.bin"
BY_NAME = {kernel.name: kernel for kernel in KERNELS}


def missed(analysis: Analysis) -> list[str]:
    return [check.text for part in analysis.checked for check in part.checks if not check.is_done]


def cut(path: Path, share: float) -> Path:
    content = FAILING.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def test_a_cut_recording_is_analysed_up_to_the_cut(tmp_path: Path) -> None:
    with tracedbg.open(cut(tmp_path / "cut.bin", 0.99)) as trace:
        analysis = trace.analyze()

    assert [finding.detector for finding in alarms(analysis)] == [UNDERFLOW]
    assert missed(analysis)[0].startswith("the file cannot be read beyond byte ")
    assert f"Not checked:\n   recording             {missed(analysis)[0]}" in report(analysis)


def test_a_cut_before_the_fault_gives_no_alarm(tmp_path: Path) -> None:
    with tracedbg.open(cut(tmp_path / "cut.bin", 0.6)) as trace:
        analysis = trace.analyze()

    assert alarms(analysis) == []
    assert analysis.failures == ()


def test_a_recording_of_which_nothing_is_left_is_refused_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["analyze", str(cut(tmp_path / "cut.bin", 0.05))]) == 3
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.endswith("holds no whole epoch: nothing of the recording is left\n")


@pytest.mark.parametrize("seed", range(12))
def test_random_guests_break_no_detector(seed: int, tmp_path: Path) -> None:
    history = Machine(seed, 1 + seed % 3, start=1000 * (seed % 2)).run(20, 5)
    write_trace(history, tmp_path / "a.bin", finish=seed % 4 != 0)
    with tracedbg.open(tmp_path / "a.bin") as trace:
        analysis = trace.analyze()

    assert analysis.failures == ()
    assert report(analysis).count("Checked:") >= 1
    assert ("recording" in {part.detector for part in analysis.checked}) == (seed % 4 == 0 or seed % 2 == 1)


@pytest.mark.slow
@pytest.mark.parametrize("kernel", [BY_NAME["rtos_coroutines"]], ids=lambda kernel: kernel.name)
def test_a_guest_that_never_left_machine_mode_says_what_was_not_checked(
    kernel: Kernel, kernel_run: RunOf
) -> None:
    analysis = kernel_run(kernel).trace.analyze()

    assert "user pages and page tables: the guest never turned paging on" in missed(analysis)
    assert "timespecs: user mode made no system call" in missed(analysis)


@pytest.mark.slow
@pytest.mark.parametrize("kernel", [BY_NAME["highhalf_user_page"]], ids=lambda kernel: kernel.name)
@pytest.mark.parametrize("section", [b".debug_info", b".debug_line", b".debug_frame"])
def test_with_wrong_debug_sections_all_is_checked_without_names(
    kernel: Kernel, section: bytes, kernel_run: RunOf, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = kernel_run(kernel)
    broken = tmp_path / "kernel.elf"
    broken.write_bytes(spoilt(run.built.symbols.read_bytes(), section))

    assert main(["analyze", str(run.path), "--symbols", str(broken), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [story["detector"] for story in found["findings"]] == ["stack-underflow"]
    assert found["findings"][0]["writer"]["symbol"] is None
    [missed] = [check for check in found["checks"] if check["detector"] == "symbols"]
    assert not missed["done"]
    assert f"{broken}: {section.decode()}" in missed["text"]


def spoilt(elf: bytes, section: bytes) -> bytes:
    """Return an ELF file (64 bits, little-endian) with random bytes in a section."""
    headers, count = int.from_bytes(elf[40:48], "little"), int.from_bytes(elf[60:62], "little")
    names = int.from_bytes(elf[62:64], "little")
    table = [elf[headers + 64 * number : headers + 64 * (number + 1)] for number in range(count)]
    strings = int.from_bytes(table[names][24:32], "little")
    for header in table:
        start = strings + int.from_bytes(header[:4], "little")
        if elf[start : elf.index(b"\0", start)] == section:
            offset, size = (int.from_bytes(header[place : place + 8], "little") for place in (24, 32))
            return elf[:offset] + Random(7).randbytes(size) + elf[offset + size :]
    raise AssertionError(f"the kernel has no section {section.decode()}")
