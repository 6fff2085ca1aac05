"""Trap rows, compared with the control flow and the registers around them.

RISC-V privileged ISA 3.1.6 (status), 3.1.7 (tvec), 3.1.14 to 3.1.16 (epc, cause and tval) and 12.1.
"""

from dataclasses import dataclass

import numpy as np

from tracedbg.format.schema import NEVER
from tracedbg.verify.blocks import Instructions
from tracedbg.verify.guest import GuestFacts
from tracedbg.verify.messages import Bytes, Columns, EpochMessages, Flags, Integers, Words
from tracedbg.verify.report import Report
from tracedbg.verify.results import Results
from tracedbg.verify.trap_registers import MACHINE, NAMES, STATUS, SUPERVISOR, VECTOR, TrapRegisters

_INTERRUPT = np.uint64(1 << 63)
_FETCH_CAUSES = np.array([1, 12, 20], np.uint64)
_PREVIOUS = {MACHINE: (np.uint64(11), np.uint64(3)), SUPERVISOR: (np.uint64(8), np.uint64(1))}
"""Where the status keeps the privilege that a trap came from: lowest bit, and mask."""


@dataclass(frozen=True)
class _Traps:
    """An epoch's trap rows of one hart; ``t`` counts from the epoch's first, ``last`` is absolute."""

    t: Integers
    last: Words
    cause: Words
    epc: Words
    tval: Words
    source: Bytes
    target: Bytes

    @classmethod
    def of(cls, epoch: Columns, hart: int) -> "_Traps":
        own = np.flatnonzero(epoch["trap.hart"] == hart)
        names = ("last", "cause", "epc", "tval", "from", "to")
        return cls(epoch.indices("trap.t")[own], *(epoch[f"trap.{name}"][own] for name in names))


@dataclass(frozen=True)
class _Runs:
    """An epoch's runs of one hart: first instruction, the one after the last, and privilege of each."""

    start: Integers
    stop: Integers
    privilege: Bytes

    @classmethod
    def of(cls, instructions: Instructions, hart: int) -> "_Runs":
        stop = np.append(instructions.run_start[1:], len(instructions.index))
        own = np.flatnonzero(instructions.run_hart == hart)
        return cls(instructions.run_start[own], stop[own], instructions.run_privilege[own])


@dataclass(frozen=True)
class _Stand:
    """Where a hart stood when an epoch ended: its last instruction and privilege; a handler to come there."""

    last: int
    privilege: int
    target: int | None = None
    cause: int = 0


class TrapCheck:
    """Compares epoch by epoch; nothing in a trace that does not hold the registers of traps."""

    def __init__(self, guest: GuestFacts, report: Report) -> None:
        self._registers = TrapRegisters(guest.registers)
        self._stands: dict[int, _Stand] = {}
        self._report = report

    def check(self, messages: EpochMessages, instructions: Instructions, results: Results) -> None:
        """Compare an epoch's traps with the instructions before and after them, and with registers."""
        if not self._registers.are_all_there:
            return
        epoch = messages.epoch
        self._registers.begin(epoch)
        self._report.traps += epoch.rows("trap.t")
        self._check_failures(messages)
        for hart in np.union1d(epoch["trap.hart"], epoch["turn.hart"]).tolist():
            check = _HartCheck(messages, hart, _Traps.of(epoch, hart), _Runs.of(instructions, hart))
            self._check_registers(check)
            self._check_before(check, results)
            self._check_handlers(check, results)
            self._check_rises(check)
            self._stands[hart] = check.stand(self._stands.get(hart))

    def _differ(self, check: "_HartCheck", wrong: Flags, problem: str) -> None:
        rows = np.flatnonzero(wrong)
        if len(rows):
            t = check.messages.first + int(check.traps.t[rows[0]])
            self._report.differ("traps", len(rows), f"t {t}: {problem} (hart {check.hart})")

    def _check_failures(self, messages: EpochMessages) -> None:
        """Each instruction that failed has a trap; a reset ends one without."""
        failed = messages.epoch["unretired.t"].astype(np.uint64) + np.uint64(messages.first)
        alone = failed[~np.isin(failed, messages.epoch["trap.last"])]
        if len(alone) and not messages.epoch.rows("reset.t"):
            problem = f"t {int(alone[0])}: the instruction failed and no trap follows"
            self._report.differ("traps", len(alone), problem)

    def _check_registers(self, check: "_HartCheck") -> None:
        """Cause, epc and tval are in their registers, and the status tells the privilege before."""
        traps = check.traps
        self._differ(check, ~np.isin(traps.target, list(NAMES)), "no privilege handles the trap")
        for target, names in NAMES.items():
            own = traps.target == target
            for name, column in zip(names, (traps.cause, traps.epc, traps.tval), strict=True):
                value, known = self._registers.at(name, check.hart, traps.t)
                self._differ(check, own & known & (value != column), f"{name} is not as the trap has it")
            value, known = self._registers.at(STATUS, check.hart, traps.t)
            low, mask = _PREVIOUS[target]
            other = (value >> low & mask) != traps.source
            self._differ(check, own & known & other, f"{STATUS} tells another privilege before the trap")

    def _check_before(self, check: "_HartCheck", results: Results) -> None:
        """The instruction before is the hart's last one, and it failed just when it is what trapped."""
        traps, first = check.traps, check.messages.first
        stand = self._stands.get(check.hart)
        run = np.searchsorted(check.runs.start, traps.t) - 1
        inside = run >= 0
        expected = np.full(len(run), NEVER if stand is None else stand.last, np.uint64)
        expected[inside] = (check.runs.stop[run[inside]] - 1 + first).astype(np.uint64)
        # What came before the trace begins cannot be told.
        told = inside | (stand is not None)
        self._differ(check, told & (expected != traps.last), "another instruction came before the trap")
        offset = check.runs.stop[run] - 1 if len(check.runs.stop) else np.zeros(len(run), np.int64)
        offset[~inside] = 0
        if len(results.source):
            own = traps.epc == results.addresses(offset)
            own &= (traps.cause & _INTERRUPT == 0) & ~np.isin(traps.cause, _FETCH_CAUSES)
            known = inside & check.are_first & ~results.unknown[offset]
            problem = "the trap and its instruction tell otherwise whether that failed"
            self._differ(check, known & (own != results.failed[offset]), problem)

    def _check_handlers(self, check: "_HartCheck", results: Results) -> None:
        """The next instruction is where the trap vector says, at the privilege that handles it."""
        traps, runs = check.traps, check.runs
        target, cause, t = traps.target[check.are_last], traps.cause[check.are_last], traps.t[check.are_last]
        stand = self._stands.get(check.hart)
        if stand is not None and stand.target is not None and len(runs.start):
            target, cause = (
                np.append(np.uint8(stand.target), target),
                np.append(np.uint64(stand.cause), cause),
            )
            t = np.append(runs.start[0], t)
        begun = t < check.messages.length
        target, cause, t = target[begun], cause[begun], t[begun]
        if not len(t):
            return
        at = np.searchsorted(runs.start, t)
        at[at == len(runs.start)] = 0
        wrong = (runs.start[at] != t) | (runs.privilege[at] != target)
        for privilege, name in VECTOR.items():
            vector, known = self._registers.at(name, check.hart, t)
            vectored = (vector & np.uint64(3) == 1) & (cause & _INTERRUPT != 0)
            place = (vector & ~np.uint64(3)) + np.where(vectored, cause << np.uint64(2), np.uint64(0))
            wrong |= (target == privilege) & known & (results.addresses(t) != place)
        if wrong.any():
            when = check.messages.first + int(t[np.argmax(wrong)])
            problem = f"t {when}: what runs is not the trap's handler (hart {check.hart})"
            self._report.differ("traps", int(np.count_nonzero(wrong)), problem)

    def _check_rises(self, check: "_HartCheck") -> None:
        """Nothing but a trap or a reset gives a hart more privilege."""
        runs, stand = check.runs, self._stands.get(check.hart)
        if not len(runs.start):
            return
        before = np.append(
            runs.privilege[0] if stand is None else np.uint8(stand.privilege), runs.privilege[:-1]
        )
        rises = runs.start[runs.privilege > before]
        reasons = np.append(check.traps.t, check.messages.epoch.indices("reset.t"))
        if stand is not None and stand.target is not None:
            reasons = np.append(reasons, runs.start[0])
        alone = rises[~np.isin(rises, reasons)]
        if len(alone):
            t = check.messages.first + int(alone[0])
            problem = f"t {t}: more privilege than before, and no trap (hart {check.hart})"
            self._report.differ("traps", len(alone), problem)


@dataclass(frozen=True)
class _HartCheck:
    """What one hart did in an epoch."""

    messages: EpochMessages
    hart: int
    traps: _Traps
    runs: _Runs

    @property
    def are_first(self) -> Flags:
        """The first trap of each moment: a second one came before the first's handler ran."""
        t = self.traps.t
        return np.append(np.ones(min(len(t), 1), bool), t[1:] != t[:-1])

    @property
    def are_last(self) -> Flags:
        """The last trap of each moment, whose handler runs."""
        t = self.traps.t
        return np.append(t[1:] != t[:-1], np.ones(min(len(t), 1), bool))

    def stand(self, before: _Stand | None) -> _Stand:
        """Return where the hart stands when the epoch ends."""
        traps, runs = self.traps, self.runs
        last, privilege = (NEVER, 0) if before is None else (before.last, before.privilege)
        if len(runs.start):
            last, privilege = self.messages.first + int(runs.stop[-1]) - 1, int(runs.privilege[-1])
            before = None
        if len(traps.t) and (not len(runs.start) or traps.t[-1] >= runs.stop[-1]):
            return _Stand(last, privilege, int(traps.target[-1]), int(traps.cause[-1]))
        target, cause = (None, 0) if before is None else (before.target, before.cause)
        return _Stand(last, privilege, target, cause)
