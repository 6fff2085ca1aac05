"""Loads and stores of integers: aligned, misaligned, over page borders, faulting; cache-block operations."""

from . import layout
from .stream import Family, Mode, Stream

_SIZES = {"b": 1, "h": 2, "w": 4, "d": 8}
_LOADS = ("lb", "lbu", "lh", "lhu", "lw", "lwu", "ld")
_STORES = ("sb", "sh", "sw", "sd")


def access(stream: Stream, base: int, offset: int, *, store: bool | None = None) -> None:
    """One load or store at ``offset`` from a register."""
    if stream.chance(0.5) if store is None else store:
        stream.emit(f"{stream.rng.choice(_STORES)} x{stream.readable()}, {offset}(x{base})")
    else:
        stream.emit(f"{stream.rng.choice(_LOADS)} x{stream.writable(zero=True)}, {offset}(x{base})")


def aligned(stream: Stream) -> None:
    """Several accesses near one address."""
    base = stream.writable()
    stream.load_immediate(base, stream.good_address(64, store=True))
    with stream.lock(base):
        for _ in range(stream.rng.randrange(1, 7)):
            access(stream, base, stream.rng.randrange(8) * 8)


def misaligned(stream: Stream) -> None:
    base = stream.writable()
    stream.load_immediate(base, stream.good_address(32, store=True, aligned=False))
    with stream.lock(base):
        for _ in range(stream.rng.randrange(1, 4)):
            access(stream, base, stream.rng.randrange(16))


def own_base(stream: Stream) -> None:
    """A load that overwrites its own address register."""
    base = stream.scratch(8, store=False)
    stream.emit(f"{stream.rng.choice(_LOADS)} x{base}, 0(x{base})")


def page_crossing(stream: Stream) -> None:
    """Accesses over the border of two pages, whose frames are seldom neighbours; some fault in one."""
    base = stream.writable()
    if stream.setting.translated:
        border = layout.DATA_WINDOW + stream.rng.randrange(1, layout.DATA_WINDOW_PAGES) * layout.PAGE
        if stream.chance(0.6):
            border = stream.page(store=True).virtual + layout.PAGE
    else:
        border = layout.DATA + stream.rng.randrange(1, layout.DATA_FRAMES) * layout.PAGE
    stream.load_immediate(base, border)
    with stream.lock(base):
        for _ in range(stream.rng.randrange(1, 5)):
            name = stream.rng.choice(("lh", "lhu", "lw", "lwu", "ld", "sh", "sw", "sd", "ld", "sd"))
            size = _SIZES[name[1]]
            register = stream.readable() if name[0] == "s" else stream.writable(zero=True)
            stream.emit(f"{name} x{register}, {-stream.rng.randrange(1, size)}(x{base})")
            stream.emit("nop")


def faulting(stream: Stream) -> None:
    """Accesses that mostly trap, between instructions that do not."""
    base = stream.writable()
    stream.load_immediate(base, stream.bad_address())
    with stream.lock(base):
        for _ in range(stream.rng.randrange(1, 4)):
            access(stream, base, stream.rng.randrange(-8, 8) * stream.rng.choice((1, 8)))
            stream.emit(f"addi x{stream.writable()}, x{stream.readable()}, 1")


def copying(stream: Stream) -> None:
    """A loop that copies words from one page to another."""
    if stream.depth:
        aligned(stream)
        return
    source, target, count, word = stream.several(4)
    stream.load_immediate(source, stream.good_address(1024, store=False))
    stream.load_immediate(target, stream.good_address(1024, store=True))
    stream.load_immediate(count, stream.rng.randrange(4, 24))
    label = stream.new_label()
    stream.place(label)
    stream.emit(
        f"ld x{word}, 0(x{source})",
        f"addi x{word}, x{word}, 1",
        f"sd x{word}, 0(x{target})",
        f"addi x{source}, x{source}, 8",
        f"addi x{target}, x{target}, 8",
        f"addi x{count}, x{count}, -1",
        f"bnez x{count}, {label}",
    )


def cache_block(stream: Stream) -> None:
    """cbo.zero writes a whole block; the others change nothing. U-mode may lack the right."""
    base = stream.scratch(1, store=True)
    for _ in range(stream.rng.randrange(1, 3)):
        name = stream.rng.choice(("cbo.zero", "cbo.zero", "cbo.clean", "cbo.flush", "cbo.inval"))
        stream.emit(f"{name} (x{base})")


def supervisor_user_memory(stream: Stream) -> None:
    """SUM and MXR: S-mode on pages of U-mode and on pages that may only be executed."""
    space = stream.setting.space
    if space is None:
        return
    page = stream.rng.choice(space.pages[: layout.DATA_WINDOW_PAGES])
    bits = stream.rng.choice((1 << 18, 1 << 19, 3 << 18))
    base, mask = stream.several(2)
    stream.load_immediate(base, page.virtual + stream.rng.randrange(0, layout.PAGE, 8))
    stream.load_immediate(mask, bits)
    with stream.lock(base, mask):
        stream.emit(f"csrs sstatus, x{mask}")
        access(stream, base, 0)
        access(stream, base, 0)
        stream.emit(f"csrc sstatus, x{mask}")
        access(stream, base, 0)


FAMILIES = (
    Family("aligned", aligned, 10),
    Family("misaligned", misaligned, 5),
    Family("own_base", own_base, 2),
    Family("page_crossing", page_crossing, 5),
    Family("faulting", faulting, 4),
    Family("copying", copying, 2),
    Family("cache_block", cache_block, 3),
    Family("supervisor_user_memory", supervisor_user_memory, 5, frozenset({Mode.SUPERVISOR})),
)
