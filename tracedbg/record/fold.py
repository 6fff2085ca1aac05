"""What spans of epochs leave in memory, folded by a small C library (plugins/qemu/fold/fold.c)."""

import ctypes
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tracedbg.errors import RecordError
from tracedbg.format.columns import AnyArray
from tracedbg.format.schema import PAGE_SIZE

_MASK_BYTES = PAGE_SIZE // 8
_GROUPS = (
    ("t", "flags", "virtual", "value"),
    ("mapping.access", "mapping.delta"),
    ("crossing.access", "crossing.physical"),
    ("change.t", "change.physical", "change.value"),
)


_FIELDS: list[Any] = [
    field
    for group in _GROUPS
    for field in [(f"{group[0]}.count", ctypes.c_uint64), *((name, ctypes.c_void_p) for name in group)]
]


class _Epoch(ctypes.Structure):
    _fields_ = _FIELDS


def _pointer(array: AnyArray) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


class Fold:
    """Bytes written and lines loaded, by level; memory grows with the guest memory that was touched."""

    def __init__(self, library: Path) -> None:
        self.library = library
        self._c = ctypes.CDLL(str(library))
        self._c.fold_new.restype = ctypes.c_void_p
        self._c.fold_free.argtypes = [ctypes.c_void_p]
        self._c.fold_epoch.argtypes = [ctypes.c_void_p, ctypes.POINTER(_Epoch)]
        self._c.fold_measure.argtypes = [
            ctypes.c_void_p,
            ctypes.c_int,
            *[ctypes.POINTER(ctypes.c_uint64)] * 3,
        ]
        self._c.fold_take.argtypes = [ctypes.c_void_p, ctypes.c_int, *[ctypes.c_void_p] * 5]
        self._fold = self._c.fold_new()
        if not self._fold:
            raise RecordError("no memory left for the recorder")

    def add(self, accesses: Mapping[str, AnyArray]) -> None:
        """Apply an epoch's ``accesses`` columns, C-contiguous, to level 0."""
        epoch = _Epoch()
        for group in _GROUPS:
            setattr(epoch, f"{group[0]}.count", len(accesses[group[0]]))
            for name in group:
                setattr(epoch, name, _pointer(accesses[name]))
        if self._c.fold_epoch(self._fold, ctypes.byref(epoch)):
            raise RecordError("no memory left for the recorder")

    def take(self, level: int) -> dict[str, AnyArray]:
        """Return the ``written`` and ``read`` columns of the span that ends here; begins the level anew."""
        frames, size, loaded = ctypes.c_uint64(), ctypes.c_uint64(), ctypes.c_uint64()
        self._c.fold_measure(self._fold, level, frames, size, loaded)
        columns: dict[str, AnyArray] = {
            "written.frame": np.empty(frames.value, "<u8"),
            "written.mask": np.empty(frames.value * _MASK_BYTES, "u1"),
            "written.bytes": np.empty(size.value, "u1"),
            "read.frame": np.empty(loaded.value, "<u8"),
            "read.lines": np.empty(loaded.value, "<u8"),
        }
        if self._c.fold_take(self._fold, level, *map(_pointer, columns.values())):
            raise RecordError("no memory left for the recorder")
        return columns

    def close(self) -> None:
        """Free the library's memory."""
        if self._fold:
            self._c.fold_free(self._fold)
            self._fold = None
