"""Code that is written and then run: other content, other address, over page borders."""

from . import layout
from .stream import Family, Mode, Stream

_RETURN = 0x0000_8067
SLOT = 64
_SLOTS = 8


def encode(stream: Stream) -> int:
    """An instruction that only writes a free register, as a word."""
    rng = stream.rng
    rd, rs = rng.choice([x for x in stream.machine.free if x != 1]), rng.randrange(32)
    kind = rng.random()
    if kind < 0.3:
        # auipc: tells through which address it ran.
        return rng.getrandbits(20) << 12 | rd << 7 | 0x17
    if kind < 0.8:
        operation = rng.choice((0, 2, 3, 4, 6, 7))
        return rng.getrandbits(12) << 20 | rs << 15 | operation << 12 | rd << 7 | 0x13
    return (
        rng.choice((0, 1)) << 25
        | rng.randrange(32) << 20
        | rs << 15
        | rng.randrange(8) << 12
        | rd << 7
        | 0x33
    )


def _views(stream: Stream) -> list[int]:
    """Bases under which this mode sees frame 0 of the patch area."""
    if not stream.setting.translated:
        return [layout.PATCH]
    if stream.mode == Mode.USER:
        return [layout.USER_PATCH, layout.USER_PATCH + layout.PATCH_FRAMES * layout.PAGE]
    base = layout.SUPERVISOR_PATCH
    return [layout.PATCH, base, base + layout.PATCH_FRAMES * layout.PAGE]


def _write(stream: Stream, base: int, words: list[int]) -> None:
    register = stream.writable()
    for index, word in enumerate(words):
        stream.load_immediate(register, word)
        stream.emit(f"sw x{register}, {index * 4}(x{base})")


def _usable(stream: Stream) -> bool:
    return 1 in stream.machine.free and 1 not in stream.locked


def patched(stream: Stream) -> None:
    """A function written twice and called after each writing, through one or two addresses."""
    if not _usable(stream):
        return
    rng = stream.rng
    offset = (
        rng.randrange(layout.PATCH_FRAMES) * layout.PAGE
        + stream.setting.hart * SLOT * _SLOTS
        + rng.randrange(_SLOTS) * SLOT
    )
    if stream.machine.compressed and stream.chance(0.3):
        offset += 2
    views = _views(stream)
    with stream.lock(1):
        base, target = stream.several(2)
        for _ in range(rng.randrange(1, 4)):
            with stream.lock(base, target), stream.resuming():
                stream.load_immediate(base, rng.choice(views) + offset)
                _write(stream, base, [encode(stream) for _ in range(rng.randrange(1, 6))] + [_RETURN])
                if stream.chance(0.8):
                    stream.emit("fence.i")
                stream.load_immediate(target, rng.choice(views) + offset)
                stream.emit(f"jalr x1, 0(x{target})")
                if stream.chance(0.5):
                    stream.load_immediate(target, rng.choice(views) + offset)
                    stream.emit(f"jalr x1, 0(x{target})")


def crossing(stream: Stream) -> None:
    """A four-byte instruction over the border of two pages, whose frames need not be neighbours."""
    if not _usable(stream):
        return
    base = stream.rng.choice(_views(stream))
    border = base + layout.PAGE
    if base != layout.PATCH and stream.chance(0.5):
        border = base - base % layout.SLICE + 2 * layout.PAGE
    with stream.lock(1):
        address, value, target = stream.several(3)
        word = (
            stream.rng.getrandbits(12) << 20
            | stream.rng.choice([x for x in stream.machine.free if x != 1]) << 7
        )
        word |= 0x13
        with stream.lock(address, value, target), stream.resuming():
            stream.load_immediate(address, border - 2)
            stream.load_immediate(value, word)
            stream.emit(f"sw x{value}, 0(x{address})")
            stream.load_immediate(value, _RETURN)
            stream.emit(f"sw x{value}, 4(x{address})", "fence.i")
            stream.load_immediate(target, border - 2)
            stream.emit(f"jalr x1, 0(x{target})")


def ahead(stream: Stream) -> None:
    """An instruction of the stream itself overwritten just before it is reached, with or without fence.i."""
    address, value = stream.several(2)
    label = stream.new_label()
    with stream.lock(address, value):
        stream.emit(f"lla x{address}, {label}")
        stream.load_immediate(value, encode(stream))
        stream.emit(f"sw x{value}, 0(x{address})", stream.rng.choice(("fence.i", "fence.i", "nop")))
    stream.emit(".option push", ".option norvc")
    stream.place(label)
    stream.emit(f"addi x{stream.writable()}, x0, 1", ".option pop")


FAMILIES = (
    Family("patched", patched, 5),
    Family("code_crossing", crossing, 3, fits=lambda stream: stream.machine.compressed),
    Family(
        "patched_ahead",
        ahead,
        3,
        fits=lambda stream: stream.mode != Mode.USER and stream.setting.alias == layout.STREAMS,
    ),
)
