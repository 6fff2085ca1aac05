"""Where everything in a trace file is: made from the file's summary, or by scanning it."""

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from mcap.records import Channel, Schema
from numpy.typing import NDArray

from tracedbg.format.filebytes import FileBytes
from tracedbg.format.schema import MESSAGES, Message
from tracedbg.format.writer import COMPRESSED, topics

Numbers = NDArray[np.uint64]


@dataclass(frozen=True)
class Place:
    """A record of the file: the offset of its opcode, and its length with opcode and length field."""

    offset: int
    length: int


@dataclass(frozen=True)
class AttachmentEntry:
    """An attachment's name, size in bytes as stored, and the record that holds it.

    ``stored_type`` is its media type, with COMPRESSED at the end where its bytes are a zstd frame.
    """

    name: str
    stored_type: str
    size: int
    place: Place

    @property
    def media_type(self) -> str:
        """The media type of the bytes that reading gives."""
        return self.stored_type.removesuffix(COMPRESSED)

    @property
    def is_compressed(self) -> bool:
        """Whether the bytes are stored compressed."""
        return self.stored_type.endswith(COMPRESSED)


@dataclass(frozen=True)
class TopicIndex:
    """The messages of one topic in the order of the file: log_time, and chunk of each."""

    message: Message
    channel: int
    times: Numbers
    offsets: Numbers
    lengths: Numbers


@dataclass(frozen=True)
class FileIndex:
    """Places of all messages by topic, metadata by name, and attachments; and what was lost, in sentences."""

    topics: dict[str, TopicIndex]
    metadata: dict[str, Place]
    attachments: tuple[AttachmentEntry, ...]
    losses: tuple[str, ...] = ()


@dataclass
class Channels:
    """The channels of a file, gathered record by record and checked against the schema."""

    file: FileBytes
    topics: dict[int, str] = field(default_factory=dict)
    _schemas: dict[int, Schema] = field(default_factory=dict)

    def add_schema(self, schema: Schema) -> None:
        """Note a schema record."""
        self._schemas[schema.id] = schema

    def add_channel(self, channel: Channel, offset: int) -> None:
        """Note a channel record; raises TraceFormatError when its columns are not those of the schema."""
        message = _MESSAGE_OF_TOPIC.get(channel.topic)
        if message is None:
            return
        schema = self._schemas.get(channel.schema_id)
        if schema is None or _declared(schema.data) != _expected(message):
            problem = f"the columns of message {message.topic} are not those of this format version"
            raise self.file.error(offset, problem)
        self.topics[channel.id] = channel.topic

    def index(self, rows: NDArray[np.void]) -> dict[str, TopicIndex]:
        """Return the index of all topics from CHUNK_ROW rows in the order of the file."""
        return {topic: self._topic(channel, topic, rows) for channel, topic in self.topics.items()}

    def _topic(self, channel: int, topic: str, rows: NDArray[np.void]) -> TopicIndex:
        own = rows[rows["channel"] == channel]
        places = own["time"].copy(), own["offset"].copy(), own["length"].copy()
        return TopicIndex(_MESSAGE_OF_TOPIC[topic], channel, *places)


CHUNK_ROW = np.dtype([("channel", "<u2"), ("time", "<u8"), ("offset", "<u8"), ("length", "<u8")])
"""One message: its channel and log_time, and the chunk that holds it."""

_MESSAGE_OF_TOPIC = {topic: message for message in MESSAGES for topic in topics(message)}


def _expected(message: Message) -> list[tuple[str, str, str]]:
    return [(column.name, column.dtype, column.filter.value) for column in message.columns]


def _declared(text: bytes) -> list[tuple[Any, Any, Any]] | None:
    try:
        columns = json.loads(text)["columns"]
        return [(column["name"], column["dtype"], column["filter"]) for column in columns]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
