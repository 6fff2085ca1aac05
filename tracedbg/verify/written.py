"""Which bytes of physical memory a stretch of time wrote."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from tracedbg.format.schema import PAGE_SIZE
from tracedbg.verify.messages import Bytes, Words

MASK_BYTES = PAGE_SIZE // 8
_WORD_BITS = np.uint64(9)


@dataclass(frozen=True)
class WrittenBytes:
    """``frames`` ascending; ``masks`` of shape (frames, 512): a bit for each byte, lowest address lowest."""

    frames: Words
    masks: Bytes

    @classmethod
    def nothing(cls) -> Self:
        """Return that no byte was written."""
        return cls(np.empty(0, np.uint64), np.empty((0, MASK_BYTES), np.uint8))

    @classmethod
    def of_words(cls, words: Words, masks: Bytes) -> Self:
        """Return the bytes of ascending words (address / 8), each with the mask of its bytes."""
        frames, row = np.unique(words >> _WORD_BITS, return_inverse=True)
        table = np.zeros((len(frames), MASK_BYTES), np.uint8)
        table[row, (words & np.uint64(MASK_BYTES - 1)).astype(np.int64)] = masks
        return cls(frames, table)

    def __or__(self, other: "WrittenBytes") -> "WrittenBytes":
        """Return the bytes that one of both has."""
        frames = np.union1d(self.frames, other.frames)
        masks = np.zeros((len(frames), MASK_BYTES), np.uint8)
        masks[np.searchsorted(frames, self.frames)] = self.masks
        masks[np.searchsorted(frames, other.frames)] |= other.masks
        return WrittenBytes(frames, masks)
