"""The C extension by its own mnemonics, and code with no compressed instruction at all."""

from . import integer
from .stream import Family, Stream


def _has(stream: Stream) -> bool:
    return stream.machine.compressed


def computation(stream: Stream) -> None:
    rng = stream.rng
    for _ in range(rng.randrange(2, 9)):
        full, small = stream.writable(), stream.writable(compressed=True)
        other = stream.readable(compressed=True)
        nonzero = rng.choice([value for value in range(-32, 32) if value])
        stream.emit(
            rng.choice(
                (
                    f"c.addi x{full}, {nonzero}",
                    f"c.addiw x{full}, {rng.randrange(-32, 32)}",
                    f"c.li x{full}, {rng.randrange(-32, 32)}",
                    f"c.lui x{full if full != 2 else small}, {rng.randrange(1, 32)}",
                    f"c.srli x{small}, {rng.randrange(1, 64)}",
                    f"c.srai x{small}, {rng.randrange(1, 64)}",
                    f"c.slli x{full}, {rng.randrange(1, 64)}",
                    f"c.andi x{small}, {rng.randrange(-32, 32)}",
                    f"c.sub x{small}, x{other}",
                    f"c.xor x{small}, x{other}",
                    f"c.or x{small}, x{other}",
                    f"c.and x{small}, x{other}",
                    f"c.subw x{small}, x{other}",
                    f"c.addw x{small}, x{other}",
                    f"c.mv x{full}, x{rng.randrange(1, 32)}",
                    f"c.add x{full}, x{rng.randrange(1, 32)}",
                    "c.nop",
                    f"c.addi4spn x{small}, sp, {rng.randrange(1, 256) * 4}",
                )
            )
        )


def memory(stream: Stream) -> None:
    rng = stream.rng
    base = stream.writable(compressed=True)
    stream.load_immediate(base, stream.good_address(256, store=True))
    with stream.lock(base):
        for _ in range(rng.randrange(1, 6)):
            small, f = stream.writable(compressed=True), rng.randrange(8, 16)
            word, double = rng.randrange(32) * 4, rng.randrange(32) * 8
            source = stream.readable(compressed=True)
            stream.emit(
                rng.choice(
                    (
                        f"c.lw x{small}, {word}(x{base})",
                        f"c.ld x{small}, {double}(x{base})",
                        f"c.sw x{source}, {word}(x{base})",
                        f"c.sd x{source}, {double}(x{base})",
                        f"c.fld f{f}, {double}(x{base})",
                        f"c.fsd f{f}, {double}(x{base})",
                    )
                )
            )


def stack(stream: Stream) -> None:
    """Accesses relative to sp, and its adjustment."""
    if 2 not in stream.machine.free or 2 in stream.locked:
        return
    rng = stream.rng
    stream.load_immediate(2, stream.good_address(512, store=True))
    with stream.lock(2):
        for _ in range(rng.randrange(2, 7)):
            full = stream.writable()
            word, double = rng.randrange(64) * 4, rng.randrange(64) * 8
            stream.emit(
                rng.choice(
                    (
                        f"c.lwsp x{full}, {word}(sp)",
                        f"c.ldsp x{full}, {double}(sp)",
                        f"c.swsp x{stream.readable()}, {word}(sp)",
                        f"c.sdsp x{stream.readable()}, {double}(sp)",
                        f"c.fldsp f{rng.randrange(32)}, {double}(sp)",
                        f"c.fsdsp f{rng.randrange(32)}, {double}(sp)",
                    )
                )
            )
        stream.emit(f"c.addi16sp sp, {rng.choice([-2, -1, 1, 2]) * 16}")


def control(stream: Stream) -> None:
    rng = stream.rng
    label = stream.new_label()
    target, small = stream.writable(), stream.readable(compressed=True)
    form = rng.choice(("c.j", "c.beqz", "c.bnez", "c.jr", "c.jalr"))
    if form in ("c.jr", "c.jalr"):
        if form == "c.jalr" and (1 not in stream.machine.free or 1 in stream.locked):
            return
        stream.emit(f"lla x{target}, {label}", f"{form} x{target}", "c.ebreak")
    elif form == "c.j":
        stream.emit(f"c.j {label}", "c.ebreak")
    else:
        stream.emit(f"{form} x{small}, {label}")
        computation(stream)
    stream.place(label)


def uncompressed(stream: Stream) -> None:
    """Four-byte encodings, possibly not aligned to four bytes."""
    stream.emit(".option push", ".option norvc")
    integer.arithmetic(stream)
    stream.emit(".option pop")


FAMILIES = (
    Family("compressed_computation", computation, 6, fits=_has),
    Family("compressed_memory", memory, 4, fits=_has),
    Family("compressed_stack", stack, 4, fits=_has),
    Family("compressed_control", control, 4, fits=_has),
    Family("uncompressed", uncompressed, 3),
)
