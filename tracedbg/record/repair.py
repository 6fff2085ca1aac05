"""Makes a whole trace of one that was cut short or damaged, or of what an interrupted recording left."""

import fcntl
import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from tracedbg.errors import RecordError, TraceFormatError, UsageError
from tracedbg.format.reader import TraceFile
from tracedbg.format.schema import CONSOLE, END, EPOCH, IMAGE, SPAN, STOPS, Message
from tracedbg.format.writer import topics
from tracedbg.record import plugin_build
from tracedbg.record.builder import TraceBuilder
from tracedbg.record.drain import BlockSizes, read_slot
from tracedbg.record.ending import RECORDER_KILLED
from tracedbg.record.fold import Fold
from tracedbg.record.machine import uart_starts
from tracedbg.record.segments import HEAD, SegmentReader
from tracedbg.record.slots import SlotFile
from tracedbg.record.stored import check, count_epochs, guest_of, iter_blocks, read_epoch
from tracedbg.store.guest import GDBSTUB

CUT_SHORT = "cut-short"
_PARTIAL = ".partial"


@dataclass(frozen=True)
class Repaired:
    """What was saved: ``instructions`` in ``epochs``; ``losses`` are sentences on what was not."""

    path: Path
    instructions: int
    epochs: int
    losses: tuple[str, ...]


def repair(damaged: Path, output: Path) -> Repaired:
    """Write what is whole of ``damaged`` to ``output``, which must not exist.

    ``damaged`` is a trace, or the ``.partial`` of an interrupted recording, whose buffers beside it are used
    as well. Raises UsageError, RecordError or TraceFormatError when nothing can be saved.
    """
    if output.exists():
        raise UsageError(f"{output} exists: choose another with -o")
    if not damaged.exists():
        raise UsageError(f"{damaged}: there is no such file")
    if not output.parent.is_dir():
        raise UsageError(f"{output}: there is no folder {output.parent}")
    _refuse_running(damaged)
    unfinished = output.with_name(output.name + ".repairing")
    try:
        with unfinished.open("wb") as file:
            repaired = _Repair(damaged, file).run(output)
        unfinished.replace(output)
    finally:
        unfinished.unlink(missing_ok=True)
    return repaired


def _refuse_running(damaged: Path) -> None:
    """A recording holds a lock for as long as it lives."""
    descriptor = os.open(damaged / HEAD if damaged.is_dir() else damaged, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UsageError(f"{damaged}: this recording is still under way; end it first") from None
    finally:
        os.close(descriptor)


class _Repair:
    """One repair; what cannot be saved is noted in ``losses``."""

    def __init__(self, damaged: Path, file: BinaryIO) -> None:
        self._damaged = damaged
        self._is_partial = damaged.name.endswith(_PARTIAL)
        buffers = damaged.with_name(damaged.name.removesuffix(_PARTIAL) + ".slots")
        # Only an interrupted recording has buffers of its own beside it.
        self._buffers = buffers if self._is_partial and buffers.exists() else None
        self._builder = TraceBuilder(file, Fold(plugin_build.build(plugin_build.sources_dir(), "fold")))
        self._sizes = BlockSizes()
        self._losses: list[str] = []
        self._ending: dict[str, Any] | None = None

    def run(self, output: Path) -> Repaired:
        builder = self._builder
        saved = self._copy_segments() if self._damaged.is_dir() else self._copy_trace()
        if self._ending is None:
            self._add_slots(saved)
        if not builder.epochs:
            raise RecordError(f"{self._damaged}: no instruction of it is left: nothing can be saved")
        ending = {
            "how": RECORDER_KILLED if self._is_partial else CUT_SHORT,
            "exit_code": None,
            "notes": [],
            **(self._ending or {}),
            "instructions": builder.instructions,
        }
        notes = [*ending["notes"], *(f"repaired: {loss}" for loss in self._losses)]
        builder.writer.metadata("ending", {**ending, "notes": notes})
        builder.finish()
        return Repaired(output, builder.instructions, builder.epochs, tuple(self._losses))

    def _copy_segments(self) -> int:
        """Copy a recording of the newest part; return the number of the epoch after it."""
        reader = SegmentReader(self._damaged)
        try:
            self._watch_uarts(reader.guest)
            reader.write(self._builder, None)
            self._sizes = reader.block_sizes()
            self._losses += reader.losses
            return reader.end_epoch
        finally:
            reader.close()

    def _copy_trace(self) -> int:
        with TraceFile(self._damaged) as file:
            self._losses += () if self._buffers else file.losses
            guest = guest_of(file)
            self._watch_uarts(guest)
            self._builder.writer.metadata("guest", guest)
            for index in range(file.count(IMAGE.topic)):
                image = file.fetch(IMAGE.topic, index)
                check(image)
                self._builder.writer.write_packed(IMAGE, image.payload(), int(file.times(IMAGE.topic)[index]))
            self._copy_attachments(file)
            self._builder.has_spans = guest.get("source") != GDBSTUB
            whole = self._copy_epochs(file)
            end = self._builder.end_t
            self._copy_told(file, STOPS, end, "told of the stops")
            if guest.get("source") == GDBSTUB:
                self._copy_spans(file, whole)
                self._copy_told(file, CONSOLE, end - 1, "printed")
            if whole == count_epochs(file) and file.count(END.topic):
                self._copy_end(file)
            return whole

    def _watch_uarts(self, guest: Mapping[str, Any]) -> None:
        """Have the console taken from the stores to UARTs; of a capture these alone do not tell it."""
        is_whole = guest.get("source") != GDBSTUB
        self._builder.watch_uarts(uart_starts(guest["devices"]) if is_whole else ())

    def _copy_epochs(self, file: TraceFile) -> int:
        """Copy epochs up to the first that is damaged; return how many."""
        count = count_epochs(file)
        starts = file.times(EPOCH.topic).tolist()
        known = 0
        for index in range(count):
            try:
                stored = read_epoch(file, index)
                parts = list(iter_blocks(file, known, stored.first_t + 1))
            except TraceFormatError as error:
                self._losses.append(f"what follows t {starts[index]} is lost: {error.problem}")
                return index
            for time, message, columns in parts:
                self._builder.add_blocks(message, columns, time)
                self._sizes.add(columns)
            known = stored.first_t + 1
            self._builder.add_stored(stored)
        return count

    def _copy_spans(self, file: TraceFile, whole: int) -> None:
        """Copy the spans of the first ``whole`` epochs; without one a search takes longer."""
        for topic in topics(SPAN):
            for index, time in enumerate(file.times(topic).tolist()):
                with suppress(TraceFormatError):
                    packed = file.fetch(topic, index)
                    check(packed)
                    if len(epochs := packed.column("epochs")) and epochs[-1] <= whole:
                        self._builder.writer.write_packed(SPAN, packed.payload(), time, topic)

    def _copy_told(self, file: TraceFile, message: Message, last: int, what: str) -> None:
        """Copy messages that stand for themselves, those of times up to ``last``."""
        for index, time in enumerate(file.times(message.topic).tolist()):
            if time <= last:
                try:
                    packed = file.fetch(message.topic, index)
                    check(packed)
                except TraceFormatError as error:
                    self._losses.append(f"what was {what} from t {time} on is lost: {error.problem}")
                    return
                self._builder.writer.write_packed(message, packed.payload(), time)

    def _copy_end(self, file: TraceFile) -> None:
        """Copy what came after the last epoch, when nothing before it is lost."""
        for name in file.metadata_names:
            with suppress(TraceFormatError):
                record = file.metadata(name)
                if name == "ending":
                    self._ending = record
                elif name != "guest" and record is not None:
                    self._builder.writer.metadata(name, record)
        try:
            end = file.fetch(END.topic, 0)
            check(end)
            self._builder.writer.write_packed(END, end.payload(), self._builder.end_t)
        except TraceFormatError as error:
            self._losses.append(f"RAM at the end is lost: {error.problem}")

    def _copy_attachments(self, file: TraceFile) -> None:
        for entry in file.attachments:
            try:
                content = file.attachment(entry)
            except TraceFormatError as error:
                self._losses.append(error.problem)
                continue
            self._builder.writer.attach(entry.name, entry.media_type, content, compress=entry.is_compressed)

    def _add_slots(self, epochs: int) -> None:
        """Add the epochs that were in the buffers when the recorder ended."""
        if self._buffers is None:
            if self._is_partial:
                self._losses.append("the last instructions, which were in the .slots file, are lost")
            return
        with ExitStack() as files:
            slots = SlotFile.open(self._buffers)
            files.callback(slots.close)
            for slot in slots.iter_unread(epochs):
                messages, end_t = read_slot(slot, self._sizes, len(slots.registers))
                if end_t > slot.first_t:
                    self._builder.add(messages, slot.first_t, end_t)


__all__: Sequence[str] = ["Repaired", "repair"]
