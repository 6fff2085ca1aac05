"""Whose frames are, and what guards a stack, on kernels that keep their guards in different ways."""

import pytest

from tests.kernels.damage import place_of
from tests.kernels.recordings import RunOf
from tests.kernels.variants import KERNELS
from tracedbg.format.schema import PAGE_SIZE
from tracedbg.ids import Frame, Time
from tracedbg.kernel.addresses import what_is
from tracedbg.kernel.guards import GuardSource
from tracedbg.kernel.owners import OwnerKind
from tracedbg.session.trace import Trace

pytestmark = pytest.mark.slow
BY_NAME = {kernel.name: kernel for kernel in KERNELS}
USER_DATA = 0x40010000


def in_use(trace: Trace, base: int) -> Time:
    """Return the deepest moment of the stack at ``base``."""
    (stack,) = [stack for stack in trace.kernel.stacks if stack.base == base]
    return Time(stack.low_t)


def frame_of(trace: Trace, virtual: int, t: int) -> Frame:
    physical = trace.at(t).translate(virtual).physical
    assert physical is not None
    return Frame(physical // PAGE_SIZE)


@pytest.mark.parametrize(
    ("which", "source"), [("kept", GuardSource.ENTRY), ("left out", GuardSource.LEFT_OUT)]
)
def test_a_frame_behind_a_guard_page_is_told_and_how_it_is_known(
    which: str, source: GuardSource, kernel_run: RunOf
) -> None:
    trace = kernel_run(BY_NAME["vmap_guard_frames"]).trace
    place = place_of(trace)
    # This kernel has no victim: it leaves the bases of two stacks and where their guards' frames are.
    base, frame = {
        "kept": (place.stack_base, Frame(place.victim // PAGE_SIZE)),
        "left out": (place.stack_top, Frame(place.victim_size // PAGE_SIZE)),
    }[which]
    t = in_use(trace, base)

    owner = trace.kernel.owners.owner_at(frame, t)
    assert owner.kind is OwnerKind.GUARD
    assert owner.guard is not None
    assert (owner.guard.stack.base, owner.guard.page) == (base, base - PAGE_SIZE)
    assert owner.guard.source is source
    assert [part.kind for part in trace.kernel.owners.history_of(frame)] == [
        OwnerKind.UNUSED, OwnerKind.GUARD,
    ]  # fmt: skip
    answer = what_is(trace.kernel, base - 8, t, virtual=True)
    assert (answer.physical, answer.owner) == (None, None)
    assert answer.guard == owner.guard


def test_a_guard_page_without_a_frame_is_one_by_its_address_alone(kernel_run: RunOf) -> None:
    trace = kernel_run(BY_NAME["vmap_guard_page"]).trace
    base = place_of(trace).stack_base
    t = in_use(trace, base)

    guard = what_is(trace.kernel, base - 1, t, virtual=True).guard
    assert guard is not None
    assert (guard.source, guard.frame) == (GuardSource.UNMAPPED, None)
    # Below it another stack is mapped: what lies there guards nothing.
    assert what_is(trace.kernel, base - PAGE_SIZE - 1, t, virtual=True).guard is None
    # Its frames do not lie in one piece: the one between them was never given to it.
    between = Frame(frame_of(trace, base, t) - 1)
    assert trace.kernel.owners.owner_at(between, t).kind is OwnerKind.UNUSED


def test_before_a_stack_is_mapped_nothing_guards_it(kernel_run: RunOf) -> None:
    trace = kernel_run(BY_NAME["vmap_guard_page"]).trace
    base = place_of(trace).stack_base

    assert trace.kernel.guards.find_at(base - 8, trace.start) is None


def test_a_frame_that_was_given_back_is_free_and_a_stack_that_waits_is_not(kernel_run: RunOf) -> None:
    trace = kernel_run(BY_NAME["highhalf_reuse"]).trace
    kernel = trace.kernel
    reused = [
        (kernel.owners.history_of(Frame(frame)), frame)
        for frame in sorted(set(kernel.history.stack_pages["frame"].tolist()))
        if frame in kernel.history.user_pages["frame"]
    ]
    kinds = [[owner.kind for owner in history] for history, _ in reused]
    stack, user = OwnerKind.KERNEL_STACK, OwnerKind.USER_PAGE

    assert [OwnerKind.UNUSED, stack, user, stack] in kinds
    assert all(history[-1].kind is not OwnerKind.FREE for history, _ in reused)


def test_a_page_that_was_copied_and_left_is_free(kernel_run: RunOf) -> None:
    kernel = kernel_run(BY_NAME["highhalf_fork"]).trace.kernel
    pages = kernel.history.user_pages
    shared = [
        frame
        for frame in sorted(set(pages["frame"].tolist()))
        if len(
            set(pages["root"][(pages["frame"] == frame) & (pages["page"] == USER_DATA // PAGE_SIZE)].tolist())
        )
        > 1
    ]

    (frame,) = shared
    kinds = [owner.kind for owner in kernel.owners.history_of(Frame(frame))]
    assert kinds == [OwnerKind.UNUSED, OwnerKind.USER_PAGE, OwnerKind.USER_PAGE, OwnerKind.FREE]
