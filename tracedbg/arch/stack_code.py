"""What instructions do with the stack pointer, for many instructions at once."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint32]
Registers = NDArray[np.uint8]


class PointerWrite(IntEnum):
    """How an instruction makes the stack pointer."""

    NONE = 0
    FRAME = 1
    """By arithmetic on the stack pointer: a push, a pop, an alignment."""
    SET = 2
    """From anything else: a move, a load, a swap, a constant."""
    FRAME_POINTER = 3
    """By arithmetic on the frame pointer, as a function with a frame of variable size ends."""


@dataclass(frozen=True)
class StackCode:
    """One row for each instruction; registers by number, 0 for none.

    ``pointer`` is a PointerWrite; ``pointer_from`` the register that is moved into the stack pointer.
    ``derived`` is another register than the stack pointer that is computed from it. ``spilled`` is the
    register that is stored whole at an offset from the stack pointer, ``restored`` the one that is loaded so.
    ``cause_read`` tells the instructions that read why a trap was taken, or from where.
    """

    pointer: Registers
    pointer_from: Registers
    derived: Registers
    spilled: Registers
    restored: Registers
    cause_read: NDArray[np.bool_]
