"""Address spaces in use: satp, entries changed with and without sfence.vma, A and D left to the hardware."""

from . import layout, memory
from .stream import SUPERVISOR_ONLY, Family, Stream
from .tables import Entry

_SPARE_BITS = int(Entry.ACCESSED | Entry.DIRTY)


def fence(stream: Stream, virtual: int | None = None) -> None:
    """sfence.vma in one of its forms; ``virtual`` limits it to a page."""
    if virtual is None:
        stream.emit("sfence.vma")
        return
    address, asid = stream.several(2)
    stream.load_immediate(address, virtual)
    stream.load_immediate(asid, stream.rng.randrange(6))
    stream.emit(
        stream.rng.choice(
            (
                f"sfence.vma x{address}",
                f"sfence.vma x{address}, x{asid}",
                "sfence.vma",
                f"sfence.vma x0, x{asid}",
                f"sfence.vma x{address}, x0",
            )
        )
    )


def switch(stream: Stream) -> None:
    """Another address space, or none; code stays where it is mapped in all of them."""
    values = [space.satp for space in stream.spaces]
    if stream.setting.alias == layout.STREAMS:
        values.append(0)
    register = stream.writable()
    for _ in range(stream.rng.randrange(1, 3)):
        value = stream.rng.choice(values)
        stream.load_immediate(register, value)
        stream.emit(f"csrrw x{stream.writable(zero=True)}, satp, x{register}")
        if stream.chance(0.4):
            fence(stream)
        base = stream.writable()
        stream.load_immediate(
            base, stream.page(store=True, user=False).virtual + 8 * stream.rng.randrange(512)
        )
        with stream.lock(base, register):
            for _ in range(stream.rng.randrange(1, 4)):
                memory.access(stream, base, 0)
    if stream.setting.space and stream.chance(0.8):
        stream.load_immediate(register, stream.setting.space.satp)
        stream.emit(f"csrw satp, x{register}")


def invalid_scheme(stream: Stream) -> None:
    """A write of satp with a reserved MODE changes nothing."""
    register = stream.writable()
    stream.load_immediate(register, stream.rng.choice((5 << 60, 15 << 60)) | stream.rng.getrandbits(20))
    stream.emit(f"csrrw x{stream.writable(zero=True)}, satp, x{register}")


def _touch(stream: Stream, base: int, count: int) -> None:
    for _ in range(count):
        memory.access(stream, base, stream.rng.randrange(-1, 64) * 8)


def change_entry(stream: Stream) -> None:
    """Rights or frame of a page changed: the old entry may live on in the TLB until sfence.vma."""
    space = stream.setting.space
    if space is None:
        return
    page = stream.rng.choice(space.pages)
    base, entry, value = stream.several(3)
    stream.load_immediate(base, page.virtual + 8)
    with stream.lock(base, entry, value):
        _touch(stream, base, stream.rng.randrange(3))
        stream.load_immediate(entry, page.entry_address)
        frame = layout.DATA + stream.rng.randrange(layout.DATA_FRAMES) * layout.PAGE
        stream.load_immediate(
            value,
            stream.rng.choice(
                (
                    0,
                    page.entry ^ Entry.WRITE,
                    page.entry ^ Entry.USER,
                    page.entry & ~_SPARE_BITS,
                    page.entry ^ Entry.READ,
                    frame >> 2 | page.entry & 0x3FF,
                    frame >> 2 | 0xC7,
                    layout.ABSENT >> 2 | 0xC7,
                )
            ),
        )
        stream.emit(f"sd x{value}, 0(x{entry})")
        if stream.chance(0.5):
            _touch(stream, base, 1)
        if stream.chance(0.7):
            fence(stream, page.virtual if stream.chance(0.7) else None)
        _touch(stream, base, 2)
        stream.load_immediate(value, page.physical >> 2 | page.entry)
        stream.emit(f"sd x{value}, 0(x{entry})")
        if stream.chance(0.6):
            fence(stream)


def hardware_bits(stream: Stream) -> None:
    """A and D cleared, then set by the walk for a load or a store, then read back."""
    space = stream.setting.space
    if space is None:
        return
    page = stream.page(store=True)
    base, entry, mask = stream.several(3)
    stream.load_immediate(base, page.virtual + 8 * stream.rng.randrange(500))
    stream.load_immediate(entry, page.entry_address)
    stream.load_immediate(mask, ~stream.rng.choice((_SPARE_BITS, int(Entry.DIRTY), int(Entry.ACCESSED))))
    with stream.lock(base, entry, mask):
        stream.emit(f"amoand.d x{stream.writable(zero=True)}, x{mask}, (x{entry})")
        if stream.chance(0.9):
            fence(stream, page.virtual)
        memory.access(stream, base, 0, store=False)
        stream.emit(f"ld x{stream.writable()}, 0(x{entry})")
        if stream.chance(0.7):
            memory.access(stream, base, 8, store=True)
        stream.emit(f"ld x{stream.writable()}, 0(x{entry})")


def fetch_bits(stream: Stream) -> None:
    """A cleared in the entry of a page that is then run."""
    space = stream.setting.space
    if space is None or 1 in stream.locked:
        return
    virtual = layout.SUPERVISOR_PATCH + stream.rng.randrange(layout.PATCH_ALIAS_PAGES) * layout.PAGE
    target, entry, mask = (x for x in stream.several(4)[:3])
    if 1 in (target, entry, mask):
        return
    stream.load_immediate(entry, space.patch_entries[virtual])
    stream.load_immediate(mask, ~int(Entry.ACCESSED) if stream.chance(0.8) else ~int(Entry.VALID))
    stream.load_immediate(target, virtual + 0xE00)
    with stream.lock(target, entry, mask), stream.resuming():
        stream.emit(f"amoand.d x0, x{mask}, (x{entry})")
        fence(stream, virtual)
        stream.emit(f"jalr x1, 0(x{target})", f"ld x{stream.writable()}, 0(x{entry})")
    stream.load_immediate(mask, int(Entry.ACCESSED | Entry.VALID))
    stream.emit(f"amoor.d x0, x{mask}, (x{entry})")


FAMILIES = (
    Family("satp_switch", switch, 6, SUPERVISOR_ONLY),
    Family("satp_invalid", invalid_scheme, 1, SUPERVISOR_ONLY),
    Family("entry_changed", change_entry, 7, SUPERVISOR_ONLY, lambda stream: stream.setting.translated),
    Family("hardware_bits", hardware_bits, 7, SUPERVISOR_ONLY, lambda stream: stream.setting.translated),
    Family("fetch_bits", fetch_bits, 4, SUPERVISOR_ONLY, lambda stream: stream.setting.translated),
)
