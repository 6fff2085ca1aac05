"""Runs all checks over a trace, epoch by epoch."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from tracedbg.errors import TraceFormatError
from tracedbg.format.reader import TraceFile
from tracedbg.format.schema import ACCESSES, BLOCKS, CONSOLE, END, EPOCH, IMAGE, LATE, STOPS, WRITES
from tracedbg.verify.accesses import word_rows
from tracedbg.verify.blocks import Dictionary, Instructions, expand
from tracedbg.verify.console import ConsoleCheck
from tracedbg.verify.ending import compare_ram
from tracedbg.verify.guest import GuestFacts, parse_guest
from tracedbg.verify.late import Late
from tracedbg.verify.loaded import LoadCheck
from tracedbg.verify.memory import Memory
from tracedbg.verify.messages import Columns, EpochMessages, Malformed, require
from tracedbg.verify.registers import RegisterCheck
from tracedbg.verify.report import Report
from tracedbg.verify.results import Results
from tracedbg.verify.spans import Done, SpanCheck
from tracedbg.verify.stops import Stops
from tracedbg.verify.structure import bounds, check_epoch
from tracedbg.verify.touched import Touched
from tracedbg.verify.traps import TrapCheck

Progress = Callable[[int, int], None]


def verify(path: Path, progress: Progress | None = None) -> Report:
    """Return what comparing the whole trace with itself found; ``progress`` gets epochs done and all.

    What contradicts itself so that nothing can be computed from it is a mismatch of structure, and ends the
    verification there. Raises TraceFormatError when the file, or a message in it, cannot be read at all.
    """
    with TraceFile(path) as file:
        guest = _guest(file)
        report = Report(losses=file.losses, is_capture=guest.is_capture)
        try:
            verification = _Verification(file, guest, report)
            verification.run(progress or (lambda _done, _of: None))
        except Malformed as error:
            report.differ("structure", 1, f"{error}; nothing after that was verified")
        return report


def _stops(file: TraceFile, guest: GuestFacts) -> Stops | None:
    """Return the stops of a capture, None for a recording."""
    if not guest.is_capture:
        return None
    return Stops((file.fetch(STOPS.topic, index) for index in range(file.count(STOPS.topic))), guest)


def _guest(file: TraceFile) -> GuestFacts:
    record = file.metadata("guest")
    if record is None:
        raise TraceFormatError(str(file.path), None, "holds no description of the guest: nothing to verify")
    try:
        return parse_guest(record)
    except Malformed as error:
        raise TraceFormatError(str(file.path), None, str(error)) from None


class _Verification:
    def __init__(self, file: TraceFile, guest: GuestFacts, report: Report) -> None:
        self._file = file
        self._guest = guest
        self._report = report
        self._dictionary = Dictionary()
        self._blocks_read = 0
        self._end: int | None = None
        self._stops = _stops(file, guest)
        self._forget()
        self._registers = RegisterCheck(guest, report)
        self._spans = SpanCheck(file, self._memory, report)

    def _forget(self) -> None:
        """Know nothing of memory but what RAM held from the start, nor of where harts came from."""
        self._traps = TrapCheck(self._guest, self._dictionary, self._report)
        self._memory = Memory(self._guest)
        self._loads = LoadCheck(self._memory, self._report)

    def run(self, progress: Progress) -> None:
        file = self._file
        for index in range(file.count(IMAGE.topic)):
            self._memory.add_image(file.fetch(IMAGE.topic, index))
        late = Late(file.fetch(LATE.topic, index) for index in range(file.count(LATE.topic)))
        printed = (file.fetch(CONSOLE.topic, index) for index in range(file.count(CONSOLE.topic)))
        console = ConsoleCheck(self._guest, printed, self._report)
        epochs = self._count_epochs()
        for index in range(epochs):
            # What was printed in an epoch comes after it, and may be missing where a file was cut short.
            has_console = not file.losses or index + 1 < epochs
            try:
                self._epoch(index, late, console if has_console else None)
            except Malformed as error:
                raise Malformed(f"epoch {index}: {error}") from None
            progress(index + 1, epochs)
        if self._stops is not None:
            self._check_stops(self._stops, epochs)
        self._spans.end(epochs)
        if not file.losses:
            console.end()
        if file.count(END.topic) and not file.losses:
            compare_ram(Columns(file.fetch(END.topic, 0)), self._memory, self._guest, self._report)

    def _count_epochs(self) -> int:
        """Return how many epochs are whole: what was cut short may lack the last one's last messages."""
        counts = [self._file.count(message.topic) for message in (EPOCH, WRITES, ACCESSES)]
        if len(set(counts)) > 1 and not self._file.losses:
            problem = "{} epoch messages, {} of writes and {} of accesses".format(*counts)
            self._report.differ("structure", 1, problem)
        return min(counts)

    def _epoch(self, index: int, late: Late, console: ConsoleCheck | None) -> None:
        messages = self._messages(index)
        self._read_blocks(messages.first)
        check_epoch(messages, self._guest)
        instructions = expand(messages, self._dictionary)
        results = Results(messages, self._dictionary, instructions, late)
        self._report.instructions += messages.length
        self._report.unknown_results += results.open
        problem = f"epoch {index}: a load retired without an access"
        self._report.differ("structure", results.missing, problem)
        self._registers.check(messages, instructions, results)
        if self._stops is not None:
            if self._stops.has_gap(messages.first) and console is not None:
                console.forget()
            self._stand(self._stops, messages, instructions, results)
        self._traps.check(messages, instructions, results)
        rows = word_rows(messages.accesses)
        written = self._loads.check(messages, rows)
        self._spans.add(index + 1, Done(written, Touched.of(messages.epoch, rows)))
        if console is not None:
            console.check(messages)

    def _stand(
        self, stops: Stops, messages: EpochMessages, instructions: Instructions, results: Results
    ) -> None:
        """Take in what was told of the moment at which an epoch begins, and compare where its hart stood."""
        if stops.has_gap(messages.first):
            self._forget()
            self._report.gaps += 1
        self._report.resampled += stops.apply(messages.first, self._memory)
        t, hart, pc = stops.places(messages.first, messages.length)
        own = instructions.hart[t] == hart
        wrong = np.flatnonzero(results.addresses(t[own]) != pc[own])
        if len(wrong):
            at = messages.first + int(t[own][wrong[0]])
            self._report.differ("registers", len(wrong), f"t {at}: the hart did not stand where it went on")

    def _check_stops(self, stops: Stops, epochs: int) -> None:
        """Compare the stops with the ends of epochs, and take in the last one, after all instructions."""
        edges = [bounds(Columns(self._file.fetch(EPOCH.topic, index))) for index in range(epochs)]
        ends = {first + length for first, length in edges}
        end = max(ends, default=0)
        stops.check_times(np.array(sorted({first for first, _ in edges} | ends), np.int64), end)
        if stops.has_gap(end):
            self._forget()
            self._report.gaps += 1
        self._report.resampled += stops.apply(end, self._memory)

    def _messages(self, index: int) -> EpochMessages:
        epoch, writes, accesses = (
            Columns(self._file.fetch(message.topic, index)) for message in (EPOCH, WRITES, ACCESSES)
        )
        first, length = bounds(epoch)
        follows = self._end is None or first == self._end
        require(follows, f"it begins at t {first}, and the epoch before it ends at t {self._end}")
        self._end = first + length
        return EpochMessages(index, first, length, epoch, writes, accesses)

    def _read_blocks(self, first: int) -> None:
        """Take in the parts of the dictionary that an epoch from t ``first`` may need."""
        times = self._file.times(BLOCKS.topic)
        while self._blocks_read < len(times) and int(times[self._blocks_read]) <= first:
            self._dictionary.add(self._file.fetch(BLOCKS.topic, self._blocks_read))
            self._blocks_read += 1
