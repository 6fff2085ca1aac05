"""A guest behind a stub, for a screen: each call moves it and writes what was seen."""

from pathlib import Path

from tracedbg.errors import UsageError
from tracedbg.gdb.capture.capture import Capture
from tracedbg.gdb.capture.plan import Stop
from tracedbg.gdb.capture.session import CaptureSession
from tracedbg.gdb.capture.stub import StubGoneError
from tracedbg.ids import VirtualAddress
from tracedbg.session.place import Selection
from tracedbg.state import Trace
from tracedbg.store import Trace as StoredTrace
from tracedbg.symbols import SymbolTable

SNAPSHOTS_KEPT = 16
"""Snapshots that stay open, for searches that are not done; one that is older has nobody left."""


class CapturedGuest:
    """The live guest of a screen; ``path`` is the file that the capture is written to.

    ``notes`` are what was found amiss when it was attached to.
    """

    def __init__(self, session: CaptureSession, capture: Capture, path: Path) -> None:
        self._session = session
        self._capture = capture
        self._path = path
        self._snapshots: list[Trace] = []
        self.is_there = True
        self.notes = self._capture.attach().notes

    @property
    def symbols(self) -> SymbolTable:
        """Names of functions and data."""
        return self._session.symbols

    def snapshot(self) -> Trace:
        """Open the file as far as it is written."""
        trace = Trace(StoredTrace.open(self._path), self.symbols)
        self._snapshots.append(trace)
        while len(self._snapshots) > SNAPSHOTS_KEPT:
            self._snapshots.pop(0).close()
        return trace

    def close(self) -> None:
        """Let the guest run on, and close all snapshots."""
        if self.is_there:
            try:
                self._capture.detach()
            except StubGoneError as error:
                self._gone(error)
        for snapshot in self._snapshots:
            snapshot.close()

    def resume(self) -> str:
        """Run to the next stop."""
        self._require()
        try:
            return self._sentence(self._capture.resume())
        except StubGoneError as error:
            return self._gone(error)

    def step(self, count: int) -> str:
        """Take single steps."""
        self._require()
        try:
            return self._sentence(self._capture.step(count))
        except StubGoneError as error:
            return self._gone(error)

    def toggle_break(self, where: str) -> str:
        """Set a breakpoint, or take it away."""
        self._require()
        address = self._session.find_address(where)
        if address in self._capture.breaks:
            self._capture.clear_break(address)
            return f"no breakpoint at {where} any more"
        self._capture.set_break(address)
        return f"breakpoint at {where} ({address:#x})"

    def watch(self, selection: Selection) -> str:
        """Set a watchpoint."""
        self._require()
        _require_virtual(selection)
        known = self._capture.watch(selection.address, selection.size)
        where = "" if known else ", as soon as an address space that maps them is in force"
        return f"stores to {selection.text} stop the guest{where}"

    def read(self, selection: Selection) -> str:
        """Read a page."""
        self._require()
        _require_virtual(selection)
        whole = self._capture.read(selection.address, selection.size)
        return f"{selection.text} {'was read' if whole else 'is not mapped to memory'}"

    def interrupt(self) -> None:
        """Make the guest stop."""
        self._capture.interrupt()

    def _sentence(self, stop: Stop) -> str:
        symbol = self.symbols.at(VirtualAddress(stop.state.pc))
        place = f"{stop.state.pc:#x}" if symbol is None else symbol.demangled
        place += f"+{symbol.offset:#x}" if symbol is not None and symbol.offset else ""
        reason = stop.reason.name.lower()
        store = "" if stop.store is None else f", stored {stop.store.value:#x} at {stop.store.virtual:#x}"
        return "; ".join([f"{reason} on hart {stop.hart} at {place}{store}", *stop.notes])

    def _require(self) -> None:
        if not self.is_there:
            raise UsageError("QEMU has ended: only what was seen can be looked at")

    def _gone(self, error: StubGoneError) -> str:
        self.is_there = False
        self._capture.how, self._capture.status = "qemu-gone", error.status
        return "QEMU has ended"


def _require_virtual(selection: Selection) -> None:
    if not selection.is_virtual:
        raise UsageError("select bytes by their virtual address first: p")
