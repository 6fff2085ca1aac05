"""The bytes that an epoch wrote, or that its loads told, in order of time."""

import numpy as np
from numpy.typing import NDArray

from tracedbg.query.byte_places import byte_places
from tracedbg.store.epoch import EpochData
from tracedbg.store.source import Integers, Numbers

Content = NDArray[np.uint8]


def written_bytes(epoch: EpochData, start: int, stop: int, t: int) -> tuple[Integers, Numbers, Content]:
    """Return bytes written, or told by a load, before offset ``t``, in order of time: a row for each.

    The columns are the offset of the first moment that shows the byte, its address, and its value. All bytes
    of the stores and changes with one from ``start`` to ``stop`` are returned.
    """
    table, changes = epoch.accesses, epoch.accesses.changes
    stores, times = np.empty(0, np.int64), np.empty(0, np.int64)
    if t > 0:
        stores = table.touching(start, stop)
        stores = stores[(table.t[stores] < t) & table.tells[stores]]
        times = table.t[stores].astype(np.int64)
    changed = epoch.accesses.changes_touching(start, stop)
    changed = changed[changes.t[changed] <= t]
    store_address = byte_places(table.physical[stores], table.second[stores], table.size[stores])
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
