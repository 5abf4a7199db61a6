"""Which sentences carry an article: the extractive side of a digest, for both languages.

A sentence is weighed by how many others share its words (the degree in TextRank's graph, Mihalcea
and Tarau 2004, which is most of its rank), by its likeness to the whole text (centroid of TF-IDF
vectors, Radev et al. 2004), to the title and to its vectors' mean where an encoder knows the
language, and by where it stands. Sentences are then taken best first, each one less dear the more it repeats
(maximal marginal relevance, Carbonell and Goldstein 1998). Every sentence is weighed, however
long the article: the cost is linear in its length.

The weights were tuned by `python tests/benchmarks/bench_summary.py --tune`; run it before
changing one.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.article import Language
from core.chunks import Document, Sentence
from core.judging.background import Background, background
from core.language import words
from core.ports import Vectors

Vector = dict[str, float]


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each sign counts; `repeat` is the price of likeness to what is already taken."""

    degree: float
    centroid: float
    title: float
    meaning: float
    lead: float
    opening: float
    length: int
    repeat: float


WEIGHTS: dict[Language, Weights] = {
    "en": Weights(
        degree=0.5,
        centroid=1.0,
        title=1.2,
        meaning=0.8,
        lead=0.3,
        opening=0.2,
        length=23,
        repeat=0.5,
    ),
    "ko": Weights(
        degree=1.5,
        centroid=0.0,
        title=0.0,
        meaning=0.0,
        lead=0.3,
        opening=0.1,
        length=28,
        repeat=0.3,
    ),
}


def vector(text: str, language: Language, rare: Background | None = None) -> Vector:
    """TF-IDF with log counts, of length 1 (empty without content words)."""
    rare = rare or background(language)
    counts = Counter(words(text, language))
    raw = {word: (1 + math.log(n)) * rare.idf(word) for word, n in counts.items()}
    norm = math.sqrt(sum(value * value for value in raw.values()))
    return {word: value / norm for word, value in raw.items()} if norm else {}


def cosine(one: Vector, other: Vector) -> float:
    if len(other) < len(one):
        one, other = other, one
    return sum(value * other.get(word, 0.0) for word, value in one.items())


@dataclass(frozen=True, slots=True)
class Weighed:
    """An article's sentences with their weights (higher is better) and vectors."""

    scores: tuple[float, ...]
    vectors: tuple[Vector, ...]
    language: Language

    def best(self, count: int, among: Sequence[int] | None = None) -> list[int]:
        """Indices of the best `count` sentences that do not repeat each other, in text order."""
        left = set(range(len(self.scores)) if among is None else among)
        left = {i for i in left if self.scores[i] > float("-inf")}
        price = WEIGHTS[self.language].repeat
        taken: list[int] = []
        repeated = dict.fromkeys(left, 0.0)
        while left and len(taken) < count:
            chosen = max(left, key=lambda i: (self.scores[i] - price * repeated[i], -i))
            taken.append(chosen)
            left.discard(chosen)
            for i in left:
                repeated[i] = max(repeated[i], cosine(self.vectors[i], self.vectors[chosen]))
        return sorted(taken)


def weigh(
    document: Document, embedded: Vectors | None = None, weights: Weights | None = None
) -> Weighed:
    """Weighs every sentence. `embedded`: a row for each sentence, or None without an encoder."""
    language = document.language
    weights = weights or WEIGHTS[language]
    rare = background(language)
    vectors = tuple(vector(s.text, language, rare) for s in document.sentences)
    centroid = _centroid(vectors)
    title = vector(document.title, language, rare)
    meaning = _meaning(embedded, len(vectors))
    degree = _degrees([set(one) for one in vectors])
    scores = tuple(
        weights.degree * degree[i]
        + weights.centroid * cosine(vectors[i], centroid)
        + weights.title * cosine(vectors[i], title)
        + weights.meaning * meaning[i]
        + _place(sentence, len(vectors), weights)
        + _fitness(sentence, weights)
        for i, sentence in enumerate(document.sentences)
    )
    return Weighed(_only_whole(scores, document.sentences), vectors, language)


def _degrees(bags: Sequence[set[str]]) -> list[float]:
    """Shared words with all others over the log of the lengths, 1 for the best connected.

    The double sum over pairs of sentences is one over words: linear in the article's length.
    """
    holders = Counter(word for bag in bags for word in bag)
    lengths = [math.log(1 + len(bag)) for bag in bags]
    typical = sum(lengths) / max(1, len(lengths))
    raw = [
        sum(holders[word] - 1 for word in bag) / (length + typical) if len(bag) > 1 else 0.0
        for bag, length in zip(bags, lengths, strict=True)
    ]
    most = max(raw, default=0.0) or 1.0
    return [value / most for value in raw]


def _centroid(vectors: Sequence[Vector]) -> Vector:
    total: Counter[str] = Counter()
    for one in vectors:
        total.update(one)
    top = dict(total.most_common(200))
    norm = math.sqrt(sum(value * value for value in top.values()))
    return {word: value / norm for word, value in top.items()} if norm else {}


def _meaning(embedded: Vectors | None, count: int) -> list[float]:
    if embedded is None or count == 0:
        return [0.0] * count
    middle = embedded.mean(axis=0)
    norm = float(np.linalg.norm(middle)) or 1.0
    return [float(value) for value in embedded @ (middle / norm)]


def _place(sentence: Sentence, total: int, weights: Weights) -> float:
    """Early in the article counts most; the first sentence of a paragraph a little."""
    lead = weights.lead / (1.0 + sentence.index / max(3.0, total * 0.06))
    return lead + (weights.opening if sentence.first else 0.0)


# What needs its neighbours to be understood, or speaks about the text and not the matter. Signs for
# the weights above and for the forests grown on them; what a digest may show is `standing.alone`'s to say.
_LEANS = re.compile(
    r"^(?:this|that|these|those|it|they|he|she|but|so|and|or|then|here|however|also|instead|"
    r"for example|for instance|in addition|yes|no|well|note that|as (?:shown|seen|you can see)|"
    r"just as|after (?:\w+ing|that|you|we)|once (?:you|we|the)|now|next|finally|similarly|otherwise|"
    r"그러나|하지만|그리고|또한|또|이는|이것은|이를|이런|이러한|그래서|따라서|예를 들어|즉|그런데)\b",
    re.I,
)
_POINTS = re.compile(
    r"\(see\b|\bsee (?:section|chapter|figure|below|above)|\b(?:figure|listing|table) \d|위 그림|다음 그림|아래 코드|위 코드",
    re.I,
)
_CHATTY = re.compile(
    r"\b(?:i|i'm|i've|i'll|we'll|let's|you'll|my|thanks|thank|click|subscribe|follow (?:us|me))\b|"
    r"안녕하세요|감사합니다|구독|좋아요",
    re.I,
)


_TO_MACHINES = re.compile(
    r"\b(?:ignore|disregard|forget)\b.{0,30}\b(?:previous|prior|above|all)\b.{0,20}\b(?:instruction|prompt|rule)s?"
    r"|<\|\w+\|>|\bas an ai (?:language )?model\b|(?:이전|위의?|앞의?)\s*(?:모든\s*)?(?:지시|명령|프롬프트).{0,8}무시",
    re.I,
)


def _fitness(sentence: Sentence, weights: Weights) -> float:
    length = len(sentence.text.split())
    value = -0.25 * max(0.0, (weights.length - length) / weights.length)
    value -= 0.01 * max(0, length - 40)
    value -= 0.15 if _LEANS.match(sentence.text) else 0.0
    value -= 0.2 if _POINTS.search(sentence.text) else 0.0
    value -= 0.2 if _CHATTY.search(sentence.text) else 0.0
    value -= 0.3 if sentence.text.rstrip("\"'”’)").endswith("?") else 0.0
    value -= 0.1 if sentence.kind == "item" else 0.0
    return value


def _only_whole(scores: tuple[float, ...], found: Sequence[Sentence]) -> tuple[float, ...]:
    """Fragments are not quotable, unless an article has nothing else (a list, a table).

    Nor is a sentence that speaks to a machine: hostile pages hope to be passed on.
    """
    fragments = sum(sentence.whole for sentence in found) < 2
    return tuple(
        score if (fragments or s.whole) and not _TO_MACHINES.search(s.text) else float("-inf")
        for score, s in zip(scores, found, strict=True)
    )
