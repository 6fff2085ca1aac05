"""Writing of a trace: an MCAP file in which each message is a chunk of its own."""

import json
import zlib
from collections.abc import Mapping
from typing import Any, BinaryIO

import zstandard
from mcap.writer import CompressionType, IndexType, Writer

from tracedbg import __version__
from tracedbg.format.columns import AnyArray, Packer
from tracedbg.format.schema import FORMAT_VERSION, MESSAGES, SPAN, SPAN_LEVELS, Message

PROFILE = "tracedbg"
"""The MCAP header's profile is this, a slash and the format's version."""
ENCODING = "tracedbg-columns"
METADATA_KEY = "json"
"""Key of a metadata record's map; its value is JSON text."""
CHECKSUM_KEY = "crc32"
"""Key of a metadata record's map; its value is the CRC-32 of the JSON text, in decimal."""
COMPRESSED = "+zstd"
"""End of the media type of an attachment whose bytes are one zstd frame."""
ATTACHMENT_LEVEL = 3
"""zstd's level for attachments."""


def topics(message: Message) -> tuple[str, ...]:
    """Return the topics of a kind of message: its own, or one for each level of spans."""
    if message is SPAN:
        return tuple(f"{message.topic}/{level}" for level in range(SPAN_LEVELS))
    return (message.topic,)


def schema_text(message: Message) -> str:
    """Return the JSON text that describes a message's columns to readers other than this one."""
    columns = [
        {"name": column.name, "dtype": column.dtype, "filter": column.filter.value, "text": column.text}
        for column in message.columns
    ]
    return json.dumps({"version": FORMAT_VERSION, "text": message.text, "columns": columns})


class TraceWriter:
    """Writes the messages, metadata and attachments of a trace to a binary file, in the order of the calls.

    ``file`` is open for writing at its start, and stays open. What went through ``flush`` can be read
    even if ``finish`` is never called. OSError (a full disk) passes through. Not for several threads.
    """

    def __init__(self, file: BinaryIO, *, level: int = 1) -> None:
        self._packer = Packer(level)
        # A chunk is finished as soon as it holds more than 0 bytes of messages.
        self._writer = Writer(
            file, chunk_size=0, compression=CompressionType.NONE, index_types=IndexType.ALL, enable_crcs=True
        )
        self._writer.start(f"{PROFILE}/{FORMAT_VERSION}", f"tracedbg {__version__}")
        self._channels: dict[str, int] = {}
        self._counts: dict[str, int] = {}
        for message in MESSAGES:
            self._register(message)

    def _register(self, message: Message) -> None:
        schema = self._writer.register_schema(message.topic, "jsonschema", schema_text(message).encode())
        for topic in topics(message):
            self._channels[topic] = self._writer.register_channel(topic, ENCODING, schema)
            self._counts[topic] = 0

    def write(
        self, message: Message, columns: Mapping[str, AnyArray], log_time: int, topic: str | None = None
    ) -> int:
        """Write one message and return the size of its payload in bytes.

        ``columns`` maps column names to one-dimensional arrays of exactly the schema's dtypes
        (little-endian); columns that are left out are empty. ``log_time`` is the t that the schema names.
        ``topic`` is needed for spans alone: ``span/0`` to ``span/4``. Raises ValueError or TypeError for
        columns or topics that the schema does not have.
        """
        return self.write_packed(message, self._packer.pack(message, columns), log_time, topic)

    def write_packed(self, message: Message, payload: bytes, log_time: int, topic: str | None = None) -> int:
        """Write a message that ``Packer.pack`` made, for instance in another thread; else as ``write``."""
        topic = message.topic if topic is None else topic
        if topic not in topics(message):
            raise ValueError(f"message {message.topic} is not written to topic {topic}")
        time = int(log_time)
        self._writer.add_message(self._channels[topic], time, payload, time, self._counts[topic])
        self._counts[topic] += 1
        return len(payload)

    def metadata(self, name: str, record: Mapping[str, Any]) -> None:
        """Write a metadata record; ``record`` must be JSON. Of several with one name the last counts."""
        text = json.dumps(record)
        self._writer.add_metadata(name, {METADATA_KEY: text, CHECKSUM_KEY: str(zlib.crc32(text.encode()))})

    def attach(self, name: str, media_type: str, content: bytes, *, compress: bool = False) -> None:
        """Write an attachment, as a zstd frame when ``compress``: the media type then says so."""
        if compress:
            content = zstandard.ZstdCompressor(level=ATTACHMENT_LEVEL).compress(content)
            media_type += COMPRESSED
        self._writer.add_attachment(0, 0, name, media_type, content)

    def flush(self) -> None:
        """Give all that was written to the operating system."""
        self._writer.flush()  # type: ignore[no-untyped-call]

    def finish(self) -> None:
        """Write the summary and flush; nothing can be written afterwards, and the file stays open."""
        self._writer.finish()  # type: ignore[no-untyped-call]
        self.flush()
