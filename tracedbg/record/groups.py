"""Puts register values into the order in which they are stored (tracedbg.format.grouping), by a C library."""

import ctypes
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracedbg.errors import RecordError
from tracedbg.format.columns import AnyArray
from tracedbg.format.schema import EPOCH, WRITES, Message

Columns = Mapping[str, AnyArray]

_MEMBERS = ("count", "block", "short_count", "short_run", "short_started", "first", "size", "source")


_FIELDS: list[Any] = [
    (name, ctypes.c_uint64 if name.endswith("count") else ctypes.c_void_p) for name in _MEMBERS
]


class _Runs(ctypes.Structure):
    _fields_ = _FIELDS


class Groups:
    """Knows the block dictionary so far, and groups the values of one epoch after the other."""

    def __init__(self, library: Path) -> None:
        self._group = ctypes.CDLL(str(library)).group_writes
        self._group.argtypes = [ctypes.POINTER(_Runs), ctypes.c_uint64, ctypes.c_void_p, ctypes.c_void_p]
        self._group.restype = ctypes.c_uint64
        self._size: NDArray[np.uint16] = np.empty(0, np.uint16)
        self._source: NDArray[np.uint8] = np.empty(0, np.uint8)

    def add_blocks(self, blocks: Columns) -> None:
        """Take in the dictionary entries of an epoch."""
        self._size = np.concatenate([self._size, blocks["instructions"]])
        self._source = np.concatenate([self._source, blocks["insn.source"]])

    def group(self, messages: Mapping[Message, Columns]) -> AnyArray:
        """Return an epoch's register values as they are stored. Its blocks have been added."""
        epoch, values = messages[EPOCH], np.ascontiguousarray(messages[WRITES]["value"])
        first = (np.cumsum(self._size, dtype=np.int64) - self._size).astype(np.uint32)
        held = {
            "block": epoch["run.block"],
            "short_run": epoch["short.run"],
            "short_started": epoch["short.started"],
            "first": first,
            "size": self._size,
            "source": self._source,
        }
        runs = _Runs(count=len(held["block"]), short_count=len(held["short_run"]))
        for name, column in held.items():
            held[name] = np.ascontiguousarray(column)
            setattr(runs, name, held[name].ctypes.data)
        grouped = np.empty(len(values), "<u8")
        found = self._group(ctypes.byref(runs), len(values), values.ctypes.data, grouped.ctypes.data)
        if found != len(values):
            raise RecordError(
                f"the recorder contradicts itself: {len(values)} register values for {found} writes"
            )
        return grouped
