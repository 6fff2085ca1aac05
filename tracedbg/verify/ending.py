"""RAM at the end of the trace, compared with what QEMU left."""

import hashlib

import numpy as np

from tracedbg.format.schema import PAGE_SIZE
from tracedbg.verify.guest import GuestFacts
from tracedbg.verify.memory import Memory
from tracedbg.verify.messages import Columns, Words, require
from tracedbg.verify.report import Report

_DIGEST_BYTES = 16
_FRAMES_AT_ONCE = 1 << 10


def compare_ram(end: Columns, memory: Memory, guest: GuestFacts, report: Report) -> None:
    """Compare all RAM with an ``end`` message; raises Malformed."""
    end.require_ascending("frame", strictly=True)
    frames, given = end["frame"], end.rows("digest")
    require(
        given == len(frames) * _DIGEST_BYTES, f"{len(frames)} frames at the end have {given} bytes of digests"
    )
    left = dict(zip(frames.tolist(), end["digest"].reshape(-1, _DIGEST_BYTES), strict=True))
    own = memory.frames
    every = np.union1d(frames, own[guest.are_ram(own)])
    for start in range(0, len(every), _FRAMES_AT_ONCE):
        some = every[start : start + _FRAMES_AT_ONCE]
        for frame, digest in zip(some.tolist(), _digests(memory, some), strict=True):
            found = left[frame].tobytes() if frame in left else None
            differs = int(digest != found)
            report.differ("ram", differs, f"frame {frame * PAGE_SIZE:#x} is not what QEMU left")
    report.final_ram_compared = True
    report.frames = len(every)


def _digests(memory: Memory, frames: Words) -> list[bytes | None]:
    """Return the digest of each frame, None for one that is all zero."""
    pages = memory.pages(frames)
    return [
        hashlib.blake2b(page, digest_size=_DIGEST_BYTES).digest() if page.any() else None for page in pages
    ]
