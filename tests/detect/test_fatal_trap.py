"""Traps, panics and standstills of a guest that is run by hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import tracedbg
from tests.session.program import (
    CALL_OF_F,
    HANDLER,
    STACK_TOP,
    USER_CODE,
    F,
    Runner,
    run_program,
    write_program,
)
from tracedbg.detect import Finding, Severity
from tracedbg.detect.plugins import find_plugins
from tracedbg.kernel.hints import NO_HINTS, Hints
from tracedbg.kernel.view import KernelView

LOAD_FAULT, ILLEGAL, BREAKPOINT = 13, 2, 3
SPINS = 400


@contextmanager
def view_of(
    runner: Runner, folder: Path, how: str = "guest-shutdown", hints: Hints = NO_HINTS
) -> Iterator[KernelView]:
    write_program(runner.program, folder / "program.bin", how)
    with tracedbg.open(folder / "program.bin") as trace:
        yield KernelView(trace, hints=hints)


def findings(
    runner: Runner, folder: Path, how: str = "guest-shutdown", hints: Hints = NO_HINTS
) -> list[Finding]:
    (plugin,) = find_plugins(["fatal-trap"])
    with view_of(runner, folder, how, hints) as view:
        return [item for item in plugin.load().run(view) if isinstance(item, Finding)]


def fault_in_f(cause: int = LOAD_FAULT) -> Runner:
    """A call of f, whose load of the return address traps."""
    runner = Runner()
    runner.run(["main", "f", "g", "g end"])
    runner.block("f end", started=1)
    runner.trap(cause, F + 12, source=1)
    return runner


def spin(runner: Runner) -> None:
    runner.run(["spin"] * SPINS)


@pytest.mark.parametrize("cause", [LOAD_FAULT, ILLEGAL, BREAKPOINT])
def test_a_trap_after_which_the_handler_spins_is_an_error(cause: int, tmp_path: Path) -> None:
    runner = fault_in_f(cause)
    t = runner.t
    runner.run(["handler", "look"])
    runner.write("unexpected trap\n")
    spin(runner)
    (found,) = findings(runner, tmp_path)
    assert (found.severity, found.t) == (Severity.ERROR, t)
    assert [(item.t, item.hart) for item in found.chain if item.role == "trap"] == [(t, 0)]
    assert [item.text for item in found.chain if item.role == "console"] == ["unexpected trap"]
    assert found.stack is not None
    assert found.stack.top == STACK_TOP


def test_the_load_that_brought_a_bad_pointer_is_in_the_chain(tmp_path: Path) -> None:
    runner = fault_in_f()
    stored = next(step.t for step in runner.program.history.steps for touch in step.touches if touch.store)
    runner.run(["handler", "look"])
    spin(runner)
    (found,) = findings(runner, tmp_path)
    fault = next(item for item in found.chain if item.role == "fault")
    assert fault.code is not None
    assert fault.code.pc == F + 12
    assert stored < fault.t == found.t - 1


def test_a_handler_that_never_asks_why_and_spins_is_an_error_too(tmp_path: Path) -> None:
    runner = fault_in_f()
    spin(runner)
    (found,) = findings(runner, tmp_path)
    assert found.severity is Severity.ERROR


def test_a_trap_that_is_dealt_with_is_none(tmp_path: Path) -> None:
    runner = fault_in_f()
    runner.run(["handler", "look", "handler end", "f end"])
    spin(runner)
    assert not findings(runner, tmp_path)


def test_a_kernel_that_goes_on_with_a_user_is_warned_of(tmp_path: Path) -> None:
    runner = fault_in_f()
    runner.run(["handler", "look", "exit", "user", "user end"])
    (found,) = findings(runner, tmp_path)
    assert found.severity is Severity.WARNING


def test_a_fault_that_only_jumps_to_its_handler_is_none(tmp_path: Path) -> None:
    """So kernels turn on paging: the handler is where they go on, and never asks."""
    runner = fault_in_f()
    runner.run(["main again", *CALL_OF_F, "user", "user end"])
    assert not findings(runner, tmp_path)


def test_a_user_that_is_ended_for_its_fault_is_a_remark(tmp_path: Path) -> None:
    runner = Runner()
    runner.run(["main", *CALL_OF_F, "user"])
    runner.trap(LOAD_FAULT, USER_CODE + 4, source=0)
    runner.run(["look"])
    spin(runner)
    (found,) = findings(runner, tmp_path)
    assert found.severity is Severity.INFO


def test_a_handler_that_traps_over_and_over_is_one_finding_at_what_led_to_it(tmp_path: Path) -> None:
    runner = fault_in_f()
    t = runner.t
    for _ in range(12):
        runner.block("handler", started=1)
        runner.trap(LOAD_FAULT, HANDLER, source=1)
    runner.block("handler", started=1)
    (found,) = findings(runner, tmp_path)
    assert (found.severity, found.t) == (Severity.ERROR, t)
    assert "12 times" in found.why


def test_a_healthy_guest_that_shuts_down_has_no_findings(tmp_path: Path) -> None:
    runner = Runner()
    runner.program = run_program()
    assert not findings(runner, tmp_path)


@pytest.mark.parametrize("how", ["signal", "killed", "stop-at"])
def test_a_guest_that_was_ended_from_outside_is_described_and_not_accused(how: str, tmp_path: Path) -> None:
    runner = Runner()
    runner.run(["main", *CALL_OF_F, "main end"])
    runner.write("login: \n")
    spin(runner)
    (found,) = findings(runner, tmp_path, how)
    assert found.severity is Severity.INFO
    assert "hart 0 goes round in a loop" in found.title
    assert [item.text for item in found.chain if item.role == "console"] == ["login: "]


def test_a_handler_that_goes_on_above_the_fault_has_got_over_it(tmp_path: Path) -> None:
    runner = fault_in_f()
    runner.run(["handler", "look", "handler end", "f end", "main end", "main again", *CALL_OF_F])
    with view_of(runner, tmp_path) as view:
        assert not view.trap_outcomes.of_kernel()
        outcome = view.trap_outcomes.outcome(view.trap_outcomes.faults[0])
    assert outcome.returned is not None
    assert outcome.cause_read


@pytest.mark.parametrize("how", ["signal", "guest-shutdown"])
def test_a_text_that_never_came_is_warned_of(how: str, tmp_path: Path) -> None:
    runner = Runner()
    runner.run(["main", *CALL_OF_F])
    runner.write("booting\n")
    (found,) = findings(runner, tmp_path, how, Hints(banners=("booting", "login:")))
    assert found.severity is Severity.WARNING
    assert found.title.startswith("'login:' was never printed")


def test_a_guest_that_printed_all_and_shut_down_has_no_findings(tmp_path: Path) -> None:
    runner = Runner()
    runner.run(["main", *CALL_OF_F])
    runner.write("booting\nlogin: ")
    assert not findings(runner, tmp_path, hints=Hints(banners=("booting", "login:")))
