"""The live screen in a real terminal, over a real guest."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import tracedbg
from tests.attach.machines import futex_options, machine
from tests.tui.test_terminal import Terminal
from tracedbg.verify.verify import verify

pytestmark = pytest.mark.slow


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    found = Terminal(tmp_path)
    yield found
    found.end()


def test_a_person_attaches_breaks_steps_goes_back_and_leaves(
    fixed: Path, tmp_path: Path, terminal: Terminal
) -> None:
    trace = tmp_path / "capture.bin"
    with machine(["qemu-system-riscv64"], tmp_path / "guest", *futex_options(fixed)) as target:
        terminal.start("attach", target.address, "--symbols", str(fixed / "kernel.elf"), "-o", str(trace))
        terminal.wait_for("x run")
        terminal.send("H")
        terminal.wait_for("breakpoint at")
        terminal.send("sys_openat", "Enter")
        terminal.wait_for("breakpoint at sys_openat (0x")
        terminal.send("x")
        shown = terminal.wait_for("breakpoint on hart 0 at sys_openat")
        assert "not finished" in shown
        terminal.wait_for("syscall_dispatch")
        terminal.send("S")
        terminal.wait_for("step on hart 0 at sys_openat+0x")
        terminal.send("d")
        terminal.wait_for("instruction back: t 1 (-1)")
        terminal.send("q")
        terminal.wait_for("left with 0")
        target.wait_for("smoke test ok")
    assert verify(trace).passed
    with tracedbg.open(trace) as opened:
        assert opened.end == 2
        assert opened.store.ending is not None
        assert opened.store.ending.how == "detach"
        assert opened.at(1).backtrace()[0].function == "sys_openat"
