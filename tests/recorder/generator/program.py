"""A whole random guest: machine, address spaces, segments for each hart, and the text of them all."""

from pathlib import Path
from random import Random

from . import (
    atomics,
    compressed,
    csr,
    floating,
    harts,
    integer,
    interrupts,
    layout,
    memory,
    mmio,
    paging,
    selfmodify,
    semihosting,
    traps,
    vectors,
)
from .build import Program
from .machine import HANDLER_REGISTERS, Machine, choose_machine
from .stream import Family, Mode, Setting, Stream
from .tables import AddressSpace, Scheme, Tables, build_space

FAMILIES: tuple[Family, ...] = (
    *integer.FAMILIES,
    *memory.FAMILIES,
    *compressed.FAMILIES,
    *atomics.FAMILIES,
    *floating.FAMILIES,
    *csr.FAMILIES,
    *traps.FAMILIES,
    *interrupts.FAMILIES,
    *paging.FAMILIES,
    *mmio.FAMILIES,
    *selfmodify.FAMILIES,
    *semihosting.FAMILIES,
    *harts.FAMILIES,
    *vectors.FAMILIES,
)
STEP_PREFIX = "step"
SEGMENTS = 10
STEPS = 45
_RUNTIME = tuple(
    Path(__file__).with_name("runtime") / name
    for name in ("vectors.S", "machine.S", "supervisor.S", "driver.S")
)
_SEGMENT_WORDS = 10
_STATUS_VS_SHIFT = 9
_DELEGABLE = 0xB3FF & ~(1 << 9)
_ALL_INTERRUPTS = 0xAAA
_TRAP_RETURN = 1 << 22
"""mstatus.TSR: sret is illegal in S-mode, and only M-mode can allow it."""


def generate(seed: int, harts: int = 1, size: int = SEGMENTS, vector_bits: int = 0) -> Program:
    """The guest of a seed: ``size`` segments of random steps on each hart, with vectors of so many bits."""
    rng = Random(f"{seed} {harts} {size}")
    machine = choose_machine(rng, harts, vector_bits)
    tables = Tables()
    spaces = [
        build_space(tables, rng, scheme, asid)
        for asid, scheme in enumerate((Scheme.SV39, Scheme.SV39, Scheme.SV48, Scheme.SV57), start=1)
    ]
    text: list[str] = ['.section .text.streams, "ax"', ".option norelax"]
    lists: list[str] = ['.section .data.runtime, "aw"', ".balign 8", "segment_lists:"]
    lists += [f"  .dword segments_{hart}" for hart in range(harts)]
    for hart in range(harts):
        lists.append(f"segments_{hart}:")
        for index in range(size):
            reset = machine.reset and hart == 0 and index == size // 2
            setting, words = choose_setting(rng, spaces, hart, plain=reset)
            if vector_bits:
                words[0] |= rng.choice((1, 2, 3)) << _STATUS_VS_SHIFT
            name = f"{hart}_{index}"
            stream = Stream(rng, machine, setting, spaces, name)
            if reset:
                _reset_once(stream)
            _fill(stream)
            text += [".balign 4", f"segment_{name}:", *stream.lines]
            lists.append(
                f"  .dword segment_{name} + {setting.alias - layout.STREAMS:#x}, "
                + ", ".join(f"{word:#x}" for word in words)
            )
        lists.append(f"  .zero {8 * _SEGMENT_WORDS}")
    lists += ["random_words:", *(f"  .dword {rng.getrandbits(64):#x}" for _ in range(32))]
    source = "\n".join(
        [
            _definitions(machine),
            *(path.read_text() for path in _RUNTIME),
            *text,
            *lists,
            _data(rng),
            tables.assembly(),
        ]
    )
    return Program(
        name=f"random_{seed}_{harts}",
        source=source + "\n",
        march=machine.march,
        harts=harts,
        cpu=machine.cpu,
        qemu_args=("-semihosting-config", "enable=on,target=native") if machine.semihosting else (),
        files={semihosting.HOST_FILE: bytes(rng.choice(b"abcdefgh \n") for _ in range(300))},
    )


def choose_setting(
    rng: Random, spaces: list[AddressSpace], hart: int, *, plain: bool
) -> tuple[Setting, list[int]]:
    """Circumstances of a segment, and the words of its entry in the driver's list behind its address."""
    mode = Mode.MACHINE if plain else rng.choice(list(Mode))
    space = None if rng.random() < 0.25 else rng.choice(spaces)
    hardware_dirty = rng.random() < 0.85
    alias = layout.STREAMS
    if space is not None and mode != Mode.MACHINE and (mode == Mode.USER or rng.random() < 0.5):
        alias = layout.USER_CODE if mode == Mode.USER else layout.SUPERVISOR_CODE
        hardware_dirty = True
    delegation = rng.choice((0, rng.getrandbits(16) & _DELEGABLE, _DELEGABLE))
    if rng.random() < 0.2:
        delegation = (delegation | 1 << 9) & ~(1 << 2)
    interrupts_delegated = rng.choice((0, 0x222, 0x222, 2))
    stimecmp = rng.random() < 0.5
    status = mode << 11 | rng.choice((0, 1, 1)) << 7 | rng.choice((0, 1)) << 1 | rng.choice((1, 2, 3)) << 13
    if rng.random() < 0.3:
        status |= rng.choice((1 << 18, 1 << 19, 1 << 20, 1 << 21, 1 << 22, 1 << 20 | 1 << 22))
    if status & _TRAP_RETURN:
        delegation &= ~(1 << 2)
    enable = _ALL_INTERRUPTS if rng.random() < 0.8 else 0x888
    words = [
        status,
        space.satp if space else 0,
        delegation,
        interrupts_delegated,
        rng.choice((*layout.MACHINE_DIRECT, *(address | 1 for address in layout.MACHINE_VECTORED))),
        rng.choice((*layout.SUPERVISOR_DIRECT, *(address | 1 for address in layout.SUPERVISOR_VECTORED))),
        0xF0 * (rng.random() < 0.8) | hardware_dirty << 61 | stimecmp << 63,
        enable,
        rng.choice((0, 0, 200, 1000)),
    ]
    return Setting(
        mode, hart, space, alias, delegation, interrupts_delegated, hardware_dirty, stimecmp
    ), words


def _fill(stream: Stream) -> None:
    families = [family for family in FAMILIES if stream.mode in family.modes and family.fits(stream)]
    weights = [family.weight for family in families]
    for index in range(STEPS):
        family = stream.rng.choices(families, weights)[0]
        stream.place(f"{STEP_PREFIX}.{family.name}.{stream.name}.{index}")
        family.emit(stream)
    stream.load_immediate(17, layout.NEXT_SEGMENT)
    stream.emit(".option push", ".option norvc", "ecall", "ecall", ".option pop")


def _reset_once(stream: Stream) -> None:
    """Ask the test finisher for a reset, unless memory that outlives one says that it has been."""
    label = stream.new_label()
    base, value = stream.several(2)
    stream.place(f"{STEP_PREFIX}.reset.{stream.name}.0")
    stream.load_immediate(base, layout.SURVIVOR_RESETS)
    stream.emit(
        f"ld x{value}, 0(x{base})",
        f"bnez x{value}, {label}",
        "csrw mie, x0",
        f"li x{value}, 1",
        f"sd x{value}, 0(x{base})",
    )
    stream.load_immediate(base, layout.FINISHER)
    stream.load_immediate(value, 0x7777)
    stream.emit(f"sw x{value}, 0(x{base})", "wfi", "j . - 4")
    stream.place(label)


def _definitions(machine: Machine) -> str:
    numbers = {
        "HARTS": machine.harts,
        "COMPRESSED": int(machine.compressed),
        "NESTED": int(machine.nested),
        "PROTECTED": int(machine.protected),
        "FRAME": layout.FRAME_SIZE,
        "GLOBALS": layout.GLOBALS,
        "HART_AREAS": layout.HART_AREAS,
        "HART_AREA_SIZE": layout.HART_AREA_SIZE,
        "STREAMS": layout.STREAMS,
        "CODE_COPY": layout.CODE_COPY,
        "CODE_COPY_FRAMES": layout.CODE_COPY_FRAMES,
        "MTIME": layout.MTIME,
        "CLINT": layout.CLINT,
        "PLIC": layout.PLIC,
        "FINISHER": layout.FINISHER,
        "NEXT_SEGMENT": layout.NEXT_SEGMENT,
        "DENIED_PMP": layout.DENIED >> 2 | 0x1FF,
        "TRAP_BUDGET": 6000,
        "TIMER_BUDGET": 60,
        "DEADLINE_TICKS": 600_000_000,
    }
    others = [x for x in machine.saved if x not in HANDLER_REGISTERS]
    texts = {
        "TP": f"x{machine.frame}",
        "RS": f"x{machine.resume}",
        "SAVE_EXTRA": "; ".join(f"sd x{x}, {8 * x}(TP)" for x in others),
        "RESTORE_EXTRA": "; ".join(f"ld x{x}, {8 * x}(TP)" for x in others),
        "FLOATS": "; ".join(f"fld f{f}, {8 * f}(t2)" for f in range(32)),
    }
    return "\n".join(
        [f"#define {name} {value:#x}" for name, value in numbers.items()]
        + [f"#define {name} {value}" for name, value in texts.items()]
    )


def _data(rng: Random) -> str:
    """Random bytes in the shared data frames, and functions that only return in the patch area."""
    lines = ['.section .data.shared, "aw"']
    for _ in range(layout.DATA_FRAMES):
        words = [rng.choice((rng.getrandbits(64), rng.getrandbits(32), 0)) for _ in range(16)]
        lines.append(".rept 32\n  .dword " + ", ".join(f"{word:#x}" for word in words) + "\n.endr")
    lines += ['.section .patch, "awx"', f".rept {layout.PATCH_FRAMES * 1024}", "  .word 0x8067", ".endr"]
    return "\n".join(lines)
