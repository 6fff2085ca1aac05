"""The bytes that an epoch wrote, or that its loads told, in order of time."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tracedbg.query.byte_places import byte_places
from tracedbg.store.epoch import EpochData
from tracedbg.store.source import Integers, Numbers

Content = NDArray[np.uint8]

_FIRST_PORTION, _GROWTH = 64, 8


def written_bytes(
    epoch: EpochData, start: int, stop: int, t: int, *, loads: bool = False
) -> tuple[Integers, Numbers, Content]:
    """Return bytes written, or told by a load, before offset ``t``, in order of time: a row for each.

    The columns are the offset of the first moment that shows the byte, its address, and its value. All bytes
    of the stores and changes with one from ``start`` to ``stop`` are returned; ``loads`` asks for those from
    RAM, too.
    """
    return _bytes(epoch, _telling(epoch, start, stop, t, loads=loads), _changed(epoch, start, stop, t))


def newest_written(epoch: EpochData, start: int, stop: int, t: int) -> Iterator[tuple[Numbers, Content]]:
    """Yield what ``written_bytes`` returns, address and value alone, in portions, the newest portion first.

    Each is in order of time.
    """
    stores, changed = _telling(epoch, start, stop, t), _changed(epoch, start, stop, t)
    last, portion = len(stores), _FIRST_PORTION if not len(changed) else len(stores)
    while last or len(changed):
        first = max(last - portion, 0)
        yield _bytes(epoch, stores[first:last], changed)[1:]
        last, portion, changed = first, portion * _GROWTH, changed[:0]


def _telling(epoch: EpochData, start: int, stop: int, t: int, *, loads: bool = False) -> Integers:
    """Return the stores with a byte from ``start`` to ``stop``, and loads that tell as much, before ``t``."""
    table = epoch.accesses
    if t <= 0:
        return np.empty(0, np.int64)
    rows = table.touching(start, stop)
    rows = rows[: int(np.searchsorted(table.t[rows], t))]
    return rows[table.tells(rows, loads=loads)]


def _changed(epoch: EpochData, start: int, stop: int, t: int) -> Integers:
    changed = epoch.accesses.changes_touching(start, stop)
    return changed[epoch.accesses.changes.t[changed] <= t]


def _bytes(epoch: EpochData, stores: Integers, changed: Integers) -> tuple[Integers, Numbers, Content]:
    """Return the bytes of these stores and changes, as ``written_bytes`` does."""
    table, changes = epoch.accesses, epoch.accesses.changes
    times = table.t[stores].astype(np.int64)
    store_address = byte_places(table.physical[stores], table.second(stores), table.size[stores])
    change_address = changes.physical[changed][:, None] + np.arange(8, dtype=np.uint64)
    size = np.concatenate([table.size[stores], np.full(len(changed), 8, np.uint8)])
    value = np.concatenate([table.value[stores], changes.value[changed]]).astype("<u8")
    # A change at t comes after the stores before t, and before those at t.
    moment = np.concatenate([2 * times + 1, 2 * changes.t[changed].astype(np.int64)])
    order = np.argsort(moment, kind="stable")
    used = np.arange(8) < size[order][:, None]
    address = np.concatenate([store_address, change_address])[order]
    shown = np.repeat((moment[order] + 1) // 2, size[order])
    return shown, address[used], value[order].view(np.uint8).reshape(-1, 8)[used]
