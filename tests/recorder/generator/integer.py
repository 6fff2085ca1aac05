"""RV64I, M, Zba, Zbb, Zbc and Zbs on registers; branches, jumps, calls and bounded loops."""

from .stream import Family, Stream

_REGISTER = (
    "add sub sll slt sltu xor srl sra or and addw subw sllw srlw sraw".split(),
    "mul mulh mulhsu mulhu div divu rem remu mulw divw divuw remw remuw".split(),
    (
        "add.uw sh1add sh2add sh3add sh1add.uw sh2add.uw sh3add.uw andn orn xnor max maxu min minu "
        "rol rolw ror rorw bset bclr binv bext clmul clmulh clmulr"
    ).split(),
)
_UNARY = (
    *"clz clzw ctz ctzw cpop cpopw sext.b sext.h zext.h orc.b rev8".split(),
    *"not neg negw sext.w zext.w seqz snez".split(),
)
_IMMEDIATE = "addi slti sltiu xori ori andi addiw".split()
_SHIFT = "slli srli srai rori bseti bclri binvi bexti slli.uw".split()
_SHIFT_WORD = "slliw srliw sraiw roriw".split()
_BRANCHES = "beq bne blt bge bltu bgeu".split()


def operation(stream: Stream) -> None:
    """One instruction from registers to a register."""
    rng = stream.rng
    kind = rng.randrange(9)
    rd, rs = stream.writable(zero=True), stream.readable()
    if kind < 4:
        name = rng.choice(rng.choice(_REGISTER))
        stream.emit(f"{name} x{rd}, x{rs}, x{stream.readable()}")
    elif kind == 4:
        stream.emit(f"{rng.choice(_UNARY)} x{rd}, x{rs}")
    elif kind == 5:
        stream.emit(f"{rng.choice(_IMMEDIATE)} x{rd}, x{rs}, {rng.randrange(-2048, 2048)}")
    elif kind == 6:
        stream.emit(f"{rng.choice(_SHIFT)} x{rd}, x{rs}, {rng.randrange(64)}")
    elif kind == 7:
        stream.emit(f"{rng.choice(_SHIFT_WORD)} x{rd}, x{rs}, {rng.randrange(32)}")
    else:
        stream.emit(f"{rng.choice(('lui', 'auipc'))} x{rd}, {rng.getrandbits(20):#x}")


def arithmetic(stream: Stream) -> None:
    for _ in range(stream.rng.randrange(1, 8)):
        operation(stream)


def constants(stream: Stream) -> None:
    for _ in range(stream.rng.randrange(1, 4)):
        stream.load_immediate(stream.writable(), stream.interesting())


def division(stream: Stream) -> None:
    """Division by zero and overflow."""
    dividend, divisor = stream.several(2)
    stream.load_immediate(dividend, stream.rng.choice((1 << 63, -(1 << 31), stream.interesting())))
    stream.load_immediate(divisor, stream.rng.choice((0, -1, stream.interesting())))
    name = stream.rng.choice("div divu rem remu divw divuw remw remuw".split())
    stream.emit(f"{name} x{stream.writable(zero=True)}, x{dividend}, x{divisor}")


def reserved(stream: Stream) -> None:
    """The reserved registers are destinations too: of what leaves them as they are."""
    register = stream.machine.frame
    stream.emit(
        stream.rng.choice(
            (
                f"mv x{register}, x{register}",
                f"ori x{register}, x{register}, 0",
                f"add x{register}, x0, x{register}",
            )
        )
    )


def branch(stream: Stream) -> None:
    """A forward branch over a few instructions."""
    label = stream.new_label()
    stream.emit(f"{stream.rng.choice(_BRANCHES)} x{stream.readable()}, x{stream.readable()}, {label}")
    arithmetic(stream)
    stream.place(label)


def jump(stream: Stream) -> None:
    """A direct or indirect jump over something that is not run."""
    label = stream.new_label()
    link = stream.writable(zero=True)
    if stream.chance(0.5):
        stream.emit(f"jal x{link}, {label}")
    else:
        target = stream.writable()
        offset = stream.rng.randrange(-64, 64) * 2
        stream.emit(
            f"lla x{target}, {label}",
            f"addi x{target}, x{target}, {-offset}",
            f"jalr x{link}, {offset}(x{target})",
        )
    stream.emit(".word 0")
    stream.place(label)


def call(stream: Stream) -> None:
    """A function behind a jump, called once or twice through ra or the alternate link register."""
    link = stream.rng.choice(
        [x for x in (1, 5) if x not in stream.locked and x in stream.machine.free] or [0]
    )
    if not link:
        return
    after, function = stream.new_label(), stream.new_label()
    with stream.lock(link):
        for _ in range(stream.rng.randrange(1, 3)):
            stream.emit(f"jal x{link}, {function}")
            operation(stream)
        stream.emit(f"j {after}")
        stream.place(function)
        arithmetic(stream)
        stream.emit(f"jr x{link}")
        stream.place(after)


def table_jump(stream: Stream) -> None:
    """A jump to one of four places, chosen by a register."""
    index, base = stream.several(2)
    labels = [stream.new_label() for _ in range(4)]
    stream.emit(
        f"andi x{index}, x{stream.readable()}, 3",
        f"lla x{base}, {labels[0]}",
        f"slli x{index}, x{index}, 3",
        f"add x{base}, x{base}, x{index}",
        ".option push",
        ".option norvc",
        f"jr x{base}",
    )
    for label in labels:
        stream.place(label)
        stream.emit(f"addi x{index}, x{index}, {stream.rng.randrange(2048)}")
        stream.emit("nop")
    stream.emit(".option pop")


def loop(stream: Stream) -> None:
    """A loop with a counter, that runs other things."""
    if stream.depth:
        arithmetic(stream)
        return
    counter = stream.writable()
    label = stream.new_label()
    stream.load_immediate(counter, stream.rng.randrange(2, 12))
    stream.place(label)
    with stream.lock(counter):
        for _ in range(stream.rng.randrange(1, 4)):
            arithmetic(stream)
            branch(stream)
    stream.emit(f"addi x{counter}, x{counter}, -1", f"bnez x{counter}, {label}")


def hints(stream: Stream) -> None:
    stream.emit(
        stream.rng.choice(
            (
                "nop",
                "fence",
                "fence rw, w",
                "fence.tso",
                ".word 0x0100000f",
                "fence.i",
                f"prefetch.r 32(x{stream.readable()})",
                f"lui x0, {stream.rng.getrandbits(20)}",
                "wrs.sto",
            )
        )
    )


FAMILIES = (
    Family("arithmetic", arithmetic, 14),
    Family("constants", constants, 6),
    Family("division", division, 3),
    Family("reserved", reserved, 1),
    Family("branch", branch, 6),
    Family("jump", jump, 4),
    Family("call", call, 3),
    Family("table_jump", table_jump, 2),
    Family("loop", loop, 3),
    Family("hints", hints, 2),
)
