"""The lowest addresses of stacks: what the kernel's view knows, and what findings have inferred."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from tracedbg.kernel.stacks import Stack
from tracedbg.session.evidence import all_findings
from tracedbg.session.examination import Examination
from tracedbg.store.source import Integers, Numbers


class Certainty(IntEnum):
    """How well the base of a stack is known."""

    UNKNOWN = 0
    INFERRED = 1
    KNOWN = 2


@dataclass(frozen=True, slots=True)
class Base:
    """The lowest address of a stack, and how it is known."""

    address: int
    source: str
    certainty: Certainty


class StackBases:
    """The bases of one examination; its history must be there."""

    def __init__(self, examination: Examination) -> None:
        assert examination.view is not None, "stacks come from the kernel's history"
        self._view = examination.view
        analysis = examination.analysis
        found = () if analysis is None else all_findings(analysis)
        uses = [finding.stack for finding in found if finding.stack is not None]
        self._inferred = {
            int(use.top): Base(int(use.base), use.base_source or "inferred", Certainty.INFERRED)
            for use in reversed(uses)
            if use.base is not None
        }

    def base_of(self, stack: Stack) -> Base | None:
        """Return the base of a stack, None where nothing tells it."""
        if stack.base is not None:
            return Base(stack.base, stack.base_source.value, Certainty.KNOWN)
        return self._inferred.get(stack.top)

    @property
    def is_empty(self) -> bool:
        """Whether the base of no stack at all is known."""
        return all(self.base_of(stack) is None for stack in self._view.stacks)

    def of_contexts(self, numbers: Integers) -> tuple[Numbers, Integers]:
        """Return the base of the stack that each context uses, 0 where it is not known, and its Certainty."""
        unique, places = np.unique(numbers, return_inverse=True)
        bases = [self._of_context(number) for number in unique.tolist()]
        address = np.array([0 if base is None else base.address for base in bases], np.uint64)
        certainty = [Certainty.UNKNOWN if base is None else base.certainty for base in bases]
        return address[places], np.array(certainty, np.int64)[places]

    def _of_context(self, number: int) -> Base | None:
        stack = self._view.stack_of(number)
        return None if stack is None else self.base_of(stack)

    def note(self, numbers: Integers) -> str:
        """Name the stacks of some contexts with their bases."""
        stacks = {self._view.stack_of(number) for number in np.unique(numbers).tolist()}
        named = sorted((stack for stack in stacks if stack is not None), key=lambda stack: stack.number)
        return ", ".join(self._named(stack) for stack in named)

    def _named(self, stack: Stack) -> str:
        base = self.base_of(stack)
        return f"{stack.name} base " + ("not known" if base is None else f"{base.address:x} ({base.source})")
