"""The C header that the recorder's plugin is compiled with, generated from the schema.

``python -m tracedbg.format.header`` writes ``plugins/qemu/trace_columns.h`` in the checkout.
"""

from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path

import numpy as np

from tracedbg.format import schema
from tracedbg.format.schema import Column, Message

PATH = Path(__file__).resolve().parents[2] / "plugins" / "qemu" / "trace_columns.h"

_TOP = """\
/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Generated from tracedbg/format/schema.py by python -m tracedbg.format.header; do not edit. */
#ifndef TRACEDBG_TRACE_COLUMNS_H
#define TRACEDBG_TRACE_COLUMNS_H
"""

_DEFINES = (
    "FORMAT_VERSION",
    "EPOCH_INSTRUCTIONS",
    "KEYFRAME_INSTRUCTIONS",
    "ACCESS_SIZE_MASK",
    "ACCESS_STORE",
    "ACCESS_KIND_SHIFT",
    "ACCESS_KIND_MASK",
    "ACCESS_MPRV",
    "STATE_UNKNOWN",
)

_ENUMS: tuple[tuple[str, str, type[IntEnum]], ...] = (
    ("value_source", "SOURCE", schema.Source),
    ("access_kind", "KIND", schema.AccessKind),
    ("change_cause", "CAUSE", schema.Cause),
    ("late_kind", "LATE", schema.LateKind),
)


def generate() -> str:
    """Return the text of the header: constants, enums, and the columns of the slot messages in order."""
    parts = [_TOP, "\n".join(_defines())]
    parts += [_enum(name, prefix, members) for name, prefix, members in _ENUMS]
    parts += [_columns(), _sizes(), "#endif"]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def column_constant(message: Message, column: Column) -> str:
    """Return the name of a column's enum constant, such as ``COLUMN_EPOCH_RUN_BLOCK``."""
    return f"COLUMN_{message.topic}_{column.name}".replace(".", "_").upper()


def _defines() -> Iterator[str]:
    for name in _DEFINES:
        yield f"#define {name} {getattr(schema, name)}"
    yield "/* An address or a t that there is none of. */"
    yield "#define NEVER UINT64_MAX"


def _enum(name: str, prefix: str, members: type[IntEnum]) -> str:
    lines = [f"    {prefix}_{member.name} = {member.value}," for member in members]
    return "\n".join([f"enum {name} {{", *lines, "};"])


def _slot_columns() -> Iterator[tuple[Message, Column]]:
    for message in schema.SLOT_MESSAGES:
        for column in message.columns:
            yield message, column


def _columns() -> str:
    lines = [
        f"    {column_constant(message, column)}, /* {column.dtype}: {column.text} */"
        for message, column in _slot_columns()
    ]
    return "\n".join(["enum column {", *lines, "    COLUMNS", "};"])


def _sizes() -> str:
    lines = [
        f"    [{column_constant(message, column)}] = {np.dtype(column.dtype).itemsize},"
        for message, column in _slot_columns()
    ]
    top = "static const unsigned char column_size[COLUMNS] = {"
    return "\n".join(["/* Bytes of one row. */", top, *lines, "};"])


if __name__ == "__main__":
    PATH.write_text(generate())
