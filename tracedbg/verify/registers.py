"""Registers, carried from keyframe to keyframe by what instructions wrote, and compared at each."""

import numpy as np
from numpy.typing import NDArray

from tracedbg.format.columns import PackedMessage
from tracedbg.format.grouping import decode
from tracedbg.format.schema import ACCESS_STORE, STATE_UNKNOWN, LateKind, Source
from tracedbg.verify.blocks import Dictionary, Expanded
from tracedbg.verify.report import Report

INTEGER_REGISTERS = 32
_BITS = {
    Source.LOAD_S8: (8, True), Source.LOAD_S16: (16, True), Source.LOAD_S32: (32, True), Source.LOAD_64: (64, False),
    Source.LOAD_U8: (8, False), Source.LOAD_U16: (16, False), Source.LOAD_U32: (32, False),
}  # fmt: skip

Values = NDArray[np.uint64]
Known = NDArray[np.bool_]


def extend(values: Values, source: Source) -> Values:
    """Return what a load of this kind leaves in its register, from the bytes it brought (zero-extended)."""
    bits, signed = _BITS[source]
    shift = np.uint64(64 - bits)
    moved = values << shift
    return (moved.view(np.int64) >> shift.astype(np.int64)).view(np.uint64) if signed else moved >> shift


class RegisterCheck:
    """Holds each hart's registers at the end of the epochs seen so far."""

    def __init__(
        self, harts: int, names: tuple[str, ...], late: PackedMessage | None, report: Report
    ) -> None:
        self._values: Values = np.zeros((harts, len(names)), np.uint64)
        self._known: Known = np.zeros((harts, len(names)), bool)
        self._names = names
        self._report = report
        self._late_t: Values = np.zeros(0, np.uint64)
        self._late_kind: NDArray[np.uint8] = np.zeros(0, np.uint8)
        self._late_value: Values = np.zeros(0, np.uint64)

    def add_late(self, late: PackedMessage) -> None:
        """Take in a ``late`` message; all of them before the first epoch."""
        self._late_t = np.concatenate([self._late_t, late.column("t")])
        self._late_kind = np.concatenate([self._late_kind, late.column("kind")])
        self._late_value = np.concatenate([self._late_value, late.column("value")])

    def check(
        self, epoch: PackedMessage, writes: PackedMessage, accesses: PackedMessage,
        dictionary: Dictionary, rows: Expanded,
    ) -> None:  # fmt: skip
        """Compare an epoch's keyframes with what the instructions before them wrote."""
        times, registers, values, known = self._writes(epoch, writes, accesses, dictionary, rows)
        harts = rows.hart[times] if len(times) else np.zeros(0, np.uint16)
        # A write by instruction t holds from t + 1.
        times = times + 1
        state_t = epoch.column("state.t").astype(np.int64)
        times = np.concatenate([times, state_t])
        registers = np.concatenate([registers, epoch.column("state.register").astype(np.int64) & ~STATE_UNKNOWN])
        harts = np.concatenate([harts, epoch.column("state.hart")])
        values = np.concatenate([values, epoch.column("state.value")])
        known = np.concatenate([known, epoch.column("state.register") & STATE_UNKNOWN == 0])
        self._compare(epoch, (times, registers, harts, values, known), dictionary.address[rows.index])

    def _writes(
        self, epoch: PackedMessage, writes: PackedMessage, accesses: PackedMessage,
        dictionary: Dictionary, rows: Expanded,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], Values, Known]:  # fmt: skip
        """Return (t, register, value, known) of each write of an integer register, ascending in t."""
        source = dictionary.source[rows.index]
        values = dictionary.constant[rows.index]
        known = source != Source.NONE
        recorded = np.flatnonzero(source == Source.RECORDED)
        stored = writes.column("value")
        self._report.differ("structure", int(len(recorded) != len(stored)),
                            f"{len(stored)} register values for {len(recorded)} instructions")  # fmt: skip
        if len(recorded) == len(stored):
            values[recorded] = decode(stored, rows.index[recorded])
        failed = np.zeros(len(source), bool)
        failed[epoch.column("unretired.t")] = True
        opened = epoch.column("open.t").astype(np.int64)
        known[opened] = False
        self._settle_open(epoch, opened, values, known, failed)
        self._fill_loads(accesses, source, values, failed | ~known)
        wrote = np.flatnonzero((source != Source.NONE) & (source != Source.ANY) & ~failed)
        return wrote, dictionary.destination[rows.index[wrote]].astype(np.int64), values[wrote], known[wrote]

    def _settle_open(
        self, epoch: PackedMessage, opened: NDArray[np.int64], values: Values, known: Known, failed: Known
    ) -> None:
        first = int(epoch.column("bounds")[0])
        found = np.isin(self._late_t, opened.astype(np.uint64) + np.uint64(first))
        rows = self._late_t[found].astype(np.int64) - first
        kinds = self._late_kind[found]
        values[rows[kinds == LateKind.VALUE]] = self._late_value[found][kinds == LateKind.VALUE]
        known[rows] = True
        failed[rows[kinds == LateKind.NOT_RETIRED]] = True
        self._report.unknown_results += len(opened) - len(rows)

    def _fill_loads(
        self, accesses: PackedMessage, source: NDArray[np.uint8], values: Values, skip: Known
    ) -> None:
        rows = np.flatnonzero((source >= Source.LOAD_S8) & (source <= Source.LOAD_U32) & ~skip)
        loads = np.flatnonzero(accesses.column("flags") & ACCESS_STORE == 0)
        times = accesses.column("t")[loads].astype(np.int64)
        found = np.searchsorted(times, rows)
        there = found < len(times)
        there[there] = times[found[there]] == rows[there]
        self._report.differ("structure", int((~there).sum()), "a load retired without an access")
        rows, found = rows[there], found[there]
        brought = accesses.column("value")[loads[found]]
        for kind in _BITS:
            chosen = source[rows] == kind
            values[rows[chosen]] = extend(brought[chosen], kind)

    def _compare(
        self, epoch: PackedMessage,
        writes: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint16], Values, Known], addresses: Values,
    ) -> None:  # fmt: skip
        times, registers, harts, values, known = writes
        names = len(self._names)
        frames = epoch.column("keyframe.value").reshape(-1, names)
        frame_t, frame_hart = epoch.column("keyframe.t").astype(np.int64), epoch.column("keyframe.hart")
        self._report.keyframes += len(frames)
        self._compare_pc(epoch, frame_t, addresses)
        keys = registers * self._values.shape[0] + harts
        order = np.lexsort((times, keys))
        keys = keys[order]
        edges = np.searchsorted(keys, np.arange(names * self._values.shape[0] + 1))
        for hart in range(self._values.shape[0]):
            chosen = np.flatnonzero(frame_hart == hart)
            for register in range(1, names):
                key = register * self._values.shape[0] + hart
                own = order[edges[key] : edges[key + 1]]
                self._compare_one(
                    (hart, register), (times[own], values[own], known[own]),
                    (frame_t[chosen], frames[chosen, register]), int(epoch.column("bounds")[0]),
                )  # fmt: skip

    def _compare_pc(self, epoch: PackedMessage, frame_t: NDArray[np.int64], addresses: Values) -> None:
        inside = frame_t < len(addresses)
        found, expected = epoch.column("keyframe.pc")[inside], addresses[frame_t[inside]]
        wrong = np.flatnonzero(found != expected)
        if len(wrong):
            t = int(epoch.column("bounds")[0]) + int(frame_t[inside][wrong[0]])
            self._report.differ(
                "registers",
                len(wrong),
                f"t {t}: pc is {int(found[wrong[0]]):#x} and was computed as {int(expected[wrong[0]]):#x}",
            )

    def _compare_one(
        self, place: tuple[int, int], writes: tuple[NDArray[np.int64], Values, Known],
        frames: tuple[NDArray[np.int64], Values], first: int,
    ) -> None:  # fmt: skip
        hart, register = place
        times, values, known = writes
        frame_t, frame = frames
        # Before each keyframe: the newest of the writes and of the keyframes before it, or what was carried over.
        written = np.searchsorted(times, frame_t, "right") - 1
        written_t = np.where(written >= 0, times[written] if len(times) else 0, -1)
        previous_t = np.concatenate([np.full(1, -1), frame_t[:-1]])
        carried = np.concatenate([self._values[hart, register : register + 1], frame[:-1]])
        carried_known = np.concatenate(
            [self._known[hart, register : register + 1], np.ones(max(len(frame) - 1, 0), bool)]
        )
        if not len(frame):
            carried, carried_known, previous_t = carried[:0], carried_known[:0], previous_t[:0]
        use = (written >= 0) & (written_t > previous_t)
        expected = np.where(use, values[written] if len(values) else 0, carried)
        certain = np.where(use, known[written] if len(known) else False, carried_known)
        wrong = np.flatnonzero(certain & (expected != frame))
        self._report.registers += int(certain.sum())
        if len(wrong):
            row = wrong[0]
            self._report.differ("registers", len(wrong),
                f"t {first + int(frame_t[row])}: {self._names[register]} of hart {hart} is {int(frame[row]):#x}"
                f" and was computed as {int(expected[row]):#x}")  # fmt: skip
        last_frame = int(frame_t[-1]) if len(frame) else -1
        if len(times) and times[-1] > last_frame:
            self._values[hart, register], self._known[hart, register] = values[-1], known[-1]
        elif len(frame):
            self._values[hart, register], self._known[hart, register] = frame[-1], True
