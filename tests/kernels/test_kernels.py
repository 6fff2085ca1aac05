"""Every kernel does in its recording what its declaration says."""

import numpy as np
import pytest

from tests.kernels.damage import consumed, function_of, last_exception, place_of, stores_to, traps_of
from tests.kernels.recordings import RunOf
from tests.kernels.variants import KERNELS, Fault, Kernel, Owner, Truth
from tracedbg.ids import VirtualAddress
from tracedbg.verify.verify import verify

pytestmark = pytest.mark.slow

HEALTHY = [kernel for kernel in KERNELS if kernel.truth is None]
BUGGY = [(kernel, kernel.truth) for kernel in KERNELS if kernel.truth is not None]
DAMAGED = [(kernel, truth) for kernel, truth in BUGGY if truth.owner not in {None, Owner.GUARD}]
TRAPPED = [(kernel, truth) for kernel, truth in BUGGY if truth.trap is not None]
GUARDED = [(kernel, truth) for kernel, truth in BUGGY if truth.fault is Fault.GUARD]
NEAR_END = [(kernel, truth) for kernel, truth in BUGGY if truth.fault is Fault.NEAR_END]
TABLES = [(kernel, truth) for kernel, truth in TRAPPED if truth.owner is Owner.PAGE_TABLE]
HUNG = [kernel for kernel, truth in BUGGY if truth.fault is Fault.HANG]
PAGE = 4096
MOST_BELOW = 4 * PAGE
MOST_INSTRUCTIONS = 20_000_000


def names(rows: list[tuple[Kernel, Truth]]) -> list[str]:
    return [kernel.name for kernel, _ in rows]


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
def test_recording_is_proved_and_ends_as_declared(kernel: Kernel, kernel_run: RunOf) -> None:
    run = kernel_run(kernel)
    report = verify(run.path)

    assert report.passed, report.examples
    assert report.instructions < MOST_INSTRUCTIONS
    assert (run.trace.console().text.splitlines() or [""])[-1] == kernel.last_line


@pytest.mark.parametrize(("kernel", "truth"), DAMAGED, ids=names(DAMAGED))
def test_declared_functions_store_to_the_victim(kernel: Kernel, truth: Truth, kernel_run: RunOf) -> None:
    trace = kernel_run(kernel).trace
    place = place_of(trace)
    stores = stores_to(trace, place.range, truth.writers)

    assert {function_of(trace, store) for store in stores} == set(truth.writers)
    for store in stores:
        sp = trace.at(store.t).registers["sp"]
        assert sp is not None
        assert store.virtual is not None
        if truth.fault is Fault.FREED:
            continue
        if truth.fault is Fault.BELOW_STACK:
            assert store.virtual < place.stack_base < place.stack_top
            assert store.virtual - MOST_BELOW < sp < place.stack_top
        else:
            assert place.stack_base < sp <= place.stack_top
        if truth.fault is Fault.LIVE_FRAMES:
            assert sp <= store.virtual < place.stack_top


@pytest.mark.parametrize(("kernel", "truth"), DAMAGED, ids=names(DAMAGED))
def test_declared_functions_read_what_was_stored(kernel: Kernel, truth: Truth, kernel_run: RunOf) -> None:
    trace = kernel_run(kernel).trace
    place = place_of(trace)
    stores = stores_to(trace, place.range, truth.writers)
    loads = consumed(trace, place.range, {store.t for store in stores})

    assert {function_of(trace, load) for load in loads} >= set(truth.readers)


@pytest.mark.parametrize(("kernel", "truth"), TRAPPED, ids=names(TRAPPED))
def test_run_ends_with_the_declared_trap(kernel: Kernel, truth: Truth, kernel_run: RunOf) -> None:
    trace = kernel_run(kernel).trace

    assert last_exception(trace).cause == truth.trap


@pytest.mark.parametrize(("kernel", "truth"), TABLES, ids=names(TABLES))
def test_last_trap_walks_the_damaged_page_table(kernel: Kernel, truth: Truth, kernel_run: RunOf) -> None:
    trace = kernel_run(kernel).trace
    victim, trap = place_of(trace).range, last_exception(trace)
    writer = trace.last_write(victim, trap.t)

    assert writer is not None
    assert function_of(trace, writer) in truth.writers
    assert victim[0] in {level.address for level in trace.at(trap.t).translate(trap.address).levels}


@pytest.mark.parametrize("kernel", HUNG, ids=lambda kernel: kernel.name)
def test_hang_ends_asleep_with_tasks_left(kernel: Kernel, kernel_run: RunOf) -> None:
    trace = kernel_run(kernel).trace

    waiting = trace.executions("wait_for")
    last = trace.at(trace.end - 1).disassembly(before=0, after=0)[0]

    assert len(waiting) == 2
    assert trace.executions("wake", between=(int(waiting["t"][-1]), "end")).size == 0
    assert last.instruction.text == "wfi"


@pytest.mark.parametrize(("kernel", "truth"), GUARDED, ids=names(GUARDED))
def test_first_access_below_the_stack_is_refused(kernel: Kernel, truth: Truth, kernel_run: RunOf) -> None:
    trace = kernel_run(kernel).trace
    place = place_of(trace)
    trap = next(trap for trap in traps_of(trace) if trap.cause == truth.trap)
    symbol = trace.symbols.at(VirtualAddress(trap.pc))

    assert symbol is not None
    assert symbol.name in truth.writers
    assert place.stack_base - PAGE <= trap.address < place.stack_base


@pytest.mark.parametrize(("kernel", "truth"), NEAR_END, ids=names(NEAR_END))
def test_stack_comes_near_its_end(kernel: Kernel, truth: Truth, kernel_run: RunOf) -> None:
    trace = kernel_run(kernel).trace
    place = place_of(trace)
    writes = trace.register_writes("sp")
    inside = writes[(writes["value"] < place.stack_top) & (writes["value"] >= place.stack_base - PAGE)]
    lowest = inside[np.argmin(inside["value"])]
    pc = trace.at(int(lowest["instruction"])).pc
    assert pc is not None
    symbol = trace.symbols.at(pc)

    assert int(lowest["value"]) == place.stack_base + 16
    assert symbol is not None
    assert symbol.name in truth.writers
