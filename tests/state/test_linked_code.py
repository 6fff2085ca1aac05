"""Code that runs at another address than the one it is linked at has its names there."""

import pytest

from tests.kernels.recordings import RunOf
from tests.kernels.variants import KERNELS
from tracedbg.ids import VirtualAddress

pytestmark = pytest.mark.slow

PROGRAMS = next(kernel for kernel in KERNELS if kernel.name == "trampoline_programs")
TRAMPOLINE = 0x3F_FFFF_F000


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


@pytest.mark.xdist_group(PROGRAMS.name)
def test_pages_that_ran_no_kernel_code_have_no_names(kernel_run: RunOf) -> None:
    symbols = kernel_run(PROGRAMS).trace.symbols

    assert symbols.at(VirtualAddress(TRAMPOLINE - 4096)) is None
    assert symbols.at(VirtualAddress(TRAMPOLINE + 4096)) is None
