"""What a recording is asked for, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """How to record. ``plugin`` are options of the plugin besides its files, such as ``stop-t``.

    ``last`` keeps only so many million instructions. ``symbols`` are ELF files to carry in the trace, besides
    those that QEMU boots; ``sources`` also carries the source files that they name.
    """

    icount: bool = False
    level: int = 1
    last: int | None = None
    symbols: tuple[Path, ...] = ()
    sources: bool = True
    plugin: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Summary:
    """What came of a recording. ``how`` is as in the trace's ``ending`` record."""

    path: Path
    instructions: int
    size: int
    how: str
    notes: tuple[str, ...]
