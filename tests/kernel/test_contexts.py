"""Uses of stacks from stretches of the stack pointer written by hand."""

from typing import NamedTuple

import numpy as np

from tracedbg.kernel.contexts import NO_CONTEXT, Context, ContextTracker, Freeze
from tracedbg.kernel.stints import STINT, Begin

USER_SP = 0x4000_0000
TOP, OTHER_TOP, TRAP_TOP = 0x8010_0000, 0x8020_0000, 0x8030_0000


class Where(NamedTuple):
    """The hart and privilege that a stint runs at, the one that it was trapped from, and the backing."""

    hart: int = 0
    at: int = 1
    source: int = 1
    backing: int = 0


KERNEL, USER, FIRMWARE = Where(), Where(at=0, source=0), Where(at=3, source=3)
FROM_USER, FIRMWARE_FROM_KERNEL = Where(source=0), Where(at=3)
SECOND_HART = Where(hart=1)
HERE, THERE = Where(backing=0x80100), Where(backing=0x80200)


class Story:
    """Stints of one or more harts, in order of t; each goes on until the next one of its hart."""

    def __init__(self, harts: int = 1) -> None:
        self.tracker = ContextTracker(harts)
        self.t = 0

    def stint(self, begin: Begin, sp: int, *moves: int, where: Where = KERNEL, wait: int = 10) -> int:
        """Add a stint that goes through ``moves``; return its context's number."""
        self.t += wait
        values = [sp, *moves]
        bounds = sp, min(values), max(values), values[-1]
        self.tracker._harts[where.hart].clock += wait
        begins = (self.t, self.t + 1, where.hart, int(begin), where.at, where.source, sp != 0)
        row = (*begins, 0, where.backing, *bounds)
        numbers, _ = self.tracker.feed(np.array([row], STINT))
        return int(numbers[0])

    def user(self) -> None:
        self.stint(Begin.SET, USER_SP)
        self.stint(Begin.RETURN, USER_SP, where=USER, wait=1)

    def call(self, kernel_sp: int, *moves: int) -> int:
        """A trap from user mode whose handler takes a kernel stack."""
        self.stint(Begin.TRAP, USER_SP, where=FROM_USER)
        return self.stint(Begin.SET, kernel_sp, *moves, wait=2)

    def context(self, number: int) -> Context:
        return self.tracker.contexts[number]


def test_a_call_from_user_mode_is_a_context_that_ends_with_the_return() -> None:
    story = Story()
    story.user()
    number = story.call(TOP, TOP - 0x100)
    story.user()
    found = story.context(number)
    assert (found.top, found.low, found.from_user) == (TOP, TOP - 0x100, True)
    assert found.stop == story.t
    assert not found.freezes


def test_the_next_call_on_the_same_stack_is_another_context() -> None:
    story = Story()
    story.user()
    first = story.call(TOP, TOP - 0x100)
    story.user()
    assert story.call(TOP, TOP - 0x40) != first


def test_a_task_switch_freezes_one_context_and_the_switch_back_thaws_it() -> None:
    story = Story()
    first = story.stint(Begin.SET, TOP, TOP - 0x100)
    second = story.stint(Begin.SET, OTHER_TOP, OTHER_TOP - 0x80)
    left = story.t
    assert story.context(first).freezes == [Freeze(left, TOP - 0x100, None)]
    assert story.stint(Begin.SET, TOP - 0x100, TOP) == first
    assert story.context(first).freezes == [Freeze(left, TOP - 0x100, story.t)]
    assert story.context(first).frozen_at(left) is not None
    assert story.context(first).frozen_at(story.t) is None
    assert story.context(second).frozen_at(story.t) == Freeze(story.t, OTHER_TOP - 0x80, None)


def test_a_switch_of_spaces_is_one_of_stacks_where_these_have_the_same_addresses() -> None:
    story = Story()
    here = story.stint(Begin.SET, TOP, TOP - 0x100, where=HERE)
    story.stint(Begin.SPACE, TOP - 0x100, where=THERE, wait=200)
    there = story.stint(Begin.SET, TOP, TOP - 0x100, where=THERE, wait=2)
    assert there != here
    assert story.stint(Begin.SPACE, TOP - 0x100, where=HERE, wait=200) == here
    assert story.stint(Begin.SPACE, TOP - 0x100, where=THERE, wait=50) == there


def test_a_stack_pointer_that_is_set_before_the_space_belongs_to_the_next_one() -> None:
    story = Story()
    here = story.stint(Begin.SET, TOP, TOP - 0x100, where=HERE)
    story.stint(Begin.SET, TOP - 0x40, where=HERE, wait=200)
    story.stint(Begin.SPACE, TOP - 0x40, where=THERE, wait=2)
    there = story.stint(Begin.SET, TOP - 0x40, TOP - 0x80, where=THERE, wait=200)
    assert there != here
    assert story.context(here).freezes[-1].sp == TOP - 0x100
    story.stint(Begin.SET, TOP - 0x100, where=THERE, wait=200)
    assert story.stint(Begin.SPACE, TOP - 0x100, where=HERE, wait=2) == here
    assert story.context(there).freezes[-1].sp == TOP - 0x80


def test_what_went_on_elsewhere_is_not_taken_back_by_a_switch_of_spaces() -> None:
    story = Story(harts=2)
    moved = story.stint(Begin.SET, TOP, TOP - 0x100, where=HERE)
    story.stint(Begin.SET, OTHER_TOP, where=HERE, wait=200)
    elsewhere = Where(hart=1, backing=HERE.backing)
    assert story.stint(Begin.SET, TOP - 0x100, where=elsewhere, wait=2) == moved
    story.stint(Begin.SPACE, OTHER_TOP, where=THERE, wait=2)
    assert story.context(moved).frozen_at(story.t) is None
    story.stint(Begin.SET, OTHER_TOP, where=elsewhere, wait=200)
    assert story.stint(Begin.SET, TOP - 0x100, where=elsewhere, wait=2) == moved


def test_a_context_goes_on_on_another_hart() -> None:
    story = Story(harts=2)
    moved = story.stint(Begin.SET, TOP, TOP - 0x100)
    story.stint(Begin.SET, OTHER_TOP)
    story.stint(Begin.SET, TRAP_TOP, where=SECOND_HART)
    assert story.stint(Begin.SET, TOP - 0x100, where=SECOND_HART) == moved


def test_nested_traps_stay_in_the_interrupted_context() -> None:
    story = Story()
    number = story.stint(Begin.SET, TOP, TOP - 0x100)
    for depth in (0x100, 0x200):
        assert story.stint(Begin.TRAP, TOP - depth, TOP - depth - 0x100) == number
    for depth in (0x200, 0x100):
        assert story.stint(Begin.RETURN, TOP - depth) == number
    assert len(story.tracker.contexts) == 1


def test_firmware_that_interrupts_before_the_handler_began_is_a_context_of_its_own() -> None:
    story = Story()
    firmware = story.stint(Begin.SET, TRAP_TOP, TRAP_TOP - 0x100, where=FIRMWARE)
    story.stint(Begin.SET, 0, where=FIRMWARE)
    story.user()
    story.stint(Begin.TRAP, USER_SP, where=FROM_USER)
    story.stint(Begin.TRAP, USER_SP, where=FIRMWARE_FROM_KERNEL, wait=0)
    inner = story.stint(Begin.SET, TRAP_TOP, TRAP_TOP - 0x100, where=FIRMWARE, wait=2)
    story.stint(Begin.SET, USER_SP, where=FIRMWARE)
    story.stint(Begin.RETURN, USER_SP, wait=1)
    outer = story.stint(Begin.SET, TOP, TOP - 0x100, wait=2)
    assert len({firmware, inner, outer}) == 3
    assert story.context(outer).from_user
    assert story.context(outer).top == TOP


def test_zero_swapped_out_of_scratch_is_no_stack() -> None:
    story = Story()
    number = story.stint(Begin.SET, TOP, TOP - 0x100)
    story.stint(Begin.TRAP, TOP - 0x100)
    assert story.stint(Begin.SET, 0, wait=1) == NO_CONTEXT
    assert story.stint(Begin.SET, TOP - 0x100, TOP - 0x200, wait=1) == number
    assert len(story.tracker.contexts) == 1


def test_a_handler_that_tests_its_stack_stays_on_it() -> None:
    story = Story()
    number = story.stint(Begin.SET, TOP, TOP - 0x100)
    story.stint(Begin.TRAP, TOP - 0x100, TOP - 0x220)
    assert story.stint(Begin.SET, 4, 0, wait=3) == NO_CONTEXT
    assert story.stint(Begin.SET, TOP - 0x220, TOP - 0x300, wait=1) == number


def test_a_function_called_on_another_stack_comes_back() -> None:
    story = Story()
    own = story.stint(Begin.SET, TOP, TOP - 0x100)
    borrowed = story.stint(Begin.SET, TRAP_TOP, TRAP_TOP - 0x400, TRAP_TOP)
    assert borrowed != own
    assert story.stint(Begin.SET, TOP - 0x100) == own


def test_longjmp_and_the_end_of_alloca_pop_frames() -> None:
    story = Story()
    number = story.stint(Begin.SET, TOP, TOP - 0x800)
    assert story.stint(Begin.SET, TOP - 0x200) == number
    assert len(story.tracker.contexts) == 1


def test_frames_freed_soon_after_a_context_began_leave_its_extent() -> None:
    story = Story()
    number = story.stint(Begin.SET, TOP, TOP - 0x3FF0)
    assert story.stint(Begin.SET, TOP - 0x30) == number
    assert story.stint(Begin.RAISE, TOP - 0x10, wait=2) == number
    found = story.context(number)
    assert (found.top, found.low) == (TOP, TOP - 0x3FF0)


def test_a_stack_named_by_its_lowest_address_begins_at_its_top() -> None:
    story = Story()
    number = story.stint(Begin.SET, TOP - 0x4000)
    assert story.stint(Begin.RAISE, TOP, TOP - 0x40, wait=2) == number
    found = story.context(number)
    assert (found.top, found.low) == (TOP, TOP - 0x40)


def test_a_recycled_stack_frozen_where_another_task_was_is_told_from_it() -> None:
    story = Story()
    dead = story.stint(Begin.SET, TOP, TOP - 0x100)
    scheduler = story.stint(Begin.SET, OTHER_TOP, OTHER_TOP - 0x40)
    reborn = story.stint(Begin.SET, TOP, TOP - 0x100)
    assert story.stint(Begin.SET, OTHER_TOP - 0x40) == scheduler
    assert story.stint(Begin.SET, TOP - 0x100) == reborn
    assert reborn != dead


def test_an_interrupt_stack_right_below_a_small_stack_is_no_part_of_it() -> None:
    story = Story()
    small = TRAP_TOP + 0x400
    story.stint(Begin.SET, TRAP_TOP, TRAP_TOP - 0x100)
    task = story.stint(Begin.SET, small, small - 0x80)
    story.stint(Begin.TRAP, small - 0x80, small - 0x180)
    handler = story.stint(Begin.SET, TRAP_TOP, TRAP_TOP - 0x100, wait=2)
    assert handler != task
    assert story.context(task).low == small - 0x180


def test_a_handler_that_begins_over_what_it_interrupted_lies_within_it() -> None:
    story = Story()
    outer = story.stint(Begin.SET, TOP, TOP - 0x400)
    story.stint(Begin.TRAP, TOP - 0x400)
    inner = story.stint(Begin.SET, TOP, TOP - 0x100, wait=2)
    assert inner != outer
    assert story.context(inner).within == outer
