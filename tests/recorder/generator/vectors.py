"""The V extension: configuration, arithmetic, masks, loads and stores, its CSRs, VS off and on."""

from . import layout
from .floating import extension_off
from .stream import PRIVILEGED, Family, Stream

_VECTOR_VECTOR = tuple(
    """
    vadd vsub vand vor vxor vsll vsrl vsra vminu vmin vmaxu vmax vmul vmulh vmulhu vmulhsu vdivu vdiv vremu
    vrem vsaddu vsadd vssubu vssub vaaddu vaadd vasubu vasub vsmul vssrl vssra vwaddu vwadd vwsubu vwsub
    vwmul vwmulu vwmulsu vmseq vmsne vmsltu vmslt vmsleu vmsle vrgather
    """.split()
)
_WIDE = ("vwaddu.wv", "vwadd.wv", "vwsubu.wv", "vnsrl.wv", "vnsra.wv", "vnclipu.wv", "vnclip.wv")
_ACCUMULATE = ("vmacc", "vnmsac", "vmadd", "vnmsub", "vwmaccu", "vwmacc", "vwmaccsu")
_REDUCE = ("sum", "maxu", "max", "minu", "min", "and", "or", "xor")
_MASK = ("vmand", "vmnand", "vmandn", "vmxor", "vmor", "vmnor", "vmorn", "vmxnor")
_FLOAT = ("vfadd", "vfsub", "vfmul", "vfdiv", "vfmin", "vfmax", "vfsgnj", "vfsgnjn", "vfsgnjx", "vmfeq",
          "vmfne", "vmflt", "vmfle", "vfwadd", "vfwsub", "vfwmul")  # fmt: skip
_FLOAT_ONE = ("vfsqrt.v", "vfrsqrt7.v", "vfrec7.v", "vfclass.v", "vfcvt.x.f.v", "vfcvt.xu.f.v",
              "vfcvt.rtz.x.f.v", "vfcvt.f.x.v", "vfcvt.f.xu.v", "vfwcvt.f.f.v", "vfwcvt.x.f.v",
              "vfwcvt.f.x.v", "vfncvt.f.f.w", "vfncvt.x.f.w", "vfncvt.f.x.w")  # fmt: skip
_FLOAT_ACCUMULATE = ("vfmacc", "vfnmacc", "vfmsac", "vfnmsac", "vfmadd", "vfnmadd", "vfwmacc", "vfwnmsac")
_FLOAT_REDUCE = ("vfredosum", "vfredusum", "vfredmax", "vfredmin", "vfwredusum")
_STATUS_VS_LOWEST = 9


def _vector(stream: Stream) -> str:
    """A vector register; mostly one that groups of any length may begin at."""
    return f"v{stream.rng.randrange(32) if stream.chance(0.2) else 8 * stream.rng.randrange(4)}"


def _mask(stream: Stream) -> str:
    return ", v0.t" if stream.chance(0.3) else ""


def configuration(stream: Stream) -> None:
    """Sets vl and vtype in each way; some settings are illegal, and vill with them."""
    rng = stream.rng
    width, group = rng.choice(("e8", "e16", "e32", "e64")), rng.choice("mf8 mf4 mf2 m1 m1 m2 m4 m8".split())
    vtype = f"{width}, {group}, {rng.choice(('ta', 'tu'))}, {rng.choice(('ma', 'mu'))}"
    rd = stream.writable(zero=True)
    kind = rng.randrange(5)
    if kind == 0:
        stream.emit(f"vsetivli x{rd}, {rng.randrange(32)}, {vtype}")
    elif kind == 1:
        length, setting = stream.several(2)
        stream.load_immediate(length, rng.randrange(300))
        stream.load_immediate(setting, rng.choice((rng.randrange(256), rng.randrange(1 << 9), 1 << 63)))
        stream.emit(f"vsetvl x{rd}, x{length}, x{setting}")
    elif kind == 2:
        stream.emit(f"vsetvli x{stream.writable()}, x0, {vtype}")
    else:
        length = stream.writable()
        stream.load_immediate(length, rng.choice((rng.randrange(64), rng.randrange(1 << 10))))
        stream.emit(f"vsetvli x{rd}, x{length}, {vtype}")


def arithmetic(stream: Stream) -> None:
    if stream.chance(0.6):
        configuration(stream)
    for _ in range(stream.rng.randrange(1, 6)):
        operation(stream)


def operation(stream: Stream) -> None:
    """One integer instruction between vectors, or between a vector and a scalar."""
    rng = stream.rng
    vd, a, b, x = _vector(stream), _vector(stream), _vector(stream), f"x{stream.readable()}"
    name = rng.choice(_VECTOR_VECTOR)
    stream.emit(
        rng.choice(
            (
                f"{name}.vv {vd}, {a}, {b}{_mask(stream)}",
                f"{name}.vx {vd}, {a}, {x}{_mask(stream)}",
                f"vadd.vi {vd}, {a}, {rng.randrange(-16, 16)}{_mask(stream)}",
                f"{rng.choice(_WIDE)} {vd}, {a}, {b}{_mask(stream)}",
                f"{rng.choice(_ACCUMULATE)}.vv {vd}, {a}, {b}{_mask(stream)}",
                f"{rng.choice(_ACCUMULATE)}.vx {vd}, {x}, {b}{_mask(stream)}",
                f"vred{rng.choice(_REDUCE)}.vs {vd}, {a}, {b}{_mask(stream)}",
                f"vmv.v.x {vd}, {x}",
                f"vmv.v.v {vd}, {a}",
                f"vmv.s.x {vd}, {x}",
                f"vmv{rng.choice((1, 2, 4, 8))}r.v {vd}, {a}",
                f"vrsub.vx {vd}, {a}, {x}{_mask(stream)}",
                f"vslide{rng.choice(('up', 'down'))}.vi {vd}, {a}, {rng.randrange(32)}{_mask(stream)}",
                f"vslide1{rng.choice(('up', 'down'))}.vx {vd}, {a}, {x}{_mask(stream)}",
                f"vrgatherei16.vv {vd}, {a}, {b}{_mask(stream)}",
                f"v{rng.choice('zs')}ext.vf{rng.choice((2, 4, 8))} {vd}, {a}{_mask(stream)}",
                f"vcompress.vm {vd}, {a}, {b}",
            )
        )
    )


def masks(stream: Stream) -> None:
    """Mask registers, and instructions that read or write them besides."""
    rng = stream.rng
    for _ in range(rng.randrange(1, 5)):
        vd, a, b, x = _vector(stream), _vector(stream), _vector(stream), f"x{stream.writable(zero=True)}"
        stream.emit(
            rng.choice(
                (
                    f"{rng.choice(_MASK)}.mm {rng.choice(('v0', vd))}, {a}, {b}",
                    f"vmseq.vi v0, {a}, {rng.randrange(-2, 2)}",
                    f"vcpop.m {x}, {a}{_mask(stream)}",
                    f"vfirst.m {x}, {a}{_mask(stream)}",
                    f"vms{rng.choice(('bf', 'if', 'of'))}.m {vd}, {a}{_mask(stream)}",
                    f"viota.m {vd}, {a}{_mask(stream)}",
                    f"vid.v {vd}{_mask(stream)}",
                    f"vmerge.vvm {vd}, {a}, {b}, v0",
                    f"v{rng.choice(('adc', 'sbc', 'madc', 'msbc'))}.vvm {vd}, {a}, {b}, v0",
                    f"vmv.x.s {x}, {a}",
                )
            )
        )


def floating(stream: Stream) -> None:
    """Vector floating point: writes fflags and floating-point registers too."""
    rng = stream.rng
    if stream.chance(0.6):
        width, group = rng.choice(("e32", "e64")), rng.choice(("mf2", "m1", "m2", "m4"))
        rd, length = stream.writable(zero=True), rng.randrange(1, 9)
        stream.emit(f"vsetivli x{rd}, {length}, {width}, {group}, tu, mu")
    for _ in range(rng.randrange(1, 6)):
        vd, a, b, f = _vector(stream), _vector(stream), _vector(stream), f"f{rng.randrange(32)}"
        name = rng.choice(_FLOAT)
        stream.emit(
            rng.choice(
                (
                    f"{name}.vv {vd}, {a}, {b}{_mask(stream)}",
                    f"{name}.vf {vd}, {a}, {f}{_mask(stream)}",
                    f"{rng.choice(_FLOAT_ONE)} {vd}, {a}{_mask(stream)}",
                    f"{rng.choice(_FLOAT_ACCUMULATE)}.vv {vd}, {a}, {b}{_mask(stream)}",
                    f"{rng.choice(_FLOAT_ACCUMULATE)}.vf {vd}, {f}, {b}{_mask(stream)}",
                    f"{rng.choice(_FLOAT_REDUCE)}.vs {vd}, {a}, {b}{_mask(stream)}",
                    f"vfmv.f.s {f}, {a}",
                    f"vfmv.s.f {vd}, {f}",
                    f"vfmv.v.f {vd}, {f}",
                    f"vfmerge.vfm {vd}, {a}, {f}, v0",
                    f"vfslide1{rng.choice(('up', 'down'))}.vf {vd}, {a}, {f}{_mask(stream)}",
                )
            )
        )


def memory(stream: Stream) -> None:
    """Loads and stores of each addressing mode inside a page."""
    _accesses(stream, _inside(stream, stream.good_address(64, store=True)))


def _inside(stream: Stream, address: int) -> int:
    """An address in the same page, around which there is room for what a store here can touch."""
    return address - address % layout.PAGE + layout.PAGE // 2 + stream.rng.randrange(0, 256, 8)


def _accesses(stream: Stream, address: int) -> None:
    rng = stream.rng
    if stream.chance(0.6):
        configuration(stream)
    base, stride = stream.several(2)
    stream.load_immediate(base, address)
    stream.load_immediate(stride, rng.choice((0, 1, -1)))
    with stream.lock(base, stride):
        for _ in range(rng.randrange(1, 5)):
            way, bits, vector = rng.choice("ls"), rng.choice((8, 16, 32, 64)), _vector(stream)
            segment = f"seg{rng.randrange(2, 9)}" if stream.chance(0.3) else ""
            order = rng.choice("uo")
            stream.emit(
                rng.choice(
                    (
                        f"v{way}{segment}e{bits}.v {vector}, (x{base}){_mask(stream)}",
                        f"v{way}s{segment}e{bits}.v {vector}, (x{base}), x{stride}{_mask(stream)}",
                        f"v{way}{order}x{segment}ei8.v {vector}, (x{base}), {_vector(stream)}{_mask(stream)}",
                        f"vl{segment}e{bits}ff.v {vector}, (x{base}){_mask(stream)}",
                        f"v{way}m.v {vector}, (x{base})",
                        f"vl{rng.choice((1, 2, 4, 8))}re{bits}.v {vector}, (x{base})",
                        f"vs{rng.choice((1, 2, 4, 8))}r.v {vector}, (x{base})",
                    )
                )
            )


def faulting(stream: Stream) -> None:
    """Loads and stores that trap, some of them at an element in the middle: vstart tells which."""
    rng = stream.rng
    if stream.chance(0.5):
        _accesses(stream, _inside(stream, stream.bad_address()))
    else:
        configuration(stream)
        base = stream.writable()
        end = layout.DENIED if stream.chance(0.5) else stream.page(store=False).virtual + layout.PAGE
        # A fault-only-first load that begins at a later element than the first may fail an assertion of QEMU
        # 10.0 at the end of a page, and so may one whose first element crosses pages.
        stream.load_immediate(base, end - 8 * rng.randrange(1, 12))
        with stream.lock(base):
            for _ in range(rng.randrange(1, 4)):
                bits = rng.choice((8, 16, 32, 64))
                stream.emit(
                    rng.choice(
                        (
                            f"vle{bits}.v {_vector(stream)}, (x{base}){_mask(stream)}",
                            f"vlseg{rng.randrange(2, 9)}e{bits}.v {_vector(stream)}, (x{base})",
                            f"vle{bits}ff.v {_vector(stream)}, (x{base})",
                            f"vl{rng.choice((1, 2, 4, 8))}re{bits}.v {_vector(stream)}, (x{base})",
                        )
                    ),
                    f"csrr x{stream.writable()}, vstart",
                    "csrw vstart, x0",
                )
    stream.emit("csrw vstart, x0")


def control(stream: Stream) -> None:
    """The vector CSRs; an instruction that begins at another element than the first."""
    rng = stream.rng
    value = stream.writable()
    stream.load_immediate(value, rng.choice((rng.randrange(8), rng.randrange(64), rng.getrandbits(64))))
    rd = stream.writable(zero=True)
    name = rng.choice(("vstart", "vxsat", "vxrm", "vcsr"))
    stream.emit(
        rng.choice(
            (
                f"csrrw x{rd}, {name}, x{value}",
                f"csrrs x{rd}, {name}, x{value}",
                f"csrrc x{rd}, {name}, x{value}",
                f"csrrwi x{rd}, {name}, {rng.randrange(8)}",
                f"csrr x{rd}, {rng.choice(('vl', 'vtype', 'vlenb', 'vcsr'))}",
                f"csrw vl, x{value}",
            )
        )
    )
    operation(stream)
    stream.emit("csrw vstart, x0")


def switched_off(stream: Stream) -> None:
    extension_off(stream, _STATUS_VS_LOWEST, operation, "csrr x{state}, vl")


def _has_vectors(stream: Stream) -> bool:
    return bool(stream.machine.vector_bits)


FAMILIES = (
    Family("vector_configuration", configuration, 6, fits=_has_vectors),
    Family("vector_arithmetic", arithmetic, 12, fits=_has_vectors),
    Family("vector_masks", masks, 8, fits=_has_vectors),
    Family("vector_floating", floating, 8, fits=_has_vectors),
    Family("vector_memory", memory, 10, fits=_has_vectors),
    Family("vector_faulting", faulting, 8, fits=_has_vectors),
    Family("vector_control", control, 6, fits=_has_vectors),
    Family("vector_off", switched_off, 3, PRIVILEGED, fits=_has_vectors),
)
