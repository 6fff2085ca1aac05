"""The F and D extensions: computation, conversion, loads and stores, fcsr, FS off and on."""

from collections.abc import Callable

from .stream import PRIVILEGED, Family, Stream

_THREE = ("fmadd", "fmsub", "fnmadd", "fnmsub")
_TWO = ("fadd", "fsub", "fmul", "fdiv")
_TWO_UNROUNDED = ("fmin", "fmax", "fsgnj", "fsgnjn", "fsgnjx")
_COMPARE = ("feq", "flt", "fle")
_MODES = ("rne", "rtz", "rdn", "rup", "rmm", "dyn", "dyn", "dyn")
_STATUS_FS_LOWEST = 13


def computation(stream: Stream) -> None:
    for _ in range(stream.rng.randrange(1, 6)):
        operation(stream)


def operation(stream: Stream) -> None:
    """One instruction between floating-point registers."""
    rng = stream.rng
    size, mode = rng.choice("sd"), rng.choice(_MODES)
    rd, a, b, c = (f"f{rng.randrange(32)}" for _ in range(4))
    kind = rng.randrange(5)
    if kind == 0:
        stream.emit(f"{rng.choice(_THREE)}.{size} {rd}, {a}, {b}, {c}, {mode}")
    elif kind == 1:
        stream.emit(f"{rng.choice(_TWO)}.{size} {rd}, {a}, {b}, {mode}")
    elif kind == 2:
        stream.emit(f"{rng.choice(_TWO_UNROUNDED)}.{size} {rd}, {a}, {b}")
    elif kind == 3:
        stream.emit(f"fsqrt.{size} {rd}, {a}, {mode}")
    else:
        stream.emit(f"fcvt.s.d {rd}, {a}, {mode}" if stream.chance(0.5) else f"fcvt.d.s {rd}, {a}")


def conversion(stream: Stream) -> None:
    """Between integer and floating-point registers."""
    rng = stream.rng
    for _ in range(rng.randrange(1, 5)):
        size, mode, integer = rng.choice("sd"), rng.choice(_MODES), rng.choice(("w", "wu", "l", "lu"))
        f, move = f"f{rng.randrange(32)}", rng.choice("wx") if size == "s" else "x"
        exact = size == "d" and integer.startswith("w")
        stream.emit(
            rng.choice(
                (
                    f"fcvt.{integer}.{size} x{stream.writable(zero=True)}, {f}, {mode}",
                    f"fcvt.{size}.{integer} {f}, x{stream.readable()}" + ("" if exact else f", {mode}"),
                    f"fmv.{'x.w' if size == 's' else 'x.d'} x{stream.writable(zero=True)}, {f}",
                    f"fmv.{'w.x' if move == 'w' or size == 's' else 'd.x'} {f}, x{stream.readable()}",
                    f"fclass.{size} x{stream.writable()}, {f}",
                    f"{rng.choice(_COMPARE)}.{size} x{stream.writable()}, {f}, f{rng.randrange(32)}",
                )
            )
        )


def memory(stream: Stream) -> None:
    """Loads and stores, also misaligned and over a page border."""
    rng = stream.rng
    base = stream.writable()
    stream.load_immediate(base, stream.good_address(64, store=True, aligned=stream.chance(0.7)))
    with stream.lock(base):
        for _ in range(rng.randrange(1, 6)):
            stream.emit(
                f"{rng.choice(('flw', 'fld', 'fsw', 'fsd'))} f{rng.randrange(32)}, "
                f"{rng.randrange(7) * 8}(x{base})"
            )


def faulting_memory(stream: Stream) -> None:
    base = stream.writable()
    stream.load_immediate(base, stream.bad_address())
    with stream.lock(base):
        for _ in range(2):
            stream.emit(
                f"{stream.rng.choice(('flw', 'fld', 'fsw', 'fsd'))} f{stream.rng.randrange(32)}, 4(x{base})"
            )


def control(stream: Stream) -> None:
    """fcsr, frm and fflags; a reserved rounding mode makes the dynamic one illegal."""
    rng = stream.rng
    value = stream.writable()
    stream.load_immediate(value, rng.choice((rng.randrange(256), rng.randrange(8), rng.getrandbits(64))))
    rd = stream.writable(zero=True)
    name = rng.choice(("fcsr", "frm", "fflags"))
    stream.emit(
        rng.choice(
            (
                f"csrrw x{rd}, {name}, x{value}",
                f"csrrs x{rd}, {name}, x{value}",
                f"csrrc x{rd}, {name}, x{value}",
                f"csrrwi x{rd}, {name}, {rng.randrange(8)}",
                f"csrrsi x{rd}, fflags, {rng.randrange(32)}",
                f"csrrci x{rd}, fflags, {rng.randrange(32)}",
                f"csrr x{rd}, fcsr",
                f"csrr x{rd}, fflags",
            )
        )
    )
    operation(stream)
    if stream.chance(0.7):
        stream.emit(f"fsrmi {rng.randrange(5)}")


def invalid(stream: Stream) -> None:
    """Raises the invalid and divide-by-zero flags."""
    a, b = stream.rng.sample(range(32), 2)
    stream.emit(
        f"fmv.d.x f{a}, x0",
        f"fdiv.d f{b}, f{a}, f{a}",
        f"fsqrt.s f{b}, f{b}",
        f"fcvt.w.d x{stream.writable()}, f{b}, rtz",
        f"csrr x{stream.writable()}, fflags",
    )


def switched_off(stream: Stream) -> None:
    extension_off(stream, _STATUS_FS_LOWEST, operation, "csrr x{state}, fcsr", "flw f3, 0(x{mask})")


def extension_off(stream: Stream, lowest: int, operation: Callable[[Stream], None], *illegal: str) -> None:
    """With a state field of the status off each instruction is illegal; then the first write makes it dirty.

    ``lowest`` is the field's lowest bit; ``illegal`` are more lines, to run while it is off.
    """
    status = "mstatus" if stream.mode == 3 else "sstatus"
    mask, state = stream.several(2)
    stream.load_immediate(mask, 3 << lowest)
    with stream.lock(mask):
        stream.emit(f"csrc {status}, x{mask}")
        operation(stream)
        stream.emit(*(line.format(state=state, mask=mask) for line in illegal))
        stream.load_immediate(state, 1 << lowest)
        stream.emit(f"csrs {status}, x{state}", f"csrr x{state}, {status}")
        operation(stream)
        stream.emit(f"csrr x{state}, {status}", f"csrs {status}, x{mask}")


FAMILIES = (
    Family("float_computation", computation, 6),
    Family("float_conversion", conversion, 5),
    Family("float_memory", memory, 4),
    Family("float_faulting", faulting_memory, 2),
    Family("float_control", control, 4),
    Family("float_invalid", invalid, 1),
    Family("float_off", switched_off, 3, PRIVILEGED),
)
