"""Writing of a capture: epochs of what was seen to start, and what is told of each stop."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from tracedbg.format import grouping
from tracedbg.format.columns import AnyArray
from tracedbg.format.schema import (
    ACCESSES,
    BLOCKS,
    CONSOLE,
    EPOCH,
    NEVER,
    SPAN,
    STOPS,
    WRITES,
    Source,
    StopReason,
)
from tracedbg.format.writer import TraceWriter
from tracedbg.gdb.capture.epoch import EpochColumns
from tracedbg.gdb.capture.spans import Spans
from tracedbg.gdb.capture.tables import table

_STOP = (("t", "<u8"), ("hart", "<u2"), ("reason", "u1"), ("address", "<u8"))
_PLACE = (("t", "<u8"), ("hart", "<u2"), ("pc", "<u8"), ("privilege", "u1"))
_SAMPLE = (("t", "<u8"), ("physical", "<u8"), ("size", "<u4"))


class Code(NamedTuple):
    """An instruction that started: where, its bytes, at which privilege, and what it wrote where."""

    pc: int
    physical: int
    data: bytes
    privilege: int
    destination: int
    source: Source


@dataclass
class Told:
    """Rows of a ``stops`` message, each list in order of t."""

    gaps: list[int] = field(default_factory=list)
    stops: list[tuple[int, int, StopReason, int]] = field(default_factory=list)
    places: list[tuple[int, int, int, int]] = field(default_factory=list)
    samples: list[tuple[int, int, bytes]] = field(default_factory=list)


class CaptureWriter:
    """Writes a capture to a binary file; what it has written can be read even if it never finishes.

    ``t`` is the next moment, ``gap`` the last one before which the guest ran unseen.
    """

    def __init__(self, file: BinaryIO, harts: int) -> None:
        self.trace = TraceWriter(file)
        self.t = self.gap = 0
        self.addresses: list[int] = []
        self._last_t = [NEVER] * harts
        self._blocks: dict[Code, int] = {}
        self._fresh: list[Code] = []
        self._epochs = 0
        self._spans = Spans()

    def begin(self, guest: Mapping[str, Any]) -> None:
        """Write what comes first."""
        self.trace.metadata("guest", guest)
        self.trace.flush()

    def block(self, code: Code) -> int:
        """Return the number of an instruction's block in the dictionary."""
        number = self._blocks.get(code)
        if number is None:
            number = self._blocks[code] = len(self._blocks)
            self._fresh.append(code)
            self.addresses.append(code.pc)
        return number

    def epoch(self, epoch: EpochColumns) -> None:
        """Write an epoch that begins at ``t`` and moves it on; one without instructions only at the start."""
        if not epoch.length and self._epochs:
            return
        if self._fresh:
            self.trace.write(BLOCKS, _block_columns(self._fresh), epoch.first)
            self._fresh = []
        self.trace.write(EPOCH, epoch.epoch(self._last_t), epoch.first)
        self.trace.write(WRITES, {"value": grouping.encode(*epoch.recorded())}, epoch.first)
        self.trace.write(ACCESSES, epoch.accesses(), epoch.first)
        printed = epoch.console()
        if printed is not None:
            self.trace.write(CONSOLE, printed, epoch.first)
        self._epochs += 1
        for level, first, columns in self._spans.add(epoch.first, epoch.touched()):
            self.trace.write(SPAN, columns, first, f"{SPAN.topic}/{level}")
        self.t = epoch.first + epoch.length
        if epoch.length:
            self._last_t[epoch.hart] = self.t - 1

    def tell(self, told: Told) -> None:
        """Write a ``stops`` message, and give all so far to the operating system."""
        samples = _split(told.samples)
        self.gap = max([self.gap, *told.gaps])
        self.trace.write(
            STOPS,
            {
                "gap.t": np.array(told.gaps, "<u8"),
                **table("stop", told.stops, _STOP),
                **table("place", told.places, _PLACE),
                **table("sample", [(t, start, len(data)) for t, start, data in samples], _SAMPLE),
                "sample.bytes": np.frombuffer(b"".join(data for _, _, data in samples), "u1"),
            },
            self.t,
        )
        self.trace.flush()

    def finish(self, ending: Mapping[str, Any]) -> None:
        """Write how it ended, and the summary."""
        self.trace.metadata("ending", ending)
        self.trace.finish()


def _split(samples: Sequence[tuple[int, int, bytes]]) -> list[tuple[int, int, bytes]]:
    """Return samples that are next to each other as one, and in order of t."""
    joined: list[tuple[int, int, bytes]] = []
    for t, start, data in sorted(samples, key=lambda sample: sample[:2]):
        if joined and joined[-1][0] == t and joined[-1][1] + len(joined[-1][2]) == start:
            joined[-1] = t, joined[-1][1], joined[-1][2] + data
        else:
            joined.append((t, start, data))
    return joined


def _block_columns(codes: Sequence[Code]) -> dict[str, AnyArray]:
    return {
        "virtual": np.array([code.pc for code in codes], "<u8"),
        "physical": np.array([code.physical for code in codes], "<u8"),
        # Where the second page of such an instruction lies is not told.
        "next_physical": np.full(len(codes), NEVER, "<u8"),
        "privilege": np.array([code.privilege for code in codes], "u1"),
        "instructions": np.ones(len(codes), "<u2"),
        "insn.length": np.array([len(code.data) for code in codes], "u1"),
        "insn.destination": np.array([code.destination for code in codes], "u1"),
        "insn.source": np.array([code.source for code in codes], "u1"),
        "insn.bytes": np.frombuffer(b"".join(code.data for code in codes), "u1"),
    }
