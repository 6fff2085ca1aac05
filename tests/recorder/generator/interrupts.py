"""Interrupts raised by the stream itself, and what they come right after: a jump, a CSR write, a return."""

from . import layout
from .integer import arithmetic
from .stream import MACHINE_ONLY, PRIVILEGED, SUPERVISOR_ONLY, Family, Mode, Stream


def _store(stream: Stream, address: int, value: int, name: str) -> None:
    base, register = stream.several(2)
    stream.load_immediate(base, stream.device(address))
    stream.load_immediate(register, value)
    stream.emit(f"{name} x{register}, 0(x{base})")


def software(stream: Stream) -> None:
    """A machine software interrupt of one's own, with a jump right behind the store."""
    _store(stream, layout.CLINT + 4 * stream.setting.hart, 1, "sw")
    if stream.chance(0.5):
        label = stream.new_label()
        target = stream.writable()
        stream.emit(f"lla x{target}, {label}", f"jalr x{stream.writable(zero=True)}, 0(x{target})")
        stream.place(label)
    arithmetic(stream)


def enabled_late(stream: Stream) -> None:
    """Pending while interrupts are off; taken right after they go on, by csrsi or by mret."""
    stream.emit("csrci mstatus, 8", "csrsi mie, 8")
    _store(stream, layout.CLINT + 4 * stream.setting.hart, 1, "sw")
    arithmetic(stream)
    if stream.chance(0.5):
        stream.emit("csrsi mstatus, 8")
    else:
        label = stream.new_label()
        register = stream.writable()
        stream.load_immediate(register, 3 << 11 | 1 << 7)
        stream.emit(
            f"csrs mstatus, x{register}", f"lla x{register}, {label}", f"csrw mepc, x{register}", "mret"
        )
        stream.place(label)
    arithmetic(stream)


def timer(stream: Stream) -> None:
    """A machine timer interrupt that is due at once; M-mode with interrupts off keeps it pending."""
    _store(stream, layout.CLINT + 0x4000 + 8 * stream.setting.hart, 0, "sd")
    arithmetic(stream)


def supervisor_software(stream: Stream) -> None:
    """The delegated software interrupt: set while off, taken at csrsi or at sret."""
    register = stream.writable()
    stream.emit("csrci sstatus, 2", f"li x{register}, 0x222", f"csrs sie, x{register}", "csrsi sip, 2")
    arithmetic(stream)
    if stream.chance(0.6):
        stream.emit("csrsi sstatus, 2")
    else:
        label = stream.new_label()
        stream.emit(
            f"li x{register}, 0x120",
            f"csrs sstatus, x{register}",
            f"lla x{register}, {label}",
            f"csrw sepc, x{register}",
            "sret",
        )
        stream.place(label)
    arithmetic(stream)
    stream.emit("csrci sip, 2")


def external(stream: Stream) -> None:
    """The UART's transmit interrupt through the PLIC to this hart."""
    context = 2 * stream.setting.hart + stream.rng.randrange(2)
    for address, value, name in (
        (layout.PLIC + 4 * layout.UART_INTERRUPT, 1, "sw"),
        (layout.PLIC + 0x2000 + 0x80 * context, 1 << layout.UART_INTERRUPT, "sw"),
        (layout.PLIC + 0x20_0000 + 0x1000 * context, 0, "sw"),
        (layout.UART + 1, 2, "sb"),
    ):
        _store(stream, address, value, name)
    arithmetic(stream)
    _store(stream, layout.UART + 1, 0, "sb")
    if stream.mode == Mode.MACHINE and stream.chance(0.5):
        base, claim = stream.several(2)
        stream.load_immediate(base, layout.PLIC + 0x20_0004 + 0x1000 * context)
        stream.emit(f"lw x{claim}, 0(x{base})", f"sw x{claim}, 0(x{base})")


def wait_for_timer(stream: Stream) -> None:
    """wfi until the timer a few microseconds on; the interrupt may be taken right after."""
    base, now = stream.several(2)
    stream.emit("csrci mstatus, 8")
    stream.load_immediate(base, layout.MTIME)
    stream.emit(f"ld x{now}, 0(x{base})", f"addi x{now}, x{now}, {stream.rng.randrange(10, 300)}")
    stream.load_immediate(base, layout.CLINT + 0x4000 + 8 * stream.setting.hart)
    stream.emit(f"sd x{now}, 0(x{base})", f"li x{now}, 0x80", f"csrs mie, x{now}", "wfi")
    if stream.chance(0.5):
        stream.emit("csrsi mstatus, 8", "nop", "csrci mstatus, 8")
    stream.emit(f"li x{now}, -1", f"sd x{now}, 0(x{base})")


def give_way(stream: Stream) -> None:
    """wfi with an interrupt that is pending and not taken: QEMU runs the other harts first."""
    if stream.mode == Mode.MACHINE:
        stream.emit("csrci mstatus, 8", "csrsi mie, 8")
        _store(stream, layout.CLINT + 4 * stream.setting.hart, 1, "sw")
        stream.emit("wfi")
        _store(stream, layout.CLINT + 4 * stream.setting.hart, 0, "sw")
    else:
        stream.emit("csrci sstatus, 2", "csrsi sie, 2", "csrsi sip, 2", "wfi", "csrci sip, 2")
    if stream.chance(0.5):
        stream.emit(f"csrsi {'mstatus, 8' if stream.mode == Mode.MACHINE else 'sstatus, 2'}")


def _software_delegated(stream: Stream) -> bool:
    return bool(stream.setting.interrupt_delegation & 2)


FAMILIES = (
    Family("interrupt_software", software, 4),
    Family("interrupt_enabled_late", enabled_late, 6, MACHINE_ONLY),
    Family("interrupt_timer", timer, 3),
    Family("interrupt_supervisor", supervisor_software, 6, SUPERVISOR_ONLY),
    Family("interrupt_external", external, 3),
    Family("wfi_timer", wait_for_timer, 3, MACHINE_ONLY),
    Family(
        "wfi_give_way",
        give_way,
        4,
        PRIVILEGED,
        lambda stream: stream.mode == Mode.MACHINE or _software_delegated(stream),
    ),
)
