"""Every question about the kernel, asked of recordings that lack something: an answer or a line."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.attach.machines import machine
from tests.detect.test_bad_input import spoilt
from tests.kernels.build import build, command
from tests.kernels.recordings import RunOf
from tests.kernels.variants import KERNELS
from tracedbg.cli.main import main

pytestmark = pytest.mark.slow

Capture = pytest.CaptureFixture[str]
SHIPPED = Path(__file__).parents[2] / "traces" / "stack_futex.bin"
BY_NAME = {kernel.name: kernel for kernel in KERNELS}
QUESTIONS = {
    "why": ("fault",),
    "what": ("0x80001000",),
    "calls": (),
    "tasks": (),
    "traps": (),
    "stacks": (),
    "spaces": (),
    "state": (),
    "console": (),
}
LINE = re.compile(
    r"(tracedbg: |warning: |names by |nothing confirms |no (trap|stack) |\d+ more|[\d,]+ more|what the )"
)


@dataclass(frozen=True)
class Given:
    """A recording, the options that it is asked with, and of analyze: exit code and what it cannot check."""

    path: Path
    options: tuple[str, ...] = ()
    code: int = 0
    missed: str | None = None


def begins_late(_run_of: RunOf, folder: Path) -> Given:
    built = build(BY_NAME["highhalf_user_page"], folder)
    path = folder / "late.bin"
    # How its run ends is not this test's matter.
    main(["record", "--icount", "-o", str(path), "--start-at", "sys_futex", "--", *command(built)])
    assert path.exists()
    return Given(path, missed="the recording begins there")


def lost_part(_run_of: RunOf, folder: Path) -> Given:
    content = bytearray(SHIPPED.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 64] = bytes(64)
    (folder / "lost.bin").write_bytes(content)
    path = folder / "kept.bin"
    assert main(["repair", str(folder / "lost.bin"), "-o", str(path)]) == 0
    return Given(path)


def cut_short(_run_of: RunOf, folder: Path) -> Given:
    path = folder / "cut.bin"
    content = SHIPPED.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    return Given(path, missed="the file cannot be read beyond byte")


def stripped(run_of: RunOf, _folder: Path) -> Given:
    return Given(run_of(BY_NAME["highhalf_user_page_stripped"]).path, code=1, missed="there are no symbols")


def of_another_build(run_of: RunOf, folder: Path) -> Given:
    other = build(BY_NAME["highhalf_user_page_release"], folder)
    run = run_of(BY_NAME["highhalf_user_page_stripped"])
    return Given(run.path, ("--symbols", str(other.symbols)), code=1)


def of_another_program(run_of: RunOf, folder: Path) -> Given:
    other = build(BY_NAME["rtos_coroutines"], folder)
    run = run_of(BY_NAME["highhalf_user_page_stripped"])
    return Given(run.path, ("--symbols", str(other.symbols)), code=1)


def spoilt_lines(run_of: RunOf, folder: Path) -> Given:
    run = run_of(BY_NAME["highhalf_user_page_stripped"])
    path = folder / "kernel.elf"
    path.write_bytes(spoilt(run.built.symbols.read_bytes(), b".debug_line"))
    return Given(run.path, ("--symbols", str(path)), code=1, missed="names and source lines")


def spoilt_units(run_of: RunOf, folder: Path) -> Given:
    run = run_of(BY_NAME["highhalf_user_page_stripped"])
    path = folder / "kernel.elf"
    path.write_bytes(spoilt(run.built.symbols.read_bytes(), b".debug_info"))
    return Given(run.path, ("--symbols", str(path)), code=1, missed="names and source lines")


def machine_mode_alone(run_of: RunOf, _folder: Path) -> Given:
    return Given(run_of(BY_NAME["rtos_coroutines"]).path, missed="the guest never turned paging on")


def no_system_call(run_of: RunOf, _folder: Path) -> Given:
    return Given(run_of(BY_NAME["vmap_near_end"]).path, code=1, missed="user mode made no system call")


def capture(_run_of: RunOf, folder: Path) -> Given:
    built = build(BY_NAME["highhalf_user_page"], folder)
    path = folder / "capture.bin"
    with machine(["qemu-system-riscv64"], folder, "-kernel", str(built.elf), firmware="none") as target:
        plan = ["--break", "sys_futex", "--step", "40", "--stops", "2", "--symbols", str(built.symbols)]
        assert main(["attach", target.address, "-o", str(path), *plan]) == 0
    return Given(path, ("--symbols", str(built.symbols)), code=3, missed="a capture with gaps in between")


CASES: tuple[Callable[[RunOf, Path], Given], ...] = (
    begins_late, lost_part, cut_short, stripped, of_another_build, of_another_program, spoilt_lines,
    spoilt_units, machine_mode_alone, no_system_call, capture,
)  # fmt: skip


@pytest.fixture(scope="module")
def given_of(kernel_run: RunOf, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Given]:
    made: dict[str, Given] = {}

    def given(name: str) -> Given:
        if name not in made:
            (make,) = [case for case in CASES if case.__name__ == name]
            made[name] = make(kernel_run, tmp_path_factory.mktemp(name))
        return made[name]

    return given


each = pytest.mark.parametrize("case", [case.__name__ for case in CASES])


@each
def test_an_analysis_tells_what_it_could_not_check(
    case: str, given_of: Callable[[str], Given], capsys: Capture
) -> None:
    given = given_of(case)
    capsys.readouterr()
    code = main(["analyze", str(given.path), *given.options, "--json"])
    shown = capsys.readouterr()

    found = json.loads(shown.out)
    assert (code, found["clean"], found["failures"]) == (given.code, not given.code, [])
    missed = [check["text"] for check in found["checks"] if not check["done"]]
    assert given.missed is None or any(given.missed in text for text in missed), missed
    assert all(LINE.match(line) for line in shown.err.splitlines()), shown.err


@each
@pytest.mark.parametrize("question", QUESTIONS)
def test_every_question_gets_an_answer_or_a_line(
    case: str, question: str, given_of: Callable[[str], Given], capsys: Capture
) -> None:
    given = given_of(case)
    capsys.readouterr()
    code = main([question, str(given.path), *QUESTIONS[question], *given.options, "--json"])
    shown = capsys.readouterr()

    assert code in (0, 1, 2)
    assert bool(shown.out) == (code == 0)
    assert code == 0 or len(shown.err.strip().splitlines()) >= 1
    assert code != 0 or json.loads(shown.out) is not None
    assert all(LINE.match(line) for line in shown.err.splitlines()), shown.err


def test_a_recording_with_damage_in_the_middle_is_refused_in_a_line(tmp_path: Path, capsys: Capture) -> None:
    content = bytearray(SHIPPED.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 64] = bytes(64)
    path = tmp_path / "lost.bin"
    path.write_bytes(content)

    assert main(["analyze", str(path)]) == 3
    shown = capsys.readouterr()
    assert shown.out == ""
    assert re.fullmatch(
        rf"tracedbg: {path}: byte \d+: message \w+ is damaged: .*tracedbg repair.*\n", shown.err
    )
