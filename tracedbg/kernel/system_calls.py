"""System calls: calls of the kernel by user mode, each with its return where there was one."""

from dataclasses import dataclass

import numpy as np

from tracedbg.arch import AddressSpace
from tracedbg.ids import Hart, Time, VirtualAddress
from tracedbg.kernel.call_pairs import UNPAIRED, paired_by_stages
from tracedbg.kernel.register_values import register_values
from tracedbg.kernel.trace_index import TraceIndex
from tracedbg.kernel.user_returns import user_returns
from tracedbg.query.rows import Rows
from tracedbg.store.source import Flags, Numbers

CALL = np.dtype(
    [
        ("t", "<i8"), ("last", "<i8"), ("hart", "<u2"), ("epc", "<u8"), ("number", "<u8"),
        ("number_known", "?"), ("space", "<u8"), ("space_known", "?"), ("returned", "<i8"),
        ("returned_hart", "<u2"), ("result", "<u8"), ("result_known", "?"),
    ]
)  # fmt: skip
"""A call: ``t`` is the handler's first instruction and ``last`` the calling one (-1 where it is not known),
``space`` the address space register then. ``returned`` is the moment at which its caller goes on in user
mode, -1 where it never did or that is not known."""


@dataclass(frozen=True)
class SystemCall:
    """One row of CALL with its raw arguments; what is not known is None.

    ``duration`` counts the instructions of all harts from the handler's first to the return.
    """

    t: Time
    hart: Hart
    epc: VirtualAddress
    number: int | None
    arguments: tuple[int | None, ...]
    space: AddressSpace | None
    returned: Time | None
    returned_hart: Hart | None
    result: int | None

    @property
    def duration(self) -> int | None:
        """Instructions that started until the call returned."""
        return None if self.returned is None else self.returned - self.t


class SystemCalls:
    """The calls of a whole trace, as CALL ``rows`` in order of t; immutable.

    A return to user mode belongs to the last call from the same address space with the same stack pointer
    that it goes on right behind of, so that it may come on another hart and much later. What the kernel keeps
    in its scratch register tells apart what shares all these, such as a child in its parent's memory.
    """

    def __init__(self, index: TraceIndex) -> None:
        self._index = index
        self._convention = index.arch.user_calls
        traps = index.traps
        chosen = (traps["source"] == 0) & (traps["cause"] == self._convention.cause)
        self.rows = self._begun(traps[chosen])
        self._put_returns()

    def __len__(self) -> int:
        return len(self.rows)

    def _begun(self, traps: Rows) -> Rows:
        rows = np.zeros(len(traps), CALL)
        for name in ("t", "last", "hart", "epc"):
            rows[name] = traps[name]
        rows["returned"] = -1
        numbers = register_values(self._index, self._convention.number, rows["hart"], rows["t"])
        rows["number"], rows["number_known"] = numbers
        spaces = register_values(self._index, self._index.space_name, rows["hart"], rows["t"])
        rows["space"], rows["space_known"] = spaces
        return rows

    def _put_returns(self) -> None:
        """Put in where calls returned and with what, in place."""
        if not len(self.rows):
            return
        behind = self.rows["epc"] + np.uint64(self._convention.length)
        returns = user_returns(self._index)
        returns = returns[np.isin(returns["pc"], behind)]
        own, usable = self._key(self.rows, behind)
        other, others_usable = self._key(returns, returns["pc"])
        pairs = paired_by_stages((self.rows["t"], own), (returns["t"], other), (usable, others_usable))
        has_returned = np.flatnonzero(pairs != UNPAIRED)
        found = returns[pairs[has_returned]]
        self.rows["returned"][has_returned] = found["t"]
        self.rows["returned_hart"][has_returned] = found["hart"]
        order = np.argsort(found["t"], kind="stable")
        result = register_values(
            self._index, self._convention.result, found["hart"][order], found["t"][order]
        )
        for name, values in zip(("result", "result_known"), result, strict=True):
            self.rows[name][has_returned[order]] = values

    def _key(self, rows: Rows, pc: Numbers) -> tuple[list[Numbers], Flags]:
        """Return pc, stack pointer, address space and scratch register; and whether the others are known."""
        names = (self._index.sp_name, self._index.space_name, self._index.arch.scratch_register)
        values, known = zip(
            *(register_values(self._index, name, rows["hart"], rows["t"]) for name in names), strict=True
        )
        return [pc, *values], known[0] & known[1]

    def arguments(self, chosen: Rows) -> tuple[Numbers, Flags]:
        """Return the raw arguments of CALL rows in order of t, a row for each, and which are known."""
        columns = [
            register_values(self._index, name, chosen["hart"], chosen["t"])
            for name in self._convention.arguments
        ]
        values, known = zip(*columns, strict=True)
        return np.stack(values, axis=1), np.stack(known, axis=1)

    def call(self, row: int) -> SystemCall:
        """Return the call of a row, by its index."""
        found = self.rows[row]
        values, known = self.arguments(self.rows[row : row + 1])
        returned = None if found["returned"] < 0 else Time(int(found["returned"]))
        space = self._index.arch.address_space_of(int(found["space"])) if found["space_known"] else None
        return SystemCall(
            t=Time(int(found["t"])),
            hart=Hart(int(found["hart"])),
            epc=VirtualAddress(int(found["epc"])),
            number=int(found["number"]) if found["number_known"] else None,
            arguments=tuple(
                int(value) if sure else None for value, sure in zip(values[0], known[0], strict=True)
            ),
            space=space,
            returned=returned,
            returned_hart=None if returned is None else Hart(int(found["returned_hart"])),
            result=int(found["result"]) if found["result_known"] else None,
        )

    def find_at(self, t: Time, hart: Hart) -> int | None:
        """Return the row of the call whose handler's first instruction is at ``t`` on a hart."""
        low, high = np.searchsorted(self.rows["t"], [t, t + 1])
        own = np.flatnonzero(self.rows["hart"][low:high] == hart)
        return int(low + own[0]) if len(own) else None
