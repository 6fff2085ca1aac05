"""RAM as it was at some t, in a sparse file: what a recording of the newest part begins with."""

import mmap
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tracedbg.format.columns import AnyArray
from tracedbg.format.schema import PAGE_SIZE
from tracedbg.record.ram import Ram
from tracedbg.record.slots import Range

Columns = Mapping[str, AnyArray]


class BaseImage:
    """The file, mapped; it rolls forward by what epochs wrote.

    To apply an epoch twice is harmless as long as those after it are applied again too, so that a killed
    recorder leaves a file from which ``tracedbg repair`` can go on. ``ranges`` have ascending offsets.
    """

    def __init__(self, path: Path, ranges: Sequence[Range]) -> None:
        self._ranges = _packed(ranges)
        size = sum(area.size for area in ranges)
        self._file = path.open("r+b" if path.exists() else "w+b")
        os.ftruncate(self._file.fileno(), size)
        self._bytes = np.frombuffer(mmap.mmap(self._file.fileno(), size), "u1")

    def load(self, image: Iterable[Columns]) -> None:
        """Take in ``image`` messages, over what is there."""
        for columns in image:
            frames, content = columns["frame"], columns["bytes"].reshape(-1, PAGE_SIZE)
            places, held = self._places(frames)
            # Written, not stored through the map: a full disk is then an error and no signal.
            for place, page in zip(places[held].tolist(), content[held], strict=True):
                os.pwrite(self._file.fileno(), page.tobytes(), place)

    def apply(self, span: Columns) -> None:
        """Write the bytes that a span left in RAM; those of other memory are passed over."""
        frames = span["written.frame"]
        if not len(frames):
            return
        places, held = self._places(frames)
        set_bits = np.flatnonzero(np.unpackbits(span["written.mask"], bitorder="little"))
        frame = set_bits // PAGE_SIZE
        inside = held[frame]
        self._allocate(places[held])
        at = places[frame[inside]] + set_bits[inside] % PAGE_SIZE
        self._bytes[at] = span["written.bytes"][inside]

    def iter_image(self) -> Iterator[dict[str, AnyArray]]:
        """Yield the columns of ``image`` messages, ascending by physical address."""
        yield from Ram(self._file.fileno(), self._ranges).iter_image()

    def close(self) -> None:
        """Close the file."""
        del self._bytes
        self._file.close()

    def _allocate(self, places: NDArray[np.int64]) -> None:
        for place in np.unique(places).tolist():
            os.posix_fallocate(self._file.fileno(), place, PAGE_SIZE)

    def _places(self, frames: AnyArray) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return where in the file each frame is, and whether it is in it."""
        places, held = np.zeros(len(frames), np.int64), np.zeros(len(frames), bool)
        address = frames * np.uint64(PAGE_SIZE)
        for area in self._ranges:
            inside = (address >= np.uint64(area.start)) & (address < np.uint64(area.start + area.size))
            places[inside] = (address[inside] - np.uint64(area.start)).astype(np.int64) + area.offset
            held |= inside
        return places, held


def _packed(ranges: Sequence[Range]) -> list[Range]:
    """Lay the ranges out one after the other, by physical address."""
    found, offset = [], 0
    for area in sorted(ranges, key=lambda area: area.start):
        found.append(Range(area.start, area.size, offset))
        offset += area.size
    return found
