"""An opened trace as people and programs use it: positions, moments and searches, with symbols."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Self

import numpy as np

from tracedbg import query
from tracedbg.arch import architecture
from tracedbg.closing import Closing
from tracedbg.disasm import Disassembler
from tracedbg.errors import UsageError
from tracedbg.ids import Hart, RegisterId, Time, VirtualAddress
from tracedbg.query.accesses import Range
from tracedbg.query.rows import Access, Kind, Rows
from tracedbg.state.console import Console, console_before
from tracedbg.state.moment import Moment
from tracedbg.state.recording import Recording
from tracedbg.state.registers import numbers_of
from tracedbg.state.symbol_files import Given, load_symbols
from tracedbg.state.where import Piece, Where, check_memory, parse_range, pieces
from tracedbg.state.writer import Origin, origin_of
from tracedbg.store.source import CACHE_BYTES
from tracedbg.store.trace import Trace as StoredTrace
from tracedbg.symbols import SymbolTable

Position = int | str
"""A moment: t itself, or a text such as ``end-1000`` or ``sys_futex#3``."""

Between = tuple[Position, Position]
"""The first moment, and the moment after the last."""

Search = Callable[[StoredTrace, Range, Time], Access | None]


class Trace(Closing):
    """A trace with its symbols; immutable, safe for several threads, and a context manager that closes it.

    Positions are given as t or as text (see ``position``), ranges of memory as an address, (address, size)
    or text such as ``0x80200000:8`` or ``some_symbol``. Addresses are physical unless ``virtual`` is said;
    a symbol's is virtual always. Virtual ones are translated as the hart does that runs at the moment of
    the question (see where.pieces). ``warnings`` are sentences on symbol files that do not fit. Rows that
    searches return are numpy arrays of query.rows.ACCESS, EXECUTION and REGISTER_WRITE, in order of t.
    """

    def __init__(self, store: StoredTrace, symbols: SymbolTable, warnings: tuple[str, ...] = ()) -> None:
        arch = architecture(store.guest.arch)
        self.store = store
        self.symbols = symbols
        self.warnings = warnings
        self.recording = Recording(store, arch, symbols, Disassembler(arch.name))

    @classmethod
    def open(cls, path: str | Path, *, symbols: Iterable[Given] = (), cache_bytes: int = CACHE_BYTES) -> Self:
        """Open a trace, with ELF files beyond those that it carries.

        TraceFormatError when it is no trace or malformed, SymbolError for an ELF file that cannot be read.
        """
        store = StoredTrace.open(path, cache_bytes=cache_bytes)
        try:
            return cls(store, *load_symbols(store, symbols))
        except BaseException:
            store.close()
            raise

    def without_symbols(self) -> Self:
        """Return the same trace without any names and source lines; closing one closes both."""
        return type(self)(self.store, SymbolTable.load([]), self.warnings)

    @property
    def start(self) -> Time:
        """The first t."""
        return self.store.start

    @property
    def end(self) -> Time:
        """The first t after the last instruction."""
        return self.store.end

    def position(self, position: Position) -> Time:
        """Return the t of ``12345``, ``end-1000``, ``last-kernel``, ``sys_futex#3``, ``pc=0x80200000#2``.

        PositionError for what names no moment of the trace; it says what would.
        """
        return query.resolve(self.store, str(position), self._find_symbol)

    def _find_symbol(self, name: str) -> list[VirtualAddress]:
        symbol = self.symbols.find(name)
        return [] if symbol is None else self.symbols.places_of(symbol.address)

    def at(self, position: Position, *, hart: int | None = None) -> Moment:
        """Return the moment, seen from the hart that runs then or from another one."""
        return Moment(self.recording, self.position(position), hart)

    def pieces(self, where: Where, position: Position, *, virtual: bool = False) -> list[Piece]:
        """Return where a range lies in physical memory at a moment; UsageError where it is not mapped."""
        found = parse_range(where, self.symbols, virtual=virtual)
        return pieces(found, self.at(position), self.store.guest)

    def accesses(
        self,
        where: Where,
        *,
        between: Between | None = None,
        kind: Kind | str = Kind.ANY,
        virtual: bool = False,
    ) -> Rows:
        """Return the loads, stores and changes of a byte of ``where``, as ACCESS rows.

        ``kind`` is a Kind or ``load``, ``store``, ``change``, ``write`` (both), ``any``. A virtual range is
        translated at the first moment of ``between`` where it is mapped: at its start, else at its end.
        """
        start, stop = self.window(between)
        try:
            found = self.pieces(where, start, virtual=virtual)
        except UsageError:
            found = self.pieces(where, stop, virtual=virtual)
        parts = [
            query.accesses(
                self.store, (piece.physical, piece.size), between=(start, stop), kind=as_kind(kind)
            )
            for piece in found
        ]
        rows = np.concatenate(parts)
        return rows if len(parts) == 1 else rows[np.argsort(rows["t"], kind="stable")]

    def last_write(self, where: Where, before: Position, *, virtual: bool = False) -> Access | None:
        """Return the newest store or change of a byte of ``where`` that the state at ``before`` shows."""
        return max(self._each(query.last_write, where, before, virtual), key=_moment, default=None)

    def last_read(self, where: Where, before: Position, *, virtual: bool = False) -> Access | None:
        """Return the newest load of a byte of ``where`` before a moment."""
        return max(self._each(query.last_read, where, before, virtual), key=_moment, default=None)

    def next_write(self, where: Where, after: Position, *, virtual: bool = False) -> Access | None:
        """Return the first store or change of a byte of ``where`` that shows only after a moment."""
        return min(self._each(query.next_write, where, after, virtual), key=_moment, default=None)

    def next_read(self, where: Where, after: Position, *, virtual: bool = False) -> Access | None:
        """Return the first load of a byte of ``where`` by the instruction at ``after`` or a later one."""
        return min(self._each(query.next_read, where, after, virtual), key=_moment, default=None)

    def _each(self, search: Search, where: Where, position: Position, virtual: bool) -> list[Access]:
        """Return what a search finds in each physical piece of a range."""
        t = self.position(position)
        pieces = self.pieces(where, t, virtual=virtual)
        found = [search(self.store, (piece.physical, piece.size), t) for piece in pieces]
        return [access for access in found if access is not None]

    def require_memory(self, where: Where, position: Position, *, virtual: bool = False) -> None:
        """Raise UsageError, which says where memory is, unless RAM or a device answers in a range."""
        check_memory(self.store.guest, self.pieces(where, position, virtual=virtual))

    def pc_of(self, access: Access) -> VirtualAddress | None:
        """Return the address of the instruction that made an access, None for a change."""
        return None if access.hart is None else query.pc_at(self.store, access.t)

    def origin(self, access: Access) -> Origin:
        """Return the code, source line and call stack behind an access."""
        return origin_of(self.recording, access)

    def executions(self, where: int | str, *, between: Between | None = None) -> Rows:
        """Return every start of the instruction at a virtual address or symbol, as EXECUTION rows.

        A symbol's code is found wherever it ran, an address's there only.
        """
        found = parse_range(where, self.symbols, virtual=True)
        pc = VirtualAddress(found.address)
        places = [pc] if found.symbol is None else self.symbols.places_of(pc)
        return query.executions(self.store, places, between=self.window(between))

    def register_writes(self, name: str, *, between: Between | None = None, hart: int | None = None) -> Rows:
        """Return the writes of a register, by any of its names, as REGISTER_WRITE rows.

        For a vector register they are wide rows (``query.rows.wide_register_write``), one for each moment
        from which it holds something else, ``value`` being the 8-byte words of all of it, lowest first.
        """
        numbers = [RegisterId(n) for n in numbers_of(self.recording.arch, self.store.guest.registers, name)]
        chosen = None if hart is None else Hart(hart)
        if len(numbers) > 1:
            return query.wide_register_writes(self.store, numbers, between=self.window(between), hart=chosen)
        return query.register_writes(self.store, numbers[0], between=self.window(between), hart=chosen)

    def console(self, before: Position = "end") -> Console:
        """Return what the guest printed before a moment."""
        return console_before(self.store, self.position(before))

    def window(self, between: Between | None) -> tuple[Time, Time]:
        """Return the first moment and the one after the last, of the whole trace for None.

        UsageError where they are in the wrong order.
        """
        first, last = (self.start, self.end) if between is None else map(self.position, between)
        if last < first:
            raise UsageError(f"nothing lies between {first} and {last}: the later moment comes second")
        return first, last

    def close(self) -> None:
        """Close the file; nothing can be read afterwards."""
        self.store.close()


def _moment(access: Access) -> Time:
    return access.t


def as_kind(kind: Kind | str) -> Kind:
    """Return a Kind by its name; UsageError for another text."""
    if isinstance(kind, Kind):
        return kind
    try:
        return Kind[kind.upper()]
    except KeyError:
        raise UsageError(f"{kind}: no kind of access; say load, store, change, write or any") from None
