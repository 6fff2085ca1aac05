"""What made bytes of memory: stores, changes by anything else, or what was there at the trace's start."""

import numpy as np

from tracedbg import query
from tracedbg.format.schema import ACCESS_KIND_MASK, ACCESS_KIND_SHIFT, NEVER, PAGE_SIZE, AccessKind
from tracedbg.ids import PhysicalAddress, Time, VirtualAddress
from tracedbg.provenance.maker import By, Maker
from tracedbg.provenance.place import BytesAt
from tracedbg.query import Written
from tracedbg.query.rows import Rows
from tracedbg.store.trace import Trace


def find_bytes(store: Trace, place: BytesAt, value: int | None) -> list[Maker]:
    """Return what made each part of some bytes, in order of address; ``value`` is what they held, if known.

    Where no RAM answers there is one maker: a device, or memory that takes no stores.
    """
    if not store.guest.is_ram(place.physical):
        by = By.DEVICE if _is_device(store, place) else By.READ_ONLY
        return [Maker(by, place.t, place, value)]
    return [
        _maker(store, place, piece)
        for piece in query.last_writers(store, (place.physical, place.size), place.t)
    ]


def device_name(store: Trace, place: BytesAt) -> str:
    """Return the name of the device that answers at an address."""
    return _device_at(store, place) or "device"


def _is_device(store: Trace, place: BytesAt) -> bool:
    """Say whether a device answers: the map of the machine tells, or the access at the place's t."""
    if _device_at(store, place) is not None:
        return True
    if place.t >= store.end:
        return False
    rows = query.accesses_of(store, place.t)
    kind = rows["flags"][rows["physical"] == place.physical] & ACCESS_KIND_MASK
    return bool(np.any(kind == AccessKind.DEVICE << ACCESS_KIND_SHIFT))


def _device_at(store: Trace, place: BytesAt) -> str | None:
    return next(
        (
            device.name
            for device in store.guest.devices
            if device.start <= place.physical < device.start + device.size
        ),
        None,
    )


def _maker(store: Trace, place: BytesAt, piece: Written) -> Maker:
    part = place.part(piece.physical, piece.size)
    access = piece.access
    if access is None:
        content, known = query.memory_at(store, piece.physical, piece.size, store.start)
        value = int.from_bytes(content.tobytes(), "little") if known.all() else None
        return Maker(By.START, store.start, part, value)
    by = By.CHANGE if access.cause is not None else By.INSTRUCTION
    if access.virtual is not None:
        # What was read may have been stored by another address of the same memory.
        part = BytesAt(part.physical, part.size, part.t, VirtualAddress(access.virtual + piece.skip))
    return Maker(by, access.t, part, piece.value, access=access)


def loaded(store: Trace, t: Time) -> list[tuple[BytesAt, int | None]]:
    """Return the bytes that the first load of the instruction at ``t`` brought, and their value.

    They are two stretches where the load crossed into another page, and none where it did not come to load.
    """
    rows: Rows = query.accesses_of(store, t)
    rows = rows[rows["kind"] == query.Kind.LOAD]
    if not len(rows):
        return []
    row = rows[0]
    physical, virtual, size, value = (int(row[name]) for name in ("physical", "virtual", "size", "value"))
    first = min(size, PAGE_SIZE - physical % PAGE_SIZE)
    found: list[tuple[BytesAt, int | None]] = [
        (BytesAt(PhysicalAddress(physical), first, t, VirtualAddress(virtual)), value & (1 << 8 * first) - 1)
    ]
    if first < size and row["second"] != NEVER:
        second = PhysicalAddress(int(row["second"]))
        rest = BytesAt(second, size - first, t, VirtualAddress(virtual + first))
        found.append((rest, value >> 8 * first))
    return found
