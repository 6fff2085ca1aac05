"""Which privilege each hart ran at: U, S or M, in lower case where others ran in the same cell."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tracedbg.ids import Hart
from tracedbg.session.lanes.lane import Lane, LaneView
from tracedbg.store.blocks import prefix_sum
from tracedbg.store.epoch import EpochData

LETTERS = "US?M"
SAMPLES = 256
"""Runs looked at for one cell of a sampled lane."""

Shares = NDArray[np.float64]
"""Instructions by column and privilege."""


class Privileges:
    """A lane for each hart."""

    def lanes(self, view: LaneView) -> Sequence[Lane]:
        """Return one lane a hart, in order."""
        make = _exact if view.is_exact else _sampled
        return [
            self._lane(view, hart, make(view, Hart(hart))) for hart in range(view.index.trace.guest.harts)
        ]

    @staticmethod
    def _lane(view: LaneView, hart: int, shares: Shares) -> Lane:
        most = shares.argmax(axis=1)
        total = shares.sum(axis=1)
        mixed = shares.max(axis=1) < total
        letters = "".join(
            " " if not count else LETTERS[level].lower() if several else LETTERS[level]
            for level, count, several in zip(most.tolist(), total.tolist(), mixed.tolist(), strict=True)
        )
        letters = _carried(view, letters)
        return Lane(f"hart {hart}", letters, letters.upper(), exact=view.is_exact)


def _carried(view: LaneView, letters: str) -> str:
    """Repeat the cell before in columns without an instruction, for stretches shorter than their width."""
    edges = view.edges
    out: list[str] = []
    for column, letter in enumerate(letters):
        empty = edges[column] == edges[column + 1]
        out.append(out[-1] if empty and out else letter)
    return "".join(out)


def _exact(view: LaneView, hart: Hart) -> Shares:
    shares = np.zeros((view.width, len(LETTERS)))
    for number in view.epochs:
        shares += _epoch_shares(view, view.index.trace.epoch(number), hart)
    return shares


def _epoch_shares(view: LaneView, epoch: EpochData, hart: Hart) -> Shares:
    starts, privilege = epoch.run_start, epoch.blocks.privilege[epoch.run_block]
    own = epoch.hart_of_runs(np.arange(len(privilege))) == hart
    edges = np.clip(view.edges - epoch.start, 0, epoch.length)
    runs = np.clip(np.searchsorted(starts, edges, "right") - 1, 0, max(len(privilege) - 1, 0))
    shares = np.zeros((view.width, len(LETTERS)))
    for level in np.unique(privilege).tolist():
        counted = own & (privilege == level)
        before = prefix_sum(np.diff(starts) * counted)
        # Instructions of the level before each edge: whole runs, and the run that the edge cuts.
        at_edge = before[runs] + (edges - starts[runs]) * counted[runs]
        shares[:, level] += np.diff(at_edge)
    return shares


def _sampled(view: LaneView, hart: Hart) -> Shares:
    shares = np.zeros((view.width, len(LETTERS)))
    for column, number, low, high in view.iter_epoch_columns():
        epoch = view.index.trace.epoch(number)
        # Runs are taken where they would lie if all were of one length: no need to decode their lengths.
        count = len(epoch.run_block)
        first, stop = low * count // max(epoch.length, 1), high * count // max(epoch.length, 1)
        runs = np.arange(first, min(max(stop, first + 1), count), max((stop - first) // SAMPLES, 1))
        if len(runs):
            blocks = epoch.run_block[runs][epoch.hart_of_runs(runs) == hart]
            weights = epoch.blocks.instructions[blocks].astype(np.float64)
            shares[column] = np.bincount(epoch.blocks.privilege[blocks], weights, len(LETTERS))
    return shares
