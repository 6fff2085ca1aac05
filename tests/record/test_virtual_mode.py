"""A guest that enters virtual mode of the hypervisor extension is recorded up to there, and that is said."""

from pathlib import Path

import pytest

import tracedbg
from tests.record.runs import prove
from tests.record.runs import tracedbg as run
from tests.recorder.exotics.source import guest
from tests.recorder.generator import Program, build, command

pytestmark = pytest.mark.slow

NOTE = (
    "the guest enters virtual mode (hypervisor extension), which cannot be recorded: the recording ends"
    " before that instruction"
)
BY_MRET = guest("""
  li t0, 3 << 11
  csrc mstatus, t0
  li t0, 1 << 39 | 1 << 11
  csrs mstatus, t0
  la t0, inside
  csrw mepc, t0
last: li s1, 0x77
  {before}
enter: mret
inside: j inside
""")
BY_SRET = guest("""
  enter 1, supervisor
supervisor:
  la t0, inside
  csrw sepc, t0
  li t0, 1 << 7
  csrs 0x600, t0
last: li s1, 0x77
  {before}
enter: sret
inside: j inside
""")
SUPERVISOR_ALONE = guest("""
  enter 1, supervisor
supervisor:
  la t0, inside
  csrw sepc, t0
  li t0, 1 << 8
  csrs sstatus, t0
  sret
inside: quit
""")


def program(source: str) -> Program:
    return Program("hypervisor", source, "rv64imafdc_zicsr_zifencei", 1, "rv64,h=true")


@pytest.mark.parametrize("before", ["nop", "j enter"], ids=["in a block", "first of its block"])
@pytest.mark.parametrize("source", [BY_MRET, BY_SRET], ids=["mret", "sret"])
def test_the_recording_ends_before_virtual_mode(source: str, before: str, tmp_path: Path) -> None:
    made = program(source.replace("{before}", before))
    elf = build(made, tmp_path)
    trace = tmp_path / "t.bin"
    done = run("record", "-o", trace, "--", *command(made, elf), cwd=tmp_path)
    assert done.status == 1
    assert f"tracedbg: {NOTE}\n" in done.err
    prove(trace)
    with tracedbg.open(trace, symbols=[str(elf)]) as opened:
        assert opened.at("end").registers["s1"] == 0x77
        assert len(opened.executions("last")) == 1
        assert len(opened.executions("enter")) == 0


def test_a_return_that_stays_out_of_virtual_mode_is_recorded(tmp_path: Path) -> None:
    made = program(SUPERVISOR_ALONE)
    elf = build(made, tmp_path)
    trace = tmp_path / "t.bin"
    done = run("record", "-o", trace, "--", *command(made, elf), cwd=tmp_path)
    assert done.status == 0
    prove(trace)
