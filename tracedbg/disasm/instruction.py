"""One decoded instruction."""

from dataclasses import dataclass
from enum import Flag, auto

from tracedbg.ids import VirtualAddress


class Flow(Flag):
    """How an instruction may change the flow of control; none of these for one that only goes on."""

    CALL = auto()
    RETURN = auto()
    BRANCH = auto()
    JUMP = auto()
    TRAP = auto()
    TRAP_RETURN = auto()


@dataclass(frozen=True, slots=True)
class Instruction:
    """An instruction as text and as what it does to the flow of control.

    ``data`` are its bytes in memory order. ``target`` is where a direct jump, call or branch goes, None
    for an indirect one.
    """

    address: VirtualAddress
    data: bytes
    mnemonic: str
    operands: str
    flow: Flow
    target: VirtualAddress | None

    @property
    def length(self) -> int:
        """Bytes that it takes."""
        return len(self.data)

    @property
    def text(self) -> str:
        """Mnemonic and operands."""
        return f"{self.mnemonic} {self.operands}".rstrip()

    @property
    def is_call(self) -> bool:
        """A jump that leaves a return address in a link register."""
        return Flow.CALL in self.flow

    @property
    def is_return(self) -> bool:
        """A jump to the address in a link register."""
        return Flow.RETURN in self.flow

    @property
    def is_branch(self) -> bool:
        """A conditional branch."""
        return Flow.BRANCH in self.flow

    @property
    def is_jump(self) -> bool:
        """An unconditional jump that is neither call nor return: a tail call, a loop, a jump table."""
        return Flow.JUMP in self.flow

    @property
    def is_trap(self) -> bool:
        """Traps on purpose: a system call or a breakpoint."""
        return Flow.TRAP in self.flow

    @property
    def is_trap_return(self) -> bool:
        """Returns from a trap handler."""
        return Flow.TRAP_RETURN in self.flow
