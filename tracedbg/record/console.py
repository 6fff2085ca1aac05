"""What the guest prints: bytes that it stores to the data register of a 16550 or a like UART."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tracedbg.format.columns import AnyArray
from tracedbg.format.schema import ACCESS_KIND_MASK, ACCESS_KIND_SHIFT, ACCESS_STORE, AccessKind

Columns = Mapping[str, AnyArray]

_DEVICE_STORE = ACCESS_STORE | AccessKind.DEVICE << ACCESS_KIND_SHIFT
_LINE_CONTROL = 3
_DIVISOR_LATCH = 0x80


class ConsoleReader:
    """Finds console bytes epoch by epoch; ``uarts`` are the physical addresses of data registers.

    While bit 7 of the line-control register (offset 3) is set, the data register's address is that of the
    divisor latch (16550 data sheet, "Line control register"), and what is stored there is not printed.
    """

    def __init__(self, uarts: Sequence[int]) -> None:
        self._latched = dict.fromkeys(uarts, False)

    def read(self, accesses: Columns, first_t: int) -> dict[str, AnyArray] | None:
        """Return the columns of a ``console`` message of an epoch, None when nothing was printed."""
        rows = np.flatnonzero((accesses["flags"] & (ACCESS_STORE | ACCESS_KIND_MASK)) == _DEVICE_STORE)
        if not len(rows) or not self._latched:
            return None
        physical, values = physical_addresses(accesses, rows), accesses["value"][rows]
        printed = np.zeros(len(rows), bool)
        for uart in self._latched:
            printed |= self._printed(uart, physical, values)
        rows = rows[printed]
        if not len(rows):
            return None
        times = accesses["t"][rows].astype("<u8") + np.uint64(first_t)
        return {"t": times, "byte": accesses["value"][rows].astype("u1")}

    def _printed(self, uart: int, physical: AnyArray, values: AnyArray) -> NDArray[np.bool_]:
        """Return which of an epoch's stores to devices print on one UART."""
        control = np.flatnonzero(physical == np.uint64(uart + _LINE_CONTROL))
        latched = np.append(self._latched[uart], (values[control] & np.uint64(_DIVISOR_LATCH)) != 0)
        stores = np.flatnonzero(physical == np.uint64(uart))
        printed = np.zeros(len(physical), bool)
        printed[stores] = ~latched[np.searchsorted(control, stores)]
        self._latched[uart] = bool(latched[-1])
        return printed


def physical_addresses(accesses: Columns, rows: NDArray[np.intp]) -> AnyArray:
    """Return the physical addresses of some of an epoch's accesses."""
    starts = accesses["mapping.access"]
    deltas = np.concatenate([np.zeros(1, "<u8"), accesses["mapping.delta"]])
    found: AnyArray = accesses["virtual"][rows] + deltas[np.searchsorted(starts, rows, "right")]
    return found
