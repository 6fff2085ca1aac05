"""Code that runs at another address than the one it is linked at has its names there."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

import tracedbg
from tests.kernels.recordings import RunOf
from tests.kernels.variants import KERNELS
from tracedbg.format.schema import PAGE_SIZE
from tracedbg.ids import VirtualAddress
from tracedbg.state import Trace
from tracedbg.state.linked_code import LinkedCode
from tracedbg.store import Trace as StoredTrace

pytestmark = pytest.mark.slow

PROGRAMS = next(kernel for kernel in KERNELS if kernel.name == "trampoline_programs")
TRAMPOLINE = 0x3F_FFFF_F000


@pytest.fixture
def shipped() -> Iterator[Trace]:
    with tracedbg.open(Path(__file__).parents[2] / "traces" / "stack_futex.bin") as trace:
        yield trace


@pytest.mark.xdist_group(PROGRAMS.name)
def test_trampoline_has_the_names_of_where_it_is_linked(kernel_run: RunOf) -> None:
    trace = kernel_run(PROGRAMS).trace
    symbols = trace.symbols
    linked = symbols.find("user_resume")
    assert linked is not None
    start = symbols.find("trampoline")
    assert start is not None
    address = VirtualAddress(TRAMPOLINE + linked.address - start.address)

    found, line = symbols.at(address), symbols.line_at(address)

    assert len(trace.executions(address)) > 0
    assert found is not None
    assert (found.demangled, found.offset) == ("user_resume", 0)
    assert line is not None
    assert line == symbols.line_at(linked.address)


def test_a_kernel_is_known_beside_much_firmware_at_the_same_distance(shipped: Trace) -> None:
    symbol = shipped.symbols.find("sys_futex")
    assert symbol is not None
    firmware = 0x8000_0000 + PAGE_SIZE * np.arange(40, dtype=np.uint64)
    physical = np.append(firmware, np.full(2, symbol.address, np.uint64))
    virtual = physical.copy()
    virtual[-1] = TRAMPOLINE + symbol.address % PAGE_SIZE
    blocks = SimpleNamespace(virtual=virtual, physical=physical, privilege=np.ones(len(virtual), np.uint8))
    code = LinkedCode(cast(StoredTrace, SimpleNamespace(blocks=blocks)), shipped.symbols)

    assert code.find(VirtualAddress(int(virtual[-1]))) == symbol.address
    assert code.places(symbol.address) == [virtual[-1]]


@pytest.mark.xdist_group(PROGRAMS.name)
def test_a_symbol_names_the_moments_at_which_its_code_ran_elsewhere(kernel_run: RunOf) -> None:
    trace = kernel_run(PROGRAMS).trace
    start, vector = (trace.symbols.find(name) for name in ("trampoline", "user_vector"))
    assert start is not None
    assert vector is not None
    address = TRAMPOLINE + vector.address - start.address
    times = trace.executions(address)["t"].tolist()

    assert len(trace.executions(vector.address)) == 0
    assert len(times) > 1
    assert trace.executions("user_vector")["t"].tolist() == times
    assert [trace.position(f"user_vector#{number}") for number in (1, len(times))] == [times[0], times[-1]]
    assert trace.at("user_vector").pc == address


@pytest.mark.xdist_group(PROGRAMS.name)
def test_pages_that_ran_no_kernel_code_have_no_names(kernel_run: RunOf) -> None:
    symbols = kernel_run(PROGRAMS).trace.symbols

    assert symbols.at(VirtualAddress(TRAMPOLINE - 4096)) is None
    assert symbols.at(VirtualAddress(TRAMPOLINE + 4096)) is None
