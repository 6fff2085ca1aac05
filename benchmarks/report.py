"""Puts measured tables into docs/benchmarks.md, each between the two comments that carry its name."""

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Goal:
    """What was aimed at, what came out, and whether that is enough."""

    text: str
    measured: str
    met: bool


@dataclass(frozen=True)
class Section:
    """A table of the document; ``head`` and ``rows`` have their cells divided by bars."""

    name: str
    head: str
    rows: list[str]
    goals: list[Goal]

    def markdown(self) -> str:
        """The table, and a list of the goals under it."""
        line = "|".join("---" for _ in self.head.split("|"))
        table = [f"| {self.head} |", f"|{line}|", *(f"| {row} |" for row in self.rows)]
        goals = [
            f"- {goal.text}: {goal.measured}, {'met' if goal.met else '**missed**'}" for goal in self.goals
        ]
        return "\n".join([*table, "", *goals])


def replace(document: Path, name: str, text: str) -> None:
    """Replaces what stands between the comments of ``name``; LookupError where the document lacks them."""
    pattern = re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- end of {name} -->)", re.DOTALL)
    old = document.read_text()
    new, count = pattern.subn(lambda found: found[1] + text + found[2], old)
    if count != 1:
        raise LookupError(f"{document}: no place for the table {name}")
    document.write_text(new)
