"""Decodes instructions one at a time or in a row; the only file that meets capstone."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Protocol

import capstone

from tracedbg.disasm.instruction import Flow, Instruction
from tracedbg.disasm.riscv_csrs import decode_csr
from tracedbg.disasm.riscv_extensions import decode_extension
from tracedbg.disasm.riscv_flow import flow_of, instruction_length, pair_target
from tracedbg.disasm.riscv_text import is_reserved, readable
from tracedbg.errors import UsageError
from tracedbg.ids import VirtualAddress

_CACHED = 65536


class _Capstone(Protocol):
    """What is used of capstone.Cs, which comes without types."""

    def disasm_lite(
        self, code: bytes, offset: int, count: int = 0
    ) -> Iterator[tuple[int, int, str, str]]: ...


class Disassembler:
    """Decodes RV64GC with Zba, Zbb, Zbc, Zbs, Zicond, Zicbom, Zicboz, Svinval and the hypervisor's fences.

    Anything else shows as ``.insn`` and its number. Texts follow binutils: aliases (``ret``, ``mv``)
    and no ``c.`` before what is compressed, targets as absolute addresses.
    """

    def __init__(self, arch: str = "riscv64") -> None:
        if arch != "riscv64":
            raise UsageError(f"no disassembler for architecture {arch!r}: only riscv64 is known")
        mode = capstone.CS_MODE_RISCV64 | capstone.CS_MODE_RISCVC
        self._capstone: _Capstone = capstone.Cs(capstone.CS_ARCH_RISCV, mode)
        self._decode = lru_cache(maxsize=_CACHED)(self._decode_uncached)

    def decode(self, data: bytes, address: VirtualAddress) -> Instruction:
        """The instruction at the beginning of ``data``, which may hold more than it.

        Fewer bytes than the instruction takes show as ``.byte``; ValueError for none at all.
        """
        if not data:
            raise ValueError("no bytes to decode")
        length = instruction_length(data)
        if len(data) < length:
            shown = ", ".join(f"{byte:#04x}" for byte in data)
            return Instruction(address, data, ".byte", shown, Flow(0), None)
        return self._decode(bytes(data[:length]), address)

    def decode_all(self, data: bytes, address: VirtualAddress) -> Iterator[Instruction]:
        """The instructions of ``data`` one after the other.

        A far call or tail call is two instructions; its second gets the target that both make up.
        """
        previous: Instruction | None = None
        offset = 0
        while offset < len(data):
            found = self.decode(data[offset : offset + 4], VirtualAddress(address + offset))
            if found.target is None and previous is not None:
                found = _with_pair_target(previous, found)
            yield found
            previous = found
            offset += found.length

    def _decode_uncached(self, data: bytes, address: VirtualAddress) -> Instruction:
        word = int.from_bytes(data, "little")
        flow, target = flow_of(word, address)
        mnemonic, operands = decode_csr(word) or decode_extension(word) or self._text(data, address)
        mnemonic, operands = readable(mnemonic, operands, target)
        return Instruction(address, data, mnemonic, operands, flow, target)

    def _text(self, data: bytes, address: int) -> tuple[str, str]:
        word = int.from_bytes(data, "little")
        for _, size, mnemonic, operands in self._capstone.disasm_lite(data, address, 1):
            if size == len(data) and not is_reserved(word):
                return mnemonic, operands
        return ".insn", f"{word:#0{2 + 2 * len(data)}x}"


def _with_pair_target(first: Instruction, second: Instruction) -> Instruction:
    words = (int.from_bytes(first.data, "little"), int.from_bytes(second.data, "little"))
    target = pair_target(*words, first.address)
    if target is None:
        return second
    return Instruction(second.address, second.data, second.mnemonic, second.operands, second.flow, target)
