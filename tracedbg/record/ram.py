"""Guest RAM as the host sees it: the image at the start, and what is left of it at the end."""

import hashlib
import mmap
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tracedbg.errors import RecordError
from tracedbg.format.columns import AnyArray
from tracedbg.format.schema import PAGE_SIZE, Cause
from tracedbg.record.slots import Range

_BATCH_FRAMES = 2048
_PTE_VALID = 1
_PTE_ACCESSED_DIRTY = 0xC0


def check_backend(path: Path) -> None:
    """Raise RecordError for a file behind guest RAM that cannot be shared page by page."""
    if path.is_dir():
        raise RecordError(
            f"mem-path={path}: QEMU makes a file there that nobody else can open; name a file, or leave the"
            " memory backend out"
        )
    mount = _mount_of(path.absolute())
    if mount == "hugetlbfs":
        raise RecordError(
            f"mem-path={path}: huge pages cannot be recorded; name a file elsewhere, or leave the memory"
            " backend out"
        )


def _mount_of(path: Path) -> str:
    """Return the type of the file system that ``path`` lies or would lie on."""
    found = ("", "")
    for line in Path("/proc/self/mounts").read_text("utf-8", "replace").splitlines():
        _, place, kind = line.split(" ")[:3]
        place = place.replace("\\040", " ")
        if path.is_relative_to(place) and len(place) >= len(found[0]):
            found = (place, kind)
    return found[1]


class Ram:
    """The RAM file, mapped; ``ranges`` say which physical addresses its parts have."""

    def __init__(self, descriptor: int, ranges: Sequence[Range]) -> None:
        self._descriptor = descriptor
        self._bytes = np.frombuffer(mmap.mmap(descriptor, 0, prot=mmap.PROT_READ), "u1")
        self._ranges = ranges

    def words(self, start: int, stop: int) -> NDArray[np.uint64]:
        """Return bytes ``start`` to ``stop`` of the file as words of eight."""
        return self._bytes[start:stop].view("<u8")

    def close(self) -> None:
        """Unmap the file; its descriptor stays open."""
        self._bytes = np.empty(0, "u1")

    def _iter_populated(self) -> Iterator[tuple[Range, int, int]]:
        """Yield (range, start, end), places in the file in whole pages, of what is not a hole."""
        for area in sorted(self._ranges, key=lambda area: area.start):
            at, end = area.offset, area.offset + area.size
            while at < end:
                try:
                    start = os.lseek(self._descriptor, at, os.SEEK_DATA)
                except OSError:  # ENXIO: only a hole follows
                    break
                stop = min(os.lseek(self._descriptor, start, os.SEEK_HOLE), end)
                if start >= stop:
                    break
                yield area, start - start % PAGE_SIZE, -(-stop // PAGE_SIZE) * PAGE_SIZE
                at = stop

    def _iter_batches(self) -> Iterator[tuple[NDArray[np.uint64], NDArray[np.uint8]]]:
        """Yield frame numbers and contents (n, PAGE_SIZE) of the frames that are not all zero, ascending."""
        for area, start, stop in self._iter_populated():
            for at in range(start, stop, _BATCH_FRAMES * PAGE_SIZE):
                part = self._bytes[at : min(at + _BATCH_FRAMES * PAGE_SIZE, stop)].reshape(-1, PAGE_SIZE)
                held = np.flatnonzero(part.any(axis=1))
                if len(held):
                    first = (area.start + at - area.offset) // PAGE_SIZE
                    yield held.astype("<u8") + np.uint64(first), part[held]

    def iter_image(self) -> Iterator[dict[str, AnyArray]]:
        """Yield the columns of ``image`` messages."""
        for frames, content in self._iter_batches():
            yield {"frame": frames, "bytes": content.reshape(-1)}

    def digests(self) -> dict[str, AnyArray]:
        """Return the columns of the ``end`` message."""
        frames, digests = [np.empty(0, "<u8")], bytearray()
        for batch, content in self._iter_batches():
            frames.append(batch)
            for page in content:
                digests += page_digest(page.tobytes())
        return {"frame": np.concatenate(frames), "digest": np.frombuffer(bytes(digests), "u1")}

    def changes_since(self, shadow: "Ram", *, killed: bool, dma: bool) -> dict[str, AnyArray]:
        """Return the ``change`` columns but for t and since: where RAM differs from its shadow at the end."""
        physical, values, causes = [], [], []
        for area, start, stop in self._iter_populated():
            now, old = (memory.words(start, stop) for memory in (self, shadow))
            rows = np.flatnonzero(now != old)
            physical.append(rows.astype("<u8") * np.uint64(8) + np.uint64(area.start + start - area.offset))
            values.append(now[rows])
            causes.append(_explain(old[rows], now[rows], killed=killed, dma=dma))
        empty = np.empty(0, "<u8")
        return {
            "change.physical": np.concatenate([empty, *physical]),
            "change.value": np.concatenate([empty, *values]),
            "change.cause": np.concatenate([np.empty(0, "u1"), *causes]),
        }


def _explain(old: AnyArray, now: AnyArray, *, killed: bool, dma: bool) -> NDArray[np.uint8]:
    """Return a cause for each changed word; a killed QEMU may have made one store and not reported it."""
    walked = ((old ^ now) & np.uint64(~_PTE_ACCESSED_DIRTY & (1 << 64) - 1) == 0) & (
        old & np.uint64(_PTE_VALID) != 0
    )
    rest = Cause.DMA if dma else Cause.IN_FLIGHT if killed and len(old) == 1 else Cause.UNEXPLAINED
    return np.where(walked, Cause.PAGE_TABLE_WALK, rest).astype("u1")


def page_digest(content: bytes) -> bytes:
    """Return what the ``end`` message keeps of a frame's 4,096 bytes."""
    return hashlib.blake2b(content, digest_size=16).digest()
