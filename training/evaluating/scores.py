"""What a prediction is worth, as plain functions: every figure is between 0 and 1 unless it says.

ROUGE is rouge-score's, with Porter stems for English. Korean is cut twice, and both are named:
`morphemes` (kiwipiepy) and `syllables` (each Hangul syllable a token, Latin words and numbers
whole), since white-space words of Korean hardly ever repeat.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.article import Language
from core.language import morphemes

Numbers = NDArray[np.float64]
ROUGE = ("rouge1", "rouge2", "rougeL")
_SYLLABLE = re.compile(r"[가-힣]|[a-z0-9]+")
_WORD = re.compile(r"[a-z0-9][a-z0-9+#]*|[가-힣]+")
_TOKEN = re.compile(r"\w+")
# Longer texts are cut before ROUGE-L, whose cost is the product of both lengths; tokens.
_LONGEST = 3_000


class Morphemes:
    """rouge-score's tokenizer for Korean: kiwipiepy's morphemes, punctuation left out."""

    def tokenize(self, text: str) -> list[str]:
        kept = (t for t in morphemes(text) if t.tag[0] != "S" or t.tag in ("SL", "SN"))
        return [token.form.lower() for token in kept]


class Syllables:
    """rouge-score's tokenizer for Korean: Hangul by syllable."""

    def tokenize(self, text: str) -> list[str]:
        return _SYLLABLE.findall(text.lower())


@cache
def _scorer(name: str) -> Any:
    from rouge_score.rouge_scorer import RougeScorer

    if name == "stems":
        return RougeScorer(ROUGE, use_stemmer=True)
    return RougeScorer(ROUGE, tokenizer=Morphemes() if name == "morphemes" else Syllables())


def rouge(references: Sequence[str], text: str, language: Language) -> dict[str, float]:
    """F1 of ROUGE-1, -2 and -L, for each the best over the references.

    English under `rouge1` …; Korean under `rouge1 (morphemes)` … and `rouge1 (syllables)` ….
    """
    if language == "en":
        return _rouge(references, text, "stems")
    return {
        f"{name} ({way})": value
        for way in ("morphemes", "syllables")
        for name, value in _rouge(references, text, way).items()
    }


def _rouge(references: Sequence[str], text: str, way: str) -> dict[str, float]:
    short = " ".join(text.split()[:_LONGEST])
    found = [_scorer(way).score(reference, short) for reference in references]
    return {name: max(score[name].fmeasure for score in found) for name in ROUGE}


def bleu(references: Sequence[Sequence[str]], texts: Sequence[str], language: Language) -> float:
    """sacrebleu's corpus BLEU, 0 to 100; Korean over kiwipiepy's morphemes."""
    from sacrebleu.metrics import BLEU

    most = max(len(one) for one in references)
    if language == "ko":
        texts = [_spaced(text) for text in texts]
        references = [[_spaced(one) for one in many] for many in references]
    columns = [[many[k] if k < len(many) else None for many in references] for k in range(most)]
    metric = BLEU(tokenize="none" if language == "ko" else "13a")
    return float(metric.corpus_score(list(texts), columns).score)


def _spaced(text: str) -> str:
    return " ".join(token.form for token in morphemes(text))


# --- lists of names


@lru_cache(maxsize=100_000)
def _stemmed(word: str) -> str:
    from nltk.stem.porter import PorterStemmer

    return str(PorterStemmer().stem(word))


@lru_cache(maxsize=100_000)
def normal(name: str) -> str:
    """One form for "Web servers", "web-server" and "web server"; C, C++ and C# stay apart."""
    return " ".join(_stemmed(word) for word in _WORD.findall(name.lower()))


def distinct(names: Iterable[str], most: int | None = None) -> list[str]:
    """Normal forms in order, each once, none empty; the first `most`."""
    found = list(dict.fromkeys(form for name in names if (form := normal(name))))
    return found if most is None else found[:most]


def matched(gold: Sequence[str], said: Sequence[str], most: int | None = None) -> dict[str, float]:
    """Precision, recall and F1 of names by their stems. Nothing said where nothing is asked: 1."""
    wanted, given = set(distinct(gold)), distinct(said, most)
    return _prf(len(wanted & set(given)), len(given), len(wanted))


def _prf(hits: float, given: int, wanted: int) -> dict[str, float]:
    if given == wanted == 0:
        return {"precision": 1.0, "recall": 1.0, "f1": 1.0}
    f1 = 2 * hits / (given + wanted)
    return {"precision": hits / given if given else 0.0, "recall": hits / max(1, wanted), "f1": f1}


def near(gold: Sequence[str], said: Sequence[str], *, least: float = 0.5) -> dict[str, float]:
    """Precision, recall and F1 where two phrases meet if their words' F1 reaches `least`.

    Each phrase meets at most one other, the likest pairs first.
    """
    wanted, given = distinct(gold), distinct(said)
    likeness = [
        (overlap, place, other)
        for place, one in enumerate(wanted)
        for other, two in enumerate(given)
        if (overlap := token_f1(one.split(), two.split())) >= least
    ]
    taken: set[int] = set()
    met: set[int] = set()
    for _, place, other in sorted(likeness, key=lambda found: (-found[0], *found[1:])):
        if place not in taken and other not in met:
            taken.add(place)
            met.add(other)
    return _prf(len(taken), len(given), len(wanted))


def soft(gold: Sequence[str], said: Sequence[str]) -> dict[str, float]:
    """Words' F1 with the likest phrase of the other side, averaged: recall over gold, precision
    over what was said."""
    wanted, given = distinct(gold), distinct(said)
    if not wanted or not given:
        return _prf(0, len(given), len(wanted))
    table = np.array([[token_f1(one.split(), two.split()) for two in given] for one in wanted])
    recall, precision = float(table.max(1).mean()), float(table.max(0).mean())
    both = precision + recall
    f1 = 2 * precision * recall / both if both else 0.0
    return {"precision": precision, "recall": recall, "f1": f1}


def token_f1(one: Sequence[str], other: Sequence[str]) -> float:
    shared = (Counter(one) & Counter(other)).total()
    return 2 * shared / (len(one) + len(other)) if shared else 0.0


# --- rankings


def ranking(gold: Iterable[str], ranked: Sequence[str]) -> dict[str, float]:
    """Recall at 1, 5 and 10, MRR@10 and nDCG@10 with binary relevance."""
    wanted = set(gold)
    ranked = list(dict.fromkeys(ranked))
    hits = [one in wanted for one in ranked[:10]]
    first = hits.index(True) + 1 if any(hits) else 0
    gain = sum(1 / np.log2(place + 2) for place, hit in enumerate(hits) if hit)
    ideal = sum(1 / np.log2(place + 2) for place in range(min(10, len(wanted))))
    found = {f"R@{k}": sum(hits[:k]) / len(wanted) for k in (1, 5, 10)}
    return {**found, "MRR@10": 1 / first if first else 0.0, "nDCG@10": float(gain / ideal)}


# --- texts of pages


def shingles(text: str) -> Counter[tuple[str, ...]]:
    """Runs of four tokens, as the article-extraction benchmark counts them."""
    tokens = _TOKEN.findall(text)
    grams = (tuple(tokens[n : n + 4]) for n in range(max(1, len(tokens) - 3)))
    return Counter(gram for gram in grams if gram)


def page(expected: str, found: str) -> dict[str, float]:
    """Precision and recall of a page's shingles; one is missing where there is nothing to take
    it from, as in the benchmark."""
    true, said = shingles(expected), shingles(found)
    hits = (true & said).total()
    figures = {}
    if said:
        figures["precision"] = hits / said.total()
    if true:
        figures["recall"] = hits / true.total()
    return figures


def segments(wanted: Sequence[str], unwanted: Sequence[str], text: str) -> tuple[int, int, int]:
    """How many wanted segments are there, are missing, and how many unwanted ones are there."""
    flat = _squeezed(text)
    here = sum(_squeezed(one) in flat for one in wanted)
    return here, len(wanted) - here, sum(_squeezed(one) in flat for one in unwanted)


def _squeezed(text: str) -> str:
    return re.sub(r"[\W_]+", "", text)


def f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


# --- whole columns


def mean_interval(values: Sequence[float], *, draws: int = 1000, seed: int = 0) -> dict[str, float]:
    """Mean with its 95% bootstrap interval over rows."""
    known = np.array([value for value in values if np.isfinite(value)])
    if not len(known):
        return {"mean": float("nan"), "low": float("nan"), "high": float("nan"), "rows": 0}
    chance = np.random.default_rng(seed)
    means = [known[chance.integers(0, len(known), len(known))].mean() for _ in range(draws)]
    low, high = np.percentile(means, [2.5, 97.5])
    return {"mean": float(known.mean()), "low": float(low), "high": float(high), "rows": len(known)}


def spearman(one: Sequence[float], other: Sequence[float]) -> float:
    """Rank correlation; nan where a side does not vary or there are fewer than three."""
    if len(one) < 3 or len(set(one)) < 2 or len(set(other)) < 2:
        return float("nan")
    from scipy.stats import spearmanr

    return float(spearmanr(one, other).statistic)


def quadratic_kappa(truth: Sequence[int], said: Sequence[int], levels: Sequence[int]) -> float:
    """Cohen's kappa with squared distances; nan where it is not defined (one level only)."""
    if len(set(truth) | set(said)) < 2:
        return float("nan")
    from sklearn.metrics import cohen_kappa_score

    return float(cohen_kappa_score(truth, said, labels=list(levels), weights="quadratic"))
