"""A capture from address to file: connects, reads the symbols that names come from, and writes the trace."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from tracedbg.errors import RecordError, UsageError
from tracedbg.gdb.capture.build_check import BuildCheck
from tracedbg.gdb.capture.capture import Capture
from tracedbg.gdb.capture.condition import parse_condition
from tracedbg.gdb.capture.guest import LiveGuest
from tracedbg.gdb.capture.memory import PAGES_LIMIT
from tracedbg.gdb.capture.plan import Plan, Stop
from tracedbg.gdb.capture.stub import Stub
from tracedbg.gdb.capture.survey import Wanted
from tracedbg.gdb.capture.writer import CaptureWriter
from tracedbg.gdb.transport import Address, connect
from tracedbg.numerals import parse_number
from tracedbg.state.where import parse_range
from tracedbg.symbols import SymbolTable
from tracedbg.symbols.carried import Carried, CarriedFile


@dataclass(frozen=True)
class Request:
    """A plan as people write it: symbols or addresses, and ranges as ``ADDRESS:SIZE`` or a symbol's name."""

    breaks: Sequence[str] = ()
    watches: Sequence[str] = ()
    memory: Sequence[str] = ()
    steps: int = 0
    stops: int | None = None
    seconds: float | None = None
    until: str | None = None
    interrupts: bool = False

    @property
    def is_planned(self) -> bool:
        """Whether it says what is to be captured."""
        limits = self.stops, self.seconds, self.until
        return bool(self.breaks or self.watches or self.memory or self.steps) or limits != (None, None, None)


def _new_file(path: Path, *, force: bool) -> BinaryIO:
    if path.exists() and not force:
        raise UsageError(f"{path}: exists already; choose another with -o, or --force")
    return path.open("wb")


@dataclass(frozen=True)
class Result:
    """What a capture came to: ``how`` it ended, the first t after it, its size in bytes, and notes."""

    how: str
    end: int
    stops: int
    size: int
    notes: Sequence[str]


class CaptureSession:
    """Everything of one capture; ``stop_soon`` may be called from a signal handler.

    ``symbols`` name functions and data, and go into the trace. Raises UsageError for what names nothing,
    StubError and TransportError for what does not answer as QEMU's gdbstub does.
    """

    def __init__(self, address: Address, symbols: Sequence[Path], request: Request) -> None:
        self.symbols = SymbolTable.load(list(symbols))
        self._files = [CarriedFile(str(path), path, asked=True) for path in symbols]
        self._request = request
        self._stub = Stub(connect(address))
        self._capture: Capture | None = None
        self._is_wanted = True
        self.notes: list[str] = []
        try:
            self.guest = LiveGuest(self._stub)
            self.mask = self.guest.step_mask(interrupts=request.interrupts)
            self._plan = self._made_plan()
        except BaseException:
            self._stub.close()
            raise

    def _made_plan(self) -> Plan:
        request = self._request
        wanted = [self._wanted(text) for text in (*request.memory, *request.watches)]
        until = request.until and parse_condition(request.until, self.guest, self.find_address)
        watches = [(range_.virtual, range_.size) for range_ in wanted[len(request.memory) :]]
        return Plan(
            breaks=[self.find_address(text) for text in request.breaks],
            watches=watches,
            wanted=list(dict.fromkeys(wanted)),
            steps=request.steps,
            stops=request.stops,
            seconds=request.seconds,
            until=until or None,
        )

    def _wanted(self, text: str) -> Wanted:
        found = parse_range(text, self.symbols, virtual=True)
        return Wanted(text, found.address, found.size)

    def find_address(self, text: str) -> int:
        """Return the address that a number or a symbol names."""
        try:
            return parse_number(text)
        except ValueError:
            return parse_range(text, self.symbols, virtual=True).address

    def stop_soon(self) -> None:
        """End the capture at the next stop."""
        self._is_wanted = False
        if self._capture is not None:
            self._capture.stop_soon()

    @contextmanager
    def opened(self, path: Path, *, force: bool = False) -> Iterator[tuple[CaptureWriter, Capture]]:
        """Yield a writer to a file, which can be read at every moment, and a capture that has not begun.

        When the block is left, however that happens, the trace is finished with what was captured.
        """
        try:
            with self._stub, _new_file(path, force=force) as file:
                writer = CaptureWriter(file, len(self.guest.threads))
                builds = BuildCheck([file.path for file in self._files])
                self._capture = capture = Capture(self.guest, writer, self._plan, builds)
                if not self._is_wanted:
                    capture.stop_soon()
                try:
                    yield writer, capture
                except BaseException:
                    capture.how = "error"
                    raise
                finally:
                    self._finish(writer, capture)
        except OSError as error:
            raise RecordError(f"{path}: cannot be written: {error.strerror}") from error

    def run(self, path: Path, on_stop: Callable[[Stop], None], *, force: bool = False) -> Result:
        """Capture into a file as planned; the guest then runs on."""
        stops: list[int] = []

        def count(stop: Stop) -> None:
            stops.append(stop.t)
            on_stop(stop)

        with self.opened(path, force=force) as (writer, capture):
            capture.run(count)
        return Result(capture.how, writer.t, len(stops), path.stat().st_size, self.notes)

    def _finish(self, writer: CaptureWriter, capture: Capture) -> None:
        carried = Carried(self._files, Path.cwd())
        carried.attach_symbols(writer.trace)
        carried.attach_sources(writer.trace, np.array(writer.addresses, np.uint64))
        self.notes = [f"while it was stepped, {self.mask}", *capture.notes, *carried.warnings]
        if self.guest.memory.is_cut:
            self.notes.append(f"memory was left out: at one stop no more than {PAGES_LIMIT} pages are read")
        writer.finish(
            {"how": capture.how, "exit_code": capture.status, "instructions": writer.t, "notes": self.notes}
        )
