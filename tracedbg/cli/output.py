"""Results on standard output: one typed grid, shown as a table for people or as JSON for programs."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

import click

Cell: TypeAlias = str | int | float | bytes | None
"""What a grid holds; None is a value that the trace does not know: ``??`` in a table, null in JSON."""

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"

UNKNOWN = "??"
UNITS = ("B", "KB", "MB", "GB", "TB")

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for a program to read.")
"""Adds ``--json`` to a subcommand, whose function takes it as ``as_json``."""


class Kind(Enum):
    """What the cells of a column are, which decides how both renderings write them."""

    TEXT = "text"
    YES = "yes"
    """A bool; yes or no in a table."""
    NUMBER = "number"
    """A position in time or another plain integer."""
    COUNT = "count"
    """An integer, its thousands set apart in a table."""
    SIZE = "size"
    """Bytes, rounded to a unit in a table and exact in JSON."""
    SHARE = "share"
    """A float between 0 and 1; a percentage in a table."""
    ADDRESS = "address"
    """An address or a register's value: hexadecimal with 0x, a string in JSON (it need not fit a double)."""
    BYTES = "bytes"
    """Bytes in order of address, as hexadecimal digits."""


@dataclass(frozen=True)
class Column:
    """A column: ``name`` is its key in JSON, ``title`` its heading (else the name, without underscores)."""

    name: str
    kind: Kind
    title: str = ""

    @property
    def heading(self) -> str:
        """What stands above the column, or before the value."""
        return self.title or self.name.replace("_", " ")


@dataclass(frozen=True)
class Grid:
    """Rows of cells under typed columns: a table with headings, or a list of objects."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]

    def text(self) -> str:
        """The table, a line for each row; numbers are flush right."""
        cells = [[column.heading for column in self.columns], *(_row(self.columns, row) for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        return "\n".join(self._line(line, widths) for line in cells)

    def _line(self, cells: Sequence[str], widths: Sequence[int]) -> str:
        padded = [
            cell.ljust(width) if column.kind in LEFT else cell.rjust(width)
            for cell, width, column in zip(cells, widths, self.columns, strict=True)
        ]
        return "  ".join(padded).rstrip()

    def json(self) -> Json:
        """A list with an object for each row."""
        return [_object(self.columns, row) for row in self.rows]


@dataclass(frozen=True)
class Form:
    """One row, shown upright: a line for each value, or one object."""

    columns: Sequence[Column]
    row: Sequence[Cell]

    def text(self) -> str:
        """A line for each value, its heading first."""
        width = max((len(column.heading) for column in self.columns), default=0)
        pairs = zip(self.columns, _row(self.columns, self.row), strict=True)
        return "\n".join(f"{column.heading.ljust(width)}  {cell}".rstrip() for column, cell in pairs)

    def json(self) -> Json:
        """One object."""
        return _object(self.columns, self.row)


@dataclass(frozen=True)
class Report:
    """Several grids and forms by name: paragraphs with a heading each, or one object with a key for each.

    The part named with the empty string comes without a heading; in JSON its keys are the object's own.
    """

    parts: Mapping[str, Grid | Form]

    def text(self) -> str:
        """The parts one after the other, an empty line between them."""
        shown = []
        for name, part in self.parts.items():
            heading = f"{name.replace('_', ' ')}:\n" if name else ""
            shown.append(heading + (_indent(part.text()) if name else part.text()))
        return "\n\n".join(shown)

    def json(self) -> Json:
        """One object."""
        found: dict[str, Json] = {}
        for name, part in self.parts.items():
            value = part.json()
            if not name and isinstance(value, dict):
                found.update(value)
            else:
                found[name] = value
        return found


def show(result: Grid | Form | Report, as_json: bool) -> None:
    """Prints a result to standard output."""
    click.echo(json.dumps(result.json(), indent=2, ensure_ascii=False) if as_json else result.text())


def size_text(size: int) -> str:
    """A number of bytes for people, in units of 1,000: ``1.2 GB``."""
    value = float(size)
    for unit in UNITS[:-1]:
        if value < 999.5:
            return f"{size} B" if unit == "B" else f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:,.3g} {UNITS[-1]}" if value < 1000 else f"{value:,.0f} {UNITS[-1]}"


def _row(columns: Sequence[Column], row: Sequence[Cell]) -> list[str]:
    return [_text(column.kind, cell) for column, cell in zip(columns, row, strict=True)]


def _object(columns: Sequence[Column], row: Sequence[Cell]) -> dict[str, Json]:
    return {column.name: _value(column.kind, cell) for column, cell in zip(columns, row, strict=True)}


def _text(kind: Kind, cell: Cell) -> str:
    if cell is None:
        return UNKNOWN
    if isinstance(cell, bytes):
        return cell.hex()
    if kind is Kind.YES:
        return "yes" if cell else "no"
    if isinstance(cell, int) and kind in INTEGERS:
        return INTEGERS[kind](cell)
    return f"{cell:.1%}" if isinstance(cell, float) and kind is Kind.SHARE else str(cell)


def _value(kind: Kind, cell: Cell) -> Json:
    if isinstance(cell, bytes):
        return cell.hex()
    return hex(cell) if kind is Kind.ADDRESS and isinstance(cell, int) else cell


def _indent(text: str) -> str:
    return "\n".join(f"  {line}".rstrip() for line in text.splitlines())


LEFT = frozenset((Kind.TEXT, Kind.YES, Kind.BYTES))
INTEGERS: Mapping[Kind, Callable[[int], str]] = {
    Kind.COUNT: lambda number: f"{number:,}",
    Kind.SIZE: size_text,
    Kind.ADDRESS: hex,
}
