"""Sentences to vectors with a small encoder (MiniLM), run by CTranslate2 on the CPU."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import ctranslate2
import numpy as np
from tokenizers import Tokenizer

from core.article import Language
from core.engine.chat import ModelCard
from core.engine.kernels import exact_type
from core.engine.vectors import mean_of_tokens
from core.errors import EngineFailed, ModelNotReady
from core.ports import Vectors

# Sentences of similar length share a batch: padding is work for nothing. 32 was as fast as 64
# and faster than 8 on 2 cores (tests/benchmarks/bench_engine.py --encoder).
_BATCH = 32
_MAX_TOKENS = 256


class TokenStates(NamedTuple):
    """What the encoder makes of each token of a text: where it stands, by characters, and its state.

    `states` has a row for each of `spans`; special tokens are left out.
    """

    spans: tuple[tuple[int, int], ...]
    states: Vectors


class CTranslate2Encoder:
    """core.ports.Encoder: mean of the token vectors, brought to length 1.

    Of a text longer than 256 tokens the first 256 count.
    """

    def __init__(self, folder: Path, *, threads: int = 0, revision: str = "") -> None:
        card = ModelCard.load(folder)
        self._name = f"{card.name}@{revision}" if revision else card.name
        self._reads: frozenset[Language] = frozenset(card.languages)
        workers = threads or os.cpu_count() or 1
        try:
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            self._model = ctranslate2.Encoder(
                str(folder), compute_type=exact_type(), inter_threads=workers, intra_threads=1
            )
        except Exception as error:
            raise ModelNotReady(str(folder), f"the encoder cannot be loaded ({error})") from error
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(_MAX_TOKENS)
        self._tokenizer.encode_special_tokens = True
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="encoder")

    @property
    def name(self) -> str:
        return self._name

    @property
    def reads(self) -> frozenset[Language]:
        return self._reads

    async def embed(self, texts: Sequence[str]) -> Vectors:
        return await asyncio.to_thread(self._embed, list(texts))

    async def states(self, texts: Sequence[str]) -> list[TokenStates]:
        """The states before their mean is taken; `python -m training tagger` learns from them."""
        return await asyncio.to_thread(self._states, list(texts))

    def _embed(self, texts: list[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self._dimension()), dtype=np.float32)
        rows = [encoding.ids for encoding in self._tokenizer.encode_batch_fast(texts)]
        found = list(self._in_groups(rows, self._vectors))
        vectors = np.empty((len(rows), found[0][1].shape[1]), dtype=np.float32)
        for group, part in found:
            vectors[group] = part
        return vectors

    def _states(self, texts: list[str]) -> list[TokenStates]:
        read = self._tokenizer.encode_batch(texts)
        rows = [encoding.ids for encoding in read]
        made: dict[int, TokenStates] = {}
        for group, states in self._in_groups(rows, self._last):
            for row, own in zip(group, states, strict=True):
                marked = enumerate(read[row].special_tokens_mask)
                kept = [place for place, special in marked if not special]
                spans = tuple(read[row].offsets[place] for place in kept)
                made[row] = TokenStates(spans, own[kept])
        return [made[row] for row in range(len(rows))]

    def _in_groups(
        self, rows: list[list[int]], work: Callable[[list[list[int]]], Vectors]
    ) -> Iterator[tuple[list[int], Vectors]]:
        """Rows of like length share a batch; the numbers of a batch's rows, and what it gave."""
        order = sorted(range(len(rows)), key=lambda row: len(rows[row]))
        groups = [order[start : start + _BATCH] for start in range(0, len(order), _BATCH)]
        try:
            made = self._threads.map(lambda group: work([rows[row] for row in group]), groups)
            yield from zip(groups, made, strict=True)
        except RuntimeError as error:
            raise EngineFailed(self._name, str(error)) from error

    def _last(self, ids: list[list[int]]) -> Vectors:
        return np.asarray(self._model.forward_batch(ids).last_hidden_state)

    def _vectors(self, ids: list[list[int]]) -> Vectors:
        return mean_of_tokens(self._last(ids), [len(row) for row in ids])

    def _dimension(self) -> int:
        return int(self._vectors([self._tokenizer.encode("").ids]).shape[1])
