"""Rows of numbers as the columns of a message."""

from collections.abc import Sequence

import numpy as np

from tracedbg.format.columns import AnyArray

Columns = dict[str, AnyArray]


def table(prefix: str, rows: Sequence[Sequence[int]], fields: Sequence[tuple[str, str]]) -> Columns:
    """Return a column for each field (name, dtype) of the rows, its name after the prefix and a dot."""
    columns = list(zip(*rows, strict=True)) or [()] * len(fields)
    named = zip(fields, columns, strict=True)
    return {f"{prefix}.{name}": np.array(column, dtype) for (name, dtype), column in named}
