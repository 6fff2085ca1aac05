"""Devices and read-only memory in the middle of blocks: UART, CLINT, PLIC, RTC, boot ROM, flash."""

from . import layout
from .stream import Family, Stream

_READS = (
    (layout.UART, "lbu"),
    (layout.UART + 5, "lb"),
    (layout.UART + 2, "lbu"),
    (layout.UART + 7, "lbu"),
    (layout.MTIME, "ld"),
    (layout.MTIME, "lw"),
    (layout.MTIME + 4, "lwu"),
    (layout.CLINT + 0x4000, "ld"),
    (layout.CLINT, "lw"),
    (layout.PLIC + 0x28, "lw"),
    (layout.PLIC + 0x1000, "lwu"),
    (layout.PLIC + 0x20_0000, "lw"),
    (layout.RTC, "lw"),
    (layout.RTC + 4, "lwu"),
    (0x1000_1000, "lw"),
    (0x3000_0000, "lw"),
    (layout.FINISHER, "lw"),
    (0x1010_0000, "ld"),
    (0x1010_0000, "lbu"),
)
_WRITES = (
    (layout.UART, "sb"),
    (layout.UART + 7, "sb"),
    (layout.UART + 4, "sb"),
    (layout.PLIC + 0x3C, "sw"),
    (layout.PLIC + 0x20_1000, "sw"),
    (layout.RTC + 8, "sw"),
    (0x1010_0008, "sh"),
    (layout.BOOT_ROM + 0x40, "sd"),
    (layout.BOOT_ROM + 2, "sb"),
    (layout.FLASH + 64, "fsd"),
    (layout.FINISHER + 4, "sw"),
)
_FORBIDDEN = (
    (layout.PLIC + 0x28, "lb"),
    (layout.CLINT + 0x4001, "lw"),
    (layout.MTIME + 2, "ld"),
    (layout.PLIC + 0x29, "ld"),
    (layout.UART + 5, "ld"),
    (layout.RTC, "ld"),
    (layout.FINISHER, "ld"),
)


def _around(stream: Stream) -> None:
    """One instruction that keeps the device access from being first or last of its block."""
    stream.emit(f"addi x{stream.writable()}, x{stream.readable()}, {stream.rng.randrange(-99, 99)}")


def _access(stream: Stream, base: int, name: str) -> None:
    if name[0] in "fs":
        file = "f" if name[0] == "f" else "x"
        stream.emit(f"{name} {file}{stream.readable()}, 0(x{base})")
    else:
        stream.emit(f"{name} x{stream.writable(zero=True)}, 0(x{base})")


def devices(stream: Stream, accesses: tuple[tuple[int, str], ...]) -> None:
    for _ in range(stream.rng.randrange(1, 3)):
        address, name = stream.rng.choice(accesses)
        base = stream.writable()
        stream.load_immediate(base, stream.device(address))
        with stream.lock(base):
            _around(stream)
            _access(stream, base, name)
            _around(stream)
            if stream.chance(0.3):
                _access(stream, base, name)
                _around(stream)


def console(stream: Stream) -> None:
    """Letters to the UART with nothing that ends the block between them."""
    base, letter = stream.several(2)
    stream.load_immediate(base, stream.device(layout.UART))
    for _ in range(stream.rng.randrange(1, 4)):
        stream.emit(f"li x{letter}, {stream.rng.randrange(97, 123)}", f"sb x{letter}, 0(x{base})")
    _around(stream)


def read_only(stream: Stream) -> None:
    """Loads of all sizes from the boot ROM and the flash, also misaligned."""
    base = stream.writable()
    start = stream.rng.choice((layout.BOOT_ROM, layout.BOOT_ROM, layout.FLASH, layout.FLASH + 0x200_0000))
    stream.load_immediate(base, stream.device(start))
    with stream.lock(base):
        for _ in range(stream.rng.randrange(1, 5)):
            name = stream.rng.choice(("lb", "lbu", "lh", "lhu", "lw", "lwu", "ld", "fld"))
            register = f"{'f' if name == 'fld' else 'x'}{stream.writable()}"
            stream.emit(f"{name} {register}, {stream.rng.randrange(60)}(x{base})")


def flash_commands(stream: Stream) -> None:
    """The flash as a device: a programmed word, the identifier, the status, then memory again."""
    base, value, result = stream.several(3)
    offset = stream.rng.randrange(0, 4096, 4)
    stream.load_immediate(base, stream.device(layout.FLASH + offset))
    with stream.lock(base, value):
        for command in (0x40_0040, stream.rng.getrandbits(32)):
            stream.load_immediate(value, command)
            stream.emit(f"sw x{value}, 0(x{base})")
        stream.emit(f"lw x{result}, 0(x{base})")
        for command in (0x90_0090, 0x70_0070, 0xFF_00FF):
            stream.load_immediate(value, command)
            stream.emit(f"sw x{value}, 0(x{base})", f"lw x{result}, 0(x{base})")
            _around(stream)


def atomic_device(stream: Stream) -> None:
    """An AMO or a reservation on a device."""
    base = stream.writable()
    stream.load_immediate(base, stream.device(stream.rng.choice((layout.CLINT + 0x4000, layout.RTC + 8))))
    _around(stream)
    stream.emit(
        stream.rng.choice(
            (f"amoor.w x{stream.writable()}, x0, (x{base})", f"lr.w x{stream.writable()}, (x{base})")
        )
    )
    _around(stream)


FAMILIES = (
    Family("mmio_load", lambda stream: devices(stream, _READS), 6),
    Family("mmio_store", lambda stream: devices(stream, _WRITES), 4),
    Family("mmio_forbidden", lambda stream: devices(stream, _FORBIDDEN), 2),
    Family("mmio_atomic", atomic_device, 1),
    Family("console", console, 2),
    Family("read_only_memory", read_only, 4),
    Family("flash_commands", flash_commands, 1),
)
