"""Fetching of the one message that a chunk holds."""

import zlib

from mcap.opcode import Opcode

from tracedbg.format.columns import PackedMessage
from tracedbg.format.filebytes import FileBytes, FileWindow
from tracedbg.format.index import Place, TopicIndex
from tracedbg.format.records import CHUNK_HEAD, HEAD, MESSAGE_HEAD, iter_places

WHOLE_LIMIT = 4 << 20
"""Chunks up to this length are read whole and their CRC compared. Of a longer one (a span of thousands
of epochs) only the segments that are unpacked are read, and each is held to its own checksum."""


def fetch_message(file: FileBytes, topic: TopicIndex, index: int) -> PackedMessage:
    """Return the message number ``index`` of a topic."""
    chunk = Place(int(topic.offsets[index]), int(topic.lengths[index]))
    if CHUNK_HEAD.size <= chunk.length <= WHOLE_LIMIT:
        file = FileWindow(file, chunk.offset, chunk.length)
    size, crc = _read_head(file, chunk)
    start = chunk.offset + CHUNK_HEAD.size
    whole = None
    if size <= WHOLE_LIMIT:
        whole = file.read(start, size)
        if zlib.crc32(whole) != crc:
            problem = f"message {topic.message.topic} is damaged: its checksum differs"
            raise file.error(chunk.offset, f"{problem}; tracedbg repair keeps what lies before it")
    place = _find_message(file, start, size)
    head = MESSAGE_HEAD.unpack(file.read(place.offset, MESSAGE_HEAD.size))
    if head[2] != topic.channel or head[4] != topic.times[index]:
        raise file.error(place.offset, f"message {topic.message.topic} is not here, as the index says")
    offset, length = place.offset + MESSAGE_HEAD.size, place.length - MESSAGE_HEAD.size
    return PackedMessage(
        topic.message, _reader(file, start, whole, offset), length, path=file.path, offset=offset
    )


def _reader(file: FileBytes, start: int, whole: bytes | None, offset: int) -> "_PayloadBytes":
    return _PayloadBytes(file, offset, None if whole is None else memoryview(whole)[offset - start :])


class _PayloadBytes:
    """A payload's bytes, from memory or from the file."""

    def __init__(self, file: FileBytes, offset: int, whole: memoryview | None) -> None:
        self._file = file
        self._offset = offset
        self._whole = whole

    def __call__(self, start: int, length: int) -> bytes | memoryview:
        if self._whole is not None:
            return self._whole[start : start + length]
        return self._file.read(self._offset + start, length)


def _read_head(file: FileBytes, chunk: Place) -> tuple[int, int]:
    """Return size and CRC of a chunk's records."""
    if chunk.length < CHUNK_HEAD.size:
        raise file.error(chunk.offset, "no chunk is here, as the index says")
    head = CHUNK_HEAD.unpack(file.read(chunk.offset, CHUNK_HEAD.size))
    opcode, length, _, _, size, crc, compression, stored = head
    if opcode != Opcode.CHUNK or length + HEAD.size != chunk.length:
        raise file.error(chunk.offset, "no chunk is here, as the index says")
    if compression or size != stored or size + CHUNK_HEAD.size != chunk.length:
        raise file.error(chunk.offset, "a chunk is damaged: its sizes do not agree")
    return size, crc


def _find_message(file: FileBytes, start: int, size: int) -> Place:
    for opcode, place in iter_places(file, start, start + size):
        if opcode == Opcode.MESSAGE and place.length >= MESSAGE_HEAD.size:
            return place
    raise file.error(start, "a chunk holds no message")
