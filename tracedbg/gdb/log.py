"""What a session did, step by step: a readable line for each, and all of it for a program."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, is_dataclass
from typing import TypeAlias

from tracedbg.state import Known

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"


@dataclass
class Step:
    """One call: its number from 1, the script's line, the call as text, and what it found in the end."""

    number: int
    line: int | None
    call: str
    result: object = None

    def __str__(self) -> str:
        place = "" if self.line is None else f"line {self.line}, "
        return f"{place}step {self.number}: {self.call}"

    def json(self) -> Json:
        """The step as plain values."""
        return {"step": self.number, "line": self.line, "call": self.call, "result": as_json(self.result)}


class Log:
    """The steps of a session, oldest first; ``tell`` gets each when it has ended."""

    def __init__(self, tell: Callable[[Step], None] = lambda _: None) -> None:
        self.steps: list[Step] = []
        self._tell = tell

    def begin(self, call: str, line: int | None) -> Step:
        """Add a step."""
        self.steps.append(Step(len(self.steps) + 1, line, call))
        return self.steps[-1]

    def end(self, step: Step, result: object) -> None:
        """Put in what a step found."""
        step.result = result
        self._tell(step)


def as_json(result: object) -> Json:
    """Return a result as plain values: dataclasses become objects, bytes hexadecimal digits."""
    if isinstance(result, Known):
        return result.hex
    if is_dataclass(result) and not isinstance(result, type):
        return {name: as_json(value) for name, value in asdict(result).items()}
    if isinstance(result, dict):
        return {str(name): as_json(value) for name, value in result.items()}
    if isinstance(result, list | tuple):
        return [as_json(value) for value in result]
    return result if isinstance(result, str | int | float | bool | None) else str(result)


def as_text(result: object) -> str:
    """Return a result for people: its own text, several lines for several things."""
    if result is None:
        return ""
    if isinstance(result, Known):
        return result.hex
    if isinstance(result, list | tuple):
        return "\n".join(str(each) for each in result)
    return str(result)
