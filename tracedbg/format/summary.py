"""The index of a finished trace, from the summary at the file's end."""

import struct
import zlib

import numpy as np
from mcap.opcode import Opcode
from mcap.records import AttachmentIndex, Channel, MetadataIndex, Schema
from mcap.writer import MCAP0_MAGIC
from numpy.typing import NDArray

from tracedbg.format.filebytes import FileBytes
from tracedbg.format.index import CHUNK_ROW, AttachmentEntry, Channels, FileIndex, Place
from tracedbg.format.records import HEAD, parse_bytes

SUMMARY_LIMIT = 256 << 20
_FOOTER = struct.Struct("<BQQQI")
_END = _FOOTER.size + len(MCAP0_MAGIC)

_CHUNK_INDEX = np.dtype(
    [
        ("opcode", "u1"), ("record", "<u8"), ("time", "<u8"), ("last", "<u8"), ("offset", "<u8"),
        ("length", "<u8"), ("map", "<u4"), ("channel", "<u2"), ("index", "<u8"), ("index_length", "<u8"),
        ("compression", "<u4"), ("compressed", "<u8"), ("size", "<u8"),
    ]
)  # fmt: skip
"""The index record of an uncompressed chunk with messages of one channel; all are of one length."""


def read_summary(file: FileBytes) -> FileIndex | None:
    """Return the index, or None when the file has no whole summary and must be scanned.

    Raises TraceFormatError when the summary is whole and says what no trace does.
    """
    place = _find(file)
    if place is None:
        return None
    return _Summary(file, place).index()


def _find(file: FileBytes) -> Place | None:
    """Return the extent of the summary when the footer leads to it and its CRC is right."""
    if file.size < _END + len(MCAP0_MAGIC):
        return None
    tail = file.read(file.size - _END, _END)
    opcode, length, start, _, crc = _FOOTER.unpack_from(tail)
    end = file.size - _END
    whole = opcode == Opcode.FOOTER and length == _FOOTER.size - HEAD.size and tail.endswith(MCAP0_MAGIC)
    if not whole or not len(MCAP0_MAGIC) <= start < end or end - start > SUMMARY_LIMIT:
        return None
    place = Place(start, end - start)
    covered = file.read(start, place.length) + tail[: _FOOTER.size - 4]
    return place if zlib.crc32(covered) == crc else None


class _Summary:
    """The summary's bytes, taken apart record by record."""

    def __init__(self, file: FileBytes, place: Place) -> None:
        self._file = file
        self._start = place.offset
        self._bytes = file.read(place.offset, place.length)
        self._channels = Channels(file)
        self._metadata: dict[str, Place] = {}
        self._attachments: list[AttachmentEntry] = []
        self._chunks: list[int] = []

    def index(self) -> FileIndex:
        place = 0
        while place < len(self._bytes):
            place = self._record(place)
        return FileIndex(self._channels.index(self._chunk_rows()), self._metadata, tuple(self._attachments))

    def _record(self, place: int) -> int:
        """Note the record at ``place`` of the summary and return the place of the next."""
        if place + HEAD.size > len(self._bytes):
            raise self._file.error(self._start + place, "the summary ends inside a record")
        opcode, length = HEAD.unpack_from(self._bytes, place)
        end: int = place + HEAD.size + length
        if end > len(self._bytes):
            raise self._file.error(self._start + place, "the summary ends inside a record")
        if opcode == Opcode.CHUNK_INDEX:
            self._chunks.append(place)
        else:
            self._small_record(opcode, place, self._bytes[place:end])
        return end

    def _small_record(self, opcode: int, start: int, record: bytes) -> None:
        place = Place(self._start + start, len(record))
        if opcode == Opcode.SCHEMA:
            self._channels.add_schema(parse_bytes(self._file, place, record, Schema.read))
        elif opcode == Opcode.CHANNEL:
            channel = parse_bytes(self._file, place, record, Channel.read)
            self._channels.add_channel(channel, place.offset)
        elif opcode == Opcode.METADATA_INDEX:
            metadata = parse_bytes(self._file, place, record, MetadataIndex.read)
            self._metadata[metadata.name] = Place(metadata.offset, metadata.length)
        elif opcode == Opcode.ATTACHMENT_INDEX:
            entry = parse_bytes(self._file, place, record, AttachmentIndex.read)
            found = AttachmentEntry(
                entry.name, entry.media_type, entry.data_size, Place(entry.offset, entry.length)
            )
            self._attachments.append(found)

    def _chunk_rows(self) -> NDArray[np.void]:
        size = _CHUNK_INDEX.itemsize
        places = np.array(self._chunks, np.int64)
        if len(places) and np.any(np.diff(places) != size):
            raise self._file.error(self._start + int(places[0]), "a chunk does not hold one message")
        start = int(places[0]) if len(places) else 0
        table = np.frombuffer(self._bytes[start : start + size * len(places)], _CHUNK_INDEX)
        lengths, maps = table["record"], table["map"]
        if np.any(lengths != size - HEAD.size) or np.any(maps != 10) or table["compression"].any():
            raise self._file.error(self._start + start, "a chunk does not hold one message")
        rows = np.empty(len(table), CHUNK_ROW)
        for name in ("channel", "time", "offset", "length"):
            rows[name] = table[name]
        return rows
