"""Captures made without a guest: two stops with a gap between them, and three steps."""

from pathlib import Path
from typing import Any

from tracedbg.arch.riscv64.registers import NAMES
from tracedbg.format.schema import NEVER, AccessKind, Source, StopReason
from tracedbg.gdb.capture.access import Access
from tracedbg.gdb.capture.epoch import EpochColumns
from tracedbg.gdb.capture.registers import HartState
from tracedbg.gdb.capture.writer import CaptureWriter, Code, Told

RAM = 0x8000_0000
PC = RAM + 0x100
PAGE = 4096
GUEST: dict[str, Any] = {
    "arch": "riscv64", "harts": 2, "registers": list(NAMES), "ram": [{"start": RAM, "size": 16 * PAGE}],
    "devices": [], "qemu": "7.2.0", "command": [], "clock": "unknown", "start_t": 0, "source": "gdbstub",
}  # fmt: skip
STORE = bytes.fromhex("23b0a500")
"""sd a0, 0(a1)"""
ADD = bytes.fromhex("13051500")
"""addi a0, a0, 1"""
BACK = bytes.fromhex("6ff0dfff")
"""j -4"""


def state(pc: int, **registers: int | None) -> HartState:
    """A hart in machine mode; registers that are not given hold their place in the list."""
    values = [registers.get(name, place) for place, name in enumerate(NAMES)]
    return HartState(pc, 3, tuple(values))


def code(pc: int, data: bytes, destination: int = 0, source: Source = Source.NONE) -> Code:
    return Code(pc, pc, data, 3, destination, source)


def write_capture(path: Path, *, finished: bool = True, stops: int = 3) -> None:
    """t 0: the first stop. A gap. t 1: a breakpoint; steps of an add at 1, a store at 2, an add at 3; t 4."""
    idle = state(RAM + 0x800)
    with path.open("wb") as file:
        writer = CaptureWriter(file, harts=2)
        writer.begin(GUEST)
        first = [state(PC, a0=1, sepc=None), idle]
        writer.epoch(EpochColumns(0, 0, first))
        writer.tell(stop(0, StopReason.ATTACHED, first, {RAM: 0x11, RAM + PAGE: 0x22}))
        if stops == 1:
            return
        gap = EpochColumns(0, 0, first)
        gap.start(writer.block(code(PC, ADD, 0, Source.ANY)))
        gap.leave_open()
        second = [state(PC, a0=5, a1=RAM + 8), idle]
        for hart, after in enumerate(second):
            gap.all_registers(hart, after)
        writer.epoch(gap)
        told = stop(1, StopReason.BREAKPOINT, second, {RAM: 0x33})
        told.gaps.append(1)
        writer.tell(told)
        last = [steps(writer, second), idle]
        writer.tell(stop(4, StopReason.STEP, last, {}))
        if finished:
            writer.finish({"how": "detach", "exit_code": None, "instructions": 4, "notes": []})
        writer.trace.flush()


def steps(writer: CaptureWriter, harts: list[HartState]) -> HartState:
    window = EpochColumns(1, 0, harts)
    window.start(writer.block(code(PC, ADD, 10, Source.RECORDED)))
    window.value(6)
    window.start(writer.block(code(PC + 4, STORE)))
    window.access(Access(RAM + 8, RAM + 8, 8, 6, True, AccessKind.RAM, None))
    window.start(writer.block(code(PC + 8, ADD, 10, Source.RECORDED)))
    window.value(7)
    after = state(PC + 12, a0=7, a1=RAM + 8)
    window.keyframe(after)
    writer.epoch(window)
    return after


def write_loop(path: Path, epochs: int) -> None:
    """Single steps without a gap of a store and the jump back to it, two to an epoch."""
    harts = [state(PC, a0=5, a1=RAM + 8), state(RAM + 0x800)]
    with path.open("wb") as file:
        writer = CaptureWriter(file, harts=2)
        writer.begin(GUEST)
        writer.epoch(EpochColumns(0, 0, harts))
        writer.tell(stop(0, StopReason.ATTACHED, harts, {RAM: 0x11}))
        for _ in range(epochs):
            turn = EpochColumns(writer.t, 0, harts)
            turn.start(writer.block(code(PC, STORE)))
            turn.access(Access(RAM + 8, RAM + 8, 8, 5, True, AccessKind.RAM, None))
            turn.start(writer.block(code(PC + 4, BACK)))
            turn.keyframe(harts[0])
            writer.epoch(turn)
            writer.tell(stop(writer.t, StopReason.STEP, harts, {}))
        writer.finish({"how": "detach", "exit_code": None, "instructions": writer.t, "notes": []})


def stop(t: int, reason: StopReason, harts: list[HartState], pages: dict[int, int]) -> Told:
    places = [(t, number, hart.pc, hart.privilege) for number, hart in enumerate(harts)]
    samples = [(t, start, bytes([fill]) * PAGE) for start, fill in pages.items()]
    return Told(stops=[(t, 0, reason, NEVER)], places=places, samples=samples)
