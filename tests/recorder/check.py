"""Holds an exotic's expectations against its trace; each difference is a sentence."""

import subprocess
from functools import singledispatchmethod
from pathlib import Path

import numpy as np

from tests.recorder.exotics.model import (
    Accesses,
    Changed,
    Content,
    Expectation,
    LastInstruction,
    Ordered,
    Place,
    Register,
    Runs,
    Touch,
    Trapped,
    Walk,
    WasReset,
)
from tracedbg.ids import PhysicalAddress, Time, VirtualAddress
from tracedbg.query import Kind, accesses, executed_at, executions, hart_at, memory_at, registers_at
from tracedbg.query.rows import Access, Rows
from tracedbg.store import Trace

_EVERYWHERE = (PhysicalAddress(0), 1 << 62)


class CheckError(AssertionError):
    """An expectation does not hold; ``str()`` says what is there instead."""


def symbols(elf: Path) -> dict[str, int]:
    """The addresses of an ELF file's labels."""
    output = subprocess.run(
        ["riscv64-unknown-elf-nm", str(elf)], capture_output=True, text=True, timeout=60, check=True
    ).stdout
    return {name: int(address, 16) for address, _, name in (line.split() for line in output.splitlines())}


class Checker:
    """Resolves places and executions of one trace, and checks expectations."""

    def __init__(self, trace: Trace, labels: dict[str, int]) -> None:
        self._trace = trace
        self._labels = labels

    def address(self, place: Place) -> int:
        if isinstance(place, int):
            return place
        label, _, offset = place.partition("+")
        return self._labels[label] + int(offset or "0", 0)

    def time(self, place: Place, nth: int = 0) -> Time:
        """The t of an execution of the instruction at a place."""
        rows = self._executions(place)
        if not -len(rows) <= nth < len(rows):
            raise CheckError(f"{place} runs {len(rows)} times, there is no execution {nth}")
        return Time(int(rows["t"][nth]))

    def _executions(self, place: Place) -> Rows:
        return executions(self._trace, VirtualAddress(self.address(place)))

    def _expect(self, what: str, found: object, wanted: object) -> None:
        if found != wanted:
            raise CheckError(f"{what}: {_text(found)} instead of {_text(wanted)}")

    def _word(self, physical: int, size: int, t: int) -> int:
        content, known = memory_at(self._trace, PhysicalAddress(physical), size, Time(t))
        if not known.all():
            raise CheckError(f"memory at {physical:#x} is not known at t {t}")
        return int.from_bytes(content.tobytes(), "little")

    @singledispatchmethod
    def check(self, expectation: Expectation) -> None:
        """Raise CheckError when an expectation does not hold."""
        raise TypeError(f"no check for {expectation!r}")

    @check.register
    def _(self, wanted: Accesses) -> None:
        t = self.time(wanted.at, wanted.nth)
        rows = accesses(self._trace, _EVERYWHERE, between=(t, Time(t + 1)), kind=wanted.kind)
        found = [Access.of(row) for row in rows]
        shown = [_touch(one) for one in found]
        what = f"accesses of {wanted.at} at t {t}"
        self._expect(f"number of {what} ({shown})", len(found), len(wanted.touches))
        for one, touch in zip(found, wanted.touches, strict=True):
            self._expect(what, _touch(one, any_value=touch.value is None), self._resolved(touch))

    def _resolved(self, touch: Touch) -> tuple[object, ...]:
        virtual = touch.physical if touch.virtual is None else touch.virtual
        second = None if touch.second is None else self.address(touch.second)
        return (
            touch.kind.name,
            self.address(virtual),
            self.address(touch.physical),
            touch.size,
            touch.value,
            second,
        )

    @check.register
    def _(self, wanted: Register) -> None:
        t = self.time(wanted.at, wanted.nth)
        hart = hart_at(self._trace, t)
        number = self._trace.guest.find_register(wanted.name)
        if hart is None or number is None:
            raise CheckError(f"the trace has no register {wanted.name}")
        values, known = registers_at(self._trace, hart, Time(t + 1))
        if not known[number]:
            raise CheckError(f"{wanted.name} is not known after {wanted.at} at t {t}")
        found = int(values[number]) & wanted.mask
        self._expect(
            f"{wanted.name} after {wanted.at} at t {t}", found, self.address(wanted.value) & wanted.mask
        )

    @check.register
    def _(self, wanted: Trapped) -> None:
        t = self.time(wanted.at, wanted.nth)
        found = self._traps_after(t)
        self._expect(f"number of traps after {wanted.at} at t {t}", len(found), 1)
        moment, cause, epc, tval, source, target = found[0]
        what = f"trap after {wanted.at} at t {t}"
        self._expect(f"cause of the {what}", cause, wanted.cause)
        self._expect(f"epc of the {what}", epc, self.address(wanted.epc))
        self._expect(f"tval of the {what}", tval, self.address(wanted.tval))
        self._expect(f"privileges of the {what}", (source, target), (wanted.source, wanted.target))
        first = executed_at(self._trace, Time(moment))
        self._expect(
            f"first instruction of the {what}",
            None if first is None else first.pc,
            self.address(wanted.handler),
        )

    def _traps_after(self, t: int) -> list[tuple[int, ...]]:
        """Moment, cause, epc, tval, source and target of the traps whose last instruction is at ``t``."""
        found = []
        for index in range(self._trace.epochs):
            epoch = self._trace.epoch(index)
            rows = epoch.traps
            columns = (rows.cause, rows.epc, rows.tval, rows.source, rows.target)
            for row in np.flatnonzero(rows.last == np.uint64(t)):
                found.append((int(rows.t[row]) + epoch.start, *(int(column[row]) for column in columns)))
        return found

    @check.register
    def _(self, wanted: Walk) -> None:
        entry = self.address(wanted.entry)
        start = self.time(wanted.at, wanted.nth)
        end = start if wanted.until is None else self.time(wanted.until, wanted.nth)
        self._expect(f"entry before {wanted.at} at t {start}", self._word(entry, 8, start), wanted.before)
        self._expect(f"entry after t {end}", self._word(entry, 8, end + 1), wanted.after)

    @check.register
    def _(self, wanted: Content) -> None:
        t = self.time(wanted.at, wanted.nth)
        found = self._word(self.address(wanted.physical), wanted.size, t)
        self._expect(f"memory at {wanted.physical} before {wanted.at} at t {t}", found, wanted.value)

    @check.register
    def _(self, wanted: Runs) -> None:
        rows = self._executions(wanted.at)
        count = len(rows) if wanted.hart is None else int(np.count_nonzero(rows["hart"] == wanted.hart))
        self._expect(f"executions of {wanted.at}", count, wanted.times)

    @check.register
    def _(self, wanted: Ordered) -> None:
        first = self.time(wanted.first, wanted.first_nth)
        then = self.time(wanted.then, wanted.then_nth)
        if first >= then:
            raise CheckError(f"{wanted.first} at t {first} is not before {wanted.then} at t {then}")

    @check.register
    def _(self, wanted: Changed) -> None:
        where = (PhysicalAddress(self.address(wanted.physical)), wanted.size)
        between = (self.time(wanted.at), self.time(wanted.until))
        rows = accesses(self._trace, where, between=between, kind=Kind.CHANGE)
        causes = {Access.of(row).cause for row in rows}
        self._expect(f"causes of changes at {wanted.physical}", causes, {wanted.cause})

    @check.register
    def _(self, wanted: WasReset) -> None:
        epochs = [self._trace.epoch(index) for index in range(self._trace.epochs)]
        resets = [int(t) + epoch.start for epoch in epochs for t in epoch.resets]
        self._expect("resets", resets, [self.time(wanted.at, wanted.nth)])

    @check.register
    def _(self, wanted: LastInstruction) -> None:
        self._expect(f"t of the last {wanted.at}", self.time(wanted.at, -1), self._trace.end - 1)


def _touch(access: Access, *, any_value: bool = False) -> tuple[object, ...]:
    value = None if any_value else access.value
    return (access.kind.name, access.virtual, access.physical, access.size, value, access.second)


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(_text(one) for one in value)})"
    return (
        hex(value)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 9
        else str(value)
    )
