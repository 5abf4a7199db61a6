"""The continuous batch: rows join and leave between two tokens, nobody waits for the slowest.

A step reads a bounded piece of the prompts that are new (its last token brings the first of the
answer), then writes a token of every row that is read, or several where few rows are together and
they were guessed (`lookup`). A long prompt delays the others by a piece and not by its length. The
keys and values stay within a budget of bytes; whoever does not fit waits outside. Memory that runs
out all the same makes the batch smaller: the youngest rows are handed back with what they have
written, and go on from there later.

All of it runs in one thread and in torch's inference mode; only `Request` speaks to others.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from core.engine.batching import News
from core.engine.picking import pick
from core.engine.prefixes import Prefixes
from core.engine.reading import Piece, Reader, filled, width
from core.engine.recording import Recordings, Run
from core.engine.row import Counts, Row
from core.engine.rowcache import RowCache, bytes_per_token, rounded
from core.errors import EngineOutOfMemory

log = logging.getLogger(__name__)

# Tokens of prompts that are read in one step: what the others wait for at most. 512 keep two cores
# busy for less than a second. A card needs many to be busy at all, so there rows are read together.
_PIECE = {"cpu": 512, "cuda": 2048}
_READ_TOGETHER = {"cpu": 1, "cuda": 64}
# Tokens of all rows, guessed ones too, that one pass takes; a processor is busy with fewer.
_TOGETHER = {"cpu": 16, "cuda": 64}
# So many answers for each row that is allowed, without memory running out, and twice as many are tried
# again: others may have given back what they held.
_CALM = 8
# Right tokens that a guess must bring: on a processor a pass over three to eight tokens takes twice as
# long as one over a single token (multiplying a matrix is another thing than reading it once).
_NEEDED = {"cpu": 1.0}


class RowBatch:
    """`budget`: bytes for keys and values. `ends`: tokens that end an answer. `piece`: tokens of
    prompts that a step reads, of at most `read_together` rows in one pass; 0: what suits the device.
    `record`: see `recording`; without it every pass is run anew."""

    def __init__(
        self,
        model: Any,
        ends: frozenset[int],
        *,
        max_rows: int,
        budget: int,
        piece: int = 0,
        read_together: int = 0,
        record: Callable[[Run], Run] | None = None,
    ) -> None:
        config = model.config.get_text_config()
        self._model = model
        self._ends = ends
        self._piece = piece or _PIECE.get(model.device.type, 512)
        together = read_together or _READ_TOGETHER.get(model.device.type, 1)
        self._reader = Reader(together, lambda length: self._prefixes.may_keep(length, self._free))
        self._window = getattr(config, "sliding_window", None)
        self._kinds = tuple(getattr(config, "layer_types", None) or ())
        self._capacity = budget // bytes_per_token(config, model.dtype.itemsize)
        # A pass over few tokens takes as long as the weights take to come from memory.
        self._together = _TOGETHER.get(model.device.type, 64)
        self._needed = _NEEDED.get(model.device.type, 0.0)
        self._cache = RowCache()
        self._recordings = Recordings(self._pass, record, model.device) if record else None
        self._news = News()
        self._prefixes = Prefixes(self._capacity)
        self.max_rows = max_rows
        self._most = max_rows
        self._answered = 0  # since memory ran out
        self.rows: list[Row] = []
        self.back: deque[Row] = deque()
        self.counts = Counts()

    @property
    def capacity(self) -> int:
        """Tokens that the budget holds."""
        return self._capacity

    def fits(self, row: Row) -> bool:
        """Whether it may join now. Raises EngineOutOfMemory where it never could."""
        if rounded(row.needs) > self._capacity:
            raise EngineOutOfMemory(
                "the model's cache",
                f"{row.needs} tokens are needed and {self._capacity} fit; raise model.cache_memory",
            )
        rows = len(self.rows) + 1
        width = max(rounded(one.needs) for one in (*self.rows, row))
        return rows <= self.max_rows and rows * width <= self._capacity

    def join(self, row: Row) -> None:
        row.news = self._news
        self.rows.append(row)
        width = max(one.needs for one in self.rows)
        slots = self._slots(max(width, self._cache.width))
        if not slots:
            self._start_again()  # it was wider once; narrower, all of them fit
            slots = self._slots(width)
        taken = slots * rounded(max(width, self._cache.width))
        self._prefixes.shrink(self._capacity - taken)
        self._cache.make_room(slots, width)
        self._begin(row)

    def _slots(self, width: int) -> int:
        """Room for twice as many as are here, so that it is not made anew for each that joins;
        0: not even for these."""
        doubled = min(1 << (len(self.rows) - 1).bit_length(), self.max_rows)
        for rows in (doubled, len(self.rows)):
            slots = max(rows, self._cache.rows)
            if slots * rounded(width) <= self._capacity:
                return slots
        return 0

    def step(self) -> None:
        """Reads a piece, writes a token each. Running out of memory is raised; see `shrink`."""
        try:
            self._drop_abandoned()
            self._read()
            self._write()
        finally:
            self._news.tell()
        self._grow_back()
        # What was recorded plays on the same memory: there it is kept for who comes next.
        if not self.rows and self._recordings is None:
            self._cache.clear()

    def shrink(self) -> None:
        """After running out of memory: half as many rows, the younger half is handed back.

        Raises EngineOutOfMemory where a single row does not fit.
        """
        kept = math.ceil(len(self.rows) / 2)
        single = self.rows[0] if len(self.rows) == 1 else None
        self._prefixes.clear()
        if single is not None:
            self.rows.clear()
            self._cache.clear()
            error = EngineOutOfMemory(
                "the model", f"{single.needs} tokens do not fit beside the weights"
            )
            single.fail(error)
            self._news.tell()
            raise error
        self.max_rows = max(1, kept)
        self._answered = 0
        log.warning("out of memory; at most %d requests together now", self.max_rows)
        for row in reversed(self.rows[kept:]):
            self.back.appendleft(row)
        self.counts.handed_back += len(self.rows) - kept
        del self.rows[kept:]
        self._start_again()

    def _grow_back(self) -> None:
        if self.max_rows < self._most and self._answered >= _CALM * self.max_rows:
            self.max_rows = min(self._most, 2 * self.max_rows)
            self._answered = 0
            log.info("at most %d requests together again", self.max_rows)

    def fail_all(self, error: Exception) -> None:
        for row in (*self.rows, *self.back):
            row.fail(error)
        self._news.tell()
        self.rows.clear()
        self.back.clear()
        self._cache.clear()

    def forget(self) -> None:
        """Nothing is remembered of earlier prompts, and nothing recorded."""
        self._prefixes.clear()
        self._cache.clear()
        if self._recordings is not None:
            self._recordings.forget()

    # -- reading ------------------------------------------------------------------------------

    def _begin(self, row: Row) -> None:
        """What other prompts began with as well is not read again."""
        row.cached = 0
        known = self._prefixes.find(row.prefix)
        if known is not None and len(row.ids) > known.length:
            self._cache.begin_with(self.rows.index(row), known)
            row.cached = known.length
            self.counts.prefix_tokens += known.length

    def _start_again(self) -> None:
        """The cache is made anew; every row is read again, its own words too."""
        self._cache.clear()
        for row in self.rows:
            row.cached = 0

    def _read(self) -> None:
        room = self._piece
        while room > self._piece // 4:  # less is not worth a pass
            self._make_sure()
            for row in self.rows:
                if not row.cached and row.prefix in self._prefixes:
                    self._begin(row)  # another one has read its beginning since it came
            pieces = self._reader.pieces(self.rows, room)
            if not pieces:
                return
            logits = self._forward_pieces(pieces)
            room -= len(pieces) * width(pieces)
            for slot, row, *_ in pieces:
                if row.cached == len(row.prefix):
                    copied = partial(self._cache.kept, slot, row.cached)
                    self._prefixes.keep(row.prefix, self._free, copied)
            self._first(pieces, logits)

    @property
    def _free(self) -> int:
        """Tokens of the budget that no slot has taken."""
        return self._capacity - self._cache.rows * self._cache.width

    def _forward_pieces(self, pieces: Sequence[Piece]) -> Any:
        """The scores after the last token of each."""
        logits = self._one_piece(*pieces) if len(pieces) == 1 else self._many_pieces(pieces)
        for piece in pieces:
            piece.row.cached += piece.tokens
            self.counts.read += piece.tokens
        return logits[:, -1]

    def _one_piece(self, piece: Piece) -> Any:
        """What it fills of the cache is one block: nothing is gathered."""
        import torch

        begin, end, device = piece.row.cached, piece.row.cached + piece.tokens, self._model.device
        ids = torch.tensor([piece.row.ids[begin:end]], device=device)
        places = torch.arange(begin, end, device=device)
        self._cache.read(piece.slot, begin, piece.tokens)
        behind = places[None, :, None] - torch.arange(end, device=device)
        return self._forward(ids, places[None], behind, kept=1)

    def _many_pieces(self, pieces: Sequence[Piece]) -> Any:
        import torch

        ids, places = (torch.tensor(one, device=self._model.device) for one in filled(pieces))
        seen = 1 + max(piece.row.cached + piece.tokens for piece in pieces)
        return self._pass(ids, places, seen, first=pieces[0].slot, kept=1)

    def _first(self, pieces: Sequence[Piece], logits: Any) -> None:
        """The pass that reads a prompt's last token says which one follows it."""
        at = [number for number, piece in enumerate(pieces) if not piece.row.unread]
        if not at:
            return
        rows = [pieces[number].row for number in at]
        for row, token in zip(rows, pick(logits[at], rows), strict=True):
            self.counts.tokens += 1
            if self._took(row, token):
                self._finish(row)

    # -- writing ------------------------------------------------------------------------------

    def _write(self) -> None:
        ready = [slot for slot, row in enumerate(self.rows) if not row.reading]
        if not ready:
            return
        self._make_sure()
        drafts = self._guesses(ready)
        logits = self._written(drafts)
        finished: list[Row] = []
        going = [(slot, self.rows[slot]) for slot in ready]
        for at in range(logits.shape[1]):
            if going:
                going = self._chosen(logits[:, at], going, drafts, at, finished)
        self.counts.steps += 1
        for row in finished:
            self._finish(row)

    def _guesses(self, ready: Sequence[int]) -> list[list[int]]:
        """For each row what may follow; nothing where many rows are together."""
        longest = max(row.cached for row in self.rows)
        most = min(self._together // len(self.rows), self._cache.width - longest) - 1
        drafts: list[list[int]] = [[] for _ in self.rows]
        if most > 0:
            for slot in ready:
                drafts[slot] = self.rows[slot].guess(most, self._needed)
        return drafts

    def _written(self, drafts: Sequence[list[int]]) -> Any:
        """The scores after the last token of each row, and after each of its guesses.

        Rows that are still reading, or have fewer guesses, take part with tokens that are
        overwritten when they get there: the first slots stay one piece of memory, and nothing is
        gathered.
        """
        import torch

        device, count = self._model.device, 1 + max(map(len, drafts))
        given = [
            [row.ids[row.cached], *draft, *[0] * (count - 1 - len(draft))]
            for row, draft in zip(self.rows, drafts, strict=True)
        ]
        begin = [row.cached for row in self.rows]
        if self._recordings is not None:
            played = self._recordings.play(given, begin, cache=self._cache)
            if played is not None:
                return played
        places = torch.tensor(begin, device=device)[:, None] + torch.arange(count, device=device)
        return self._pass(torch.tensor(given, device=device), places, max(begin) + count)

    def _pass(
        self, ids: Any, places: Any, seen: int | None = None, *, first: int = 0, kept: int = 0
    ) -> Any:
        """Over rows side by side, from slot `first` on. `seen`: how many places of the cache
        attention looks at; all of them where not given. `kept`: see `_forward`; 0: all."""
        import torch

        seen = seen or self._cache.width
        self._cache.write(places, seen, first)
        behind = places[:, :, None] - torch.arange(seen, device=places.device)
        return self._forward(ids, places, behind, kept=kept or ids.shape[1])

    def _chosen(
        self,
        logits: Any,
        going: Sequence[tuple[int, Row]],
        drafts: Sequence[list[int]],
        at: int,
        finished: list[Row],
    ) -> list[tuple[int, Row]]:
        """One token for each row; returns those whose guess was right and go on at once."""
        if len(going) < len(logits):
            logits = logits[[slot for slot, _ in going]]
        rows = [row for _, row in going]
        further = []
        for (slot, row), token in zip(going, pick(logits, rows), strict=True):
            row.cached += 1
            self.counts.tokens += 1
            draft = drafts[slot]
            right = at < len(draft) and draft[at] == token
            if self._took(row, token):
                finished.append(row)
            elif right:
                further.append((slot, row))
            if at < len(draft) and (not right or at + 1 == len(draft)):
                row.drafts.came(len(draft), at + right)
                self.counts.guessed += len(draft)
                self.counts.right += at + right
        return further

    def _took(self, row: Row, token: int) -> bool:
        """True where that was the last one."""
        if token in self._ends:
            return True
        row.ids.append(token)
        row.runs.wrote(row.written)
        row.drafts.wrote(row.ids)
        if row.constraint is not None:
            row.constraint.wrote(token)
        piece = row.writer.add(token)
        if piece:
            row.wrote(piece)
        full = len(row.written) >= row.options.max_new_tokens
        whole = row.constraint is not None and row.constraint.finished
        return row.writer.finished or full or whole

    def _forward(self, ids: Any, places: Any, behind: Any, *, kept: int) -> Any:
        """The scores after the last `kept` tokens. `behind`: how many places each seen one lies
        behind the one that looks; negative: ahead."""
        return self._model(
            input_ids=ids,
            position_ids=places,
            attention_mask=self._mask(behind),
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=kept,
        ).logits

    def _mask(self, behind: Any) -> Any:
        """What each place sees; one mask for each kind of layer where a model has several."""
        full = (behind >= 0)[:, None]
        if not self._window:
            return full
        near = full & (behind < self._window)[:, None]
        masks = {"full_attention": full, "sliding_attention": near}
        return {kind: masks[kind] for kind in set(self._kinds)} if self._kinds else near

    # -- coming and going ---------------------------------------------------------------------

    def _make_sure(self) -> None:
        """After the cache was given back: room for the rows that are here."""
        if self.rows and not self._cache.rows:
            self._cache.make_room(len(self.rows), max(row.needs for row in self.rows))

    def _drop_abandoned(self) -> None:
        for row in [row for row in self.rows if row.abandoned]:
            self._leave(row)

    def _finish(self, row: Row) -> None:
        self._leave(row)
        row.finish_text()
        self._answered += 1

    def _leave(self, row: Row) -> None:
        """The last slot's row moves into the one that is free."""
        slot, last = self.rows.index(row), len(self.rows) - 1
        if slot != last:
            self._cache.move(last, slot, self.rows[last].cached)
            self.rows[slot] = self.rows[last]
        self.rows.pop()
