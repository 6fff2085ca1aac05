"""Which writes leave another value than they found."""

from collections.abc import Iterator

import numpy as np

from tracedbg.format.schema import PAGE_SIZE
from tracedbg.ids import Time
from tracedbg.query.accesses import Range, epochs_touching, find_in_epoch, rows_at, rows_of_epoch
from tracedbg.query.byte_places import byte_places
from tracedbg.query.memory import memory_at
from tracedbg.query.rows import Kind, Rows, Window
from tracedbg.query.written import Content
from tracedbg.store.epoch import EpochData
from tracedbg.store.source import Flags, Integers
from tracedbg.store.trace import Trace

_CELLS = 1 << 21
"""Bytes whose history is held at once."""


def iter_changing(
    trace: Trace, where: Range, *, between: tuple[Time, Time], reverse: bool = False
) -> Iterator[Rows]:
    """Yield the stores and changes that leave another value in a byte of ``where`` than they found.

    As ``iter_accesses`` does, but one array for each epoch that is looked at, even if it is empty: many
    epochs may write what is there already.
    """
    window = Window.of(trace, between)
    for index in epochs_touching(trace, where, window, Kind.WRITE, reverse):
        epoch = trace.epoch(index)
        found = _rewriting(trace, epoch, where, window)
        if found is None:
            rows = rows_of_epoch(epoch, where, window, Kind.WRITE)
            yield rows[changing(trace, where, rows)]
        else:
            yield rows_at(epoch, found)


def _rewriting(trace: Trace, epoch: EpochData, where: Range, window: Window) -> Integers | None:
    """Return the indices of the stores that change ``where``, if each store to it writes all of it.

    Those of a stack slot do, thousands in an epoch. None where it is not so simple.
    """
    start, size = where
    table = epoch.accesses
    in_ram = any(area.start <= start and start + size <= area.end for area in trace.guest.ram)
    if size > 8 or not in_ram or trace.guest.is_capture:
        return None
    if len(table.changes_touching(start, start + size)):
        return None
    found = find_in_epoch(epoch, where, window, Kind.STORE)
    physical = table.physical[found]
    end = physical + table.size[found]
    in_page = (end - np.uint64(1)) // PAGE_SIZE == physical // PAGE_SIZE
    if not np.all(in_page & (physical <= start) & (end >= start + size)):
        return None
    shift = (np.uint64(start) - physical) * np.uint64(8)
    held = (table.value[found] >> shift) & np.uint64((1 << 8 * size) - 1)
    content, known = memory_at(trace, start, size, Time(max(window.start, epoch.start)))
    before = np.uint64(int.from_bytes(content.tobytes(), "little"))
    changed = np.append(before, held)[:-1] != held
    changed[:1] |= not known.all()
    indices: Integers = found[changed]
    return indices


def changing(trace: Trace, where: Range, rows: Rows) -> Flags:
    """Return which of ``rows`` change a byte of ``where``.

    ``rows`` are all stores and changes of a byte of ``where`` in a stretch of time, as ``iter_accesses``
    yields them. Outside RAM, where a store need not be what a load brings, every one counts.
    """
    start, size = where
    if not any(area.start <= start and start + size <= area.end for area in trace.guest.ram):
        return np.ones(len(rows), np.bool_)
    if not len(rows):
        return np.empty(0, np.bool_)
    first = int(rows["t"][0])
    before = first - 1 if rows["kind"][0] == Kind.CHANGE and first > trace.start else first
    content, known = memory_at(trace, start, size, Time(before))
    found = []
    for part in _parts(rows, size):
        changed, content = _changing(part, where, content)
        found.append(changed)
    flags: Flags = np.concatenate(found)
    return flags | (not known.all())


def _parts(rows: Rows, size: int) -> Iterator[Rows]:
    step = max(_CELLS // size, 1)
    for start in range(0, len(rows), step):
        yield rows[start : start + step]


def _changing(rows: Rows, where: Range, content: Content) -> tuple[Flags, Content]:
    """Return which rows change bytes that held ``content`` before, and what they hold after."""
    start, size = where
    address = byte_places(rows["physical"], rows["second"], rows["size"])
    inside = (address >= np.uint64(start)) & (address < np.uint64(start + size))
    inside &= np.arange(8) < rows["size"][:, None]
    row, byte = np.nonzero(inside)
    offset = (address[inside] - np.uint64(start)).astype(np.int64)
    values = np.zeros((len(rows) + 1, size), np.uint8)
    values[0] = content
    values[row + 1, offset] = rows["value"].astype("<u8").view(np.uint8).reshape(-1, 8)[row, byte]
    writer = np.zeros(values.shape, np.int64)
    writer[row + 1, offset] = row + 1
    # The newest row up to each that wrote the byte; row 0 is what was there before.
    held = np.take_along_axis(values, np.maximum.accumulate(writer, axis=0), axis=0)
    changed: Flags = np.any(held[1:] != held[:-1], axis=1)
    return changed, held[-1]
