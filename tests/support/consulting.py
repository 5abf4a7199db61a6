"""Explanations, answers and searches over a little library, as the surfaces are given them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from support.little_library import LittleLibrary

from bot.consulting import Consulting, consulting_over
from core.article import Language
from core.places import Place
from core.ports import Vectors


class NoVectors:
    """An encoder that reads nothing: words alone decide."""

    name = "none"
    reads: frozenset[Language] = frozenset()

    async def embed(self, texts: Sequence[str]) -> Vectors:
        return np.zeros((len(texts), 1), dtype=np.float32)


class FakeAskedTerms:
    """`kept`: (place, by, term, language)."""

    def __init__(self) -> None:
        self.kept: list[tuple[Place, str, str, Language]] = []

    async def add(self, place: Place, by: str, term: str, language: Language) -> None:
        self.kept.append((place, by, term, language))

    async def often(self, place: Place, limit: int) -> list[str]:
        channel = (place.platform, place.workspace, place.channel)
        here = [
            term
            for at, _, term, _ in self.kept
            if (at.platform, at.workspace, at.channel) == channel
        ]
        counts = Counter(here)
        return sorted(counts, key=lambda term: (-counts[term], term))[:limit]


def a_consulting(
    library: LittleLibrary, asked: FakeAskedTerms | None = None, *, per_hour: int = 60
) -> Consulting:
    kept = asked or FakeAskedTerms()
    return consulting_over(library, library.digests, None, NoVectors(), kept, per_hour=per_hour)
