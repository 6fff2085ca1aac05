"""What a session finds, as frozen values that print as a line and as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Frame:
    """A frame of gdb's call stack; empty or None what gdb has no symbols for."""

    level: int
    pc: int | None
    function: str
    file: str
    line: int | None

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Self:
        """Return the frame in an MI record."""
        address = str(record.get("addr", ""))
        return cls(
            level=int(record.get("level", 0)),
            pc=int(address, 16) if address.startswith("0x") else None,
            function=str(record.get("func", "")).replace("??", ""),
            file=str(record.get("file", "")),
            line=int(record["line"]) if "line" in record else None,
        )

    def __str__(self) -> str:
        pc = "??" if self.pc is None else f"{self.pc:x}"
        place = f" {self.file.rsplit('/', 1)[-1]}:{self.line}" if self.line is not None else ""
        return f"{pc} {self.function or '??'}{place}"


@dataclass(frozen=True)
class Stop:
    """Where a run stopped: gdb's reason, the frame, and of a watchpoint the values before and after.

    ``t`` and ``hart`` are those of the recording, None where the target is none. In time, ``old`` is what
    gdb saw first: after a run backwards it is the later value.
    """

    reason: str
    frame: Frame
    t: int | None
    hart: int | None
    number: int | None = None
    old: str | None = None
    new: str | None = None

    @property
    def is_edge(self) -> bool:
        """Whether the recording has no more in that direction."""
        return self.reason == "no-history"

    def __str__(self) -> str:
        when = "" if self.t is None else f"t {self.t} on hart {self.hart}: "
        number = "" if self.number is None else f" {self.number}"
        values = "" if self.new is None else f", {self.old} then {self.new}"
        return f"{when}{self.reason}{number} at {self.frame}{values}"
