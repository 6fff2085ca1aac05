"""What the futex calls of a riscv64 guest were given as timeouts, out of its trace."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tracedbg.ids import Time
from tracedbg.state import Trace

ECALL_FROM_USER = 8
SYS_FUTEX = 98
NANOSECONDS = 1_000_000_000


@dataclass(frozen=True)
class Timeout:
    """A timespec at the moment of its call, and the instruction that wrote it last."""

    t: Time
    physical: int
    seconds: int
    nanoseconds: int
    written_at: Time
    written_by: str
    written_with_privilege: int

    @property
    def is_plausible(self) -> bool:
        return self.nanoseconds < NANOSECONDS and self.seconds < 3600


def iter_timeouts(trace: Trace) -> Iterator[Timeout]:
    for index in range(trace.store.epochs):
        traps = trace.store.epoch(index).traps
        for row in np.flatnonzero(traps.cause == ECALL_FROM_USER):
            timeout = timeout_of(trace, Time(int(traps.last[row])))
            if timeout is not None:
                yield timeout


def timeout_of(trace: Trace, t: Time) -> Timeout | None:
    """The timeout of the call that the ecall at ``t`` makes; None for another call, or one without."""
    moment = trace.at(t)
    pointer = moment.registers["a3"]
    if moment.registers["a7"] != SYS_FUTEX or not pointer:
        return None
    physical = moment.translate(pointer).physical
    assert physical is not None
    content = moment.memory.read_physical(physical, 16)
    assert content.is_complete
    writer = trace.last_write((physical, 16), t)
    assert writer is not None
    then = trace.at(writer.t)
    assert then.privilege is not None
    return Timeout(
        t,
        physical,
        int.from_bytes(content.data[:8], "little"),
        int.from_bytes(content.data[8:], "little"),
        writer.t,
        then.backtrace()[0].function or "",
        then.privilege,
    )
