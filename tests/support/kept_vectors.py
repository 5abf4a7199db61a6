"""An encoder that remembers what it was asked: what is left to measure is the search itself."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.article import Language
from core.ports import Encoder, Vectors


class KeptVectors:
    """`file`: where it is remembered from one run to the next, once `save` is called."""

    def __init__(self, encoder: Encoder, file: Path | None = None) -> None:
        self._encoder, self._file = encoder, file
        self._known: dict[str, Vectors] = {}
        if file and file.exists():
            with np.load(file) as kept:
                self._known = dict(zip(kept["keys"].tolist(), kept["vectors"], strict=True))

    @property
    def name(self) -> str:
        return self._encoder.name

    @property
    def reads(self) -> frozenset[Language]:
        return self._encoder.reads

    async def embed(self, texts: Sequence[str]) -> Vectors:
        keys = [hashlib.sha256(text.encode()).hexdigest()[:24] for text in texts]
        new = [at for at, key in enumerate(keys) if key not in self._known]
        for start in range(0, len(new), 256):
            part = new[start : start + 256]
            found = await self._encoder.embed([texts[at] for at in part])
            self._known.update(zip((keys[at] for at in part), found, strict=True))
        if not texts:
            return await self._encoder.embed(texts)
        return np.stack([self._known[key] for key in keys])

    def save(self) -> None:
        if self._file and self._known:
            np.savez(self._file, keys=list(self._known), vectors=np.stack([*self._known.values()]))
