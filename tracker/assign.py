"""Who belongs to whom, at the least total cost."""

from __future__ import annotations

from dataclasses import dataclass

import lap
import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Assignment:
    """rows, columns        (P,) the pairs, by row
    free_rows, free_columns  what has no partner, ascending
    """

    rows: Indices
    columns: Indices
    free_rows: Indices
    free_columns: Indices


def assign(cost: NDArray[np.float64], limit: float) -> Assignment:
    """Pair rows with columns of `cost` (R, C); a pair that would cost more than `limit` is left apart."""
    rows, columns = cost.shape
    if rows == 0 or columns == 0:
        return Assignment(np.zeros(0, np.intp), np.zeros(0, np.intp), np.arange(rows), np.arange(columns))
    _, column_of_row, row_of_column = lap.lapjv(np.ascontiguousarray(cost), extend_cost=True, cost_limit=limit)
    (paired,) = np.nonzero(column_of_row >= 0)
    return Assignment(
        paired,
        column_of_row[paired].astype(np.intp),
        np.nonzero(column_of_row < 0)[0],
        np.nonzero(row_of_column < 0)[0],
    )
