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
    is_capture: bool = False
    gaps: int = 0
    resampled: int = 0
    """Words that were read again and differed from what was known: changed by what a stub does not show."""
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
        """Whether nothing differed and every change of memory has a cause, which a capture cannot tell."""
        return not any(self.mismatches.values()) and (self.is_capture or not self.unexplained)
