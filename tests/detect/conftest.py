"""Each kernel's recording is analysed once in a session."""

from collections.abc import Callable

import pytest

from tests.kernels.recordings import RunOf
from tests.kernels.variants import Kernel
from tracedbg.detect.analysis import Analysis

AnalysisOf = Callable[[Kernel], Analysis]


@pytest.fixture(scope="session")
def kernel_analysis(kernel_run: RunOf) -> AnalysisOf:
    analyses: dict[str, Analysis] = {}

    def analysis_of(kernel: Kernel) -> Analysis:
        if kernel.name not in analyses:
            analyses[kernel.name] = kernel_run(kernel).trace.analyze()
        return analyses[kernel.name]

    return analysis_of
