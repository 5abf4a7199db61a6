"""Keys and values of all rows in work, one slot each: what a row has read is never moved or copied.

    slot r:  | token 0 | token 1 | … | token n |  free  |

Every row begins at place 0 of its slot, so nothing is padded on the left and a row that joins or
leaves changes nothing for the others. Transformers' attention layers call `update`; before that
the batch says by `read` or `write` which places the next forward pass fills.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

_STEP = 64  # the width grows in steps, so that it rarely does


@dataclass(slots=True)
class Prefix:
    """The keys and values of a beginning that many prompts share, layer by layer."""

    length: int
    keys: list[Any] = field(repr=False)
    values: list[Any] = field(repr=False)


class RowCache:
    """Has the part of transformers' Cache that decoder models use."""

    is_compileable = False

    def __init__(self) -> None:
        self.rows = 0
        self.width = 0
        self.stamp = 0  # changes when what is kept moves to other memory
        self._keys: list[Any] = []
        self._values: list[Any] = []
        self._slot: int | None = None
        self._begin = 0
        self._places: Any = None
        self._first = self._end = 0
        self._rows: Any = None
        self._seen = 0

    # -- what the next forward pass does ----------------------------------------------------

    def read(self, slot: int, begin: int, count: int) -> None:
        """Next, `count` tokens of one row are read into its slot from place `begin` on."""
        self._slot, self._begin, self._seen = slot, begin, begin + count

    def write(self, places: Any, seen: int, first: int = 0) -> None:
        """Next, `places` of the rows from slot `first` on, as many of each; attention sees places
        below `seen`."""
        import torch

        self._slot, self._places, self._seen = None, places, seen
        self._first, self._end = first, first + len(places)
        self._rows = torch.arange(first, self._end, device=places.device)[:, None]

    def update(self, keys: Any, values: Any, layer: int, *_: Any, **__: Any) -> tuple[Any, Any]:
        if layer >= len(self._keys):
            self._keys.append(self._empty(keys))
            self._values.append(self._empty(values))
        return self._put(self._keys[layer], keys), self._put(self._values[layer], values)

    def get_seq_length(self, _layer: int = 0) -> int:
        return self._seen

    def _put(self, kept: Any, new: Any) -> Any:
        if self._slot is not None:
            kept[self._slot, :, self._begin : self._seen] = new[0]
            return kept[self._slot : self._slot + 1, :, : self._seen]
        kept[self._rows, :, self._places] = new.transpose(1, 2)
        return kept[self._first : self._end, :, : self._seen]

    def _empty(self, like: Any) -> Any:
        # Zeros: attention multiplies what it masks by nothing, and nothing times NaN is NaN.
        return like.new_zeros((self.rows, like.shape[1], self.width, like.shape[3]))

    # -- room ---------------------------------------------------------------------------------

    def make_room(self, rows: int, width: int) -> None:
        """At least so many slots of so many places; what is kept stays."""
        rows, width = max(rows, self.rows), max(rounded(width), self.width)
        if (rows, width) == (self.rows, self.width):
            return
        before = (self.rows, self.width)
        self.rows, self.width = rows, width
        self.stamp += 1
        for tensors in (self._keys, self._values):
            for layer, old in enumerate(tensors):
                tensors[layer] = self._empty(old)
                tensors[layer][: before[0], :, : before[1]] = old

    def move(self, source: int, target: int, length: int) -> None:
        for tensor in (*self._keys, *self._values):
            tensor[target, :, :length] = tensor[source, :, :length]

    def clear(self) -> None:
        """Everything is given back."""
        self.rows = self.width = 0
        self.stamp += 1
        self._keys.clear()
        self._values.clear()
        self._places = self._rows = None

    def kept(self, slot: int, length: int) -> Prefix:
        """A copy of a slot's beginning."""
        return Prefix(
            length,
            [tensor[slot, :, :length].clone() for tensor in self._keys],
            [tensor[slot, :, :length].clone() for tensor in self._values],
        )

    def begin_with(self, slot: int, prefix: Prefix) -> None:
        if not self._keys:
            self._keys = [self._empty(one[None]) for one in prefix.keys]
            self._values = [self._empty(one[None]) for one in prefix.values]
        for tensors, copies in ((self._keys, prefix.keys), (self._values, prefix.values)):
            for tensor, copy in zip(tensors, copies, strict=True):
                tensor[slot, :, : prefix.length] = copy


def rounded(width: int) -> int:
    return -(-width // _STEP) * _STEP


def bytes_per_token(config: Any, itemsize: int) -> int:
    """Keys and values of one token in all layers."""
    heads = config.num_attention_heads
    key_heads = getattr(config, "num_key_value_heads", None) or heads
    size = getattr(config, "head_dim", None) or config.hidden_size // heads
    return int(2 * config.num_hidden_layers * key_heads * size * itemsize)
