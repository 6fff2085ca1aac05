"""Makes a whole epoch of a slot, also of one that the plugin had not finished when QEMU was killed."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tracedbg.format.columns import AnyArray, column_dtype
from tracedbg.format.schema import (
    ACCESSES,
    BLOCKS,
    EPOCH,
    LATE,
    NEVER,
    SLOT_MESSAGES,
    WRITES,
    Message,
    Source,
)
from tracedbg.record.slots import FULL, Slot

_TABLES: dict[Message, tuple[tuple[str, ...], ...]] = {
    EPOCH: (
        ("short.run", "short.started"),
        ("turn.run", "turn.hart"),
        ("state.t", "state.hart", "state.register", "state.value"),
        ("trap.t", "trap.hart", "trap.last", "trap.cause", "trap.epc", "trap.tval", "trap.from", "trap.to"),
    ),
    ACCESSES: (
        ("t", "flags", "virtual", "value"),
        ("mapping.access", "mapping.delta"),
        ("crossing.access", "crossing.physical"),
        ("change.t", "change.since", "change.physical", "change.value", "change.cause"),
    ),
    LATE: (("t", "kind", "value"),),
}
_KEYFRAME = (
    "keyframe.t",
    "keyframe.hart",
    "keyframe.run",
    "keyframe.write",
    "keyframe.access",
    "keyframe.state",
    "keyframe.pc",
)


class BlockSizes:
    """What must be remembered of the block dictionary to finish an epoch: sizes and recorded registers."""

    def __init__(self) -> None:
        self.instructions: NDArray[np.int64] = np.zeros(0, np.int64)
        self._recorded: list[NDArray[np.bool_]] = []

    def add(self, blocks: Mapping[str, AnyArray]) -> None:
        """Take in the dictionary entries of an epoch."""
        sizes = blocks["instructions"].astype(np.int64)
        recorded = blocks["insn.source"] == Source.RECORDED
        self._recorded += np.split(recorded, np.cumsum(sizes)[:-1]) if len(sizes) else []
        self.instructions = np.concatenate([self.instructions, sizes])

    def recorded(self, blocks: AnyArray, started: NDArray[np.int64]) -> int:
        """Return how many values the ``writes`` column has for runs of ``blocks`` that started so many."""
        whole = np.array([int(part.sum()) for part in self._recorded], np.int64)
        total = int(whole[blocks].sum())
        for row in np.flatnonzero(started != self.instructions[blocks]):
            total -= int(self._recorded[int(blocks[row])][int(started[row]) :].sum())
        return total


def read_slot(
    slot: Slot, sizes: BlockSizes, registers: int
) -> tuple[dict[Message, dict[str, AnyArray]], int]:
    """Return the columns of a slot's messages and the t after its epoch, and remember its blocks.

    The columns of a full slot are views on the file; release it when they have been written.
    """
    messages = {message: slot.columns(message) for message in SLOT_MESSAGES}
    _sort_changes(messages[ACCESSES])
    if slot.state == FULL:
        sizes.add(messages[BLOCKS])
        return messages, slot.end_t
    _trim(messages, registers)
    sizes.add(messages[BLOCKS])
    return messages, _finish(slot, messages, sizes)


def _sort_changes(accesses: dict[str, AnyArray]) -> None:
    """Bring changes in order of t: what an instruction makes holds from t + 1, what it sees from t."""
    t = accesses["change.t"]
    if len(t) and (t[1:] < t[:-1]).any():
        order = np.argsort(t, kind="stable")
        for name in _TABLES[ACCESSES][3]:
            accesses[name] = accesses[name][: len(t)][order]


def _trim(messages: dict[Message, dict[str, AnyArray]], registers: int) -> None:
    """Cut each table to the rows that were written whole."""
    for message, tables in _TABLES.items():
        for names in tables:
            rows = min(len(messages[message][name]) for name in names)
            for name in names:
                messages[message][name] = messages[message][name][:rows]
    epoch, blocks = messages[EPOCH], messages[BLOCKS]
    rows = min(*(len(epoch[name]) for name in _KEYFRAME), len(epoch["keyframe.value"]) // registers)
    for name in _KEYFRAME:
        epoch[name] = epoch[name][:rows]
    epoch["keyframe.value"] = epoch["keyframe.value"][: rows * registers]
    count = len(blocks["instructions"])
    insns = int(blocks["instructions"].sum(dtype=np.int64))
    for name in ("virtual", "physical", "next_physical", "privilege"):
        blocks[name] = blocks[name][:count]
    for name in ("insn.length", "insn.destination", "insn.source"):
        blocks[name] = blocks[name][:insns]
    blocks["insn.bytes"] = blocks["insn.bytes"][: int(blocks["insn.length"].sum(dtype=np.int64))]
    constants = int((blocks["insn.source"] == Source.CONSTANT).sum())
    blocks["insn.constant"] = blocks["insn.constant"][:constants]


def _finish(slot: Slot, messages: dict[Message, dict[str, AnyArray]], sizes: BlockSizes) -> int:
    """Complete the run that was under way; what its last instruction did stays open."""
    epoch = messages[EPOCH]
    runs = epoch["run.block"]
    runs = (
        runs[: int(np.argmax(runs >= len(sizes.instructions)))]
        if (runs >= len(sizes.instructions)).any()
        else runs
    )
    epoch["run.block"] = runs
    turns = epoch["turn.run"] < len(runs)
    epoch["turn.run"], epoch["turn.hart"] = epoch["turn.run"][turns], epoch["turn.hart"][turns]
    if not len(runs):
        _cut_after(messages, 0)
        return slot.first_t
    started = sizes.instructions[runs]
    short = epoch["short.run"] < len(runs)
    epoch["short.run"], epoch["short.started"] = epoch["short.run"][short], epoch["short.started"][short]
    started[epoch["short.run"]] = epoch["short.started"]
    before = slot.first_t + int(started[:-1].sum())
    if before == slot.run_t:
        count = slot.run_index + 1
        if count < started[-1]:
            epoch["short.run"] = np.append(epoch["short.run"], np.array([len(runs) - 1], "<u4"))
            epoch["short.started"] = np.append(epoch["short.started"], np.array([count], "<u2"))
        started[-1] = count
    end_t = slot.first_t + int(started.sum())
    values = messages[WRITES]["value"]
    wanted = sizes.recorded(runs, started)
    messages[WRITES]["value"] = np.concatenate(
        [values[:wanted], np.zeros(max(wanted - len(values), 0), "<u8")]
    )
    _cut_after(messages, end_t - slot.first_t)
    _open_last(epoch, end_t - slot.first_t - 1)
    return end_t


def _open_last(epoch: dict[str, AnyArray], last: int) -> None:
    if last not in epoch["unretired.t"]:
        epoch["open.t"] = np.append(epoch["open.t"][epoch["open.t"] < last], np.array([last], "<u4"))


def _cut_after(messages: dict[Message, dict[str, AnyArray]], length: int) -> None:
    """Drop rows that belong to an instruction of which the run did not get known."""
    epoch, accesses = messages[EPOCH], messages[ACCESSES]
    for columns, tables in (
        (epoch, _TABLES[EPOCH][2:]),
        (accesses, (_TABLES[ACCESSES][0], _TABLES[ACCESSES][3])),
    ):
        for names in tables:
            limit = length if names[0] == "t" else length + 1
            rows = int((columns[names[0]] < limit).sum())
            for name in names:
                columns[name] = columns[name][:rows]
    count = len(accesses["t"])
    for place in ("mapping.access", "crossing.access"):
        rows = int((accesses[place] < count).sum())
        for name in (place, place.replace("access", "delta" if place.startswith("m") else "physical")):
            accesses[name] = accesses[name][:rows]
    for name in ("unretired.t", "open.t"):
        epoch[name] = epoch[name][epoch[name] < length]


def empty_epoch(harts: int) -> dict[Message, dict[str, AnyArray]]:
    """Return the columns of an epoch in which nothing ran."""
    messages = {
        message: {column.name: np.empty(0, column_dtype(column)) for column in message.columns}
        for message in SLOT_MESSAGES
    }
    messages[EPOCH]["last.t"] = np.full(harts, NEVER, "<u8")
    return messages
