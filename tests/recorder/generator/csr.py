"""Zicsr: reads and writes of control and status registers, existing ones and others, allowed and not."""

from . import layout
from .stream import MACHINE_ONLY, SUPERVISOR_ONLY, Family, Mode, Stream

_MACHINE_FREE = (
    "mscratch",
    "sscratch",
    "mepc",
    "sepc",
    "mcause",
    "scause",
    "mtval",
    "stval",
    "mcycle",
    "minstret",
    "mhpmcounter3",
    "mcounteren",
    "scounteren",
    "medeleg",
    "mideleg",
    "senvcfg",
    "sie",
    "sip",
    "mip",
)
_SUPERVISOR_FREE = ("sscratch", "sepc", "scause", "stval", "scounteren", "sip")
_MACHINE_READ = (
    "mvendorid",
    "marchid",
    "mimpid",
    "mhartid",
    "misa",
    "mstatus",
    "mip",
    "mie",
    "satp",
    "time",
    "cycle",
    "instret",
    "mtvec",
    "stvec",
    "sstatus",
    "pmpcfg0",
    "pmpaddr15",
    "menvcfg",
    "mcountinhibit",
)
_SUPERVISOR_READ = ("sstatus", "sie", "stvec", "satp", "time", "cycle", "instret", "senvcfg", "stimecmp")
_USER_READ = ("time", "cycle", "instret", "fcsr", "hpmcounter3")
_STATUS_BITS = {
    Mode.MACHINE: (
        1 << 18,
        1 << 19,
        1 << 5,
        1 << 8,
        1 << 7,
        1 << 20,
        1 << 21,
        1 << 22,
        3 << 11,
        1 << 13,
        3 << 13,
    ),
    Mode.SUPERVISOR: (1 << 18, 1 << 19, 1 << 5, 1 << 8, 1 << 13, 3 << 13),
}


def change(stream: Stream, name: str, value: int) -> None:
    """One of the instructions that write ``name``."""
    rng = stream.rng
    register, rd = stream.writable(), stream.writable(zero=True)
    stream.load_immediate(register, value)
    stream.emit(f"{rng.choice(('csrrw', 'csrrw', 'csrrs', 'csrrc'))} x{rd}, {name}, x{register}")
    if stream.chance(0.4):
        stream.emit(f"{rng.choice(('csrrwi', 'csrrsi', 'csrrci'))} x{rd}, {name}, {rng.randrange(32)}")


def read(stream: Stream) -> None:
    names = {
        Mode.MACHINE: _MACHINE_READ + _SUPERVISOR_READ[:6],
        Mode.SUPERVISOR: _SUPERVISOR_READ,
        Mode.USER: _USER_READ,
    }[stream.mode]
    for _ in range(stream.rng.randrange(1, 4)):
        stream.emit(f"csrr x{stream.writable(zero=True)}, {stream.rng.choice(names)}")


def machine_free(stream: Stream) -> None:
    for _ in range(stream.rng.randrange(1, 4)):
        name = stream.rng.choice(_MACHINE_FREE)
        value = stream.interesting()
        if name in ("mip", "sip"):
            value &= 1 << 1 | 1 << 5 | 1 << 9
            stream.load_immediate(register := stream.writable(), value)
            stream.emit(f"csrs {name}, x{register}", "nop", f"csrc {name}, x{register}")
        else:
            change(stream, name, value)


def supervisor_free(stream: Stream) -> None:
    for _ in range(stream.rng.randrange(1, 4)):
        name = stream.rng.choice(_SUPERVISOR_FREE)
        if name == "sip":
            stream.emit("csrsi sip, 2", "nop", f"csrr x{stream.writable()}, sip", "csrci sip, 2")
        else:
            change(stream, name, stream.interesting())


def vectors(stream: Stream) -> None:
    """Another handler, direct or vectored; invalid modes are ignored by the hardware."""
    rng = stream.rng
    which = "mtvec" if stream.mode == Mode.MACHINE and stream.chance(0.6) else "stvec"
    direct, vectored = (
        (layout.MACHINE_DIRECT, layout.MACHINE_VECTORED)
        if which == "mtvec"
        else (layout.SUPERVISOR_DIRECT, layout.SUPERVISOR_VECTORED)
    )
    value = rng.choice((*direct, *(address | 1 for address in vectored)))
    register = stream.writable()
    stream.load_immediate(register, value)
    stream.emit(f"csrrw x{stream.writable(zero=True)}, {which}, x{register}")


def status(stream: Stream) -> None:
    """Bits of mstatus or sstatus set and cleared; the segments after it start with their own."""
    rng = stream.rng
    name = "mstatus" if stream.mode == Mode.MACHINE else "sstatus"
    bits = stream.writable()
    stream.load_immediate(bits, rng.choice(_STATUS_BITS[stream.mode]))
    with stream.lock(bits):
        stream.emit(f"csrrs x{stream.writable(zero=True)}, {name}, x{bits}")
        stream.emit(f"csrr x{stream.writable()}, {name}")
        if stream.chance(0.7):
            stream.emit(f"csrrc x{stream.writable(zero=True)}, {name}, x{bits}")
    stream.load_immediate(bits, 3 << 13)
    stream.emit(f"csrs {name}, x{bits}")


def not_allowed(stream: Stream) -> None:
    """Registers that do not exist, are read-only, or belong to a higher privilege."""
    name = stream.rng.choice(
        (
            "0x5ff",
            "0xc00",
            "mhartid",
            "cycle",
            "0x7c0",
            "0xbff",
            "mstatus" if stream.mode != Mode.MACHINE else "0xfff",
            "sstatus" if stream.mode == Mode.USER else "0x9ff",
        )
    )
    stream.emit(f"csrrw x{stream.writable(zero=True)}, {name}, x{stream.readable()}")


def timer_compare(stream: Stream) -> None:
    """Sstc: a supervisor timer interrupt now or never; illegal where menvcfg does not allow it."""
    register = stream.writable()
    if stream.chance(0.5):
        stream.emit(f"csrr x{register}, time")
    else:
        stream.load_immediate(register, -1)
    with stream.lock(register):
        stream.emit(f"csrw stimecmp, x{register}", f"csrr x{stream.writable()}, stimecmp")
        stream.emit(f"csrr x{stream.writable()}, sip", f"li x{register}, 32", f"csrs sie, x{register}")


FAMILIES = (
    Family("csr_read", read, 5),
    Family("csr_machine", machine_free, 8, MACHINE_ONLY),
    Family("csr_supervisor", supervisor_free, 6, SUPERVISOR_ONLY),
    Family("csr_vectors", vectors, 4, frozenset({Mode.MACHINE, Mode.SUPERVISOR})),
    Family("csr_status", status, 5, frozenset({Mode.MACHINE, Mode.SUPERVISOR})),
    Family("csr_not_allowed", not_allowed, 3),
    Family("csr_stimecmp", timer_compare, 3, frozenset({Mode.MACHINE, Mode.SUPERVISOR})),
)
