"""RAM as it was at the first t, and frames as QEMU left them at the end."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tracedbg.format.schema import IMAGE, PAGE_SIZE
from tracedbg.ids import Frame
from tracedbg.store.source import Integers, Numbers, Source, is_strictly_ascending


class Image:
    """The frames of RAM that were not all zero at the first t, in one or more messages."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def page(self, frame: Frame) -> NDArray[np.uint8]:
        """Return the 4096 bytes of a frame at the first t: zeros where the image has none."""
        for index in range(self._source.file.count(IMAGE.topic)):
            frames = self._frames(index)
            row = int(np.searchsorted(frames, np.uint64(frame)))
            if row < len(frames) and frames[row] == frame:
                message = self._source.message(IMAGE.topic, index)
                return message.slice("bytes", row * PAGE_SIZE, (row + 1) * PAGE_SIZE)
        return np.zeros(PAGE_SIZE, np.uint8)

    def _frames(self, index: int) -> Numbers:
        frames = self._source.column(IMAGE.topic, index, "frame")
        size = self._source.rows(IMAGE.topic, index, "bytes")
        self._source.require(
            size == len(frames) * PAGE_SIZE and is_strictly_ascending(frames),
            f"message {index} of the image contradicts itself",
        )
        return frames

    def iter_frames(self) -> Iterator[Integers]:
        """Yield the frame numbers of each message of the image, ascending in each."""
        for index in range(self._source.file.count(IMAGE.topic)):
            yield self._frames(index).astype(np.int64)
