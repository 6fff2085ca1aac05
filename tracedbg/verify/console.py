"""Console bytes, compared with the stores to UARTs."""

from collections.abc import Iterable

import numpy as np

from tracedbg.format.columns import PackedMessage
from tracedbg.format.schema import ACCESS_KIND_MASK, ACCESS_KIND_SHIFT, ACCESS_STORE, AccessKind
from tracedbg.verify.accesses import physical_addresses
from tracedbg.verify.guest import GuestFacts
from tracedbg.verify.messages import Columns, EpochMessages, Words
from tracedbg.verify.report import Report

_DEVICE_STORE = ACCESS_STORE | AccessKind.DEVICE << ACCESS_KIND_SHIFT
_CONTROL = 3
_LATCH = 0x80


class ConsoleCheck:
    """A byte stored to a UART's data register is on the console, unless the divisor latch was in its place.

    16550 data sheet, "Line control register": bit 7 tells. Where nothing is known of it, before it is first
    stored to in a trace that does not begin with the guest, bytes are taken as they are listed.
    """

    def __init__(self, guest: GuestFacts, messages: Iterable[PackedMessage], report: Report) -> None:
        """Take in all ``console`` messages; raises Malformed."""
        parts = [Columns(message) for message in messages]
        for columns in parts:
            columns.require_equal("t", "byte")
        self._t = np.concatenate([np.empty(0, np.uint64), *(columns["t"] for columns in parts)])
        self._byte = np.concatenate([np.empty(0, np.uint8), *(columns["byte"] for columns in parts)])
        self._latched: dict[int, bool | None] = dict.fromkeys(guest.uarts, None)
        self._report = report
        self._begins = not guest.is_capture
        self._next = 0

    def check(self, messages: EpochMessages) -> None:
        """Compare the bytes of one epoch."""
        if messages.first == 0 and self._begins:
            self._latched = dict.fromkeys(self._latched, False)
        end = messages.first + messages.length
        stop = int(np.searchsorted(self._t, np.uint64(end)))
        listed = self._t[self._next : stop], self._byte[self._next : stop]
        self._next = stop
        stored, certain = self._stored(messages)
        expected = stored[certain]
        given = _pairs(*listed)
        missing = np.setdiff1d(expected, given)
        foreign = np.setdiff1d(given, stored)
        surplus = abs(len(given) - len(expected)) if certain.all() else 0
        wrong = max(len(missing), len(foreign), surplus)
        if wrong:
            first = np.concatenate([missing, foreign, given])[0]
            problem = f"t {int(first) >> 8}: a byte is not what the UART was given"
            self._report.differ("console", wrong, problem)

    def forget(self) -> None:
        """The guest ran unseen, and may have told the UARTs anything."""
        self._latched = dict.fromkeys(self._latched, None)

    def end(self) -> None:
        """Say so when bytes are left over after the last epoch."""
        left = len(self._t) - self._next
        self._report.differ("console", left, f"{left} bytes are of no epoch, or not in order of t")

    def _stored(self, messages: EpochMessages) -> tuple[Words, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
        """Return what was stored to data registers, and of which it is certain that it was printed."""
        accesses = messages.accesses
        rows = np.flatnonzero((accesses["flags"] & (ACCESS_STORE | ACCESS_KIND_MASK)) == _DEVICE_STORE)
        physical, values = physical_addresses(accesses)[rows], accesses["value"][rows]
        found, certain = [np.empty(0, np.int64)], [np.empty(0, np.bool_)]
        for uart, before in self._latched.items():
            control = np.flatnonzero(physical == np.uint64(uart + _CONTROL))
            states = [before, *((values[control] & np.uint64(_LATCH)) != 0).tolist()]
            data = np.flatnonzero(physical == np.uint64(uart))
            state = np.searchsorted(control, data)
            possible = np.array([latch is not True for latch in states])[state]
            found.append(data[possible])
            certain.append(np.array([latch is False for latch in states])[state][possible])
            self._latched[uart] = states[-1]
        at = np.concatenate(found)
        times = accesses["t"][rows[at]].astype(np.uint64) + np.uint64(messages.first)
        return _pairs(times, values[at].astype(np.uint8)), np.concatenate(certain)


def _pairs(times: Words, values: np.ndarray[tuple[int], np.dtype[np.uint8]]) -> Words:
    """Return time and byte as one number each; an instruction stores one byte."""
    pairs: Words = times << np.uint64(8) | values
    return pairs
