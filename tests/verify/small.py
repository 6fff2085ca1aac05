"""A small guest whose every instruction is known: two epochs of five instructions each, from t 100."""

import hashlib
from pathlib import Path

from tests.building.machine import (
    RAM_START,
    REGISTERS,
    Change,
    CodeBlock,
    History,
    Insn,
    Keyframe,
    StateRow,
    Step,
    Touch,
)
from tests.building.reference import memory_at
from tests.building.tracefile import write_trace
from tests.verify.alteration import Altered, Part
from tracedbg.format.schema import END, NEVER, AccessKind, Cause, Source

START = 100
LOADED = 0x8877_6655_4433_2211
STORED = (0x1111_1111_0102_0304, 0x2222_2222_0506_0708)
WRITTEN = (0xAAAA, 0xBBBB)
CHANGED = 0x77
SATP = REGISTERS.index("satp")


def small_history() -> History:
    insns = [
        Insn(4, 1, Source.RECORDED, 0, b"aaaa"),
        Insn(2, 2, Source.CONSTANT, 0x1234, b"bb"),
        Insn(4, 3, Source.LOAD_S16, 0, b"cccc"),
        Insn(4, 0, Source.NONE, 0, b"dddd"),
        Insn(4, 0, Source.NONE, 0, b"eeee"),
    ]
    block = CodeBlock(0x8020_0000, 0x8020_0000, NEVER, 1, insns)
    image = {RAM_START // 4096: bytes(16) + LOADED.to_bytes(8, "little") + bytes(4096 - 24)}
    history = History(1, START, [block], image, epoch_starts=[START, START + 5])
    for epoch in range(2):
        history.steps += _steps(START + 5 * epoch, WRITTEN[epoch], STORED[epoch])
    history.states.append(StateRow(0, START + 3, 0, SATP, 0x99))
    history.changes.append(Change(1, START + 6, START, RAM_START + 0x30, CHANGED, Cause.DMA))
    registers = [0] * len(REGISTERS)
    history.keyframes.append(Keyframe(0, START, 0, list(registers)))
    registers[1], registers[2], registers[3], registers[SATP] = WRITTEN[0], 0x1234, 0x2211, 0x99
    history.keyframes.append(Keyframe(1, START + 5, 0, list(registers)))
    registers[1] = WRITTEN[1]
    history.keyframes.append(Keyframe(1, START + 9, 0, list(registers)))
    return history


def _steps(t: int, written: int, stored: int) -> list[Step]:
    return [
        Step(t, 0, 0, 0, True, written, []),
        Step(t + 1, 0, 0, 1, True, 0x1234, []),
        Step(t + 2, 0, 0, 2, True, 0x2211, [_touch(False, 0x10, 2, LOADED & 0xFFFF)]),
        Step(t + 3, 0, 0, 3, True, None, [_touch(True, 0x20, 8, stored)]),
        Step(t + 4, 0, 0, 4, True, None, [_touch(False, 0x20, 4, stored & 0xFFFF_FFFF)]),
    ]


def _touch(store: bool, place: int, size: int, value: int) -> Touch:
    start = RAM_START + place
    return Touch(store, size, AccessKind.RAM, start, list(range(start, start + size)), value)


def write_with_end(history: History, path: Path) -> Path:
    """Write a trace that also tells what QEMU left in RAM."""
    write_trace(history, path)
    altered = Altered.of(path)
    frames, digests = [], b""
    memory = memory_at(history, history.end)
    for frame in sorted({place // 4096 for place in memory if place >= RAM_START}):
        page = bytes(memory[frame * 4096 + place] for place in range(4096))
        if any(page):
            frames.append(frame)
            digests += hashlib.blake2b(page, digest_size=16).digest()
    part = Part(END, END.topic, history.end, {})
    part.set("frame", frames)
    part.set("digest", list(digests))
    altered.parts.append(part)
    return altered.write(path)
