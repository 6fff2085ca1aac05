"""The index of a trace without a whole summary, by walking over its records from the start."""

from collections.abc import Callable

import numpy as np
from mcap.data_stream import ReadDataStream
from mcap.opcode import Opcode
from mcap.records import Channel, Metadata, Schema
from mcap.writer import MCAP0_MAGIC

from tracedbg.errors import TraceFormatError
from tracedbg.format.filebytes import FileBytes
from tracedbg.format.index import CHUNK_ROW, AttachmentEntry, Channels, FileIndex, Place
from tracedbg.format.records import (
    CHUNK_HEAD,
    MESSAGE_HEAD,
    SMALL_RECORD_LIMIT,
    iter_places,
    parse,
    parse_bytes,
)

_ATTACHMENT_HEAD = 1 << 16


def scan(file: FileBytes) -> FileIndex:
    """Return the index of all whole records, with sentences on what was lost.

    Reads heads of records only, so that a long recording whose end is missing opens quickly; what is
    inside a chunk is checked when it is fetched. Raises TraceFormatError when no message is whole.
    """
    walk = _Walk(file)
    loss = walk.run()
    rows = np.array(walk.rows, CHUNK_ROW)
    if not len(rows):
        raise file.error(file.size, "the file ends before its first message: nothing of it is left")
    index = walk.channels.index(rows)
    return FileIndex(index, walk.metadata, tuple(walk.attachments), (loss, *walk.losses))


class _Walk:
    def __init__(self, file: FileBytes) -> None:
        self._file = file
        self.channels = Channels(file)
        self.rows: list[tuple[int, int, int, int]] = []
        self.metadata: dict[str, Place] = {}
        self.attachments: list[AttachmentEntry] = []
        self.losses: list[str] = []
        self._readers: dict[int, Callable[[Place], None]] = {
            Opcode.CHUNK: self._chunk,
            Opcode.METADATA: self._metadata,
            Opcode.ATTACHMENT: self._attachment,
        }

    def run(self) -> str:
        """Walk to the end of the data or to what cannot be read, and return what was lost."""
        try:
            for opcode, place in iter_places(self._file, len(MCAP0_MAGIC), self._file.size):
                if opcode == Opcode.DATA_END:
                    return "the summary at the end of the file is damaged; nothing recorded is lost"
                if opcode in self._readers:
                    self._readers[opcode](place)
        except TraceFormatError as error:
            lost = self._file.size - (error.offset or 0)
            reason = f"the file cannot be read beyond byte {error.offset} ({error.problem})"
            return f"{reason}: its last {lost} bytes are lost"
        return f"the file was not finished: it ends after {self._file.size} bytes without a summary"

    def _chunk(self, place: Place) -> None:
        start, end = place.offset + CHUNK_HEAD.size, place.offset + place.length
        for opcode, inner in iter_places(self._file, start, end):
            if opcode == Opcode.SCHEMA:
                self.channels.add_schema(parse(self._file, inner, Schema.read))
            elif opcode == Opcode.CHANNEL:
                self.channels.add_channel(parse(self._file, inner, Channel.read), inner.offset)
            elif opcode == Opcode.MESSAGE and inner.length >= MESSAGE_HEAD.size:
                head = MESSAGE_HEAD.unpack(self._file.read(inner.offset, MESSAGE_HEAD.size))
                self.rows.append((head[2], head[4], place.offset, place.length))
                return

    def _metadata(self, place: Place) -> None:
        if place.length <= SMALL_RECORD_LIMIT:
            self.metadata[parse(self._file, place, Metadata.read).name] = place

    def _attachment(self, place: Place) -> None:
        record = self._file.read(place.offset, min(place.length, _ATTACHMENT_HEAD))
        name, media_type, size = parse_bytes(self._file, place, record, _read_attachment_head)
        self.attachments.append(AttachmentEntry(name, media_type, size, place))


def _read_attachment_head(stream: ReadDataStream) -> tuple[str, str, int]:
    stream.read(16)
    return stream.read_prefixed_string(), stream.read_prefixed_string(), stream.read8()
