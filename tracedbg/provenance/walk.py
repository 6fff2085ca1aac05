"""The walk back: from what was asked for to the events that made it, the path of the value first."""

from dataclasses import dataclass, field
from heapq import heappop, heappush
from time import monotonic
from typing import NamedTuple

from tracedbg.ids import VirtualAddress
from tracedbg.provenance.draft import InputDraft, StepDraft
from tracedbg.provenance.drafting import Drafting
from tracedbg.provenance.explanation import Cut
from tracedbg.provenance.maker import Maker


@dataclass(frozen=True)
class Limits:
    """How far a walk goes: ``steps`` of all paths together, ``seconds`` of time.

    ``turns`` is how often one path may come back to the same computing instruction. ``stack``: go on
    also from the stack pointer, as where a value is the address of something on the stack.
    """

    steps: int = 64
    seconds: float = 10.0
    turns: int = 3
    stack: bool = False


class _Path(NamedTuple):
    """The instructions passed from a root on, the last first."""

    pc: VirtualAddress
    before: "_Path | None"

    def count(self, pc: VirtualAddress) -> int:
        found = 0
        path: _Path | None = self
        while path is not None:
            found += path.pc == pc
            path = path.before
        return found


class _Pending(NamedTuple):
    """An input to go on from; ``turnings`` is how often the way to it left the path of the value."""

    turnings: int
    age: int
    order: int
    input: InputDraft
    path: _Path | None


@dataclass
class Walk:
    """Steps found so far, by number; ``spine`` are those on the path of the value."""

    drafting: Drafting
    limits: Limits
    steps: list[StepDraft] = field(default_factory=list)
    spine: list[int] = field(default_factory=list)
    _numbers: dict[tuple[object, ...], int] = field(default_factory=dict)
    _pending: list[_Pending] = field(default_factory=list)
    _pushed: int = 0

    def run(self, roots: list[InputDraft]) -> None:
        """Walk back from inputs, the first of them being the one that the path of the value begins with."""
        deadline = monotonic() + self.limits.seconds
        self._push_all(roots, roots[:1], 0, None)
        while self._pending:
            pending = heappop(self._pending)
            if monotonic() > deadline:
                pending.input.cut = Cut.SECONDS
            else:
                self._follow(pending)

    def start_with(self, step: StepDraft) -> list[InputDraft]:
        """Make a step the first, and return its inputs to walk on from."""
        self.steps.append(step)
        self.spine.append(0)
        return [each for each in step.inputs if each.cut is None]

    def _push_all(
        self, inputs: list[InputDraft], main: list[InputDraft], turnings: int, path: _Path | None
    ) -> None:
        for each in inputs:
            if each.cut is None:
                self._pushed += 1
                aside = 0 if any(each is one for one in main) else 1
                heappush(self._pending, _Pending(turnings + aside, -each.place.t, self._pushed, each, path))

    def _follow(self, pending: _Pending) -> None:
        wanted = pending.input
        makers = [wanted.maker] if wanted.maker else self.drafting.find(wanted.place, wanted.value)
        newest = max(makers, key=lambda maker: maker.t)
        # The newest first, for it is on the path of the value.
        for maker in sorted(makers, key=lambda maker: -maker.t):
            number = self._numbers.get(maker.key)
            if number is None:
                if len(self.steps) >= self.limits.steps:
                    wanted.cut = Cut.STEPS
                    return
                turnings = pending.turnings + (maker is not newest)
                number = self._take(maker, turnings, pending.path)
            wanted.made_by.append(number)

    def _take(self, maker: Maker, turnings: int, path: _Path | None) -> int:
        step = self.drafting.draft(maker)
        number = len(self.steps)
        self.steps.append(step)
        self._numbers[maker.key] = number
        if turnings == 0:
            self.spine.append(number)
        if step.repeats and step.pc is not None:
            path = _Path(step.pc, path)
            if path.count(step.pc) > self.limits.turns:
                for each in step.values:
                    each.cut = each.cut or Cut.TURNS
        self._push_all(step.values, main_inputs(step), turnings, path)
        return number


def main_inputs(step: StepDraft) -> list[InputDraft]:
    """Return the one of a step's inputs that the path of the value follows, or none."""
    values = step.values
    if not values:
        return []
    equal = [each for each in values if each.value is not None and each.value == step.maker.value]
    if equal:
        return equal[:1]
    return [max(values, key=lambda each: -1 if each.value is None else each.value)]
