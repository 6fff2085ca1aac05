"""What a verification found."""

from collections import Counter
from dataclasses import dataclass, field

from tracedbg.format.schema import Cause

EXAMPLES = 20
CHECKS = ("structure", "registers", "traps", "loads", "console", "spans", "ram")


@dataclass
class Report:
    """Counts of what was compared and what differed; ``examples`` are sentences on the first differences."""

    instructions: int = 0
    loads: int = 0
    stores: int = 0
    keyframes: int = 0
    registers: int = 0
    frames: int = 0
    traps: int = 0
    mismatches: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(CHECKS, 0)))
    changes: Counter[str] = field(default_factory=lambda: Counter({cause.name.lower(): 0 for cause in Cause}))
    unknown_results: int = 0
    final_ram_compared: bool = False
    examples: list[str] = field(default_factory=list)
    losses: tuple[str, ...] = ()

    def differ(self, check: str, count: int, example: str) -> None:
        """Note ``count`` differences found by one of CHECKS."""
        if count:
            self.mismatches[check] += count
            if len(self.examples) < EXAMPLES:
                self.examples.append(f"{check}: {example}")

    @property
    def unexplained(self) -> int:
        """How many eight-byte words of memory changed without a known cause."""
        return self.changes[Cause.UNEXPLAINED.name.lower()]

    @property
    def passed(self) -> bool:
        """Whether nothing differed and every change of memory has a cause."""
        return not any(self.mismatches.values()) and not self.unexplained
