"""Keys and values of several conversations, which come and go at different times.

All rows end in the same column, so that each step adds one column for everybody; shorter rows begin further
right. Rows stand in buffers that are written in place: a step copies nothing.
"""

from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache, DynamicCache, DynamicLayer


class SlotLayer(DynamicLayer):  # type: ignore[no-untyped-call]
    """What one layer remembers of all rows: keys and values, (rows, heads, columns, width of a head) each."""

    def __init__(self, slots: "SlotCache") -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.slots = slots
        self.is_initialized = True
        self.buffers: list[Tensor] = []

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        rows, begin = self.slots.rows, self.slots.width
        end = begin + key_states.shape[2]
        for buffer, states in zip(
            self.like(key_states, value_states), (key_states, value_states), strict=True
        ):
            buffer[:rows, :, begin:end] = states
        keys, values = self.buffers
        return keys[:rows, :, :end], values[:rows, :, :end]

    def like(self, *states: Tensor) -> list[Tensor]:
        """The buffers, made for such states if there are none."""
        if not self.buffers:
            self.buffers = [self._room(one) for one in states]
        return self.buffers

    def grow(self) -> None:
        """As many columns as the cache has by now."""
        before, self.buffers = self.buffers, [self._room(one) for one in self.buffers]
        for buffer, old in zip(self.buffers, before, strict=True):
            buffer[:, :, : old.shape[2]] = old

    def get_seq_length(self) -> int:
        return self.slots.width

    def _room(self, states: Tensor) -> Tensor:
        return states.new_zeros(self.slots.most_rows, states.shape[1], self.slots.columns, states.shape[3])


class SlotCache(Cache):
    """A cache for up to ``most_rows`` rows; the first ``rows`` of them are in use.

    starts  the column in which each row begins
    width   the column in which the next token of all rows stands
    """

    def __init__(self, layers: int, most_rows: int, columns: int = 256) -> None:
        self.most_rows, self.columns = most_rows, columns
        self.rows = self.width = 0
        self.starts: list[int] = []
        self.slot_layers = [SlotLayer(self) for _ in range(layers)]
        super().__init__(layers=list(self.slot_layers))

    def add(self, read: DynamicCache) -> None:
        """One more row, which remembers what ``read`` (of one row) has read."""
        length = read.get_seq_length()
        if length > self.width:
            self._make_columns(length)
            self._move(0, length - self.width)
        begin, row = self.width - length, self.rows
        for layer, known in zip(self.slot_layers, read.layers, strict=True):
            states = (known.keys, known.values)  # type: ignore[union-attr]
            for buffer, one in zip(layer.like(*states), states, strict=True):  # type: ignore[arg-type]
                buffer[row, :, begin : self.width] = one[0]  # type: ignore[index]
        self.starts.append(begin)
        self.rows += 1

    def row(self, row: int) -> list[tuple[Tensor, Tensor]]:
        """What a row remembers: keys and values (1, heads, its tokens, width of a head) of each layer."""
        columns = slice(self.starts[row], self.width)
        return [
            (keys[row : row + 1, :, columns].clone(), values[row : row + 1, :, columns].clone())
            for keys, values in (layer.buffers for layer in self.slot_layers)
        ]

    def remove(self, row: int) -> None:
        """Forget a row; the last one takes its place."""
        last = self.rows - 1
        columns = slice(self.starts[last], self.width)
        if row != last:
            for layer in self.slot_layers:
                for buffer in layer.buffers:
                    buffer[row, :, columns] = buffer[last, :, columns]
        self.starts[row] = self.starts[last]
        self.starts.pop()
        self.rows = last
        self._give_back()

    def begin_step(self) -> tuple[Tensor, Tensor]:
        """Room for one more column. Returns which columns each row sees (rows, width + 1), 1 or 0, and each
        row's next position (rows, 1)."""
        self._make_columns(self.width + 1)
        starts = torch.tensor(self.starts)[:, None]
        columns = torch.arange(self.width + 1)[None]
        return (columns >= starts).long(), self.width - starts

    def end_step(self) -> None:
        self.width += 1

    def _give_back(self) -> None:
        """Columns in which no row stands any more, once these are many."""
        unused = min(self.starts, default=self.width)
        if unused > self.width // 2:
            self._move(unused, -unused)

    def _move(self, begin: int, by: int) -> None:
        """All columns from ``begin`` on, to the right or to the left."""
        for layer in self.slot_layers:
            for buffer in layer.buffers:
                moved = buffer[: self.rows, :, begin : self.width].clone()
                buffer[: self.rows, :, begin + by : self.width + by] = moved
        self.starts = [start + by for start in self.starts]
        self.width += by

    def _make_columns(self, needed: int) -> None:
        if needed <= self.columns:
            return
        while self.columns < needed:
            self.columns *= 2
        for layer in self.slot_layers:
            layer.grow()
