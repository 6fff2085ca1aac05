"""The description of the trace format for readers, generated from the schema.

``python -m tracedbg.format.document`` writes ``docs/trace-format.md`` in the checkout.
"""

import inspect
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path

from tracedbg.format import columns, schema
from tracedbg.format.schema import Column, Message
from tracedbg.format.writer import CHECKSUM_KEY, COMPRESSED, ENCODING, METADATA_KEY, PROFILE

PATH = Path(__file__).resolve().parents[2] / "docs" / "trace-format.md"

_TOP = f"""\
# Trace format

Generated from `tracedbg/format/schema.py` by `python -m tracedbg.format.document`; do not edit.

A trace is one [MCAP](https://mcap.dev/spec) file. Its header's profile is
`{PROFILE}/{schema.FORMAT_VERSION}`; {schema.FORMAT_VERSION} is the version that this page describes.
Every message is in an uncompressed chunk of its own, so that the chunk index leads to each message;
the chunk's CRC covers it. Channels have the message encoding `{ENCODING}`, and their schema is JSON
with the columns of the tables below. `log_time` is a position t. A metadata record's map has the keys
`{METADATA_KEY}` (JSON text, an object) and `{CHECKSUM_KEY}` (the CRC-32 of that text, in decimal).
An attachment whose media type ends in `{COMPRESSED}` is one zstd frame with content size.
A file without a whole summary is read by walking over its records.

## Packing

The payload of a message is a header for each column in the order of its table, two u32: rows, and
length of what is stored. Then follows what is stored of each column, in the same order. All numbers
are little-endian.

A column is cut into segments of {columns.SEGMENT_BYTES} bytes. Each segment is filtered, then
compressed as one zstd frame with content size and checksum. A column of more than one segment begins
with the stored length of each of them, as u32. A column without rows takes no bytes. No column is
longer than {columns.COLUMN_BYTES_LIMIT} bytes.

| filter | what is done to a segment before compression |
|---|---|
| `none` | nothing |
| `delta` | each element minus the one before it, modulo the type's size; the first is kept |
| `shuffle` | all first bytes, then all second bytes, and so on |
| `delta+shuffle` | `delta`, then `shuffle` |

## Constants

| name | value |
|---|---|
"""

_CONSTANTS = (
    "EPOCH_INSTRUCTIONS",
    "KEYFRAME_INSTRUCTIONS",
    "PAGE_SIZE",
    "LINE_SIZE",
    "SPAN_FANOUT",
    "SPAN_LEVELS",
    "ACCESS_SIZE_MASK",
    "ACCESS_STORE",
    "ACCESS_KIND_SHIFT",
    "ACCESS_KIND_MASK",
    "ACCESS_MPRV",
)

_ENUMS = (schema.Source, schema.AccessKind, schema.Cause, schema.LateKind, schema.StopReason)


def generate() -> str:
    """Return the page as Markdown."""
    constants = "".join(f"| `{name}` | {getattr(schema, name)} |\n" for name in _CONSTANTS)
    messages = map(_message, schema.MESSAGES)
    sections = [_TOP + constants, *map(_enum, _ENUMS), _MESSAGES_TOP, *messages, _CAPTURES]
    return "\n".join(sections)


_MESSAGES_TOP = """\
## Messages

Offsets called t in an epoch count from the epoch's first t. Types are numpy's: `u8` is eight bytes, unsigned.
"""


_CAPTURES = """\
### Captures

The `guest` record of a trace that was made through a debugger stub has `"source": "gdbstub"`. Such a trace
holds stops and windows of single steps. t counts the instructions that were seen to start, and the one that
each hart which ran on stood at; its outcome is open. Where `gap.t` names a moment, which is the end of an
epoch, other instructions ran before it that are not in the trace, or the last one stored what it is not known
to. There is no image and no end: nothing is known of memory but samples, and loads and stores since. What a
sample brought is known until the next gap. Within a window a device, or the bits that a page-table walk sets,
may change memory without the trace telling; a load that shows it is told as a change since the last gap. In
spans `written.bytes` is empty: over a gap nothing is left to be told.
"""


def _enum(members: type[IntEnum]) -> str:
    rows = "".join(f"| {member.value} | {member.name} |\n" for member in members)
    return f"### {members.__name__}\n\n{inspect.getdoc(members)}\n\n| value | name |\n|---|---|\n{rows}"


def _message(message: Message) -> str:
    rows = "".join(_rows(message.columns))
    head = "| column | type | filter | meaning |\n|---|---|---|---|\n"
    return f"### {message.topic}\n\n{message.text}\n\n{head}{rows}"


def _rows(declared: tuple[Column, ...]) -> Iterator[str]:
    for column in declared:
        text = column.text.replace("|", "\\|")
        yield f"| `{column.name}` | `{column.dtype}` | `{column.filter.value}` | {text} |\n"


if __name__ == "__main__":
    PATH.write_text(generate())
