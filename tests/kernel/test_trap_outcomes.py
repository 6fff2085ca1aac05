"""Which return from a trap belongs to which trap, against a stack for each thing that is interrupted."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tracedbg.kernel.stints import STINT, Begin
from tracedbg.kernel.trap_outcomes import _Events

EVENTS = st.lists(st.tuples(st.booleans(), st.sampled_from([0, 1, 3]), st.sampled_from([0x100, 0x200])))


def reference(events: list[tuple[bool, int, int]]) -> list[int]:
    """For each trap the t of its return, -1 for none; what returns without a trap belongs to none."""
    stacks: dict[tuple[int, int], list[int]] = {}
    found: dict[int, int] = {}
    for t, (is_trap, privilege, sp) in enumerate(events):
        stack = stacks.setdefault((privilege, sp), [])
        if is_trap:
            stack.append(t)
            found[t] = -1
        elif stack:
            found[stack.pop()] = t
    return [found[t] for t in sorted(found)]


@given(EVENTS)
def test_returns_belong_to_traps_as_closing_to_opening_brackets(events: list[tuple[bool, int, int]]) -> None:
    stints = np.zeros(len(events), STINT)
    for t, (is_trap, privilege, sp) in enumerate(events):
        stints["t"][t], stints["begin"][t] = t, Begin.TRAP if is_trap else Begin.RETURN
        stints["source"][t] = stints["privilege"][t] = privilege
        stints["first"][t], stints["known"][t] = sp, True
    assert _Events.of(stints).returned.tolist() == reference(events)
