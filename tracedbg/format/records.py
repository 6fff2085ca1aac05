"""Single records of the MCAP container, read with its library and with limits of our own."""

import struct
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import TypeVar

from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode

from tracedbg.format.filebytes import FileBytes
from tracedbg.format.index import Place

HEAD = struct.Struct("<BQ")
"""Opcode and length of what follows, at the start of each record."""
CHUNK_HEAD = struct.Struct("<BQQQQIIQ")
"""The head of an uncompressed chunk: opcode, length, first and last log_time, size, CRC, 0, size."""
MESSAGE_HEAD = struct.Struct("<BQHIQQ")
"""The head of a message: opcode, length, channel, sequence, log_time, publish_time."""
SMALL_RECORD_LIMIT = 16 << 20
"""No record but a chunk or an attachment is longer."""

OPCODES = frozenset(int(opcode) for opcode in Opcode)

Record = TypeVar("Record")


def parse(file: FileBytes, place: Place, read: Callable[[ReadDataStream], Record]) -> Record:
    """Return the record at ``place`` as the library's ``read`` makes it of the bytes behind its head."""
    if place.length > SMALL_RECORD_LIMIT:
        raise file.error(place.offset, f"a record of {place.length} bytes is more than the limit")
    return parse_bytes(file, place, file.read(place.offset, place.length), read)


def parse_bytes(
    file: FileBytes, place: Place, record: bytes, read: Callable[[ReadDataStream], Record]
) -> Record:
    """As ``parse``, of a record's bytes (or its first bytes) that were read already."""
    try:
        return read(ReadDataStream(BytesIO(record[HEAD.size :])))
    except (struct.error, UnicodeDecodeError, McapError) as error:
        raise file.error(place.offset, f"a record is malformed: {type(error).__name__} {error}") from error


def iter_places(file: FileBytes, start: int, end: int) -> Iterator[tuple[int, Place]]:
    """Yield (opcode, place) of the records from ``start``; raises TraceFormatError at a bad one."""
    while start < end:
        if start + HEAD.size > end:
            raise file.error(start, "the file ends inside a record")
        opcode, length = HEAD.unpack(file.read(start, HEAD.size))
        place = Place(start, HEAD.size + length)
        if opcode not in OPCODES:
            raise file.error(start, f"no record begins with {opcode}")
        if start + place.length > end:
            raise file.error(start, "the file ends inside a record")
        yield opcode, place
        start += place.length
