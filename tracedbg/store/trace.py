"""An opened trace: the one object that everything above asks for data."""

from collections.abc import Callable, Hashable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tracedbg.closing import Closing
from tracedbg.errors import TraceFormatError
from tracedbg.format.index import AttachmentEntry
from tracedbg.format.schema import ACCESSES, CONSOLE, END, EPOCH, MESSAGES, WRITES
from tracedbg.format.writer import topics
from tracedbg.ids import Epoch, Frame, Time
from tracedbg.store.blocks import BlockStore, BlockTable
from tracedbg.store.cache import Sized
from tracedbg.store.epoch import EpochData
from tracedbg.store.guest import Ending, Guest, GuestError, parse_ending, parse_guest
from tracedbg.store.image import Image
from tracedbg.store.last_state import LastState, parse_last_state
from tracedbg.store.late import LateRows, LateStore
from tracedbg.store.source import CACHE_BYTES, Numbers, Source, is_ascending, is_strictly_ascending
from tracedbg.store.spans import SpanIndex
from tracedbg.store.stops import StopStore

Parsed = TypeVar("Parsed")
Kept = TypeVar("Kept", bound=Sized)


class Trace(Closing):
    """A trace, open for reading; immutable, and safe for several threads.

    ``start`` is the first t, ``end`` the first after the last instruction; ``guest`` describes the
    machine, ``ending`` is None when the recorder never came to write how the recording ended,
    ``last_state`` the registers of a guest that ran no instruction any more (None for any other), and
    ``losses`` are sentences on what the file no longer holds. What is malformed raises TraceFormatError,
    here or when it is read.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self.path = source.file.path
        self.losses = source.file.losses
        guest = self._parsed("guest", parse_guest)
        if guest is None:
            raise self._error("has no record of the guest: nothing can be shown")
        self.guest: Guest = guest
        self.ending: Ending | None = self._parsed("ending", parse_ending)
        self.last_state: LastState | None = self._parsed("last-state", parse_last_state)
        # An epoch whose later messages were cut off is not whole.
        self.epochs = min(source.file.count(message.topic) for message in (EPOCH, WRITES, ACCESSES))
        self.epoch_starts: Numbers = source.file.times(EPOCH.topic)[: self.epochs]
        # An attached debugger may have left before anything ran: then the first epoch is empty.
        if not self.epochs or not _in_order(self.epoch_starts, self.guest):
            raise self._error(
                "holds no whole epoch: nothing of the recording is left"
                if not self.epochs
                else "has epochs that are not in order"
            )
        self._blocks = BlockStore(source)
        self._late = LateStore(source)
        self.stops = StopStore(source)
        self.spans = SpanIndex(source, self.epoch_starts, self.epochs)
        self.image = Image(source)
        self.start = Time(int(self.epoch_starts[0]))
        bounds = source.column(EPOCH.topic, self.epochs - 1, "bounds")
        source.require(len(bounds) == 2 and bounds[1] >= bounds[0], "the last epoch has no bounds")
        self.end = Time(int(bounds[1]))

    @classmethod
    def open(cls, path: str | Path, *, cache_bytes: int = CACHE_BYTES) -> "Trace":
        """Open a trace file; raises TraceFormatError when it is none or is malformed."""
        source = Source(path, cache_bytes)
        try:
            return cls(source)
        except BaseException:
            source.file.close()
            raise

    def _error(self, problem: str) -> TraceFormatError:
        return TraceFormatError(self.path, None, problem)

    def _parsed(self, name: str, parse: Callable[[Mapping[str, Any]], Parsed]) -> Parsed | None:
        record = self._source.file.metadata(name)
        try:
            return None if record is None else parse(record)
        except GuestError as error:
            raise self._error(f"metadata {name}: {error}") from error

    @property
    def size(self) -> int:
        """Length of the file in bytes."""
        return self._source.file.size

    @property
    def sizes(self) -> dict[str, int]:
        """Bytes of the file that the messages of each topic take, and the attachments."""
        file = self._source.file
        names = [topic for message in MESSAGES for topic in topics(message)]
        sizes = {name: int(file.payload_sizes(name).sum()) for name in names}
        return {**sizes, "attachments": sum(entry.size for entry in file.attachments)}

    @property
    def cached_bytes(self) -> int:
        """Bytes of decoded columns that are kept now."""
        return self._source.cache.nbytes

    def kept(self, key: Hashable, make: Callable[[], Kept]) -> Kept:
        """Return what ``make`` makes of the trace, from the cache of what is decoded if it is there."""
        return self._source.cache.get(("kept", key), make)

    @property
    def blocks(self) -> BlockTable:
        """The whole block dictionary."""
        return self._blocks.all()

    @property
    def late(self) -> LateRows:
        """All late rows."""
        return self._late.rows

    def epoch_of(self, t: Time) -> Epoch:
        """Return the epoch that holds t; the last one for the end. ValueError outside the trace."""
        if not self.start <= t <= self.end:
            raise ValueError(f"t {t} is outside the trace, which goes from {self.start} to {self.end}")
        return Epoch(int(np.searchsorted(self.epoch_starts, np.uint64(t), "right")) - 1)

    def epoch(self, index: Epoch | int) -> EpochData:
        """Return an epoch; cheap, its columns are decoded when they are asked for."""
        if not 0 <= index < self.epochs:
            raise IndexError(f"epoch {index} of {self.epochs}")
        t = int(self.epoch_starts[index])
        registers = len(self.guest.registers)
        epoch = EpochData(self._source, index, self._blocks.up_to(t), self.guest.harts, registers)
        following = int(self.epoch_starts[index + 1]) if index + 1 < self.epochs else epoch.end
        self._source.require(
            epoch.start == t and epoch.end <= following, f"epoch {index} is not in its place"
        )
        return epoch

    def image_page(self, frame: Frame) -> NDArray[np.uint8]:
        """Return the 4096 bytes of a frame of RAM at ``start``."""
        return self.image.page(frame)

    @cached_property
    def console(self) -> tuple[Numbers, NDArray[np.uint8]]:
        """Absolute t and value of every byte stored to a UART, in order of t."""
        parts = [
            (
                self._source.column(CONSOLE.topic, index, "t"),
                self._source.column(CONSOLE.topic, index, "byte"),
            )
            for index in range(self._source.file.count(CONSOLE.topic))
        ]
        times = np.concatenate([np.empty(0, np.uint64), *(part[0] for part in parts)])
        content = np.concatenate([np.empty(0, np.uint8), *(part[1] for part in parts)])
        consistent = len(times) == len(content) and is_ascending(times)
        self._source.require(consistent, "the console contradicts itself")
        whole = times < np.uint64(self.end)
        return times[whole], content[whole]

    @cached_property
    def end_digests(self) -> tuple[Numbers, NDArray[np.uint8]]:
        """Frames that were not all zero when QEMU ended, and the BLAKE2b digest (16 bytes) of each."""
        count = self._source.file.count(END.topic)
        frames = [self._source.column(END.topic, index, "frame") for index in range(count)]
        digests = [self._source.column(END.topic, index, "digest") for index in range(count)]
        numbers = np.concatenate([np.empty(0, np.uint64), *frames])
        content = np.concatenate([np.empty(0, np.uint8), *digests])
        self._source.require(len(content) == 16 * len(numbers), "the end contradicts itself")
        return numbers, content.reshape(-1, 16)

    @property
    def attachments(self) -> tuple[AttachmentEntry, ...]:
        """The attachments: symbol files and sources."""
        return self._source.file.attachments

    def attachment(self, entry: AttachmentEntry) -> bytes:
        """Return the bytes of an attachment."""
        return self._source.file.attachment(entry)

    def metadata(self, name: str) -> dict[str, Any] | None:
        """Return another metadata record, or None when the trace does not have it."""
        return self._source.file.metadata(name)

    def close(self) -> None:
        """Close the file and forget what was decoded; nothing can be read afterwards."""
        self._source.file.close()
        # What asked for it may be alive for long: parts of the layers above refer to each other.
        self._source.cache.clear()


def _in_order(starts: Numbers, guest: Guest) -> bool:
    return is_strictly_ascending(starts[1:] if guest.is_capture else starts) and is_ascending(starts)
