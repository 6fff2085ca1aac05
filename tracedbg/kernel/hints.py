"""What only a kernel's author knows: the file tracedbg.toml (docs/configuration.md)."""

import difflib
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from tracedbg.errors import TracedbgError
from tracedbg.format.schema import PAGE_SIZE
from tracedbg.symbols import Symbol, SymbolTable

FILE_NAME = "tracedbg.toml"
LARGEST_FILE = 1 << 20
LARGEST_NUMBER = 1 << 40
LAST_ARGUMENT = 7

Read = TypeVar("Read")


class HintsError(TracedbgError):
    """The file says something that it cannot; ``line`` counts from 1, 0 where there is none to point at."""

    def __init__(self, path: Path, line: int, problem: str) -> None:
        super().__init__(path, line, problem)
        self.path = path
        self.line = line
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.problem}" if self.line else f"{self.path}: {self.problem}"


@dataclass(frozen=True)
class StackAllocator:
    """A function that makes kernel stacks.

    It returns the lowest address of one, or the highest where it ``returns_top``; or it stores that where its
    argument number ``out_argument`` points to. The ``size`` is a constant, or argument ``size_argument``; its
    lowest ``guard`` bytes are a guard.
    """

    function: Symbol
    returns_top: bool
    out_argument: int | None
    size: int | None
    size_argument: int | None
    guard: int = 0


@dataclass(frozen=True)
class TaskTable:
    """An array of ``count`` task structures of ``size`` bytes each, with offsets of fields in bytes.

    ``name`` is a text of at most ``name_size`` bytes, ``stack`` holds an address in the task's kernel stack.
    """

    symbol: Symbol
    count: int
    size: int
    stack: int
    name: int
    name_size: int


@dataclass(frozen=True)
class Hints:
    """The content of a file; everything may be missing. ``path`` is None where there is no file."""

    path: Path | None = None
    stack_allocators: tuple[StackAllocator, ...] = ()
    task_tables: tuple[TaskTable, ...] = ()
    system_calls: Mapping[int, str] = field(default_factory=dict)
    banners: tuple[str, ...] = ()


NO_HINTS = Hints()


def find_hints(trace: Path, config: Path | None, symbols: SymbolTable) -> Hints:
    """Return the hints of a file, else those of ``tracedbg.toml`` beside the trace where there is one.

    HintsError for a file that cannot be read, or says what is not understood.
    """
    path = trace.parent / FILE_NAME if config is None else config
    if config is None and not path.is_file():
        return Hints()
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise HintsError(path, 0, f"larger than {LARGEST_FILE} bytes: that is no {FILE_NAME}")
        text = path.read_text("utf-8")
    except OSError as error:
        raise HintsError(path, 0, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise HintsError(path, 0, "is no UTF-8 text") from error
    return parse_hints(path, text, symbols)


def parse_hints(path: Path, text: str, symbols: SymbolTable) -> Hints:
    """Return the hints that a text gives; ``path`` is what errors name."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        match = re.search(r"\(at line (\d+), column \d+\)", str(error))
        line = int(match[1]) if match else len(text.splitlines())
        problem = re.sub(r" \(at .*\)$", "", str(error))
        raise HintsError(path, line, f"{problem[:1].lower()}{problem[1:]}") from error
    return _Reader(path, text.splitlines(), symbols).hints(content)


_TOP = ("stack_allocator", "task_table", "system_calls", "console")
_ALLOCATOR = ("function", "returns", "out_argument", "size", "size_argument", "guard")
_TABLE = ("symbol", "count", "size", "stack", "name", "name_size")
_CONSOLE = ("expected",)


class _Reader:
    """Checks the content of one file."""

    def __init__(self, path: Path, lines: list[str], symbols: SymbolTable) -> None:
        self._path = path
        self._lines = lines
        self._symbols = symbols
        self._section = 0

    def hints(self, content: Mapping[str, Any]) -> Hints:
        self._check_keys(content, _TOP)
        return Hints(
            path=self._path,
            stack_allocators=tuple(self._each(content, "stack_allocator", self._allocator)),
            task_tables=tuple(self._each(content, "task_table", self._task_table)),
            system_calls=self._system_calls(content),
            banners=self._banners(content),
        )

    def _each(
        self, content: Mapping[str, Any], name: str, read: Callable[[Mapping[str, Any]], Read]
    ) -> Iterator[Read]:
        tables = content.get(name, [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            raise self._error(name, f"{name} is a list of tables: write [[{name}]]")
        for place, table in enumerate(tables):
            self._section = self._line_of_section(name, place)
            yield read(table)
        self._section = 0

    def _allocator(self, table: Mapping[str, Any]) -> StackAllocator:
        self._check_keys(table, _ALLOCATOR)
        returns = table.get("returns", "base")
        if returns not in {"base", "top"}:
            raise self._error("returns", f'returns is "base" or "top", not {returns!r}')
        size, size_argument = self._number(table, "size"), self._argument(table, "size_argument")
        if (size is None) == (size_argument is None):
            raise self._error("size", "a stack allocator has either a size or a size_argument")
        guard = self._number(table, "guard") or 0
        if guard and (guard % PAGE_SIZE or guard >= (size or guard + 1)):
            raise self._error("guard", f"guard is a multiple of {PAGE_SIZE}, and less than size")
        return StackAllocator(
            function=self._symbol(table, "function", "func"),
            returns_top=returns == "top",
            out_argument=self._argument(table, "out_argument"),
            size=size,
            size_argument=size_argument,
            guard=guard,
        )

    def _task_table(self, table: Mapping[str, Any]) -> TaskTable:
        self._check_keys(table, _TABLE)
        return TaskTable(
            symbol=self._symbol(table, "symbol", "object"),
            count=self._required(table, "count"),
            size=self._required(table, "size"),
            stack=self._required(table, "stack"),
            name=self._required(table, "name"),
            name_size=self._number(table, "name_size") or 16,
        )

    def _system_calls(self, content: Mapping[str, Any]) -> dict[int, str]:
        table = self._table(content, "system_calls")
        found = {}
        for key, name in table.items():
            if not re.fullmatch("[0-9]{1,19}", key):
                raise self._error(key, f"{key} is no number of a system call")
            if not isinstance(name, str) or not re.fullmatch("[a-z_][a-z0-9_]*", name):
                raise self._error(key, f'the name of system call {key} is a text such as "write"')
            found[int(key)] = name
        return found

    def _banners(self, content: Mapping[str, Any]) -> tuple[str, ...]:
        table = self._table(content, "console")
        self._check_keys(table, _CONSOLE)
        expected = table.get("expected", [])
        if not isinstance(expected, list) or not all(isinstance(text, str) and text for text in expected):
            raise self._error("expected", "expected is a list of texts that the console is to show")
        return tuple(expected)

    def _table(self, content: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        table = content.get(name, {})
        if not isinstance(table, dict):
            raise self._error(name, f"{name} is a table: write [{name}]")
        self._section = self._line_of_section(name, 0)
        return table

    def _check_keys(self, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
        for key in table:
            if key not in known:
                near = difflib.get_close_matches(key, known, 1, 0.4)
                hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
                raise self._error(key, f"unknown key {key}; {hint}")

    def _symbol(self, table: Mapping[str, Any], key: str, kind: str) -> Symbol:
        name = table.get(key)
        if not isinstance(name, str):
            raise self._error(key, f"{key} has to be the name of a symbol")
        found = next((item for item in self._symbols.find_all(name) if item.kind == kind), None)
        if found is None:
            near = self._symbols.nearest(name)
            hint = f"; did you mean {near[0]}?" if near else ": the trace has no symbols like it"
            raise self._error(key, f"there is no symbol {name}{hint}")
        return found

    def _required(self, table: Mapping[str, Any], key: str) -> int:
        found = self._number(table, key)
        if found is None:
            raise self._error(key, f"{key} is missing")
        return found

    def _number(self, table: Mapping[str, Any], key: str) -> int | None:
        value = table.get(key)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LARGEST_NUMBER:
            raise self._error(key, f"{key} is a number of 0 or more, not {value!r}")
        return value

    def _argument(self, table: Mapping[str, Any], key: str) -> int | None:
        value = self._number(table, key)
        if value is not None and value > LAST_ARGUMENT:
            raise self._error(key, f"{key} counts arguments from 0 to {LAST_ARGUMENT}")
        return value

    def _error(self, key: str, problem: str) -> HintsError:
        return HintsError(self._path, self._line_of_key(key), problem)

    def _line_of_section(self, name: str, place: int) -> int:
        pattern = re.compile(rf"\s*\[\[?\s*{re.escape(name)}\s*\]?\]")
        found = [number for number, line in enumerate(self._lines, 1) if pattern.match(line)]
        return found[place] if place < len(found) else 0

    def _line_of_key(self, key: str) -> int:
        """Return the line of a key in the section that is read, else that of the section."""
        quoted = re.escape(key)
        pattern = re.compile(rf"\s*(?:\[\[?\s*)?[\"']?{quoted}[\"']?\s*[=.\]]")
        rest = enumerate(self._lines[max(self._section - 1, 0) :], max(self._section, 1))
        return next((number for number, line in rest if pattern.match(line)), self._section)
