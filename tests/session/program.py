"""A small guest, run by hand: calls, recursion, an interrupt, a system call, and a console.

It yields a trace and, for each t, the chain of function activations that were under way: what steps over and
out of functions are held against.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.building import tracefile
from tests.building.machine import CodeBlock, History, Insn, Keyframe, StateRow, Step, Touch
from tracedbg.format import schema
from tracedbg.format.schema import NEVER, AccessKind, Message, Source
from tracedbg.format.writer import TraceWriter

RA, SP, A0, A7 = 1, 2, 10, 17
SATP, SCAUSE = 32, 33
CODE, USER_CODE = 0x8000_0000, 0x8000_1000
STACK_TOP, USER_STACK_TOP = 0x8000_3000, 0x8000_4000
DATA = 0x8000_4100
TIMER = 1 << 63 | 5
USER_CALL = 8
WRITE_CALL = 64
EPOCH_STEPS = 40

Effect = Callable[["Cpu"], tuple[int | None, list[Touch]]]


@dataclass(frozen=True)
class Op:
    """An instruction: its encoding, where its result goes, and what it does."""

    word: int
    destination: int = 0
    source: Source = Source.NONE
    constant: int = 0
    effect: Effect = lambda _: (None, [])


@dataclass
class Cpu:
    registers: list[int] = field(default_factory=lambda: [0] * 34)
    memory: dict[int, int] = field(default_factory=dict)


def addi(rd: int, rs: int, amount: int) -> Op:
    word = (amount & 0xFFF) << 20 | rs << 15 | rd << 7 | 0x13
    return Op(word, rd, Source.RECORDED, 0, lambda cpu: (cpu.registers[rs] + amount, []))


def swap_sp() -> Op:
    """``csrrw sp, sscratch, sp``; the kernel's stack pointer is always the same in this guest."""

    def effect(cpu: Cpu) -> tuple[int, list[Touch]]:
        return (STACK_TOP if cpu.registers[SP] > STACK_TOP else USER_STACK_TOP), []

    return Op(0x14011173, SP, Source.RECORDED, 0, effect)


def jal(address: int, target: int, rd: int = RA) -> Op:
    offset = target - address
    bits = (offset >> 20 & 1) << 31 | (offset >> 1 & 0x3FF) << 21 | (offset >> 11 & 1) << 20
    word = bits | (offset >> 12 & 0xFF) << 12 | rd << 7 | 0x6F
    after = address + 4
    return Op(word, rd, Source.CONSTANT if rd else Source.NONE, after, lambda _: (after if rd else None, []))


def store(rs: int, base: int, offset: int) -> Op:
    word = (offset >> 5) << 25 | rs << 20 | base << 15 | 3 << 12 | (offset & 31) << 7 | 0x23

    def effect(cpu: Cpu) -> tuple[None, list[Touch]]:
        address, value = cpu.registers[base] + offset, cpu.registers[rs]
        cpu.memory[address] = value
        return None, [_touch(address, value, is_store=True)]

    return Op(word, effect=effect)


def load(rd: int, base: int, offset: int) -> Op:
    word = offset << 20 | base << 15 | 3 << 12 | rd << 7 | 0x03

    def effect(cpu: Cpu) -> tuple[int, list[Touch]]:
        address = cpu.registers[base] + offset
        value = cpu.memory.get(address, 0)
        return value, [_touch(address, value, is_store=False)]

    return Op(word, rd, Source.LOAD_64, effect=effect)


def _touch(address: int, value: int, *, is_store: bool) -> Touch:
    return Touch(is_store, 8, AccessKind.RAM, address, list(range(address, address + 8)), value)


RET, SRET, ECALL, NOP = Op(0x8067), Op(0x10200073), Op(0x73), Op(0x13)
MAIN, F, G, HANDLER = CODE, CODE + 0x100, CODE + 0x200, CODE + 0x300

LAYOUT: dict[str, tuple[int, int, list[Op]]] = {
    "main": (MAIN, 1, [addi(SP, SP, -32), jal(MAIN + 4, F)]),
    "main again": (MAIN + 4, 1, [jal(MAIN + 4, F)]),
    "main end": (MAIN + 8, 1, [addi(A0, A0, 1), jal(MAIN + 12, MAIN + 4, rd=0)]),
    "f": (F, 1, [addi(SP, SP, -16), store(RA, SP, 8), jal(F + 8, G)]),
    "f end": (F + 12, 1, [load(RA, SP, 8), addi(SP, SP, 16), RET]),
    "g": (G, 1, [addi(SP, SP, -16), store(RA, SP, 8), Op(0x0005_0463)]),
    "g deeper": (G + 12, 1, [jal(G + 12, G)]),
    "g end": (G + 16, 1, [load(RA, SP, 8), addi(SP, SP, 16), RET]),
    "handler": (HANDLER, 1, [addi(SP, SP, -32), store(A0, SP, 0)]),
    "handler end": (HANDLER + 8, 1, [load(A0, SP, 0), addi(SP, SP, 32), SRET]),
    "entry": (HANDLER + 0x40, 1, [swap_sp(), addi(SP, SP, -64), jal(HANDLER + 0x48, F)]),
    "exit": (HANDLER + 0x4C, 1, [addi(SP, SP, 64), swap_sp(), SRET]),
    "look": (HANDLER + 0x80, 1, [Op(0x1420_2573, A0, Source.RECORDED, 0, lambda _: (0, [])), NOP]),
    "spin": (HANDLER + 0x88, 1, [jal(HANDLER + 0x88, HANDLER + 0x88, rd=0)]),
    "user": (USER_CODE, 0, [addi(A7, 0, WRITE_CALL), ECALL]),
    "user end": (USER_CODE + 8, 0, [NOP, jal(USER_CODE + 12, USER_CODE, rd=0)]),
}
"""Blocks by name: address, privilege, instructions."""

NAMES = list(LAYOUT)
CALL_OF_F = ["f", "g", "g deeper", "g", "g end", "g end", "f end"]


@dataclass(frozen=True)
class TrapRow:
    t: int
    last: int
    cause: int
    epc: int
    source: int


@dataclass
class Program:
    """What ran; ``activations[t]`` is the chain of activations at t, outermost first."""

    history: History
    traps: list[TrapRow] = field(default_factory=list)
    console: list[tuple[int, int]] = field(default_factory=list)
    activations: list[tuple[int, ...]] = field(default_factory=list)


class Runner:
    """Runs blocks by name and keeps the chain of activations."""

    def __init__(self) -> None:
        self.cpu = Cpu()
        self.cpu.registers[SP] = STACK_TOP
        self.program = Program(History(1, 0, [_block(name) for name in NAMES], _image()))
        self.chain = [0]
        self.activations = 0

    @property
    def t(self) -> int:
        return self.program.history.end

    def run(self, names: Sequence[str]) -> None:
        for name in names:
            self.block(name)

    def block(self, name: str, started: int | None = None) -> None:
        """Run a block, or its first instructions up to an interrupt."""
        ops = LAYOUT[name][2]
        self._keep()
        for place, op in enumerate(ops[:started]):
            self._step(name, place, op)
        if started is None:
            self._flow(ops[-1])

    def _step(self, name: str, place: int, op: Op) -> None:
        value, touches = op.effect(self.cpu)
        if op.destination and value is not None:
            self.cpu.registers[op.destination] = value
        self.program.activations.append(tuple(self.chain))
        retired = op is not ECALL
        self.program.history.steps.append(Step(self.t, 0, NAMES.index(name), place, retired, value, touches))

    def _keep(self) -> None:
        """Begin an epoch now and then, each with all registers; it begins with a block."""
        history = self.program.history
        epoch = len(history.epoch_starts)
        if not epoch or self.t - history.epoch_starts[-1] >= EPOCH_STEPS:
            history.epoch_starts.append(self.t)
            history.states.append(StateRow(epoch, self.t, 0, SATP, 0))
            history.keyframes.append(Keyframe(epoch, self.t, 0, list(self.cpu.registers)))

    def _flow(self, last: Op) -> None:
        if last.word & 0xFFF == 0xEF:
            self._enter()
        elif last in (RET, SRET):
            self.chain.pop()

    def _enter(self) -> None:
        self.activations += 1
        self.chain.append(self.activations)

    def trap(self, cause: int, epc: int, source: int) -> None:
        self._enter()
        self.program.traps.append(TrapRow(self.t, self.t - 1, cause, epc, source))

    def write(self, text: str) -> None:
        """Pretend that the instructions just run have written a text."""
        self.program.console += [(self.t - 1, byte) for byte in text.encode()]


def run_program() -> Program:
    """Two calls of f from main, the first interrupted, and a system call from user mode, many times over."""
    runner = Runner()
    runner.run(["main"])
    for round_number in range(4):
        runner.run(["f", "g", "g deeper"])
        runner.block("g", started=1)
        runner.trap(TIMER, G + 4, source=1)
        runner.run(["handler", "handler end"])
        _rest_of_g(runner)
        runner.run(["g end", "g end", "f end"])
        runner.run(["main end"])
        runner.write(f"round {round_number}\n")
        runner.run(["main again"])
    runner.run(["f", "g", "g end", "f end", "main end"])
    _user_calls(runner)
    return runner.program


def _rest_of_g(runner: Runner) -> None:
    """What is left of a block after an interrupt is a block of its own."""
    runner.run(["g rest"])


def _user_calls(runner: Runner) -> None:
    runner.cpu.registers[SP] = USER_STACK_TOP
    runner.program.history.states.append(
        StateRow(len(runner.program.history.epoch_starts) - 1, runner.t, 0, SP, USER_STACK_TOP)
    )
    for _ in range(3):
        runner.run(["user"])
        runner.trap(USER_CALL, USER_CODE + 4, source=0)
        runner.run(["entry", *CALL_OF_F, "exit", "user end"])


LAYOUT["g rest"] = (G + 4, 1, LAYOUT["g"][2][1:])
NAMES.append("g rest")


def _block(name: str) -> CodeBlock:
    address, privilege, ops = LAYOUT[name]
    insns = [Insn(4, op.destination, op.source, op.constant, op.word.to_bytes(4, "little")) for op in ops]
    return CodeBlock(address, address, NEVER, privilege, insns)


def _image() -> dict[int, bytes]:
    pages = {CODE // 4096: bytearray(4096), USER_CODE // 4096: bytearray(4096)}
    for address, _, ops in LAYOUT.values():
        code = b"".join(op.word.to_bytes(4, "little") for op in ops)
        pages[address // 4096][address % 4096 : address % 4096 + len(code)] = code
    return {frame: bytes(content) for frame, content in pages.items()}


class _WithTraps:
    """Stands for the writer, and puts in the columns that a random machine does not have."""

    def __init__(self, writer: TraceWriter, program: Program) -> None:
        self._writer = writer
        self._program = program

    def write(
        self, message: Message, arrays: dict[str, NDArray[Any]], time: int, topic: str | None = None
    ) -> None:
        if message is schema.EPOCH:
            start, stop = (int(bound) for bound in arrays["bounds"])
            arrays = {**arrays, **self._traps(start, stop)}
            self._put_console(start, stop)
        self._writer.write(message, arrays, time, topic)

    def _traps(self, start: int, stop: int) -> dict[str, NDArray[Any]]:
        rows = [trap for trap in self._program.traps if start <= trap.t < stop]
        return {
            "trap.t": np.array([trap.t - start for trap in rows], "<u4"),
            "trap.hart": np.zeros(len(rows), "<u2"),
            "trap.last": np.array([trap.last for trap in rows], "<u8"),
            "trap.cause": np.array([trap.cause for trap in rows], "<u8"),
            "trap.epc": np.array([trap.epc for trap in rows], "<u8"),
            "trap.tval": np.zeros(len(rows), "<u8"),
            "trap.from": np.array([trap.source for trap in rows], "u1"),
            "trap.to": np.ones(len(rows), "u1"),
        }

    def _put_console(self, start: int, stop: int) -> None:
        rows = [(t, byte) for t, byte in self._program.console if start <= t < stop]
        columns = {"t": np.array([t for t, _ in rows], "<u8"), "byte": np.array([b for _, b in rows], "u1")}
        if rows:
            self._writer.write(schema.CONSOLE, columns, start)


def write_program(program: Program, path: Path, how: str = "guest-shutdown") -> None:
    """Write what ran as a trace file that ended in a way."""
    history = program.history
    with path.open("wb") as file:
        writer = TraceWriter(file)
        writer.metadata("guest", tracefile.GUEST)
        proxy: Any = _WithTraps(writer, program)
        columns = tracefile.image_columns(history)
        writer.write(
            schema.IMAGE,
            {"frame": np.array(columns["frame"], "<u8"), "bytes": np.array(columns["bytes"], "u1")},
            0,
        )
        for epoch in range(len(history.epoch_starts)):
            tracefile.write_epoch(proxy, history, epoch, 5)
        notes = ["the guest shut down"]
        writer.metadata(
            "ending",
            {"how": how, "exit_code": 0, "instructions": len(history.steps), "notes": notes},
        )
        writer.finish()
