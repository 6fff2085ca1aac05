"""Runs all checks over a trace, epoch by epoch."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tracedbg.errors import TraceFormatError
from tracedbg.format.columns import PackedMessage
from tracedbg.format.reader import TraceFile
from tracedbg.format.schema import PAGE_SIZE, SPAN_FANOUT, SPAN_LEVELS
from tracedbg.verify.blocks import Dictionary, expand
from tracedbg.verify.memory import Memory, MemoryCheck
from tracedbg.verify.registers import RegisterCheck
from tracedbg.verify.report import Report

Progress = Callable[[int, int], None]


def verify(path: Path, progress: Progress | None = None) -> Report:
    """Return what comparing the whole trace with itself found; ``progress`` gets epochs done and all.

    Raises TraceFormatError when the file cannot be read at all.
    """
    with TraceFile(path) as file:
        return _Verification(file).run(progress)


class _Verification:
    def __init__(self, file: TraceFile) -> None:
        guest = file.metadata("guest")
        if guest is None:
            raise TraceFormatError(
                str(file.path), None, "holds no description of the guest: nothing to verify"
            )
        self._file = file
        self._report = Report(losses=file.losses)
        self._dictionary = Dictionary()
        self._blocks_read = 0
        self._memory = Memory([(area["start"], area["size"]) for area in guest["ram"]])
        self._memory_check = MemoryCheck(self._memory, self._report)
        self._registers = RegisterCheck(guest["harts"], tuple(guest["registers"]), None, self._report)
        # By level: what the span under way has written, by frame.
        self._span_written: list[dict[int, np.ndarray[tuple[int], np.dtype[np.bool_]]]] = [
            {} for _ in range(SPAN_LEVELS)
        ]

    def run(self, progress: Progress | None) -> Report:
        file = self._file
        for index in range(file.count("image")):
            self._memory.add_image(file.fetch("image", index))
        for index in range(file.count("late")):
            self._registers.add_late(file.fetch("late", index))
        # What was cut short may lack an epoch's last messages.
        epochs = min(file.count(topic) for topic in ("epoch", "writes", "accesses"))
        for index in range(epochs):
            self._epoch(index)
            if progress is not None:
                progress(index + 1, epochs)
        if file.count("end") and not file.losses:
            self._compare_ram(file.fetch("end", 0))
        return self._report

    def _epoch(self, index: int) -> None:
        epoch, writes, accesses = (
            self._file.fetch(topic, index) for topic in ("epoch", "writes", "accesses")
        )
        first, end = map(int, epoch.column("bounds"))
        while (
            self._blocks_read < self._file.count("blocks")
            and int(self._file.times("blocks")[self._blocks_read]) <= first
        ):
            self._dictionary.add(self._file.fetch("blocks", self._blocks_read))
            self._blocks_read += 1
        try:
            rows = expand(epoch, self._dictionary)
        except ValueError as error:
            self._report.differ("structure", 1, f"epoch {index}: {error}")
            return
        self._report.instructions += len(rows.index)
        self._report.differ("structure", int(len(rows.index) != end - first),
                            f"epoch {index}: {len(rows.index)} instructions in t {first} to {end}")  # fmt: skip
        self._registers.check(epoch, writes, accesses, self._dictionary, rows)
        self._memory_check.check(epoch, accesses)
        self._check_spans(index)

    def _check_spans(self, index: int) -> None:
        """Compare the spans that end with this epoch with what was written and with memory as it is now."""
        for frame, mask in self._memory_check.written.items():
            for written in self._span_written:
                written[frame] = written[frame] | mask if frame in written else mask
        for level in range(SPAN_LEVELS):
            length = SPAN_FANOUT**level
            if (index + 1) % length:
                return
            number = (index + 1) // length - 1
            if number < self._file.count(f"span/{level}"):
                self._check_span(self._file.fetch(f"span/{level}", number), level, index)
            self._span_written[level] = {}

    def _check_span(self, span: PackedMessage, level: int, index: int) -> None:
        written = self._span_written[level]
        frames = span.column("written.frame").tolist()
        masks = (
            np.unpackbits(span.column("written.mask"), bitorder="little").astype(bool).reshape(-1, PAGE_SIZE)
        )
        content, at = span.column("written.bytes"), 0
        wrong = int(frames != sorted(written))
        for frame, mask in zip(frames, masks, strict=True):
            held = content[at : at + int(mask.sum())]
            at += len(held)
            own = written.get(frame)
            wrong += int(own is None or not np.array_equal(own, mask))
            wrong += int(not np.array_equal(self._memory.page(frame)[mask], held))
        self._report.differ(
            "spans",
            wrong,
            f"level {level} span that ends with epoch {index}: {wrong} frames differ "
            + ", ".join(hex(f * PAGE_SIZE) for f in set(frames) ^ set(written)),
        )

    def _compare_ram(self, end: PackedMessage) -> None:
        digests = end.column("digest").reshape(-1, 16)
        left = dict(zip(end.column("frame").tolist(), digests, strict=True))
        self._report.final_ram_compared = True
        frames = [frame for frame in self._memory.frames() if self._memory.is_ram(frame)]
        self._report.frames = len(set(frames) | set(left))
        for frame in sorted(set(frames) | set(left)):
            page = self._memory.page(frame)
            expected = hashlib.blake2b(page.tobytes(), digest_size=16).digest() if page.any() else None
            found = left[frame].tobytes() if frame in left else None
            if expected != found:
                self._report.differ("ram", 1, f"frame {frame * PAGE_SIZE:#x} is not what QEMU left")
