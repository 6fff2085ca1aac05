"""One recording from the first answer to the plugin to the last byte of the trace."""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tracedbg.arch.memory_map import MemoryRange, uart_addresses
from tracedbg.errors import RecordError
from tracedbg.format.columns import AnyArray
from tracedbg.format.schema import ACCESSES, BLOCKS, END, Message
from tracedbg.record import qmp
from tracedbg.record.attachments import ExecutedCode, carried_files
from tracedbg.record.builder import TraceBuilder
from tracedbg.record.command import Rewritten
from tracedbg.record.disk import is_nearly_full
from tracedbg.record.drain import BlockSizes, empty_epoch, read_slot
from tracedbg.record.ending import DISK_FULL, KILLED, STOP_AT, VIRTUAL, ending_of
from tracedbg.record.launch import QemuRequest
from tracedbg.record.link import END as PLUGIN_ENDS
from tracedbg.record.link import FULL, MAP, START, PluginLink
from tracedbg.record.link import VIRTUAL as ENTERS_VIRTUAL
from tracedbg.record.machine import (
    Run,
    check_ram,
    describe_guest,
    dma_ranges,
    ram_ranges,
    relative_word,
)
from tracedbg.record.options import Options
from tracedbg.record.outputs import Outputs
from tracedbg.record.ram import Ram
from tracedbg.record.silence import SECONDS, SilenceWatch
from tracedbg.record.sink import Means, NewestPart, Sink, Start, WholeTrace
from tracedbg.record.slots import FULL as SLOT_FULL
from tracedbg.record.slots import Slot, SlotFile
from tracedbg.symbols.carried import Carried

_QMP_SECONDS = 60.0
_HANG = (
    "the guest takes traps without running any instruction (is its trap vector mapped?): nothing more can be"
    " recorded of it; its registers are kept"
)
_VIRTUAL = (
    "the guest enters virtual mode (hypervisor extension), which cannot be recorded: the recording ends"
    " before that instruction"
)
_NO_ROOM = "the disk is full: the recording ends here, before the guest did"


@dataclass(frozen=True)
class Task:
    """What a recording is made of: the QEMU, its new command line, and the files."""

    request: QemuRequest
    rewritten: Rewritten
    options: Options
    outputs: Outputs
    library: Path


class Recording:
    """Answers the plugin and writes the trace; belongs to one thread, other threads may read the counters."""

    def __init__(self, task: Task, slots: SlotFile, listener: qmp.QmpListener) -> None:
        self.notes: list[str] = []
        self.how = KILLED
        self.kept = 0
        self._task = task
        self._slots = slots
        self._listener = listener
        self._qmp: qmp.Qmp | None = None
        self._map: tuple[MemoryRange, ...] = ()
        self._ram: Ram | None = None
        self._sizes = BlockSizes()
        self._code = ExecutedCode()
        self._silence = SilenceWatch(task.request.pid)
        self._registers: str | None = None
        self._digests: dict[str, AnyArray] | None = None
        means = Means(task.outputs, task.library, task.options.level, self._make_room)
        last = task.options.last
        self.sink: Sink = WholeTrace(means) if last is None else NewestPart(means, last)
        cwd = task.request.cwd
        self._carried = Carried(carried_files(task.options.symbols, task.request.argv, cwd), cwd)

    def serve(self, link: PluginLink) -> bool:
        """Do what the plugin asks until QEMU ends; False when the guest's first instruction never came."""
        for request in link.iter_requests(SECONDS, self._look_at_silence):
            if request == MAP:
                self._map_memory()
            elif request == START:
                self._take_image()
            elif request == FULL:
                self._write_full_slots()
            elif request == PLUGIN_ENDS:
                self._drain(link, killed=False)
                self.how = STOP_AT
                self._quit_qemu()
            elif request == ENTERS_VIRTUAL:
                self._drain(link, killed=False)
                self.how = VIRTUAL
                self.notes.append(_VIRTUAL)
                self._quit_qemu()
        if self._ram is None or not self._slots.word("started"):
            return False
        if self._digests is None:
            how = self._ended_by()
            self._drain(link, killed=how == KILLED)
            self.how = self.how if self.how == DISK_FULL else how
        return True

    def finish(self, exit_code: int | None) -> Path:
        """Complete the trace and return it, under the name it has until now."""

        def conclude(builder: TraceBuilder) -> None:
            self._conclude(builder, exit_code)

        return self.sink.finish(conclude)

    def close(self) -> None:
        """Close files, maps and the connection to QEMU."""
        self.sink.close()
        if self._ram is not None:
            self._ram.close()
        if self._qmp is not None:
            self._qmp.close()

    def _map_memory(self) -> None:
        self._qmp = self._listener.accept(_QMP_SECONDS, self._task.request.pidfd)
        self._map = self._qmp.memory_map(self._task.rewritten.ram_id)
        check_ram(self._map)
        self._slots.set_ranges(ram_ranges(self._map), dma_ranges(self._map))

    def _take_image(self) -> None:
        task = self._task
        self._ram = Ram(self._ram_descriptor(), self._slots.ram_ranges())
        version = self._qmp.version if self._qmp else (0, 0, 0)
        run = Run(
            qemu=".".join(map(str, version)),
            command=[relative_word(word, task.request.cwd) for word in task.request.argv],
            icount=task.rewritten.clock == "icount",
            start_t=self._slots.slot(0).first_t,
        )
        guest = describe_guest(self._map, self._slots.word("harts"), self._slots.registers, run)
        self.sink.begin(Start(guest, self._slots.ram_ranges(), self._ram, uart_addresses(self._map)))

    def _ram_descriptor(self) -> int:
        path = self._task.rewritten.ram_path
        if path is None:
            return self._task.request.ram_fd
        return os.open(self._task.request.cwd / path, os.O_RDONLY | os.O_CLOEXEC)

    def _write_full_slots(self) -> None:
        self._carried.attach_symbols(self.sink.writer)
        for slot in self._slots.iter_unread(self.sink.epochs):
            if slot.state != SLOT_FULL:
                break
            self._write(slot, {})
        if is_nearly_full(self._task.outputs.path.parent) and self.how != DISK_FULL:
            self._end_for_lack_of_room()

    def _write(self, slot: Slot, changes: Mapping[str, AnyArray]) -> None:
        messages, end_t = read_slot(slot, self._sizes, len(self._slots.registers))
        if changes:
            _append_changes(messages, changes, end_t - slot.first_t)
        self._code.add(messages[BLOCKS])
        self.sink.add(messages, slot.first_t, end_t)
        slot.release()

    def _drain(self, link: PluginLink, *, killed: bool) -> None:
        """Write what the slots still hold, and compare RAM with what the guest's stores left in it."""
        assert self._ram is not None
        self._carried.attach_symbols(self.sink.writer)
        if link.shadow is None:
            raise RecordError("QEMU ended before it handed over its shadow of RAM: nothing can be compared")
        shadow = Ram(link.shadow, self._slots.ram_ranges())
        dma = bool(self._slots.word("dma_possible"))
        changes = self._ram.changes_since(shadow, killed=killed, dma=dma)
        shadow.close()
        slots = list(self._slots.iter_unread(self.sink.epochs))
        for slot in slots:
            self._write(slot, changes if slot is slots[-1] else {})
        if not slots and len(changes["change.physical"]):
            self._write_changes_alone(changes)
        self._digests = self._ram.digests()

    def _write_changes_alone(self, changes: Mapping[str, AnyArray]) -> None:
        messages = empty_epoch(self._slots.word("harts"))
        _append_changes(messages, changes, 0)
        end_t = max(self._slots.slot(index).end_t for index in range(self._slots.word("slots")))
        self.sink.add(messages, end_t, end_t)

    def _conclude(self, builder: TraceBuilder, exit_code: int | None) -> None:
        writer = builder.writer
        if self._task.options.sources and self.how != DISK_FULL:
            self._carried.attach_sources(writer, self._code.addresses())
        self.notes += self._carried.warnings
        left = self.sink.instructions - builder.instructions
        if left:
            self.notes.append(f"the {left:,} instructions before the newest were dropped (--last)")
        if self._registers is not None:
            writer.metadata("last-state", {"t": builder.end_t, "registers": self._registers})
        if self._digests is not None:
            writer.write(END, self._digests, builder.end_t)
        ending = {
            "how": self.how,
            "exit_code": exit_code,
            "instructions": builder.instructions,
            "notes": self.notes,
        }
        writer.metadata("ending", ending)
        self.kept = builder.instructions

    def _ended_by(self) -> str:
        if self._qmp is None:
            return KILLED
        self._qmp.poll()
        return ending_of(self._qmp.events)

    def _quit_qemu(self) -> None:
        if self._qmp is not None:
            self._qmp.quit()

    def _end_for_lack_of_room(self) -> None:
        self.how = DISK_FULL
        self.notes.append(_NO_ROOM)
        self.sink.save_room()
        self._quit_qemu()

    def _make_room(self) -> None:
        """A write has failed: free what was held back for this, and come to an end."""
        self._slots.free_reserve()
        if self.how != DISK_FULL:
            self._end_for_lack_of_room()

    def _look_at_silence(self) -> None:
        slot = next(iter(self._slots.iter_unread(self.sink.epochs)), None)
        if slot is None or not self._slots.word("started"):
            return
        if self._qmp is None or self._registers is not None:
            return
        if self._silence.look((slot.run_t, slot.run_index)):
            with suppress(RecordError):
                self._registers = self._qmp.human("info registers -a")
                self.notes.append(_HANG)


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
