"""The block dictionary as flat arrays, and an epoch's runs expanded to instructions."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracedbg.format.columns import PackedMessage
from tracedbg.format.schema import Source

Integers = NDArray[np.int64]


class Dictionary:
    """All blocks up to an epoch. Per block: ``first`` instruction and ``size``; the rest per instruction."""

    def __init__(self) -> None:
        self.first: Integers = np.zeros(0, np.int64)
        self.size: Integers = np.zeros(0, np.int64)
        self.destination: NDArray[np.uint8] = np.zeros(0, np.uint8)
        self.source: NDArray[np.uint8] = np.zeros(0, np.uint8)
        self.constant: NDArray[np.uint64] = np.zeros(0, np.uint64)
        self.address: NDArray[np.uint64] = np.zeros(0, np.uint64)

    def add(self, message: PackedMessage) -> None:
        """Take in one ``blocks`` message."""
        sizes = message.column("instructions").astype(np.int64)
        source = message.column("insn.source")
        constant = np.zeros(len(source), np.uint64)
        constant[source == Source.CONSTANT] = message.column("insn.constant")
        start = len(self.source)
        before = np.append(np.zeros(1, np.uint64), np.cumsum(message.column("insn.length"), dtype=np.uint64))
        first = np.cumsum(sizes) - sizes
        address = before[:-1] + np.repeat(message.column("virtual") - before[first], sizes)
        self.address = np.concatenate([self.address, address])
        self.first = np.concatenate([self.first, start + np.cumsum(sizes) - sizes])
        self.size = np.concatenate([self.size, sizes])
        self.destination = np.concatenate([self.destination, message.column("insn.destination")])
        self.source = np.concatenate([self.source, source])
        self.constant = np.concatenate([self.constant, constant])


@dataclass(frozen=True)
class Expanded:
    """The instructions of an epoch in order: index in the dictionary and hart of each. Row = offset of t."""

    index: Integers
    hart: NDArray[np.uint16]


def expand(epoch: PackedMessage, dictionary: Dictionary) -> Expanded:
    """Return an epoch's instructions from its runs; ValueError when a row points nowhere."""
    blocks = epoch.column("run.block").astype(np.int64)
    if len(blocks) and int(blocks.max()) >= len(dictionary.size):
        raise ValueError("a run is of a block that the dictionary does not have")
    started = dictionary.size[blocks]
    short, count = epoch.column("short.run").astype(np.int64), epoch.column("short.started").astype(np.int64)
    if len(short) and (int(short.max()) >= len(blocks) or (count >= started[short]).any() or not count.all()):
        raise ValueError("a short run is not shorter than its block")
    started[short] = count
    ends = np.cumsum(started)
    total = int(ends[-1]) if len(ends) else 0
    index = np.repeat(dictionary.first[blocks] - (ends - started), started) + np.arange(total)
    turns, harts = epoch.column("turn.run").astype(np.int64), epoch.column("turn.hart")
    if len(blocks) and (not len(turns) or turns[0] != 0 or turns[-1] >= len(blocks)):
        raise ValueError("the first run has no hart")
    lengths = np.diff(np.append((ends - started)[turns], total))
    return Expanded(index, np.repeat(harts, lengths))
