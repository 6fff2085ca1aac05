"""The one declaration of what a trace holds: messages, their columns, and a sentence for each.

The recorder's C header, docs/trace-format.md and the packing of messages are all made from this file.
Offsets called ``t`` in an epoch count from the epoch's first t; all numbers are little-endian.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum

FORMAT_VERSION = 1
EPOCH_INSTRUCTIONS = 1 << 20
KEYFRAME_INSTRUCTIONS = 1 << 14
PAGE_SIZE = 4096
LINE_SIZE = 64
SPAN_FANOUT = 8
SPAN_LEVELS = 5
NEVER = (1 << 64) - 1


class Filter(Enum):
    """What is done to a column before it is compressed with zstd."""

    NONE = "none"
    DELTA = "delta"
    """Each element minus the one before it, modulo the type's size; the first is kept."""
    SHUFFLE = "shuffle"
    """All first bytes, then all second bytes, and so on."""
    DELTA_SHUFFLE = "delta+shuffle"


class Source(IntEnum):
    """Where the value that an instruction leaves in its integer destination register comes from."""

    NONE = 0
    RECORDED = 1
    CONSTANT = 2
    LOAD_S8 = 3
    LOAD_S16 = 4
    LOAD_S32 = 5
    LOAD_64 = 6
    LOAD_U8 = 7
    LOAD_U16 = 8
    LOAD_U32 = 9
    ANY = 10
    """Any register may change, the destination is not known; state rows tell all registers afterwards."""


class AccessKind(IntEnum):
    """What answers at the physical address of an access."""

    RAM = 0
    OTHER_MEMORY = 1
    DEVICE = 2


class Cause(IntEnum):
    """Why memory changed without a store of the guest's instructions."""

    UNEXPLAINED = 0
    PAGE_TABLE_WALK = 1
    DMA = 2
    SEMIHOSTING = 3
    RESET = 4
    DEBUGGER = 5
    IN_FLIGHT = 6
    """A store that QEMU had made and not reported when it was killed."""
    INSTRUCTION = 7
    """A store that trapped in its second page, and had written its first."""


class LateKind(IntEnum):
    """What became known about an instruction only after its epoch had been written."""

    VALUE = 0
    NOT_RETIRED = 1
    NO_VALUE = 2


class StopReason(IntEnum):
    """Why a guest stood still when a debugger stub was asked about it."""

    ATTACHED = 0
    STEP = 1
    BREAKPOINT = 2
    WATCHPOINT = 3
    INTERRUPT = 4
    OTHER = 5


ACCESS_SIZE_MASK = 0x07
"""log2 of the size in bytes, 0 to 3; a 16-byte access is two rows."""
ACCESS_STORE = 0x08
ACCESS_KIND_SHIFT = 4
ACCESS_KIND_MASK = 0x30
STATE_UNKNOWN = 0x8000
"""Set in state.register: from its t on, the value of that register is not known."""
ACCESS_MPRV = 0x40
"""Made in M-mode with the privilege in mstatus.MPP."""


@dataclass(frozen=True)
class Column:
    """One array of a message; ``dtype`` is numpy's name without byte order, ``text`` its meaning."""

    name: str
    dtype: str
    filter: Filter
    text: str


@dataclass(frozen=True)
class Message:
    """A kind of message: one channel of the file, whose messages each hold one array per column."""

    topic: str
    text: str
    columns: tuple[Column, ...]


def _column(name: str, dtype: str, filter: Filter, text: str) -> Column:
    return Column(name, dtype, filter, text)


BLOCKS = Message(
    "blocks",
    "Entries of the block dictionary, numbered over the whole trace in order of appearance. "
    "log_time is the first t of the epoch that needs them.",
    (
        _column("virtual", "u8", Filter.NONE, "virtual address of the block's first byte"),
        _column("physical", "u8", Filter.NONE, "its physical address; all ones where unknown"),
        _column(
            "next_physical",
            "u8",
            Filter.NONE,
            "physical address of the page that follows, where the block runs into it; else all ones",
        ),
        _column("privilege", "u1", Filter.NONE, "privilege it runs at: 0 user, 1 supervisor, 3 machine"),
        _column("instructions", "u2", Filter.NONE, "number of its instructions"),
        _column("insn.length", "u1", Filter.NONE, "length of each instruction, in bytes"),
        _column("insn.destination", "u1", Filter.NONE, "its integer destination register, 0 for none"),
        _column("insn.source", "u1", Filter.NONE, "where that register's value comes from (Source)"),
        _column("insn.bytes", "u1", Filter.NONE, "the bytes of all instructions, one after the other"),
        _column(
            "insn.constant",
            "u8",
            Filter.NONE,
            "the value, for each instruction whose source is CONSTANT, in order",
        ),
    ),
)

EPOCH = Message(
    "epoch",
    "What ran in an epoch, and all state but the values of integer registers. log_time is its first t.",
    (
        _column("bounds", "u8", Filter.NONE, "first t of the epoch, and the first t after it"),
        _column("run.block", "u4", Filter.NONE, "block of each run, in order of t"),
        _column("short.run", "u4", Filter.DELTA, "index of each run that did not start all its instructions"),
        _column("short.started", "u2", Filter.NONE, "how many instructions it started"),
        _column(
            "turn.run", "u4", Filter.DELTA, "index of the first run of each stretch on one hart; first row 0"
        ),
        _column("turn.hart", "u2", Filter.NONE, "that hart"),
        _column(
            "last.t",
            "u8",
            Filter.NONE,
            "for each hart, t of its last instruction before the epoch; all ones for none",
        ),
        _column(
            "unretired.t", "u4", Filter.DELTA, "instructions that started and trapped: no register written"
        ),
        _column(
            "open.t",
            "u4",
            Filter.DELTA,
            "instructions whose outcome was not known when the epoch was written (see late)",
        ),
        _column(
            "state.t", "u4", Filter.DELTA, "t from which a register holds the value, up to the epoch's length"
        ),
        _column("state.hart", "u2", Filter.NONE, "its hart"),
        _column(
            "state.register",
            "u2",
            Filter.NONE,
            "its number in the trace's list of registers, plus STATE_UNKNOWN (0x8000) where it is not known",
        ),
        _column("state.value", "u8", Filter.SHUFFLE, "its value"),
        _column("trap.t", "u4", Filter.DELTA, "first instruction of the handler, up to the epoch's length"),
        _column("trap.hart", "u2", Filter.NONE, "the hart that took the trap"),
        _column(
            "trap.last",
            "u8",
            Filter.NONE,
            "absolute t of the hart's last instruction before it; all ones for none",
        ),
        _column("trap.cause", "u8", Filter.NONE, "mcause or scause"),
        _column("trap.epc", "u8", Filter.NONE, "mepc or sepc"),
        _column("trap.tval", "u8", Filter.NONE, "mtval or stval"),
        _column("trap.from", "u1", Filter.NONE, "privilege it came from"),
        _column("trap.to", "u1", Filter.NONE, "privilege that handles it"),
        _column("reset.t", "u4", Filter.NONE, "first instruction after a reset"),
        _column("keyframe.t", "u4", Filter.DELTA, "moment of each keyframe"),
        _column("keyframe.hart", "u2", Filter.NONE, "hart whose registers it holds"),
        _column("keyframe.pc", "u8", Filter.SHUFFLE, "address of the instruction that starts at its t"),
        _column(
            "keyframe.run", "u4", Filter.DELTA, "index of the run that starts, or is under way, at its t"
        ),
        _column(
            "keyframe.write",
            "u4",
            Filter.DELTA,
            "index in writes.value of the first value made at or after its t",
        ),
        _column(
            "keyframe.access", "u4", Filter.DELTA, "index in accesses of the first access at or after its t"
        ),
        _column(
            "keyframe.state", "u4", Filter.DELTA, "index of the first state row that is not in the keyframe"
        ),
        _column(
            "keyframe.value",
            "u8",
            Filter.SHUFFLE,
            "all registers of the trace's list, one keyframe after the other; of a vector register the list "
            "has each 8-byte word, the lowest first: v8.0, v8.1, ...",
        ),
    ),
)

WRITES = Message(
    "writes",
    "Values of integer registers: one for each started instruction of source RECORDED, in order of t "
    "(0 where it did not retire or its outcome was open). log_time as the epoch's.",
    (
        _column(
            "value",
            "u8",
            Filter.SHUFFLE,
            "the value written; each 65,536 are sorted by their instruction's index in the dictionary, "
            "then by t, and each is exclusive-ored with the one before it of the same instruction",
        ),
    ),
)

ACCESSES = Message(
    "accesses",
    "Loads and stores of an epoch, in order, and changes of memory by anything else. "
    "log_time as the epoch's.",
    (
        _column("t", "u4", Filter.DELTA_SHUFFLE, "the instruction that made the access"),
        _column("flags", "u1", Filter.NONE, "size, store, kind, MPRV: the ACCESS_ constants"),
        _column("virtual", "u8", Filter.SHUFFLE, "virtual address"),
        _column("value", "u8", Filter.NONE, "value, zero-extended"),
        _column(
            "mapping.access",
            "u4",
            Filter.DELTA,
            "index of each access from which physical minus virtual address is as given; 0 before the first",
        ),
        _column("mapping.delta", "u8", Filter.NONE, "physical minus virtual address, modulo 2**64"),
        _column("crossing.access", "u4", Filter.DELTA, "index of each access that crosses into another page"),
        _column(
            "crossing.physical", "u8", Filter.NONE, "physical address of its first byte in the second page"
        ),
        _column("change.t", "u4", Filter.DELTA, "t from which memory is known to hold the value"),
        _column(
            "change.since",
            "u8",
            Filter.NONE,
            "absolute t after which the change happened; 0 for an unknown one",
        ),
        _column("change.physical", "u8", Filter.NONE, "physical address, a multiple of 8"),
        _column("change.value", "u8", Filter.SHUFFLE, "the eight bytes there"),
        _column("change.cause", "u1", Filter.NONE, "why (Cause)"),
    ),
)

LATE = Message(
    "late",
    "What became known of instructions after their epoch was written: another hart ran in between.",
    (
        _column("t", "u8", Filter.NONE, "absolute t of the instruction"),
        _column("kind", "u1", Filter.NONE, "what became known (LateKind)"),
        _column("value", "u8", Filter.NONE, "the value of its destination register, for VALUE"),
    ),
)

SPAN = Message(
    "span",
    "What a span of 8**level epochs left in memory and touched. One channel for each level. "
    "log_time is the first t of the span.",
    (
        _column("epochs", "u4", Filter.NONE, "first epoch of the span, and the first after it"),
        _column(
            "written.frame",
            "u8",
            Filter.DELTA,
            "frames in which a byte was stored or changed, or became known by a load from other memory; "
            "ascending",
        ),
        _column(
            "written.mask", "u1", Filter.NONE, "512 bytes a frame: a bit for each byte, lowest address lowest"
        ),
        _column("written.bytes", "u1", Filter.NONE, "the bytes of set mask bits as the span left them"),
        _column("read.frame", "u8", Filter.DELTA, "frames of memory that were loaded from, ascending"),
        _column("read.lines", "u8", Filter.NONE, "a bit for each 64-byte line loaded from"),
        _column("executed.block", "u4", Filter.DELTA, "blocks that ran, ascending"),
    ),
)

IMAGE = Message(
    "image",
    "RAM at the first t: the frames that are not all zero. All other bytes of RAM are zero.",
    (
        _column("frame", "u8", Filter.DELTA, "frame numbers, ascending"),
        _column("bytes", "u1", Filter.NONE, "4096 bytes a frame"),
    ),
)

CONSOLE = Message(
    "console",
    "Bytes stored to the data register of a UART.",
    (
        _column("t", "u8", Filter.DELTA, "absolute t of the store"),
        _column("byte", "u1", Filter.NONE, "the byte"),
    ),
)

END = Message(
    "end",
    "RAM as QEMU left it: the frames that are not all zero, by digest.",
    (
        _column("frame", "u8", Filter.DELTA, "frame numbers, ascending"),
        _column("digest", "u1", Filter.NONE, "16 bytes a frame: BLAKE2b of the 4096 bytes"),
    ),
)

STOPS = Message(
    "stops",
    "What a debugger stub told of a guest that stood still; only captures have it (see Captures). "
    "Every t is absolute, and ascends from message to message. log_time is the last t that it tells of.",
    (
        _column(
            "gap.t",
            "u8",
            Filter.DELTA,
            "moments before which the guest ran unseen: only what is told at or after each is known there",
        ),
        _column("stop.t", "u8", Filter.DELTA, "moment of each stop"),
        _column("stop.hart", "u2", Filter.NONE, "hart that the stub named"),
        _column("stop.reason", "u1", Filter.NONE, "why it stood still (StopReason)"),
        _column(
            "stop.address", "u8", Filter.NONE, "virtual address of a breakpoint or watchpoint; else all ones"
        ),
        _column("place.t", "u8", Filter.DELTA, "moment at which a hart stood at an address"),
        _column("place.hart", "u2", Filter.NONE, "that hart"),
        _column("place.pc", "u8", Filter.NONE, "that address: of the instruction that it is to start next"),
        _column("place.privilege", "u1", Filter.NONE, "privilege that it stood at"),
        _column("sample.t", "u8", Filter.DELTA, "moment at which memory was read; first or last of an epoch"),
        _column("sample.physical", "u8", Filter.NONE, "its physical address, a multiple of 8"),
        _column("sample.size", "u4", Filter.NONE, "bytes read, a multiple of 8"),
        _column("sample.bytes", "u1", Filter.NONE, "the bytes of all samples, one after the other"),
    ),
)

MESSAGES = (IMAGE, BLOCKS, EPOCH, WRITES, ACCESSES, LATE, SPAN, CONSOLE, END, STOPS)

SLOT_MESSAGES = (BLOCKS, EPOCH, WRITES, ACCESSES, LATE)
"""The messages whose columns the recorder's plugin fills in shared memory, uncompressed and unfiltered."""
