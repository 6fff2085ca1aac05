"""Which stores of single steps print a byte on a UART."""

from collections.abc import Callable, Sequence

from tracedbg.arch.memory_map import MemoryRange, uart_addresses
from tracedbg.format.schema import AccessKind
from tracedbg.gdb.capture.access import Access

_LINE_CONTROL = 3
_DIVISOR_LATCH = 0x80

ReadByte = Callable[[int], int | None]


class Printing:
    """Follows the UARTs while what the guest does is seen.

    While bit 7 of the line-control register is set, what is stored at the data register's address is not
    printed (16550 data sheet, "Line control register"). Before the guest has stored to it, it is read, which
    changes nothing in the device.
    """

    def __init__(self, areas: Sequence[MemoryRange], read: ReadByte) -> None:
        self._uarts = uart_addresses(areas)
        self._read = read
        self._latched: dict[int, bool] = {}

    def forget(self) -> None:
        """The guest runs unseen."""
        self._latched.clear()

    def byte(self, access: Access) -> int | None:
        """Return what an access prints, None for nothing, or where that is not certain."""
        if not access.is_store or access.kind is not AccessKind.DEVICE:
            return None
        if access.physical - _LINE_CONTROL in self._uarts:
            self._latched[access.physical - _LINE_CONTROL] = bool(access.value & _DIVISOR_LATCH)
        if access.physical not in self._uarts:
            return None
        if access.physical not in self._latched:
            control = self._read(access.physical + _LINE_CONTROL)
            if control is None:
                return None
            self._latched[access.physical] = bool(control & _DIVISOR_LATCH)
        return None if self._latched[access.physical] else access.value & 0xFF
