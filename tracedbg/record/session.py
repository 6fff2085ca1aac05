"""One QEMU that is recorded: its buffers, its plugin's socket, and the thread that writes the trace."""

import os
import selectors
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

from tracedbg.arch.riscv64 import registers
from tracedbg.errors import RecordError, TracedbgError
from tracedbg.format.columns import AnyArray
from tracedbg.format.schema import ACCESSES, END, IMAGE, Message
from tracedbg.record import command, plugin_build, qmp
from tracedbg.record.builder import TraceBuilder
from tracedbg.record.drain import BlockSizes, read_slot
from tracedbg.record.fold import Fold
from tracedbg.record.launch import QemuRequest
from tracedbg.record.machine import describe_guest, dma_ranges, ram_ranges, uart_addresses
from tracedbg.record.ram import Ram
from tracedbg.record.slots import FULL, Slot, SlotFile

_PLUGIN_SECONDS = 60.0
_SILENCE_SECONDS = 5.0
_DISK_MARGIN = 64 << 20


@dataclass(frozen=True)
class Options:
    """How to record. ``plugin`` are options of the plugin besides its files, such as ``stop-t``.

    ``last`` keeps only so many million instructions. ``symbols`` are ELF files to carry in the trace, besides
    those that QEMU boots; ``sources`` also carries the source files that they name.
    """

    icount: bool = False
    level: int = 1
    last: int | None = None
    symbols: tuple[Path, ...] = ()
    sources: bool = True
    plugin: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Summary:
    """What came of a recording."""

    path: Path
    instructions: int
    size: int
    how: str
    notes: tuple[str, ...]


class Session:
    """Records the QEMU of a request into ``output``; ``argv`` is the command line that QEMU is to run with."""

    def __init__(self, request: QemuRequest, output: Path, options: Options) -> None:
        self.output = output
        self.error: TracedbgError | None = None
        self.summary: Summary | None = None
        self.notes: list[str] = []
        self._request = request
        self._options = options
        self._partial = output.with_name(output.name + ".partial")
        self._stopped = False
        self._qmp: qmp.Qmp | None = None
        self._shadow: int | None = None
        self._sizes = BlockSizes()
        self._listener = qmp.QmpListener(request.folder / "qmp")
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(str(request.folder / "plugin"))
        self._door.listen(1)
        self._door.settimeout(_PLUGIN_SECONDS)
        buffers = output.with_name(output.name + ".slots")
        self._rewritten = self._rewrite(buffers.absolute())
        self._slots = SlotFile.create(buffers, len(registers.NAMES))
        self._thread = threading.Thread(target=self._run, name="tracedbg-recorder")

    @property
    def argv(self) -> tuple[str, ...]:
        """The command line to run QEMU with."""
        return self._rewritten.argv

    @property
    def instructions(self) -> int:
        """Instructions recorded so far, by whole epochs."""
        return self._builder.instructions if hasattr(self, "_builder") else 0

    @property
    def size(self) -> int:
        """Bytes written so far."""
        with suppress(OSError):
            return self._partial.stat().st_size
        return 0

    def start(self) -> None:
        """Begin to wait for the plugin."""
        self._thread.start()

    def wait(self) -> None:
        """Wait until the trace is finished; raises what went wrong."""
        self._thread.join()
        if self.error is not None:
            raise self.error

    def _rewrite(self, buffers: Path) -> command.Rewritten:
        request = self._request
        size = qmp.default_ram_bytes(request.qemu, request.argv, request.cwd)
        os.ftruncate(request.ram_fd, size)
        facts = command.Facts(
            ram_bytes=size,
            ram_fd=request.qemu_ram_fd,
            plugin=plugin_build.build(plugin_build.sources_dir(), "recorder"),
            host=request.folder / "plugin",
            slots=buffers,
            qmp=request.folder / "qmp",
            icount=self._options.icount,
            options=self._options.plugin,
        )
        return command.rewrite(request.argv, facts)

    def _run(self) -> None:
        try:
            plugin = self._accept()
            if plugin is not None:
                with plugin, self._partial.open("wb") as file:
                    self._record(plugin, file)
                self._finish_files()
            else:
                self._discard()
        except TracedbgError as error:
            self.error = error
        except OSError as error:
            self.error = RecordError(
                f"{self._partial}: {error.strerror}: `tracedbg repair` saves what was recorded"
            )
        finally:
            self._listener.close()
            self._door.close()

    def _accept(self) -> socket.socket | None:
        """Return the plugin's connection, None when QEMU ended before it loaded the plugin."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._door, selectors.EVENT_READ)
            selector.register(self._request.pidfd, selectors.EVENT_READ)
            ready = [key.fileobj for key, _ in selector.select(_PLUGIN_SECONDS)]
        if self._door not in ready:
            return None
        return self._door.accept()[0]

    def _record(self, plugin: socket.socket, file: BinaryIO) -> None:
        self._builder = TraceBuilder(
            file, Fold(plugin_build.build(plugin_build.sources_dir(), "fold")), level=self._options.level
        )
        for what in self._requests(plugin):
            if what == "m":
                self._map_memory()
            elif what == "s":
                self._take_image()
            elif what == "f":
                self._write_full_slots()
            elif what == "x":
                self._stopped = True
                self._finish_trace(killed=False)
                self._quit_qemu()
            with suppress(OSError):
                plugin.send(b"f" if what == "f" else b"a")
        if not self._stopped and self._slots.word("started") and self._shadow is not None:
            self._finish_trace(killed=self._how() == "killed")
        elif not self._stopped:
            raise RecordError(
                f"QEMU ended before the guest's first instruction: no {self.output.name} was written"
            )

    def _requests(self, plugin: socket.socket) -> "RequestIterator":
        return RequestIterator(plugin, self)

    def _map_memory(self) -> None:
        self._qmp = self._listener.accept(_PLUGIN_SECONDS, self._request.pidfd)
        self._memory_map = self._qmp.memory_map(self._rewritten.ram_id)
        self._slots.set_ranges(ram_ranges(self._memory_map), dma_ranges(self._memory_map))

    def _take_image(self) -> None:
        first_t = self._slots.slot(0).first_t
        self._ram = Ram(self._ram_descriptor(), self._slots.ram_ranges())
        self._builder.uarts = uart_addresses(self._memory_map)
        version = self._qmp.version if self._qmp else (0, 0, 0)
        guest = describe_guest(
            self._memory_map,
            harts=self._slots.word("harts"),
            qemu=".".join(map(str, version)),
            command=self._request.argv,
            icount=self._rewritten.clock == "icount",
            start_t=first_t,
        )
        self._builder.writer.metadata("guest", guest)
        for columns in self._ram.iter_image():
            self._builder.writer.write(IMAGE, columns, first_t)
        self._builder.writer.flush()

    def _ram_descriptor(self) -> int:
        path = self._rewritten.ram_path
        return (
            self._request.ram_fd
            if path is None
            else os.open(self._request.cwd / path, os.O_RDONLY | os.O_CLOEXEC)
        )

    def take_shadow(self, descriptor: int) -> None:
        """Keep the descriptor of the plugin's shadow of RAM."""
        self._shadow = descriptor

    def _write_full_slots(self) -> None:
        for slot in self._slots.iter_unread(self._builder.epochs):
            if slot.state != FULL:
                break
            self._write(slot, {})
        self._check_disk()

    def _write(self, slot: Slot, changes: Mapping[str, AnyArray]) -> None:
        messages, end_t = read_slot(slot, self._sizes, len(registers.NAMES))
        if changes:
            _append_changes(messages, changes, end_t - slot.first_t)
        self._builder.add(messages, slot.first_t, end_t)
        slot.release()

    def _check_disk(self) -> None:
        status = os.statvfs(self._partial)
        if status.f_bavail * status.f_frsize < _DISK_MARGIN and not self._stopped:
            self.notes.append("the disk is full: the recording ends here, before the guest did")
            self._quit_qemu()

    def _finish_trace(self, *, killed: bool) -> None:
        builder = self._builder
        changes = self._ram.changes_since(
            Ram(self._shadow or 0, self._slots.ram_ranges()),
            killed=killed,
            dma=bool(self._slots.word("dma_possible")),
        )
        slots = list(self._slots.iter_unread(builder.epochs))
        for slot in slots:
            self._write(slot, changes if slot is slots[-1] else {})
        builder.writer.write(END, self._ram.digests(), builder.end_t)
        builder.writer.metadata(
            "ending",
            {
                "how": "stop-at" if self._stopped else self._how(),
                "exit_code": None,
                "instructions": builder.instructions,
                "notes": self.notes,
            },
        )
        builder.finish()

    def _how(self) -> str:
        if any("disk is full" in note for note in self.notes):
            return "disk-full"
        if self._qmp is None:
            return "killed"
        self._qmp.poll()
        reasons = [event.data.get("reason", "") for event in self._qmp.events if event.name == "SHUTDOWN"]
        return (
            {"host-signal": "signal", "host-qmp-quit": "quit"}.get(reasons[-1], reasons[-1])
            if reasons
            else "killed"
        )

    def _quit_qemu(self) -> None:
        if self._qmp is not None:
            with suppress(RecordError):
                self._qmp.execute("quit")

    def look_at_silence(self) -> None:
        """Say once when the guest has run nothing for seconds though no hart waits: a trap loop, most likely."""
        slot = next(iter(self._slots.iter_unread(self._builder.epochs)), None)
        position = (slot.run_t, slot.run_index) if slot else None
        silent, self._position = position == getattr(self, "_position", None), position
        if not silent or self._qmp is None or self.notes:
            return
        with suppress(RecordError):
            if "halted" not in self._qmp.human("info cpus"):
                self.notes.append(
                    "the guest takes traps without running any instruction (is its trap vector mapped?):"
                    " nothing more can be recorded of it"
                )

    def _finish_files(self) -> None:
        self._partial.replace(self.output)
        self._slots.path.unlink(missing_ok=True)
        how = "stop-at" if self._stopped else self._how()
        self.summary = Summary(
            self.output, self._builder.instructions, self.output.stat().st_size, how, tuple(self.notes)
        )

    def _discard(self) -> None:
        self._slots.path.unlink(missing_ok=True)


class RequestIterator:
    """The plugin's requests, one character each, until it closes the connection."""

    def __init__(self, plugin: socket.socket, session: Session) -> None:
        self._plugin = plugin
        self._session = session
        plugin.settimeout(_SILENCE_SECONDS)

    def __iter__(self) -> "RequestIterator":
        return self

    def __next__(self) -> str:
        while True:
            try:
                data, descriptors, _, _ = socket.recv_fds(self._plugin, 1, 1)
            except TimeoutError:
                self._session.look_at_silence()
                continue
            except ConnectionResetError:
                raise StopIteration from None
            for descriptor in descriptors:
                self._session.take_shadow(descriptor)
            if not data:
                raise StopIteration
            return data.decode("ascii", "replace")


def _append_changes(
    messages: Mapping[Message, dict[str, AnyArray]], changes: Mapping[str, AnyArray], offset: int
) -> None:
    accesses = messages[ACCESSES]
    rows = len(changes["change.physical"])
    added = {
        **changes,
        "change.t": np.full(rows, offset, "<u4"),
        "change.since": np.zeros(rows, "<u8"),
    }
    for name, column in added.items():
        accesses[name] = np.concatenate([accesses[name], column])
