"""Tasks: who runs when."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

import numpy as np

from tracedbg.ids import Hart, Time, VirtualAddress
from tracedbg.kernel.history import StackHistory
from tracedbg.kernel.stacks import Stack
from tracedbg.kernel.task_labels import NO_TASK, Label, Labels
from tracedbg.kernel.trace_index import TraceIndex
from tracedbg.query import executions
from tracedbg.query.rows import Rows
from tracedbg.store.source import Integers

INTERVAL = np.dtype([("t", "<i8"), ("stop", "<i8"), ("hart", "<u2"), ("task", "<i4")])
"""A hart works for a task from ``t`` up to ``stop``; of user mode, kernel and firmware alike."""


class TaskNameSource(Enum):
    """How the name of a task is known."""

    HINT = "tracedbg.toml"
    PROGRAM = "the program that it executed"
    IDLE = "it waits for interrupts, and never ran user mode"
    STACK = "the object that its stack lies in"


@dataclass(frozen=True)
class TaskName:
    """A name, and how it is known."""

    text: str
    source: TaskNameSource


@dataclass(frozen=True)
class Task:
    """``number`` counts from 1 in order of first run, from ``first`` up to ``last``.

    It is a kernel ``stack``, or the address space of ``root``. ``time`` is the sum of its intervals, as
    instructions of all harts that started meanwhile. ``name`` is None where nothing tells it.
    """

    number: int
    stack: Stack | None
    root: int | None
    first: Time
    last: Time
    time: int
    is_idle: bool
    name: TaskName | None = None

    @property
    def text(self) -> str:
        """How reports call it: ``task 3 (getty)``."""
        return f"task {self.number}" + ("" if self.name is None else f" ({self.name.text})")


class Tasks:
    """The tasks of a trace; immutable. ``intervals`` are INTERVAL rows of all harts, in order of t."""

    def __init__(self, index: TraceIndex, history: StackHistory, labels: Labels) -> None:
        self._index = index
        used, first = np.unique(labels.of_stint[labels.of_stint != NO_TASK], return_index=True)
        ordered = used[np.argsort(first, kind="stable")]
        number_of = np.zeros(len(labels.all) + 1, np.int64)
        number_of[ordered] = np.arange(1, len(ordered) + 1)
        self._labels = [labels.all[label] for label in ordered.tolist()]
        self.intervals = _intervals(index, history, number_of[labels.of_stint])

    def number_at(self, hart: Hart, t: Time) -> int | None:
        """Return the number of the task that a hart works for at a moment, None where that is none."""
        number = int(self.numbers_at(np.array([hart]), np.array([t]))[0])
        return number or None

    def numbers_at(self, harts: Integers, times: Integers) -> Integers:
        """Return the numbers of the tasks at moments, each on its hart; 0 for none."""
        found = np.zeros(len(times), np.int64)
        for hart in np.unique(harts).tolist():
            own = self._by_hart.get(hart)
            mine = np.flatnonzero(harts == hart)
            if own is None:
                continue
            places = np.searchsorted(own["t"], times[mine], "right") - 1
            row = own[np.maximum(places, 0)]
            inside = (places >= 0) & (times[mine] < row["stop"])
            found[mine] = np.where(inside, row["task"], 0)
        return found

    @cached_property
    def _by_hart(self) -> Mapping[int, Rows]:
        harts = self.intervals["hart"]
        return {hart: self.intervals[harts == hart] for hart in np.unique(harts).tolist()}

    @cached_property
    def unnamed(self) -> tuple[Task, ...]:
        """The tasks in order of their numbers, without names."""
        waits = self._waits()
        return tuple(self._task(number, label, waits) for number, label in enumerate(self._labels, 1))

    def _task(self, number: int, label: Label, waits: Integers) -> Task:
        own = self.intervals[self.intervals["task"] == number]
        ran_user = label.root is not None
        return Task(
            number=number,
            stack=label.stack,
            root=label.root,
            first=Time(int(own["t"][0])),
            last=Time(int(own["stop"].max())),
            time=int((own["stop"] - own["t"]).sum()),
            is_idle=bool(waits[number]) and not ran_user and not self._has_user_mode(own),
        )

    def _has_user_mode(self, own: Rows) -> bool:
        """Say whether a trap from user mode came in some intervals."""
        traps = self._index.traps[self._index.traps["source"] == 0]
        for hart in np.unique(own["hart"]).tolist():
            mine, times = own[own["hart"] == hart], traps["t"][traps["hart"] == hart]
            if bool(
                np.any(np.searchsorted(times, mine["stop"]) > np.searchsorted(times, mine["t"], "right"))
            ):
                return True
        return False

    def _waits(self) -> Integers:
        """Return how often each task ran the instruction that waits for an interrupt, by its number."""
        counts = np.zeros(len(self._labels) + 1, np.int64)
        for pc in self._index.waits.tolist():
            rows = executions(self._index.trace, VirtualAddress(pc))
            numbers = self.numbers_at(rows["hart"].astype(np.int64), rows["t"].astype(np.int64))
            counts += np.bincount(numbers, minlength=len(counts))
        return counts


def _intervals(index: TraceIndex, history: StackHistory, numbers: Integers) -> Rows:
    parts = [np.empty(0, INTERVAL)]
    for hart in range(index.trace.guest.harts):
        own = np.flatnonzero(history.stints["hart"] == hart)
        if not len(own):
            continue
        begins = own[np.append(True, numbers[own][1:] != numbers[own][:-1])]
        rows = np.empty(len(begins), INTERVAL)
        rows["t"], rows["hart"] = history.stints["t"][begins], hart
        rows["stop"] = np.append(rows["t"][1:], index.trace.end if history.end is None else history.end)
        rows["task"] = numbers[begins]
        parts.append(rows[(rows["task"] > 0) & (rows["stop"] > rows["t"])])
    found = np.concatenate(parts)
    return found[np.argsort(found["t"], kind="stable")]
