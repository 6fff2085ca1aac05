"""Which uses a physical frame was put to, one after the other: stacks, user pages, page tables."""

from collections.abc import Mapping

import numpy as np

from tracedbg.format.schema import PAGE_SIZE
from tracedbg.ids import Frame, PhysicalAddress, Time
from tracedbg.kernel.history import StackHistory
from tracedbg.kernel.stacks import Stack
from tracedbg.query import Kind, accesses
from tracedbg.query.rows import Rows
from tracedbg.store import Trace as Store

WORD = 8
LINK_WORDS = 2
"""Words of a free frame that an allocator uses: its place in a list."""

STACK, USER, TABLE = range(3)

ROLE = np.dtype([("first", "<i8"), ("last", "<i8"), ("kind", "u1"), ("place", "<i8"), ("root", "<u8")])
"""A use of a frame from ``first`` to ``last`` (t): STACK, of the stack numbered ``place``; USER, of user mode
at virtual page ``place`` of the space ``root``; or TABLE: from then on it may be a page table."""


def roles_of(frame: Frame, store: Store, history: StackHistory, stack_of: Mapping[int, Stack]) -> Rows:
    """Return the ROLE rows of a frame in order of ``first``."""
    stack = history.stack_pages[history.stack_pages["frame"] == frame]
    user = history.user_pages[history.user_pages["frame"] == frame]
    epochs = history.table_epochs[history.table_frames == frame]
    rows = np.zeros(len(stack) + len(user) + len(epochs), ROLE)
    parts = np.split(rows, [len(stack), len(stack) + len(user)])
    for name in ("first", "last"):
        parts[0][name], parts[1][name] = stack[name], user[name]
        parts[2][name] = store.epoch_starts[np.minimum(epochs + 1, store.epochs - 1)]
    numbers = {
        number: stack_of[number].number
        for number in np.unique(stack["context"]).tolist()
        if number in stack_of
    }
    parts[0]["place"] = [numbers.get(number, 0) for number in stack["context"].tolist()]
    parts[1]["kind"], parts[1]["place"], parts[1]["root"] = USER, user["page"], user["root"]
    parts[2]["kind"] = TABLE
    return rows[np.argsort(rows["first"], kind="stable")]


def beginnings(roles: Rows) -> Rows:
    """Return the roles that are another one than the role before."""
    names = ["kind", "place", "root"]
    changed = np.ones(len(roles), np.bool_)
    changed[1:] = roles[names][1:] != roles[names][:-1]
    return roles[changed]


def is_free(frame: Frame, t: Time, store: Store, roles: Rows) -> bool:
    """Say whether a frame without a role at ``t`` lies idle between two, or after the last one.

    It had one; since then nothing was written but all of it, by who cleans it, or a link of a list of free
    frames; and until the next one nothing is read of it but such a link.
    """
    roles = roles[roles["kind"] != TABLE]
    before, after = roles[roles["first"] <= t], roles[roles["first"] > t]
    if not len(before):
        return False
    left = Time(min(int(before["last"].max()) + 1, t))
    stop = Time(int(after["first"].min()) if len(after) else store.end)
    where = (PhysicalAddress(frame * PAGE_SIZE), PAGE_SIZE)
    written = _words(accesses(store, where, between=(left, t), kind=Kind.WRITE))
    if not (written <= LINK_WORDS or written == PAGE_SIZE // WORD):
        return False
    return _words(accesses(store, where, between=(t, max(t, stop)), kind=Kind.LOAD)) <= LINK_WORDS


def _words(rows: Rows) -> int:
    """Return how many words accesses touch."""
    return len(np.unique(rows["physical"] // WORD))
