"""How lists of names are read: keywords, prerequisites, terms."""

from __future__ import annotations

from training.evaluating import baselines, scores
from training.evaluating.items import Item
from training.evaluating.measures.shape import Measure, nothing_more
from training.evaluating.systems import Prediction


def named(said: Prediction) -> list[str]:
    return [str(name) for name in said] if isinstance(said, list | tuple) else [str(said)]


def _keyword_figures(item: Item, said: Prediction) -> dict[str, float]:
    names = named(said)
    found = {}
    for most in (5, 10):
        for name, value in scores.matched(item.gold, names, most).items():
            found[f"{_LETTER[name]}@{most}"] = value
    return found


_LETTER = {"precision": "P", "recall": "R", "f1": "F1"}

KEYWORDS = Measure(
    main="F1@10",
    figures=_keyword_figures,
    beside=lambda ground: {
        "TF-IDF": baselines.tf_idf(ground.rows),
        "most common": baselines.most_common(ground.train, ground.rows, 10),
    },
    whole=nothing_more,
    why={
        "F1@5": "of the five best, by Porter stems: what a digest's reader sees first",
        "F1@10": "of the ten best: precision and recall in one figure, since authors give 2 to 7 tags and a list of ten can always buy recall",
        "P@": "how many of those shown are right; R@: how many of the author's are shown",
    },
)


def _phrase_figures(item: Item, said: Prediction) -> dict[str, float]:
    names = named(said)
    kinds = {
        "exact": scores.matched(item.gold, names),
        "near": scores.near(item.gold, names),
        "soft": scores.soft(item.gold, names),
    }
    return {f"{kind} {key}": value for kind, found in kinds.items() for key, value in found.items()}


_PHRASE_WHY = {
    "exact": "the same phrase by its stems: strict, right for names, hopeless for sentences",
    "near": "phrases of which at least half of the words agree (F1 of words 0.5), one to one",
    "soft": "words' F1 with the likest phrase, averaged: moves with every word that is right",
    "precision": "how much of what was said is right: a reader is misled by the rest",
    "recall": "how much of what is right was said",
}

PREREQUISITES = Measure(
    main="soft f1",
    figures=_phrase_figures,
    beside=lambda ground: {
        "most common": baselines.most_common(ground.train, ground.rows, 3),
        "TF-IDF": baselines.tf_idf(ground.rows),
    },
    whole=nothing_more,
    why=_PHRASE_WHY,
)

TERMS = Measure(
    main="exact f1",
    figures=_phrase_figures,
    beside=lambda ground: {
        "TF-IDF": baselines.tf_idf(ground.rows),
        "capitalised": baselines.capitalised,
        "most common": baselines.most_common(ground.train, ground.rows, 10),
    },
    whole=nothing_more,
    why=_PHRASE_WHY,
)
