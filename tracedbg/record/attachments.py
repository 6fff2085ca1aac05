"""What a trace carries besides the recording: symbols of the guest, and sources of the code that ran."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tracedbg.format.columns import AnyArray
from tracedbg.record.limits import boot_files, is_elf
from tracedbg.record.machine import relative_word
from tracedbg.symbols.carried import CarriedFile


def carried_files(symbols: Sequence[Path], argv: Sequence[str], cwd: Path) -> list[CarriedFile]:
    """Return the files to carry, each once: ``--symbols`` first, then what QEMU boots."""
    files = [CarriedFile(relative_word(str(path), cwd), path, asked=True) for path in symbols]
    files += [
        CarriedFile(relative_word(word, cwd), cwd / word, asked=False)
        for word in boot_files(argv)
        if is_elf(cwd / word)
    ]
    return list({file.path.resolve(): file for file in reversed(files)}.values())[::-1]


class ExecutedCode:
    """The addresses of all instructions in the block dictionary."""

    def __init__(self) -> None:
        self._parts: list[NDArray[np.uint64]] = []

    def add(self, blocks: dict[str, AnyArray]) -> None:
        """Take in the dictionary entries of an epoch."""
        sizes = blocks["instructions"].astype(np.int64)
        lengths = blocks["insn.length"].astype(np.uint64)
        ends = np.cumsum(lengths)
        before = np.append(np.zeros(1, np.uint64), ends)
        first = np.repeat(before[np.cumsum(sizes) - sizes], sizes)
        self._parts.append(np.repeat(blocks["virtual"], sizes) + (ends - lengths) - first)

    def addresses(self) -> NDArray[np.uint64]:
        """Return them, in any order."""
        return np.concatenate([np.empty(0, np.uint64), *self._parts])
