"""A pass that is recorded once on a card and played again: CUDA graphs.

A pass over one token of each row starts about thirty small programs a layer. A fast card is done with
each before Python has found the next, so an answer alone waits for Python and not for the memory.
Recorded, all of them start at once. A recording always has the same shape and the same addresses
(https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs): it has a power of two of rows, of which
the last ones may be nobody's, and sees the cache's whole width. It is made once a shape has come
several times, and thrown away when the cache moves.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from core.engine.lookup import MOST

log = logging.getLogger(__name__)

Run = Callable[[], Any]
# Ids and their places, of as many rows and tokens each, to the scores after them.
Pass = Callable[[Any, Any], Any]
# Making one takes as long as a few passes.
_PATIENCE = 4
_SIZES = (1, 1 + MOST)  # tokens of a row: one, or one and a whole guess


class Recordings:
    """`run`: the pass; `record`: makes what plays it, see `on_card`."""

    def __init__(self, run: Pass, record: Callable[[Run], Run], device: Any) -> None:
        self._run = run
        self._record = record
        self._device = device
        self._made: dict[tuple[int, int], _Recording] = {}
        self._seen: Counter[tuple[int, int]] = Counter()
        self._cache_stamp = -1
        self._able = True
        self.played = 0

    def play(
        self, given: Sequence[Sequence[int]], begin: Sequence[int], *, cache: Any
    ) -> Any | None:
        """The scores after each of the tokens; None where this pass is to be run as it is.

        `given`: tokens, as many of each row; `begin`: the place of each row's first.
        """
        if cache.stamp != self._cache_stamp:  # its tensors are others now
            self.forget()
            self._cache_stamp = cache.stamp
        count = next((size for size in _SIZES if size >= len(given[0])), 0)
        if not (self._able and count) or max(begin) + count > cache.width:
            return None
        shape = (min(1 << (len(given) - 1).bit_length(), cache.rows), count)
        recording = self._made.get(shape)
        if recording is None:
            self._seen[shape] += 1
            if self._seen[shape] <= _PATIENCE:
                return None
            recording = _Recording(shape, self._device)
        recording.take(given, begin)
        if shape not in self._made and not self._recorded(shape, recording):
            return None
        self.played += 1
        return recording.play()[: len(given), : len(given[0])]

    def forget(self) -> None:
        self._made.clear()
        self._seen.clear()

    def _recorded(self, shape: tuple[int, int], recording: _Recording) -> bool:
        try:
            recording.play = self._record(lambda: self._run(recording.ids, recording.places))
        except Exception as error:  # noqa: BLE001 - whatever a model does that cannot be recorded
            log.warning("passes are not recorded (%s); each is run anew", error)
            self._able = False
            self.forget()
            return False
        self._made[shape] = recording
        return True


class _Recording:
    """What goes into a pass, always at the same addresses, and how it is played."""

    def __init__(self, shape: tuple[int, int], device: Any) -> None:
        import torch

        self.ids = torch.zeros(shape, dtype=torch.long, device=device)
        self.places = torch.zeros(shape, dtype=torch.long, device=device)
        self.play: Run = _nothing
        self._steps = torch.arange(shape[1], device=device)

    def take(self, given: Sequence[Sequence[int]], begin: Sequence[int]) -> None:
        """What is written for nobody goes to places that are written again before they are read."""
        import torch

        rows, count = self.ids.shape
        full = [[*ids, *[0] * (count - len(ids))] for ids in given]
        full.extend([[0] * count] * (rows - len(full)))
        first = [*begin, *[0] * (rows - len(begin))]
        self.ids.copy_(torch.tensor(full))
        self.places.copy_(torch.tensor(first)[:, None].to(self._steps.device) + self._steps)


def _nothing() -> Any:
    raise RuntimeError("nothing is recorded yet")


def on_card(model: Any) -> Callable[[Run], Run] | None:
    """How a pass of this model is recorded; None where nothing can record it."""
    if model.device.type != "cuda":
        return None
    import torch

    def record(run: Run) -> Run:
        # Memory of its own: a pool that several share is gone when all of them are thrown away.
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            left = run()

        def play() -> Any:
            graph.replay()
            return left

        return play

    return record
