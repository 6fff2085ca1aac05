"""What is kept of a trace has limits, and is let go of when the trace is closed."""

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import tracedbg
from tests.detect.judging import alarms
from tracedbg.ids import Hart, Time
from tracedbg.kernel import history, trace_index
from tracedbg.session.trace import Trace

FIXED = Path(__file__).parents[2] / "traces" / "stack_futex_fixed.bin"
KEPT, FEW = 100, 10


@pytest.fixture
def trace() -> Iterator[Trace]:
    with tracedbg.open(FIXED) as opened:
        yield opened


@pytest.fixture
def without_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def missed(trace: Trace) -> list[str]:
    analysis = trace.analyze()
    assert alarms(analysis) == []
    return [check.text for part in analysis.checked if part.detector == "recording" for check in part.checks]


def test_a_pass_ends_where_there_is_too_much_to_keep_and_a_report_says_so(
    trace: Trace, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = trace.kernel.history
    monkeypatch.setattr(history, "MOST_STINTS", KEPT)
    with tracedbg.open(FIXED) as again:
        found = again.kernel.history
        end = found.end

        assert end is not None
        assert end in again.store.epoch_starts
        assert np.array_equal(found.stints, whole.stints[whole.stints["t"] < end])
        # No more than one epoch was looked at beyond the limit.
        assert (
            int((found.stints["t"] < again.store.epoch_starts[again.store.epoch_of(end) - 1]).sum()) <= KEPT
        )
        assert all(found.context_at(Hart(0), Time(t)) is None for t in (end, again.end - 1))
        assert missed(again) == [f"stacks and tasks from t {end:,} on: too many traps and changes of stacks"]


def test_a_pass_through_a_whole_trace_has_no_end(trace: Trace) -> None:
    assert trace.kernel.history.end is None
    assert missed(trace) == []


def test_uses_of_stacks_have_a_limit_too(trace: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MOST_CONTEXTS", 3)

    assert trace.kernel.history.end is not None


def test_of_too_many_traps_the_first_and_the_last_are_kept(
    trace: Trace, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = trace.kernel.index.traps
    assert trace.kernel.index.traps_resume is None
    monkeypatch.setattr(trace_index, "MOST_TRAPS", 2 * FEW)
    with tracedbg.open(FIXED) as again:
        kept, resume = again.kernel.index.traps, again.kernel.index.traps_resume
        left_out = int(again.kernel.index.traps_left_out.sum())

        assert resume is not None
        head = int(np.searchsorted(kept["t"], resume))
        assert np.array_equal(kept[:head], every[:head])
        assert np.array_equal(kept[head:], every[head + left_out :])
        assert left_out > 0
        assert len(kept) - head >= FEW
        assert f"{left_out:,} traps between the first and the last ones: too many" in missed(again)


@pytest.mark.usefixtures("without_collector")
def test_a_closed_trace_holds_nothing_though_no_collector_comes_by() -> None:
    trace = tracedbg.open(FIXED)
    trace.analyze()
    cache, seen = trace.store._source.cache, weakref.ref(trace.kernel.history.stints)
    assert cache.nbytes > 1 << 20

    trace.close()

    assert cache.nbytes == 0
    del trace
    assert seen() is None
