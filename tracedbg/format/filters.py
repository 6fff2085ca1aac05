"""What is done to a segment of a column before zstd sees it, and undone afterwards."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracedbg.format.schema import Filter

AnyArray = NDArray[Any]


def encode(filter: Filter, rows: AnyArray) -> AnyArray:
    """Return contiguous ``rows`` filtered, as an array of the same number of bytes."""
    if filter in (Filter.DELTA, Filter.DELTA_SHUFFLE):
        rows = _differences(rows)
    if filter in (Filter.SHUFFLE, Filter.DELTA_SHUFFLE):
        return np.ascontiguousarray(rows.view("u1").reshape(len(rows), -1).T).reshape(-1)
    return rows


def _differences(rows: AnyArray) -> AnyArray:
    out = np.empty_like(rows)
    out[0] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=out[1:])
    return out


def decode(filter: Filter, raw: bytes, dtype: np.dtype[Any]) -> AnyArray:
    """Undo ``encode``: return the rows of type ``dtype`` that ``raw`` holds, read-only."""
    rows: AnyArray = np.frombuffer(raw, dtype)
    if filter in (Filter.SHUFFLE, Filter.DELTA_SHUFFLE):
        planes = np.frombuffer(raw, "u1").reshape(dtype.itemsize, len(rows))
        table = np.empty((len(rows), dtype.itemsize), "u1")
        for index, plane in enumerate(planes):
            table[:, index] = plane
        rows = table.reshape(-1).view(dtype)
    if filter in (Filter.DELTA, Filter.DELTA_SHUFFLE):
        rows = np.cumsum(rows, dtype=dtype)
    rows.flags.writeable = False
    return rows
