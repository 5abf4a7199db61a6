"""Articles to vectors for the judges' trainings, remembered between runs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from core.chunks import Document
from core.engine.encoder import CTranslate2Encoder
from core.errors import SettingsError
from core.judging.difficulty import signs
from core.judging.meaning import evenly
from core.ports import Vectors

# Longer "sentences" are tables and logs; the rest of one says nothing about the subject.
_CHARACTERS = 300
FACTORS = ("background", "algorithms")
# Another number wherever `signs` comes to measure something else: what is remembered is of no use then.
_SIGNS = 3


class Embedder:
    """The prepared encoder with a cache on disk: title first, then a row each sentence."""

    def __init__(self, folder: Path | None, cache: Path) -> None:
        self._encoder = CTranslate2Encoder(folder or prepared(), threads=1)
        self._cache = cache
        self._known: dict[str, Vectors] = {}
        if cache.is_file():
            with np.load(cache) as kept:
                self._known = {key: kept[key] for key in kept.files}

    @property
    def name(self) -> str:
        return self._encoder.name.split("@")[0]

    def sentences(self, key: str, document: Document) -> Vectors:
        if key not in self._known:
            texts = [sentence.text[:_CHARACTERS] for sentence in document.sentences]
            chosen = [texts[i] for i in evenly(len(texts))]
            self._known[key] = self.embed([document.title or " ", *chosen])
        return self._known[key]

    def signs(self, key: str, document: Document) -> list[float]:
        """The factors' signs in the order of FACTORS, remembered too: 0.4 s an article."""
        name = f"{key}#signs-{_SIGNS}"
        if name not in self._known:
            measured = signs(document)
            self._known[name] = np.array([measured[f] for f in FACTORS], dtype=np.float32)
        return [float(value) for value in self._known[name]]

    def embed(self, texts: Sequence[str]) -> Vectors:
        return asyncio.run(self._encoder.embed(texts))

    def directions(self, pairs: Sequence[tuple[str, str]]) -> Vectors:
        """A row a pair: from the first meaning to the second."""
        easy, hard = (self.embed([pair[side] for pair in pairs]) for side in (0, 1))
        return hard - easy

    def keep(self) -> None:
        self._cache.parent.mkdir(parents=True, exist_ok=True)
        kept: dict[str, Any] = {
            key: value if value.ndim == 1 else value.astype(np.float16)
            for key, value in self._known.items()
        }
        np.savez(self._cache, **kept)


def prepared() -> Path:
    """The encoder that the service has prepared."""
    models = platformdirs.user_data_path("smartdevdigest", appauthor=False) / "models"
    found = sorted(models.glob("*/encoder"))
    if not found:
        raise SettingsError(
            [f"no prepared encoder under {models}: run make run once, or give --encoder"]
        )
    return found[-1]
