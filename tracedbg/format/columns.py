"""Packing of one message: its columns filtered, compressed, and put one after the other.

A payload is a header for each column in schema order (u32 rows, u32 compressed length), then the
compressed columns in the same order. A column longer than SEGMENT_BYTES is cut into segments of that
size, each filtered and compressed by itself, so that a few rows can be had without the others; it
begins with the compressed length of each segment (u32). A column without rows takes no bytes. Each
segment is a zstd frame with content size and checksum.
"""

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import zstandard
from numpy.typing import NDArray

from tracedbg.errors import TraceFormatError
from tracedbg.format.filters import decode, encode
from tracedbg.format.schema import Column, Message

AnyArray = NDArray[Any]

SEGMENT_BYTES = 1 << 19
COLUMN_BYTES_LIMIT = 1 << 30
"""No column of a message is longer than this, before compression."""

_HEADER = struct.Struct("<II")
_DTYPES: dict[str, np.dtype[Any]] = {name: np.dtype("<" + name) for name in ("u1", "u2", "u4", "u8")}

Read = Callable[[int, int], bytes | memoryview]
"""Reads a payload's bytes from an offset, of a length; raises TraceFormatError where there are fewer."""


def column_dtype(column: Column) -> np.dtype[Any]:
    """Return the little-endian dtype of a column's rows."""
    return _DTYPES[column.dtype]


def _segment_rows(column: Column) -> int:
    return SEGMENT_BYTES // column_dtype(column).itemsize


class Packer:
    """Packs messages with one zstd compressor; not to be shared between threads."""

    def __init__(self, level: int = 1) -> None:
        self._compressor = zstandard.ZstdCompressor(level=level, write_checksum=True)

    def pack(self, message: Message, columns: Mapping[str, AnyArray]) -> bytes:
        """Return the payload of ``message``.

        ``columns`` maps the names of columns to one-dimensional arrays of the schema's dtype; a column
        that is left out has no rows. Raises ValueError or TypeError for columns that the schema does
        not have, of another dtype, or beyond COLUMN_BYTES_LIMIT.
        """
        unknown = set(columns) - {column.name for column in message.columns}
        if unknown:
            raise ValueError(f"message {message.topic} has no column {', '.join(sorted(unknown))}")
        headers, blobs = [], []
        for column in message.columns:
            rows = columns.get(column.name)
            blob = [] if rows is None or not len(rows) else self._blob(column, _checked(column, rows))
            headers.append(_HEADER.pack(0 if rows is None else len(rows), sum(map(len, blob))))
            blobs.extend(blob)
        return b"".join(headers + blobs)

    def _blob(self, column: Column, rows: AnyArray) -> list[bytes]:
        parts = (encode(column.filter, part) for part in _segments(column, rows))
        frames = [self._compressor.compress(part.data.cast("B")) for part in parts]
        if len(frames) == 1:
            return frames
        return [struct.pack(f"<{len(frames)}I", *map(len, frames)), *frames]


def _checked(column: Column, rows: AnyArray) -> AnyArray:
    if rows.ndim != 1 or rows.dtype != column_dtype(column):
        raise TypeError(f"column {column.name} wants {column.dtype} rows, not {rows.dtype} {rows.shape}")
    if rows.nbytes > COLUMN_BYTES_LIMIT:
        raise ValueError(f"column {column.name} has {rows.nbytes} bytes, more than {COLUMN_BYTES_LIMIT}")
    return np.ascontiguousarray(rows)


def _segments(column: Column, rows: AnyArray) -> Iterator[AnyArray]:
    step = _segment_rows(column)
    for start in range(0, len(rows), step):
        yield rows[start : start + step]


class PackedMessage:
    """A payload whose columns are unpacked one by one, when they are asked for.

    ``read`` fetches bytes of the payload of ``length`` bytes, which begins at ``offset`` of the file
    ``path``. Holds no changing state, so threads may share one. Headers are checked here, compressed
    data when a column is unpacked; both raise TraceFormatError with the byte of the file.
    """

    def __init__(self, message: Message, read: Read, length: int, *, path: str, offset: int) -> None:
        self.message = message
        self.nbytes = length
        self._read = read
        self._path = path
        self._offset = offset
        self._places: dict[str, tuple[Column, int, int, int]] = {}
        self._read_headers()

    @classmethod
    def of(cls, message: Message, payload: bytes, path: str = "memory") -> "PackedMessage":
        """Return the message that ``Packer.pack`` put into ``payload``."""

        def read(start: int, length: int) -> memoryview:
            return memoryview(payload)[start : start + length]

        return cls(message, read, len(payload), path=path, offset=0)

    def _read_headers(self) -> None:
        columns = self.message.columns
        start = _HEADER.size * len(columns)
        if self.nbytes < start:
            raise self._error(0, f"message {self.message.topic} is shorter than its column headers")
        headers = _HEADER.iter_unpack(self._read(0, start))
        for column, (rows, length) in zip(columns, headers, strict=True):
            self._check_header(column, rows, length, start)
            self._places[column.name] = (column, rows, start, length)
            start += length
        if start != self.nbytes:
            raise self._error(0, f"message {self.message.topic} has {self.nbytes} bytes, its columns {start}")

    def _check_header(self, column: Column, rows: int, length: int, start: int) -> None:
        if rows * column_dtype(column).itemsize > COLUMN_BYTES_LIMIT:
            raise self._error(0, f"column {column.name} claims {rows} rows, more than the limit")
        if (rows == 0) != (length == 0) or start + length > self.nbytes:
            raise self._error(0, f"column {column.name} claims {rows} rows in {length} bytes")

    def _error(self, place: int, problem: str) -> TraceFormatError:
        return TraceFormatError(self._path, self._offset + place, problem)

    def payload(self) -> bytes:
        """Return the whole payload as it was packed."""
        return bytes(self._read(0, self.nbytes))

    def rows(self, name: str) -> int:
        """Return the number of rows of a column, from its header alone."""
        return self._places[name][1]

    def column(self, name: str) -> AnyArray:
        """Return a whole column: one-dimensional, of the schema's dtype, read-only."""
        return self.slice(name, 0, self.rows(name))

    def slice(self, name: str, start: int, stop: int) -> AnyArray:
        """Return rows ``start`` to ``stop`` of a column, unpacking only the segments that hold them."""
        column, rows, place, length = self._places[name]
        start, stop = max(start, 0), min(stop, rows)
        if start >= stop:
            return np.empty(0, column_dtype(column))
        step = _segment_rows(column)
        first, last = start // step, (stop - 1) // step + 1
        frames = self._frames(column, rows, place, length)[first:last]
        if len(frames) == 1:
            part = self._unpack(column, min(step, rows - first * step), *frames[0])
            return part[start - first * step : stop - first * step]
        out = np.empty(min(last * step, rows) - first * step, column_dtype(column))
        for index, frame in enumerate(frames):
            part = out[index * step : (index + 1) * step]
            part[:] = self._unpack(column, len(part), *frame)
        out.flags.writeable = False
        return out[start - first * step : stop - first * step]

    def _frames(self, column: Column, rows: int, place: int, length: int) -> list[tuple[int, int]]:
        count = -(-rows // _segment_rows(column))
        if count == 1:
            return [(place, length)]
        start = place + 4 * count
        if start > place + length:
            raise self._error(place, f"column {column.name} is shorter than its table of segments")
        lengths = struct.unpack(f"<{count}I", self._read(place, 4 * count))
        if start + sum(lengths) != place + length:
            raise self._error(place, f"the segments of column {column.name} do not add up to its length")
        return list(zip(_starts(start, lengths), lengths, strict=True))

    def _unpack(self, column: Column, rows: int, place: int, length: int) -> AnyArray:
        """Return the ``rows`` rows of one segment, read-only."""
        frame = self._read(place, length)
        size = rows * column_dtype(column).itemsize
        try:
            # The size is checked before anything is allocated. A decompressor is cheap to make and must
            # not be used by two threads at once.
            fits = zstandard.frame_content_size(frame) == size
            decompressor = zstandard.ZstdDecompressor()
            raw = decompressor.decompress(frame, size, allow_extra_data=False) if fits else b""
        except zstandard.ZstdError as error:
            raise self._error(place, f"column {column.name} cannot be decompressed: {error}") from error
        if len(raw) != size:
            raise self._error(place, f"column {column.name} does not have {rows} rows of {column.dtype}")
        return decode(column.filter, raw, column_dtype(column))


def _starts(start: int, lengths: Iterable[int]) -> Iterator[int]:
    for length in lengths:
        yield start
        start += length
