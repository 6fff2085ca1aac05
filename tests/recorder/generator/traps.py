"""Exceptions of each kind, returns from traps, and accesses with another privilege than the hart's."""

from . import layout, memory
from .integer import arithmetic
from .stream import MACHINE_ONLY, SUPERVISOR_ONLY, Family, Mode, Stream
from .tables import Entry

_MPP = 3 << 11
_MPRV = 1 << 17


def illegal(stream: Stream) -> None:
    """Encodings that mean nothing, and instructions that this privilege may not run."""
    rng = stream.rng
    choices = [".word 0xffffffff", ".word 0x0000007f", ".word 0xfffff00b", ".word 0x8000705b"]
    if stream.machine.compressed:
        choices += [".half 0", ".half 0x9c41"]
    if stream.mode != Mode.MACHINE:
        choices += ["mret"]
    if stream.mode == Mode.USER:
        choices += ["wfi", "sfence.vma", "sret", "csrw satp, x0"]
    stream.emit(rng.choice(choices))
    arithmetic(stream)


def breakpoint_trap(stream: Stream) -> None:
    stream.emit(".option push", stream.rng.choice((".option norvc", "nop")), "ebreak", ".option pop")


def environment_call(stream: Stream) -> None:
    if 17 in stream.locked or 17 not in stream.machine.free:
        return
    stream.load_immediate(17, stream.rng.randrange(512))
    stream.emit("ecall")
    arithmetic(stream)


def bad_jump(stream: Stream) -> None:
    """A jump to where nothing can be fetched; the instruction before it is the last that retires."""
    choices = [layout.ABSENT, 0x9000_0000, layout.FLASH + 0x200_0100, layout.CLINT + 0x100, layout.PLIC]
    space = stream.setting.space
    if stream.setting.translated and space is not None:
        choices += [
            layout.UNMAPPED,
            layout.NOT_CANONICAL,
            layout.DENIED,
            layout.ABSENT_TABLE,
            layout.MISALIGNED_LARGE,
            layout.SUPERVISOR_CODE if stream.mode == Mode.USER else layout.USER_CODE,
        ]
        choices += [page.virtual for page in space.pages if not page.entry & Entry.EXECUTE][:3]
    with stream.resuming():
        target = stream.writable()
        stream.load_immediate(target, stream.rng.choice(choices) + stream.rng.choice((0, 0, 2, 4094)))
        stream.emit(f"jalr x{stream.writable(zero=True)}, 0(x{target})")


def misaligned_jump(stream: Stream) -> None:
    """Without the C extension a jump to an address that is no multiple of four traps before it is taken."""
    with stream.resuming():
        target = stream.writable()
        label = stream.new_label()
        stream.emit(f"lla x{target}, {label}", f"jalr x{stream.writable(zero=True)}, 2(x{target})")
        stream.place(label)
        stream.emit("nop", "nop")


def _prepare_return(stream: Stream, register: int, privilege: Mode, label: str) -> None:
    stream.load_immediate(register, _MPP)
    stream.emit("csrci mstatus, 8", f"csrc mstatus, x{register}")
    stream.load_immediate(register, privilege << 11)
    stream.emit(f"csrs mstatus, x{register}", f"lla x{register}, {label}", f"csrw mepc, x{register}")


def machine_return(stream: Stream) -> None:
    """mret from M to M."""
    label = stream.new_label()
    register = stream.writable()
    with stream.lock(register):
        _prepare_return(stream, register, Mode.MACHINE, label)
        if stream.chance(0.5):
            stream.load_immediate(register, 1 << 7)
            stream.emit(f"csrs mstatus, x{register}")
    stream.emit("mret", ".word 0")
    stream.place(label)


def excursion(stream: Stream) -> None:
    """A return to S-mode, something there, and a call that comes back to M-mode."""
    if stream.depth or 17 in stream.locked or 17 not in stream.machine.free:
        return
    label = stream.new_label()
    register = stream.writable()
    stream.emit("csrw medeleg, x0")
    stream.load_immediate(register, 1 << 17 | 1 << 22)
    stream.emit(f"csrc mstatus, x{register}")
    if stream.chance(0.6):
        with stream.lock(register):
            _prepare_return(stream, register, Mode.SUPERVISOR, label)
        stream.emit("mret", ".word 0")
    else:
        stream.emit(
            "csrci mstatus, 8",
            f"li x{register}, 0x100",
            f"csrs mstatus, x{register}",
            f"lla x{register}, {label}",
            f"csrw sepc, x{register}",
            "sret",
            ".word 0",
        )
    stream.place(label)
    for _ in range(stream.rng.randrange(1, 5)):
        stream.rng.choice((arithmetic, memory.aligned, breakpoint_trap, memory.misaligned))(stream)
    stream.load_immediate(17, layout.NEXT_SEGMENT + 1)
    stream.emit("ecall")


def supervisor_return(stream: Stream) -> None:
    """sret from S to S, with interrupts going on or off; with TSR it traps and is skipped."""
    label = stream.new_label()
    register = stream.writable()
    stream.emit(
        "csrci sstatus, 2",
        f"lla x{register}, {label}",
        f"csrw sepc, x{register}",
        f"li x{register}, 0x100",
        f"csrs sstatus, x{register}",
    )
    stream.emit(stream.rng.choice(("csrsi sip, 2", "nop")))
    stream.emit(
        f"li x{register}, 0x20", f"{stream.rng.choice(('csrs', 'csrc'))} sstatus, x{register}", "sret"
    )
    stream.place(label)
    stream.emit("nop")


def other_privilege(stream: Stream) -> None:
    """MPRV: loads and stores of M-mode with the address space and rights of S or U."""
    rng = stream.rng
    space = rng.choice(stream.spaces)
    base, register = stream.several(2)
    user = stream.chance(0.5)
    with stream.lock(base, register):
        if stream.chance(0.7):
            stream.emit("csrci mstatus, 8")
        stream.load_immediate(register, space.satp)
        stream.emit(f"csrw satp, x{register}")
        if stream.chance(0.3):
            stream.emit("sfence.vma")
        page = rng.choice([page for page in space.pages if page.allows(user=user, store=stream.chance(0.7))])
        if stream.chance(0.3):
            page = rng.choice(space.pages)
        crossing = rng.choice((0, 0, layout.PAGE - 3))
        stream.load_immediate(base, page.virtual + crossing)
        stream.load_immediate(register, _MPP)
        stream.emit(f"csrc mstatus, x{register}")
        bits = _MPRV | (Mode.USER if user else Mode.SUPERVISOR) << 11 | rng.choice((0, 0, 1 << 18, 1 << 19))
        stream.load_immediate(register, bits)
        stream.emit(f"csrs mstatus, x{register}")
        for _ in range(rng.randrange(1, 5)):
            memory.access(stream, base, rng.randrange(4) * 8)
        stream.emit(
            f"amoadd.w x{stream.writable(zero=True)}, x{register}, (x{base})" if crossing == 0 else "nop"
        )
        stream.load_immediate(register, _MPRV | 3 << 18)
        stream.emit(f"csrc mstatus, x{register}")


FAMILIES = (
    Family("illegal", illegal, 4),
    Family("breakpoint", breakpoint_trap, 3),
    Family("environment_call", environment_call, 4),
    Family("bad_jump", bad_jump, 4),
    Family("misaligned_jump", misaligned_jump, 3, fits=lambda stream: not stream.machine.compressed),
    Family("machine_return", machine_return, 4, MACHINE_ONLY),
    Family("excursion", excursion, 5, MACHINE_ONLY),
    Family("supervisor_return", supervisor_return, 5, SUPERVISOR_ONLY),
    Family("mprv", other_privilege, 7, MACHINE_ONLY),
)
