"""Tasks from labels of stints, and when address spaces take turns on a stack."""

from dataclasses import replace

import numpy as np
import pytest

from tracedbg.ids import Hart, Time
from tracedbg.kernel.contexts import FRESH, NO_CONTEXT
from tracedbg.kernel.stints import STINT, Begin
from tracedbg.kernel.task_labels import NO_TASK, Label, Labels, takes_turns, uses_users_stack
from tracedbg.kernel.tasks import Tasks
from tracedbg.kernel.view import KernelView


@pytest.mark.parametrize(
    ("roots", "expected"),
    [([], False), ([1, 1, 2, 2], False), ([1, 2, 1], True), ([1, 2, 3, 3, 2], True)],
)
def test_spaces_take_turns_where_one_comes_again(roots: list[int], expected: bool) -> None:
    assert takes_turns(roots) is expected


def test_a_kernel_with_stacks_of_its_own_does_not_use_the_users(view: KernelView) -> None:
    assert not uses_users_stack(view.history)


@pytest.mark.parametrize(("own", "expected"), [(FRESH + 1, True), (FRESH, False)])
def test_a_handler_stays_on_the_users_stack_by_what_its_own_hart_runs(
    own: int, expected: bool, view: KernelView
) -> None:
    # Meanwhile another hart runs ten times as many instructions.
    stints = np.zeros(4, STINT)
    stints["t"] = np.arange(4) * 10 * FRESH
    stints["stop"] = stints["t"] + 10 * FRESH
    stints["begin"], stints["privilege"], stints["own"] = Begin.TRAP, 1, own
    history = replace(view.history, stints=stints, context_of=np.full(4, NO_CONTEXT))

    assert uses_users_stack(history) is expected


def test_equal_labels_side_by_side_are_one_interval(view: KernelView) -> None:
    history = view.history
    labels = np.full(len(history.stints), NO_TASK)
    labels[4:8], labels[8:10], labels[10:] = 1, 0, 1
    both = (Label(None, 7), Label(None, 9))
    tasks = Tasks(view.index, history, Labels(both, labels))
    starts = history.stints["t"]
    assert tasks.intervals["t"].tolist() == [starts[4], starts[8], starts[10]]
    assert tasks.intervals["task"].tolist() == [1, 2, 1]
    assert tasks.intervals["stop"].tolist() == [starts[8], starts[10], view.trace.end]
    assert [task.root for task in tasks.unnamed] == [9, 7]
    assert tasks.number_at(Hart(0), Time(int(starts[4]) - 1)) is None
    assert tasks.number_at(Hart(0), Time(int(starts[8]))) == 2
