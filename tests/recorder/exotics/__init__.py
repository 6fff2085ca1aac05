"""Hand-written guests, each with what must hold exactly in its trace."""

from tests.recorder.exotics import atomics, boards, devices, harts, interrupts, memory, paging, traps
from tests.recorder.exotics.model import Exotic

EXOTICS: tuple[Exotic, ...] = (
    *memory.EXOTICS,
    *atomics.EXOTICS,
    *devices.EXOTICS,
    *traps.EXOTICS,
    *interrupts.EXOTICS,
    *paging.EXOTICS,
    *harts.EXOTICS,
    *boards.EXOTICS,
)

__all__ = ["EXOTICS", "Exotic"]
