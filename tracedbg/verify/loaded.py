"""Every load of an epoch compared with memory, which the epoch's stores and changes then bring forward."""

import numpy as np

from tracedbg.format.schema import ACCESS_STORE, Cause
from tracedbg.verify.accesses import WordRows
from tracedbg.verify.memory import Memory
from tracedbg.verify.messages import Columns, EpochMessages, Words
from tracedbg.verify.report import Report
from tracedbg.verify.sweep import Swept, differing_bytes, group_starts, learn, sweep
from tracedbg.verify.written import WrittenBytes


class LoadCheck:
    """Compares each epoch's loads with memory, and brings memory to the epoch's end."""

    def __init__(self, memory: Memory, report: Report) -> None:
        self._memory = memory
        self._report = report

    def check(self, messages: EpochMessages, rows: WordRows) -> WrittenBytes:
        """Do so for the rows of one epoch; return the bytes that it wrote, or in a recording made known.

        Raises Malformed.
        """
        self._count(messages.accesses)
        starts = group_starts(rows)
        words = rows.word[starts]
        swept = sweep(rows, starts, self._memory.states(words))
        self._compare(messages.first, rows, swept)
        # In a capture most loads are the first to tell of what they bring.
        told = words[swept.after.written != 0], swept.after.written[swept.after.written != 0]
        learn(rows, starts, swept)
        after = swept.after.take(np.flatnonzero(swept.after.written))
        words = words[swept.after.written != 0]
        self._memory.write(words, after)
        return WrittenBytes.of_words(*told if self._report.is_capture else (words, after.written))

    def _count(self, accesses: Columns) -> None:
        stores = int(np.count_nonzero(accesses["flags"] & ACCESS_STORE))
        self._report.stores += stores
        self._report.loads += accesses.rows("flags") - stores
        counts = np.bincount(accesses["change.cause"], minlength=len(Cause)).tolist()
        for cause in Cause:
            self._report.changes[cause.name.lower()] += counts[cause]

    def _compare(self, first: int, rows: WordRows, swept: Swept) -> None:
        different = differing_bytes(rows, swept)
        wrong = np.flatnonzero(different)
        if not len(wrong):
            return
        row = int(wrong[np.argmin(rows.t[wrong])])
        lane = int(np.argmax(_lanes(different[row]) != 0))
        found, expected = (int(_lanes(words[row])[lane]) for words in (rows.value, swept.expected))
        self._report.differ(
            "loads",
            int(np.count_nonzero(_lanes(different[wrong]))),
            f"t {first + int(rows.t[row])}: byte {int(rows.word[row]) * 8 + lane:#x} was loaded as"
            f" {found:#04x} and should be {expected:#04x}",
        )


def _lanes(words: Words | np.uint64) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    return np.atleast_1d(words).view(np.uint8)
