"""Whether the rows of an epoch's messages fit together, before anything is computed from them."""

import numpy as np

from tracedbg.format.schema import ACCESS_SIZE_MASK, NEVER, PAGE_SIZE, STATE_UNKNOWN, Cause
from tracedbg.verify.guest import GuestFacts
from tracedbg.verify.messages import Columns, EpochMessages, require

EPOCH_LIMIT = 1 << 24
"""No epoch has more instructions; recorders make about a million."""
_LARGEST_SIZE = 3
_KINDS = 3

_EPOCH_TABLES = (
    ("short.run", "short.started"),
    ("turn.run", "turn.hart"),
    ("state.t", "state.hart", "state.register", "state.value"),
    ("keyframe.t", "keyframe.hart", "keyframe.pc"),
    ("trap.t", "trap.hart", "trap.last", "trap.cause", "trap.epc", "trap.tval", "trap.from", "trap.to"),
    ("unretired.t",),
    ("open.t",),
)
_ACCESS_TABLES = (
    ("t", "flags", "virtual", "value"),
    ("mapping.access", "mapping.delta"),
    ("crossing.access", "crossing.physical"),
    ("change.t", "change.physical", "change.value", "change.cause"),
)


def bounds(epoch: Columns) -> tuple[int, int]:
    """Return an epoch's first t and its number of instructions; raises Malformed."""
    require(epoch.rows("bounds") == 2, f"column bounds has {epoch.rows('bounds')} rows, not 2")
    first, end = map(int, epoch["bounds"])
    require(0 <= end - first <= EPOCH_LIMIT, f"it claims to go from t {first} to {end}")
    return first, end - first


def check_epoch(messages: EpochMessages, guest: GuestFacts) -> None:
    """Raise Malformed where a row of an epoch points nowhere or tables have columns of unequal lengths."""
    _check_runs(messages.epoch, messages.length, guest)
    _check_states(messages.epoch, messages.length, guest)
    _check_keyframes(messages.epoch, messages.length, guest)
    _check_accesses(messages.accesses, messages.length)
    _check_places(messages.accesses)


def _check_runs(epoch: Columns, length: int, guest: GuestFacts) -> None:
    for table in _EPOCH_TABLES:
        epoch.require_equal(*table)
    runs = epoch.rows("run.block")
    require(runs <= length, f"{runs} runs do not fit into {length} instructions")
    epoch.require_below("short.run", runs)
    epoch.require_below("turn.run", runs)
    epoch.require_ascending("turn.run", strictly=True)
    epoch.require_below("turn.hart", guest.harts)
    for name in ("unretired.t", "open.t"):
        epoch.require_below(name, length)
    for name in ("trap.t", "reset.t"):
        epoch.require_below(name, length + 1)
        epoch.require_ascending(name)
    epoch.require_below("trap.hart", guest.harts)


def _check_states(epoch: Columns, length: int, guest: GuestFacts) -> None:
    epoch.require_below("state.t", length + 1)
    epoch.require_below("state.hart", guest.harts)
    registers = epoch["state.register"] & ~np.uint16(STATE_UNKNOWN)
    problem = "column state.register names one that the guest does not have"
    require(bool((registers < len(guest.registers)).all()), problem)


def _check_keyframes(epoch: Columns, length: int, guest: GuestFacts) -> None:
    frames, values, names = epoch.rows("keyframe.t"), epoch.rows("keyframe.value"), len(guest.registers)
    require(values == frames * names, f"{frames} keyframes of {names} registers have {values} values")
    epoch.require_below("keyframe.t", length + 1)
    epoch.require_ascending("keyframe.t")
    epoch.require_below("keyframe.hart", guest.harts)


def _check_accesses(accesses: Columns, length: int) -> None:
    for table in _ACCESS_TABLES:
        accesses.require_equal(*table)
    accesses.require_below("t", length)
    accesses.require_ascending("t")
    accesses.require_below("mapping.access", accesses.rows("t"))
    accesses.require_ascending("mapping.access", strictly=True)
    accesses.require_below("crossing.access", accesses.rows("t"))
    accesses.require_ascending("crossing.access", strictly=True)
    accesses.require_below("change.t", length + 1)
    accesses.require_ascending("change.t")
    accesses.require_below("change.cause", len(Cause))


def _check_places(accesses: Columns) -> None:
    flags = accesses["flags"]
    require(not (flags & ACCESS_SIZE_MASK > _LARGEST_SIZE).any(), "an access has more than 8 bytes")
    require(not (flags >> 4 & 3 >= _KINDS).any(), "an access is of no known kind of memory")
    require(not (accesses["change.physical"] & np.uint64(7)).any(), "a change is not at a multiple of 8")
    second = accesses["crossing.physical"]
    begins = (second % np.uint64(PAGE_SIZE) == 0) | (second == np.uint64(NEVER))
    require(bool(begins.all()), "an access goes on in a second page, but not at its first byte")
