"""When a register of several words was written, and with what."""

from collections.abc import Sequence

import numpy as np

from tracedbg.ids import Hart, RegisterId, Time
from tracedbg.query.register_writes import register_writes
from tracedbg.query.registers import registers_at
from tracedbg.query.rows import Rows, wide_register_write
from tracedbg.store.trace import Trace


def wide_register_writes(
    trace: Trace,
    words: Sequence[RegisterId],
    *,
    between: tuple[Time, Time] | None = None,
    hart: Hart | None = None,
) -> Rows:
    """Return the writes of a register whose ``words`` (lowest first) are registers of the trace's list.

    The rows are those of ``wide_register_write``, in order of t: one for each moment from which a word of the
    register holds something else. Words that were not written are as they were. ``between`` and ``hart``
    as for ``register_writes``.
    """
    parts = [register_writes(trace, word, between=between, hart=hart) for word in words]
    start = trace.start if between is None else Time(max(between[0], trace.start))
    harts = np.unique(np.concatenate([part["hart"] for part in parts])).tolist()
    made = [_of_hart(trace, words, [part[part["hart"] == one] for part in parts], start) for one in harts]
    rows = np.concatenate([np.empty(0, wide_register_write(len(words))), *made])
    return rows[np.argsort(rows["t"], kind="stable")]


def _of_hart(trace: Trace, words: Sequence[RegisterId], parts: Sequence[Rows], start: Time) -> Rows:
    """Return the rows of one hart, ``parts`` being those of each word, not all of them empty."""
    times = np.unique(np.concatenate([part["t"] for part in parts]))
    rows = np.empty(len(times), wide_register_write(len(words)))
    rows["t"] = times
    rows["hart"] = next(part["hart"][0] for part in parts if len(part))
    values, known = registers_at(trace, Hart(int(rows["hart"][0])), start)
    for place, (word, part) in enumerate(zip(words, parts, strict=True)):
        newest = np.searchsorted(part["t"], times, "right")
        rows["value"][:, place] = np.append(values[word], part["value"])[newest]
        rows["known"][:, place] = np.append(known[word], part["known"])[newest]
    return rows
