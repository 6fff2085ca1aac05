"""Trap rows, compared with the control flow and the registers around them.

RISC-V privileged ISA 3.1.6 (status), 3.1.7 (tvec), 3.1.14 to 3.1.16 (epc, cause and tval) and 12.1.
"""

from dataclasses import dataclass

import numpy as np

from tracedbg.format.schema import NEVER
from tracedbg.verify.blocks import Dictionary, Instructions
from tracedbg.verify.flow import Lead
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
    """An epoch's runs of one hart: first instruction, the one after the last, and privilege of each.

    ``first`` and ``last`` are where the dictionary has a run's first and last instruction.
    """

    start: Integers
    stop: Integers
    privilege: Bytes
    first: Integers
    last: Integers

    @classmethod
    def of(cls, instructions: Instructions, hart: int) -> "_Runs":
        stop = np.append(instructions.run_start[1:], len(instructions.index))
        own = np.flatnonzero(instructions.run_hart == hart)
        start, stop = instructions.run_start[own], stop[own]
        first, last = instructions.index[start], instructions.index[stop - 1]
        return cls(start, stop, instructions.run_privilege[own], first, last)


@dataclass(frozen=True)
class _Stand:
    """Where a hart stood when an epoch ended: its last instruction and privilege; a handler to come there.

    ``index`` is where the dictionary has the instruction, None for none.
    """

    last: int
    privilege: int
    index: int | None
    target: int | None = None
    cause: int = 0


class TrapCheck:
    """Compares epoch by epoch; nothing in a trace that does not hold the registers of traps."""

    def __init__(self, guest: GuestFacts, dictionary: Dictionary, report: Report) -> None:
        self._registers = TrapRegisters(guest.registers)
        self._dictionary = dictionary
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
            self._check_places(check, results)
            self._check_handlers(check, results)
            self._check_rises(check)
            self._check_flow(check)
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

    def _check_places(self, check: "_HartCheck", results: Results) -> None:
        """What was interrupted is where the instruction before led, if that did not trap itself."""
        traps, runs = check.traps, check.runs
        run = np.searchsorted(runs.start, traps.t) - 1
        rows = np.flatnonzero(check.are_first & (run >= 0))
        offset = runs.stop[run[rows]] - 1
        retired = ~results.failed[offset] & ~results.unknown[offset]
        rows, offset = rows[retired], offset[retired]
        wrong = np.zeros(len(traps.t), bool)
        index = runs.last[run[rows]]
        wrong[rows] = self._leads_elsewhere(index, traps.epc[rows], check.hart, offset)
        self._differ(check, wrong, "the instruction before does not lead to where the trap was taken")

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
        self._unexplained(check, rises, "more privilege than before, and no trap")

    def _check_flow(self, check: "_HartCheck") -> None:
        """Without a trap or a reset a run begins where the hart's instruction before it led."""
        runs, stand = check.runs, self._stands.get(check.hart)
        last, ended, start, first = runs.last[:-1], runs.stop[:-1] - 1, runs.start[1:], runs.first[1:]
        if stand is not None and stand.index is not None and len(runs.start):
            last, ended = np.append(stand.index, last), np.append(-1, ended)
            start, first = runs.start, runs.first
        wrong = self._leads_elsewhere(last, self._dictionary.address[first], check.hart, ended)
        self._unexplained(check, start[wrong], "the instruction before does not lead here, and no trap does")

    def _leads_elsewhere(self, index: Integers, places: Words, hart: int, times: Integers) -> Flags:
        """Whether instructions, by their place in the dictionary, cannot lead to these addresses."""
        blocks = self._dictionary
        lead = blocks.lead[index]
        wrong: Flags = (
            (lead == Lead.PLACES) & (places != blocks.behind[index]) & (places != blocks.target[index])
        )
        for kind, name in ((Lead.MEPC, "mepc"), (Lead.SEPC, "sepc")):
            own = np.flatnonzero(lead == kind)
            epc, known = self._registers.at(name, hart, times[own])
            wrong[own] = known & (places[own] != epc)
        return wrong

    def _unexplained(self, check: "_HartCheck", starts: Integers, problem: str) -> None:
        """Report runs that begin as only a trap or a reset makes them begin, where there is neither."""
        stand = self._stands.get(check.hart)
        reasons = np.append(check.traps.t, check.messages.epoch.indices("reset.t"))
        if stand is not None and stand.target is not None:
            reasons = np.append(reasons, check.runs.start[:1])
        alone = starts[~np.isin(starts, reasons)]
        if len(alone):
            t = check.messages.first + int(alone[0])
            self._report.differ("traps", len(alone), f"t {t}: {problem} (hart {check.hart})")


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
        last, privilege, index = (
            (NEVER, 0, None) if before is None else (before.last, before.privilege, before.index)
        )
        if len(runs.start):
            last, privilege = self.messages.first + int(runs.stop[-1]) - 1, int(runs.privilege[-1])
            index, before = int(runs.last[-1]), None
        if len(traps.t) and (not len(runs.start) or traps.t[-1] >= runs.stop[-1]):
            return _Stand(last, privilege, index, int(traps.target[-1]), int(traps.cause[-1]))
        target, cause = (None, 0) if before is None else (before.target, before.cause)
        return _Stand(last, privilege, index, target, cause)
