"""A step before the walk has gone on from it."""

from dataclasses import dataclass, field

from tracedbg.ids import VirtualAddress
from tracedbg.provenance.explanation import Cut, End, Input, Role, Step
from tracedbg.provenance.maker import Maker
from tracedbg.provenance.place import Place
from tracedbg.state.recording import Recording


@dataclass
class InputDraft:
    """An input; ``maker`` is set where what made it was found together with its value."""

    role: Role
    place: Place
    value: int | None
    maker: Maker | None = None
    cut: Cut | None = None
    made_by: list[int] = field(default_factory=list)

    def finish(self) -> Input:
        """Return it as the explanation shows it."""
        return Input(self.role, self.place, self.value, tuple(self.made_by), self.cut)


@dataclass
class StepDraft:
    """A step; ``repeats`` where it may be a part of a loop's own counting."""

    maker: Maker
    kind: str
    text: str
    pc: VirtualAddress | None = None
    end: End | None = None
    repeats: bool = False
    inputs: list[InputDraft] = field(default_factory=list)

    @property
    def values(self) -> list[InputDraft]:
        """The inputs that carry the value."""
        return [each for each in self.inputs if each.role is Role.VALUE]

    def finish(self, number: int, recording: Recording) -> Step:
        """Return it as the explanation shows it, with symbol and source line."""
        pc, maker = self.pc, self.maker
        return Step(
            number=number,
            kind=self.kind,
            t=maker.t,
            hart=maker.hart,
            pc=pc,
            symbol=None if pc is None else recording.symbols.at(pc),
            line=None if pc is None else recording.symbols.line_at(pc),
            text=self.text,
            place=maker.place,
            value=maker.value,
            inputs=tuple(each.finish() for each in self.inputs),
            end=self.end,
        )
