"""How hard an article's subject is, told from where its meaning lies between easy and hard.

`data/axes.txt` pairs what is taught first with what is taught last; the direction from one to
the other, averaged, is an axis in the encoder's space. Title, opening and whole text are placed
on it, together with an axis fitted to labelled articles within their sites. All of it is linear,
so it comes down to three vectors, made by `python -m training difficulty` and kept in
`data/difficulty_head.json` with the name of the encoder they belong to.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np

from core.ports import Vectors

# The opening is this many sentences; the whole text is told from so many, spread evenly.
OPENING = 8
SPREAD = 64


@dataclass(frozen=True, slots=True)
class Head:
    """Linear in title, mean and opening vectors; then all scales by which a sum becomes a level.

    `weights` are those of the standardised factors, `centres` and `widths` standardise them;
    `sums` and `levels` are the points of a monotone line from the weighted sum to 1-5; `spread`
    is how far such a level is from the label on sites it has never seen (standard deviation).
    `places` are the quantiles by which a factor alone is placed between 1 and 5.
    """

    encoder: str
    title: Vectors
    mean: Vectors
    opening: Vectors
    centres: dict[str, float]
    widths: dict[str, float]
    weights: dict[str, float]
    places: dict[str, tuple[float, ...]]
    sums: tuple[float, ...]
    levels: tuple[float, ...]
    spread: float

    def concept(self, title: Vectors | None, sentences: Vectors) -> float:
        """How far towards the hard end the article's meaning lies. Rows of zeros are no sentence."""
        whole, opening = pooled(sentences)
        first = whole if title is None else title
        return float(first @ self.title + whole @ self.mean + opening @ self.opening)

    def standard(self, name: str, value: float) -> float:
        """Within three widths of the usual: no single sign decides alone."""
        return float(np.clip((value - self.centres[name]) / self.widths[name], -3, 3))

    def place(self, name: str, standard: float) -> float:
        """0-1: the share of training articles that are lower."""
        grid = np.linspace(0.0, 1.0, len(self.places[name]))
        return float(np.interp(standard, self.places[name], grid))

    def level(self, total: float) -> float:
        return float(np.interp(total, self.sums, self.levels))


@dataclass(frozen=True, slots=True)
class Glossed:
    """Linear in the vectors of a Korean text's gloss (`core.judging.glossing`), to say what `Head`
    would of its English original. `terms`: slope and constant from its gloss's wording to the original's.
    """

    encoder: str
    title: Vectors
    mean: Vectors
    opening: Vectors
    constant: float
    terms: tuple[float, float]

    def concept(self, title: Vectors, sentences: Vectors) -> float:
        """On the scale of `Head.concept`. Rows of zeros are no sentence."""
        return self.said(*views(title, sentences))

    def said(self, title: Any, whole: Any, opening: Any) -> float:
        parts = title @ self.title + whole @ self.mean + opening @ self.opening
        return self.constant + float(parts)

    def wording(self, own: float) -> float:
        slope, constant = self.terms
        return slope * own + constant

    def numbers(self) -> dict[str, Any]:
        """What `glossed` reads again."""
        vectors = {
            name: [round(float(x), 5) for x in getattr(self, name)]
            for name in ("title", "mean", "opening")
        }
        rest = {"constant": round(self.constant, 5), "terms": [round(x, 5) for x in self.terms]}
        return {"encoder": self.encoder, **vectors, **rest}


@lru_cache(maxsize=1)
def glossed() -> Glossed:
    text = (files("core.judging") / "data" / "difficulty_ko.json").read_text("utf-8")
    raw: dict[str, Any] = json.loads(text)
    for name in ("title", "mean", "opening"):
        raw[name] = np.asarray(raw[name], dtype=np.float32)
    return Glossed(**{**raw, "terms": tuple(raw["terms"])})


def views(title: Vectors, sentences: Vectors) -> tuple[Vectors, Vectors, Vectors]:
    """Title, whole text and opening; the whole text for a title of zeros."""
    whole, opening = pooled(sentences)
    return (title if title.any() else whole), whole, opening


def pooled(sentences: Vectors) -> tuple[Vectors, Vectors]:
    """Whole text and opening as vectors of length 1. `sentences`: a row each."""
    known = sentences[sentences.any(axis=1)]
    if not len(known):
        empty = np.zeros(sentences.shape[1], dtype=np.float32)
        return empty, empty
    chosen = known[evenly(len(known))]
    return _unit(chosen.mean(axis=0)), _unit(known[:OPENING].mean(axis=0))


def evenly(count: int) -> list[int]:
    """Numbers of at most SPREAD sentences, evenly over all."""
    if count <= SPREAD:
        return list(range(count))
    return [i * count // SPREAD for i in range(SPREAD)]


def _unit(vector: Vectors) -> Vectors:
    return np.asarray(vector / max(1e-9, float(np.linalg.norm(vector))), dtype=np.float32)


@lru_cache(maxsize=1)
def head() -> Head:
    text = (files("core.judging") / "data" / "difficulty_head.json").read_text("utf-8")
    raw: dict[str, Any] = json.loads(text)
    for name in ("title", "mean", "opening"):
        raw[name] = np.asarray(raw[name], dtype=np.float32)
    for name in ("sums", "levels"):
        raw[name] = tuple(raw[name])
    raw["places"] = {name: tuple(values) for name, values in raw["places"].items()}
    return Head(**raw)


def axes() -> list[tuple[str, str]]:
    """The pairs of `data/axes.txt`: what is easy, what is hard."""
    text = (files("core.judging") / "data" / "axes.txt").read_text("utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(easy, hard) for easy, _, hard in (line.partition(" | ") for line in lines)]


def fits(encoder: str) -> bool:
    """Whether the head belongs to this encoder ("all-MiniLM-L6-v2@revision")."""
    return encoder.split("@")[0] == head().encoder


def hardest(sentences: Vectors, texts: Sequence[str], count: int) -> list[str]:
    """The sentences that drew the article towards the hard end most, the hardest first.

    The whole text's vector is the mean of its sentences', so each one's share is its own.
    """
    shares = sentences @ head().mean
    order = sorted((i for i in range(len(texts)) if sentences[i].any()), key=lambda i: -shares[i])
    return [texts[i] for i in order[:count]]
