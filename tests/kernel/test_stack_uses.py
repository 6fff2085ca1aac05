"""Who a stack belongs to and what of it may be needed, from uses written by hand."""

from tracedbg.kernel.contexts import Context, Freeze
from tracedbg.kernel.stack_uses import StackUses

TOP = 0x8010_0000
HIGHER_TOP = TOP + 0x138
FOREVER = 1 << 62


def use(number: int, start: int, stop: int | None, *, top: int = TOP, from_user: bool = True) -> Context:
    return Context(
        number=number, hart=0, privilege=1, start=start, top=top, low=top - 0x100, low_t=start,
        from_user=from_user, stop=stop,
    )  # fmt: skip


def left(number: int, start: int, t: int, *, top: int = TOP) -> Context:
    found = use(number, start, None, top=top)
    found.freezes.append(Freeze(t, top - 0x100, None))
    return found


def needed(uses: StackUses, address: int, t: int) -> list[int]:
    return [context.number for context in uses.needing(address, t)]


def test_a_stack_belongs_to_one_owner_until_it_is_begun_by_a_switch() -> None:
    contexts = [
        use(0, 10, 20, from_user=False), use(1, 30, 40), use(2, 50, 60),
        use(3, 70, 80, from_user=False), use(4, 90, 100),
    ]  # fmt: skip
    uses = StackUses(reversed(contexts))

    assert [uses.owned(context) for context in contexts] == [(10, 60)] * 3 + [(70, 100)] * 2


def test_traps_to_another_top_tell_nothing_of_the_owner() -> None:
    contexts = [
        use(0, 10, 20, top=HIGHER_TOP),
        use(1, 30, 40),
        use(2, 50, 60, top=HIGHER_TOP),
        use(3, 70, 80),
    ]
    uses = StackUses(contexts)

    assert uses.owned(contexts[1]) == uses.owned(contexts[3]) == (30, 80)
    assert uses.owned(contexts[2]) == (10, 60)


def test_a_use_is_needed_from_its_start_to_its_end() -> None:
    uses = StackUses([use(0, 10, 20), use(1, 30, None)])

    found = [needed(uses, TOP - 8, t) for t in (9, 10, 19, 20, 30, FOREVER - 1)]

    assert found == [[], [0], [0], [], [1], [1]]
    assert needed(uses, TOP, 10) == []


def test_what_was_left_is_needed_until_a_use_begins_at_the_same_top() -> None:
    uses = StackUses([left(0, 10, 20), use(1, 30, 40, top=HIGHER_TOP), use(2, 50, 60), left(3, 70, 80)])

    found = [needed(uses, TOP - 8, t) for t in (25, 45, 50, 65, 90)]

    assert found == [[0], [0], [2], [], [3]]
