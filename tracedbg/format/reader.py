"""Reading of a trace file: any message, metadata record or attachment by itself."""

import json
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import zstandard
from mcap.opcode import Opcode
from mcap.records import Attachment, Header, Metadata
from mcap.writer import MCAP0_MAGIC
from numpy.typing import NDArray

from tracedbg.closing import Closing
from tracedbg.format.chunk import fetch_message
from tracedbg.format.columns import PackedMessage
from tracedbg.format.filebytes import FileBytes
from tracedbg.format.index import AttachmentEntry, FileIndex, Place, TopicIndex
from tracedbg.format.records import HEAD, parse, parse_bytes
from tracedbg.format.scan import scan
from tracedbg.format.schema import FORMAT_VERSION
from tracedbg.format.summary import read_summary
from tracedbg.format.writer import CHECKSUM_KEY, METADATA_KEY, PROFILE

ATTACHMENT_LIMIT = 1 << 30


class TraceFile(Closing):
    """An open trace file. Safe for several threads; everything raises TraceFormatError on malformed bytes.

    ``losses`` are sentences on what a file that was cut short or damaged no longer holds; () for a whole
    file. Messages of a topic are numbered in the order they were written.
    """

    def __init__(self, path: str | Path) -> None:
        self._file = FileBytes(path)
        self.path = self._file.path
        try:
            _check_head(self._file)
            self._index: FileIndex = read_summary(self._file) or scan(self._file)
        except BaseException:
            self.close()
            raise

    @property
    def size(self) -> int:
        """Length of the file in bytes."""
        return self._file.size

    @property
    def losses(self) -> tuple[str, ...]:
        """What is missing, in sentences."""
        return self._index.losses

    def count(self, topic: str) -> int:
        """Return the number of messages of a topic, 0 for one that the file does not have."""
        topic_index = self._index.topics.get(topic)
        return 0 if topic_index is None else len(topic_index.times)

    def times(self, topic: str) -> NDArray[np.uint64]:
        """Return the log_time of each message of a topic."""
        topic_index = self._index.topics.get(topic)
        return np.empty(0, np.uint64) if topic_index is None else topic_index.times

    def payload_sizes(self, topic: str) -> NDArray[np.uint64]:
        """Return the length in bytes of the chunk that holds each message of a topic."""
        topic_index = self._index.topics.get(topic)
        return np.empty(0, np.uint64) if topic_index is None else topic_index.lengths

    def fetch(self, topic: str, index: int) -> PackedMessage:
        """Return one message, read from its own bytes alone, its checksum compared.

        Raises IndexError when there is no such message, TraceFormatError when it is damaged.
        """
        if not 0 <= index < self.count(topic):
            raise IndexError(f"topic {topic} has {self.count(topic)} messages, none is number {index}")
        topic_index: TopicIndex = self._index.topics[topic]
        return fetch_message(self._file, topic_index, index)

    @property
    def metadata_names(self) -> tuple[str, ...]:
        """The names of all metadata records."""
        return tuple(self._index.metadata)

    def metadata(self, name: str) -> dict[str, Any] | None:
        """Return a metadata record's JSON object (not validated further), or None when there is none."""
        place = self._index.metadata.get(name)
        if place is None:
            return None
        self._check_opcode(place, Opcode.METADATA)
        text = parse(self._file, place, Metadata.read).metadata
        return _json_object(self._file, place, text)

    @property
    def attachments(self) -> tuple[AttachmentEntry, ...]:
        """All attachments in the order they were written."""
        return self._index.attachments

    def attachment(self, entry: AttachmentEntry, limit: int = ATTACHMENT_LIMIT) -> bytes:
        """Return an attachment's bytes, decompressed where they are stored compressed.

        Raises TraceFormatError when damaged or longer than ``limit``.
        """
        stored = self._stored_attachment(entry, limit)
        if not entry.is_compressed:
            return stored
        try:
            size = zstandard.frame_content_size(stored)
            if not 0 <= size <= limit:
                raise self._file.error(
                    entry.place.offset, f"attachment {entry.name} is longer than {limit} bytes"
                )
            return zstandard.ZstdDecompressor().decompress(stored, size, allow_extra_data=False)
        except zstandard.ZstdError as error:
            problem = f"attachment {entry.name} cannot be decompressed: {error}"
            raise self._file.error(entry.place.offset, problem) from error

    def _stored_attachment(self, entry: AttachmentEntry, limit: int) -> bytes:
        place = entry.place
        if place.length > limit + len(entry.name) + len(entry.media_type) + (1 << 10):
            raise self._file.error(place.offset, f"attachment {entry.name} is longer than {limit} bytes")
        self._check_opcode(place, Opcode.ATTACHMENT)
        record = self._file.read(place.offset, place.length)
        crc = int.from_bytes(record[-4:], "little")
        if zlib.crc32(memoryview(record)[HEAD.size : -4]) != crc:
            raise self._file.error(place.offset, f"attachment {entry.name} is damaged: its checksum differs")
        return bytes(parse_bytes(self._file, place, record, Attachment.read).data)

    def _check_opcode(self, place: Place, opcode: Opcode) -> None:
        found, length = HEAD.unpack(self._file.read(place.offset, HEAD.size))
        if found != opcode or length + HEAD.size != place.length:
            raise self._file.error(place.offset, f"no {opcode.name.lower()} is here, as the index says")

    def close(self) -> None:
        """Close the file; messages that are fetched already stay usable if they are small."""
        self._file.close()


def _check_head(file: FileBytes) -> None:
    """Raise TraceFormatError unless the file begins as a trace of a version that can be read."""
    if not file.size:
        raise file.error(None, "is empty: it holds no trace")
    magic = file.read(0, min(file.size, len(MCAP0_MAGIC)))
    if not MCAP0_MAGIC.startswith(magic):
        raise file.error(None, "is not a trace: it does not begin as an MCAP file does")
    head = file.read(0, min(file.size, len(MCAP0_MAGIC) + HEAD.size))
    length = HEAD.unpack_from(head, len(MCAP0_MAGIC))[1] if len(head) == len(MCAP0_MAGIC) + HEAD.size else 0
    if not length or len(head) + length > file.size:
        raise file.error(file.size, "the file ends inside its header: nothing of the recording is left")
    profile = parse(file, Place(len(MCAP0_MAGIC), HEAD.size + length), Header.read).profile
    match = re.fullmatch(rf"{PROFILE}/(\d{{1,9}})", profile)
    if match is None:
        raise file.error(None, f"is an MCAP file but not a trace: its profile is {profile[:40]!r}")
    if int(match[1]) != FORMAT_VERSION:
        problem = f"has format version {match[1]}, and this tracedbg reads {FORMAT_VERSION}"
        raise file.error(None, f"{problem}: open it with another tracedbg")


def _json_object(file: FileBytes, place: Place, record: dict[str, str]) -> dict[str, Any]:
    text = record.get(METADATA_KEY, "")
    if record.get(CHECKSUM_KEY) != str(zlib.crc32(text.encode())):
        raise file.error(place.offset, "a metadata record is damaged: its checksum differs")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise file.error(place.offset, f"a metadata record is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise file.error(place.offset, "a metadata record is not a JSON object")
    return value
