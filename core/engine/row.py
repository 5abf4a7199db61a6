"""One answer in a continuous batch, and what is counted of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.engine.batching import Request
from core.engine.constraint import Constraint
from core.engine.lookup import Drafts
from core.engine.picking import Runs
from core.engine.writing import Writer
from core.ports import Generation


class Row(Request):
    """One answer: what was read and written, and how far the cache knows it."""

    def __init__(
        self,
        ids: Sequence[int],
        prefix: tuple[int, ...],
        options: Generation,
        writer: Writer,
        constraint: Constraint | None,
    ) -> None:
        super().__init__(None)
        self.ids = list(ids)
        self.prompt_tokens = len(ids)
        self.prefix = prefix
        self.options = options
        self.writer = writer
        self.constraint = constraint
        self.answers = 1  # of a search
        self.runs = Runs(0 if constraint else options.no_repeat_ngram)
        self._drafts: Drafts | None = None
        self.chance: Any = None
        self.cached = 0

    @property
    def written(self) -> Sequence[int]:
        return self.ids[self.prompt_tokens :]

    @property
    def needs(self) -> int:
        """Places in the cache until it is finished."""
        return self.prompt_tokens + self.options.max_new_tokens

    @property
    def drafts(self) -> Drafts:
        """Made when first asked for, in the engine's thread: a long prompt takes milliseconds."""
        if self._drafts is None:
            self._drafts = Drafts(self.ids)
        return self._drafts

    def guess(self, most: int, needed: float) -> list[int]:
        """What may follow; never more than may still be written. `needed`: see `lookup`."""
        left = self.options.max_new_tokens - len(self.written) - 1
        return self.drafts.guess(self.ids, min(most, left), needed)

    @property
    def unread(self) -> int:
        return len(self.ids) - self.cached

    @property
    def reading(self) -> bool:
        """There is more to be read than one token, which writing reads with its own pass."""
        return self.unread > 1

    def finish_text(self) -> None:
        piece = self.writer.close()
        if piece:
            self.wrote(piece)
        self.finish(self.writer.text)


@dataclass
class Counts:
    """What happened so far, for those who watch."""

    steps: int = 0
    tokens: int = 0
    read: int = 0
    prefix_tokens: int = 0
    handed_back: int = 0
    guessed: int = 0
    right: int = 0
