"""A trace taken apart into columns, to be written again with something else in them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tracedbg.format.columns import AnyArray, column_dtype
from tracedbg.format.reader import TraceFile
from tracedbg.format.schema import LATE, MESSAGES, Message
from tracedbg.format.writer import TraceWriter, topics


@dataclass
class Part:
    """One message: its columns and log_time."""

    message: Message
    topic: str
    time: int
    columns: dict[str, AnyArray]

    def set(self, name: str, rows: Any) -> None:  # noqa: ANN401 - whatever numpy makes an array of
        column = next(column for column in self.message.columns if column.name == name)
        self.columns[name] = np.array(rows, column_dtype(column))

    def put(self, name: str, row: int, value: int) -> None:
        self.columns[name] = self.columns[name].copy()
        self.columns[name][row] = value

    def drop(self, row: int, *names: str) -> None:
        for name in names:
            self.columns[name] = np.delete(self.columns[name], row)


@dataclass
class Altered:
    """All messages of a trace, in the order of their topics."""

    metadata: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)

    @classmethod
    def of(cls, path: Path) -> "Altered":
        altered = cls()
        with TraceFile(path) as file:
            for name in file.metadata_names:
                altered.metadata[name] = file.metadata(name) or {}
            for message in MESSAGES:
                for topic in topics(message):
                    for index, time in enumerate(file.times(topic).tolist()):
                        packed = file.fetch(topic, index)
                        columns = {column.name: packed.column(column.name) for column in message.columns}
                        altered.parts.append(Part(message, topic, time, columns))
        return altered

    def part(self, topic: str, index: int = 0) -> Part:
        return [part for part in self.parts if part.topic == topic][index]

    def add_late(self, t: list[int], kind: list[int], value: list[int]) -> None:
        part = Part(LATE, LATE.topic, t[0], {})
        for name, rows in (("t", t), ("kind", kind), ("value", value)):
            part.set(name, rows)
        self.parts.append(part)

    def write(self, path: Path) -> Path:
        with path.open("wb") as file:
            writer = TraceWriter(file)
            for name, record in self.metadata.items():
                writer.metadata(name, record)
            for part in self.parts:
                writer.write(part.message, part.columns, part.time, part.topic)
            writer.finish()
        return path
