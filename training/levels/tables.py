"""Articles as the difficulty judge is fitted to them: vectors, signs, level and site."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.article import Article
from core.chunks import cut
from core.judging.meaning import pooled
from core.judging.wording import Wording, text_of
from training.encoding import FACTORS, Embedder
from training.levels.unseen import Numbers


@dataclass(frozen=True, slots=True)
class Table:
    """A row an article: three vectors, the factors' signs, level, class and site."""

    title: Numbers
    mean: Numbers
    opening: Numbers
    signs: Numbers
    levels: Numbers
    classes: NDArray[np.str_]
    sites: NDArray[np.str_]
    texts: tuple[str, ...]

    @property
    def views(self) -> tuple[Numbers, Numbers, Numbers]:
        return self.title, self.mean, self.opening

    def along(self, vectors: Sequence[Numbers]) -> Numbers:
        """How far each article lies along three vectors, one a view."""
        parts = [view @ vector for view, vector in zip(self.views, vectors, strict=True)]
        return np.asarray(np.sum(parts, axis=0))

    def signs_by_name(self) -> dict[str, Numbers]:
        return {name: self.signs[:, i] for i, name in enumerate(FACTORS)}

    def of(self, chosen: NDArray[np.bool_]) -> Table:
        kept = tuple(text for text, wanted in zip(self.texts, chosen, strict=True) if wanted)
        return Table(
            title=self.title[chosen],
            mean=self.mean[chosen],
            opening=self.opening[chosen],
            signs=self.signs[chosen],
            levels=self.levels[chosen],
            classes=self.classes[chosen],
            sites=self.sites[chosen],
            texts=kept,
        )


def read(found: Sequence[dict[str, Any]], embedder: Embedder) -> Table:
    title, mean, opening, factors, texts = [], [], [], [], []
    for row in found:
        document = cut(Article(title=row["title"] or None, content=row["content"]), 330)
        vectors = embedder.sentences(row["id"], document)
        whole, first = pooled(vectors[1:])
        title.append(vectors[0])
        mean.append(whole)
        opening.append(first)
        factors.append(embedder.signs(row["id"], document))
        texts.append(text_of(document))
    return Table(
        np.array(title, dtype=float),
        np.array(mean, dtype=float),
        np.array(opening, dtype=float),
        np.array(factors),
        np.array([float(row["level"]) for row in found]),
        np.array([str(row["level_label"]) for row in found]),
        np.array([str(row["source"]) for row in found]),
        tuple(texts),
    )


@dataclass(frozen=True, slots=True)
class Fitted:
    """Everything of the head but its encoder's name. `wording`: where words count."""

    vectors: tuple[Numbers, Numbers, Numbers]
    centres: dict[str, float]
    widths: dict[str, float]
    weights: dict[str, float]
    sums: Numbers
    levels: Numbers
    wording: Wording | None = None

    def standard(self, table: Table) -> dict[str, Numbers]:
        raw = {"concepts": table.along(self.vectors), **table.signs_by_name()}
        if self.wording is not None:
            raw["terms"] = np.array([self.wording.score(text) for text in table.texts])
        return {
            name: np.clip((raw[name] - self.centres[name]) / self.widths[name], -3, 3)
            for name in raw
        }

    def total(self, table: Table) -> Numbers:
        found = self.standard(table)
        return np.asarray(sum(self.weights[name] * found[name] for name in found))

    def level(self, total: Numbers) -> Numbers:
        return np.interp(total, self.sums, self.levels)
