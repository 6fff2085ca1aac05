"""Steps, held against the chain of activations that the program kept as it ran."""

from collections.abc import Callable

import pytest

from tests.session.program import Program
from tracedbg.ids import Time
from tracedbg.session import Session, Step, StepError

Chains = list[tuple[int, ...]]


def over(chains: Chains, t: int, order: range) -> int | None:
    """The first other moment whose innermost activation is this one or one that called it."""
    return next((other for other in order if chains[other][-1] in chains[t]), None)


def out(chains: Chains, t: int, order: range) -> int | None:
    """The first other moment whose innermost activation called this one."""
    return next((other for other in order if chains[other][-1] in chains[t][:-1]), None)


def every_step(session: Session, step: Step, moments: range) -> list[int | None]:
    found: list[int | None] = []
    for t in moments:
        try:
            found.append(session.step(step, Time(t)))
        except StepError:
            found.append(None)
    return found


@pytest.mark.parametrize(("step", "expected"), [(Step.OVER, over), (Step.OUT, out)])
def test_function_steps_forward(
    session: Session, program: Program, step: Step, expected: Callable[[Chains, int, range], int | None]
) -> None:
    chains = program.activations
    last = len(chains) - 1
    moments = range(last)
    assert every_step(session, step, moments) == [
        expected(chains, t, range(t + 1, len(chains))) for t in moments
    ]


@pytest.mark.parametrize(("step", "expected"), [(Step.OVER_BACK, over), (Step.OUT_BACK, out)])
def test_function_steps_back_are_the_mirror(
    session: Session, program: Program, step: Step, expected: Callable[[Chains, int, range], int | None]
) -> None:
    chains = program.activations
    moments = range(1, len(chains))
    assert every_step(session, step, moments) == [expected(chains, t, range(t - 1, -1, -1)) for t in moments]


def test_instruction_steps_are_each_others_mirror(session: Session) -> None:
    for t in range(1, 100):
        assert session.step(Step.INSTRUCTION, session.step(Step.INSTRUCTION_BACK, Time(t))) == t


def test_block_steps_stop_where_blocks_begin(session: Session, program: Program) -> None:
    steps = program.history.steps
    begins = [step.t for step in steps if step.starts_run]
    for t in range(len(steps)):
        later = [begin for begin in begins if begin > t]
        assert session.step(Step.BLOCK, Time(t)) == (later[0] if later else len(steps))
        earlier = [begin for begin in begins if begin < t]
        if earlier:
            assert session.step(Step.BLOCK_BACK, Time(t)) == earlier[-1]


def test_a_step_beyond_the_trace_says_so(session: Session) -> None:
    with pytest.raises(StepError, match="this is the trace's start"):
        session.step(Step.INSTRUCTION_BACK, session.trace.start)
    with pytest.raises(StepError, match="this is the trace's end"):
        session.step(Step.BLOCK, session.trace.end)
    with pytest.raises(StepError, match="nothing runs at the end of the trace"):
        session.step(Step.OVER, session.trace.end)
