"""Which frames user mode touched, against a look at each of its accesses and runs, one by one."""

from collections.abc import Iterator

import numpy as np
import pytest

from tests.kernels.recordings import RunOf
from tests.kernels.variants import KERNELS
from tracedbg.format.schema import PAGE_SIZE
from tracedbg.session.trace import Trace

BY_NAME = {kernel.name: kernel for kernel in KERNELS}
Touch = tuple[int, int, int]


def touches(trace: Trace) -> Iterator[Touch]:
    """Yield frame, virtual page and satp of everything that user mode loads, stores and runs."""
    for number in range(trace.store.epochs):
        epoch = trace.store.epoch(number)
        in_user = epoch.blocks.privilege[epoch.run_block] == 0
        runs = np.flatnonzero(in_user & (np.diff(epoch.run_start) > 0))
        table = epoch.accesses
        found = [
            (int(epoch.run_start[run]), int(epoch.blocks.physical[block]), int(epoch.blocks.virtual[block]))
            for run, block in zip(runs.tolist(), epoch.run_block[runs].tolist(), strict=True)
        ]
        own = in_user[np.searchsorted(epoch.run_start, table.t, "right") - 1]
        found += zip(
            *(column[own].tolist() for column in (table.t, table.physical, table.virtual)), strict=True
        )
        for t, physical, virtual in found:
            satp = trace.at(epoch.start + t).satp
            assert satp is not None
            yield physical // PAGE_SIZE, virtual // PAGE_SIZE, satp


@pytest.mark.slow
@pytest.mark.parametrize("name", ["highhalf_fork", "highhalf_reuse"])
def test_every_frame_that_user_mode_touched_is_told_with_its_page_and_space(
    name: str, kernel_run: RunOf
) -> None:
    trace = kernel_run(BY_NAME[name]).trace
    rows = trace.kernel.history.user_pages
    found = set(zip(*(rows[column].tolist() for column in ("frame", "page", "root")), strict=True))

    assert found == set(touches(trace))
