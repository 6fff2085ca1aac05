"""The code that ran: which instructions begin or end at an address, and what they were."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tracedbg.disasm import Disassembler, Instruction
from tracedbg.ids import VirtualAddress
from tracedbg.store.blocks import BlockTable


class ExecutedCode:
    """Instructions of the block dictionary by virtual address, whatever address space they ran in."""

    def __init__(self, blocks: BlockTable, disassembler: Disassembler) -> None:
        self._blocks = blocks
        self._disassembler = disassembler

    @cached_property
    def _distinct(self) -> NDArray[np.int64]:
        """One instruction of the table for each address and encoding."""
        blocks = self._blocks
        word = blocks.encoding
        order = np.lexsort((word, blocks.address))
        address = blocks.address[order]
        new = np.ones(len(order), np.bool_)
        new[1:] = (address[1:] != address[:-1]) | (word[order][1:] != word[order][:-1])
        return order[new]

    @cached_property
    def _starts(self) -> NDArray[np.uint64]:
        return self._blocks.address[self._distinct]

    @cached_property
    def _by_end(self) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        ends = self._starts + self._blocks.length[self._distinct].astype(np.uint64)
        order = np.argsort(ends, kind="stable")
        return ends[order], self._distinct[order]

    def at(self, address: int) -> list[Instruction]:
        """Return the different instructions that ran at an address."""
        return [self._decoded(index) for index in _equal(self._starts, self._distinct, address)]

    def ending_at(self, address: int) -> list[Instruction]:
        """Return the different instructions that ran and lie right before an address."""
        ends, instructions = self._by_end
        return [self._decoded(index) for index in _equal(ends, instructions, address)]

    def is_return_site(self, address: int) -> bool:
        """Say whether a call that ran would return to an address."""
        return any(found.is_call for found in self.ending_at(address))

    def _decoded(self, index: int) -> Instruction:
        blocks = self._blocks
        address = VirtualAddress(int(blocks.address[index]))
        found = self._disassembler.decode(blocks.instruction_bytes(index), address)
        first = int(blocks.first[blocks.block_of[index]])
        if found.target is None and index > first:
            # The first half of a far call tells where the second goes.
            data = blocks.code[blocks.byte[index - 1] : blocks.byte[index + 1]].tobytes()
            *_, found = self._disassembler.decode_all(data, VirtualAddress(int(blocks.address[index - 1])))
        return found


def _equal(keys: NDArray[np.uint64], values: NDArray[np.int64], key: int) -> list[int]:
    """Return the values whose key, in ascending ``keys``, is ``key``."""
    low = int(np.searchsorted(keys, np.uint64(key)))
    high = int(np.searchsorted(keys, np.uint64(key), "right"))
    found: list[int] = values[low:high].tolist()
    return found
