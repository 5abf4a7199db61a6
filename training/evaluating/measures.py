"""Which figures each task is read by, which baselines stand beside it, and why these.

A figure of a row is averaged, with a bootstrap interval; a figure of the whole (a correlation,
an area under a curve) is taken over all rows at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from training import reporting
from training.evaluating import baselines, scores
from training.evaluating.items import Item, Rows, TaskName
from training.systems import Prediction, pool


@dataclass(frozen=True, slots=True)
class Scored:
    """A row's figures, and of its gold and prediction what figures of the whole need."""

    id: str
    site: str
    kind: str
    language: str
    figures: Mapping[str, float]
    gold: Any = None
    said: Any = None


@dataclass(frozen=True, slots=True)
class Ground:
    """What baselines are made from. `train`: rows to learn from, where some are given."""

    rows: Rows
    train: Rows | None = None
    docs: Path | None = None


Figures = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Measure:
    """`main` is the figure that decides; `keeps`: gold and prediction are needed at the end."""

    main: str
    figures: Callable[[Item, Prediction], dict[str, float]]
    beside: Callable[[Ground], dict[str, baselines.Baseline]]
    whole: Callable[[Sequence[Scored]], dict[str, Any]]
    why: Mapping[str, str]
    keeps: bool = False


def nothing_more(_rows: Sequence[Scored]) -> dict[str, Any]:
    return {}


# --- summaries and conversations


def _text_figures(item: Item, said: Prediction) -> dict[str, float]:
    return scores.rouge(item.gold, str(said), item.shown.language)


def _bleu(rows: Sequence[Scored]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for language in ("en", "ko"):
        own = [row for row in rows if row.language == language]
        if own:
            name = "BLEU" if language == "en" else "BLEU (morphemes)"
            texts = [str(row.said) for row in own]
            found[name] = scores.bleu([row.gold for row in own], texts, language)
    found["words"] = float(np.mean([len(str(row.said).split()) for row in rows]))
    return found


_ROUGE_WHY = {
    "rouge1": "words shared with the reference: does it say the same things; the best of several references counts",
    "rouge2": "pairs of words shared: does it say them in the same way",
    "rougeL": "the longest common subsequence: does it say them in the same order",
    "(morphemes)": "Korean words change their ending with every use: kiwipiepy's morphemes are compared",
    "(syllables)": "Korean again, by Hangul syllable: needs no analyser, so anybody can repeat it",
    "BLEU": "precision of up to four words in a row over the whole file (0 to 100): punishes what was added",
    "words": "mean length in white-space words: ROUGE rewards a length near the reference's",
}

SUMMARY = Measure(
    main="rougeL",
    figures=_text_figures,
    beside=lambda _ground: {
        "title": baselines.title,
        "lead-1": baselines.lead(1),
        "lead-3": baselines.lead(3),
        "TextRank-1": baselines.textrank(1),
        "TextRank-3": baselines.textrank(3),
    },
    whole=_bleu,
    why=_ROUGE_WHY,
    keeps=True,
)

CONVERSATION = Measure(
    main="rougeL",
    figures=_text_figures,
    beside=lambda _ground: {
        "title": baselines.title,
        "first turn": baselines.first_turns(1),
        "lead-3": baselines.first_turns(3),
        "longest turn": baselines.longest_turn,
        "TextRank-3": baselines.turns_by_textrank(3),
    },
    whole=_bleu,
    why=_ROUGE_WHY,
    keeps=True,
)


# --- names


def _named(said: Prediction) -> list[str]:
    return [str(name) for name in said] if isinstance(said, list | tuple) else [str(said)]


def _keyword_figures(item: Item, said: Prediction) -> dict[str, float]:
    names = _named(said)
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
    names = _named(said)
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


# --- levels


def three(level: float) -> str:
    """The three classes of the labelled sets: 1 and 2 are theirs for beginners, 4 and 5 advanced."""
    return "beginner" if level <= 2.5 else "intermediate" if level <= 3.5 else "advanced"


def _level_figures(item: Item, said: Prediction) -> dict[str, float]:
    return {"error": abs(float(str(said)) - item.gold)}


def _levels(rows: Sequence[Scored]) -> dict[str, Any]:
    truth = [float(row.gold) for row in rows]
    said = [float(row.said) for row in rows]
    labels = [row.kind or three(level) for row, level in zip(rows, truth, strict=True)]
    guesses = [three(level) for level in said]
    found = reporting.classification(labels, guesses)
    within = {
        site: scores.spearman([truth[i] for i in places], [said[i] for i in places])
        for site, places in _sites(rows).items()
    }
    ranks = [value for value in within.values() if np.isfinite(value)]
    return {
        "accuracy": found["accuracy"],
        "macro-F1": found["macro"]["f1"],
        "quadratic kappa": scores.quadratic_kappa(_whole(truth), _whole(said), range(1, 6)),
        "Spearman": scores.spearman(truth, said),
        "Spearman within sites": float(np.mean(ranks)) if ranks else float("nan"),
        "Spearman by site": within,
        "intervals": _level_intervals(truth, said, labels, guesses),
        "classes": found,
    }


def _level_intervals(
    truth: list[float], said: list[float], labels: list[str], guesses: list[str]
) -> dict[str, tuple[float, float]]:
    from sklearn.metrics import f1_score

    true, guessed = np.array(labels), np.array(guesses)
    levels, given = np.array(truth), np.array(said)
    classes = sorted({*labels, *guesses})
    measures: dict[str, Callable[[Any], float]] = {
        "accuracy": lambda draw: float(np.mean(true[draw] == guessed[draw])),
        "macro-F1": lambda draw: float(
            f1_score(true[draw], guessed[draw], labels=classes, average="macro", zero_division=0.0)
        ),
        "Spearman": lambda draw: scores.spearman(levels[draw].tolist(), given[draw].tolist()),
    }
    return {
        name: reporting.interval(measure, len(truth), draws=200)
        for name, measure in measures.items()
    }


def _whole(levels: Sequence[float]) -> list[int]:
    return [int(min(5, max(1, np.floor(level + 0.5)))) for level in levels]


def _sites(rows: Sequence[Scored]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        found.setdefault(row.site or "-", []).append(place)
    return found


DIFFICULTY = Measure(
    main="Spearman",
    figures=_level_figures,
    beside=lambda ground: {
        "majority": baselines.common_level(ground.train, ground.rows),
        "TF-IDF + logistic regression": baselines.classifier(ground.train, ground.rows),
    },
    whole=_levels,
    why={
        "accuracy": "the share of right classes: what a reader notices, but the majority class buys it",
        "macro-F1": "F1 averaged over the classes: the rare class counts as much as the common one",
        "quadratic kappa": "agreement beyond chance, a miss by two levels costing four times one by one",
        "Spearman": "does it put articles in the right order: what a daily feed filters by",
        "Spearman within sites": "the same inside each site: labels of different sites are not on one scale",
        "fall-out": "the share of a class's strangers that are taken for it: false alarms",
        "error": "mean absolute distance in levels",
    },
    keeps=True,
)


# --- claims


def _claims(rows: Sequence[Scored]) -> dict[str, Any]:
    from sklearn.metrics import average_precision_score

    truth = [int(row.gold) for row in rows]
    said = [float(row.said) for row in rows]
    found: dict[str, Any] = {"base rate": float(np.mean(truth))}
    if len(set(truth)) < 2:
        return found
    area, low, high = reporting.auc(truth, said)
    true, given = np.array(truth), np.array(said)

    def precision_recall(draw: Any) -> float:
        if len(set(true[draw].tolist())) < 2:
            return float("nan")
        return float(average_precision_score(true[draw], given[draw]))

    classes = reporting.classification(
        ["follows" if one else "does not" for one in truth],
        ["follows" if one >= 0.5 else "does not" for one in said],
    )
    return found | {
        "ROC-AUC": area,
        "PR-AUC": precision_recall(np.arange(len(rows))),
        "accuracy at .5": classes["accuracy"],
        "fall-out at .5": classes["fall_out"].get("follows", 0.0),
        "intervals": {
            "ROC-AUC": (low, high),
            "PR-AUC": reporting.interval(precision_recall, len(rows), draws=200),
        },
        "ROC-AUC by kind": _by_kind(rows),
        "classes": classes,
        "curve": {"truth": truth, "scores": [round(one, 4) for one in said]},
    }


def _by_kind(rows: Sequence[Scored]) -> dict[str, float]:
    """Each kind of false claim against all true ones, and by language."""
    true = [float(row.said) for row in rows if row.gold]
    found = {}
    for kind in sorted({row.kind for row in rows if not row.gold}):
        false = [float(row.said) for row in rows if not row.gold and row.kind == kind]
        found[kind or "-"] = _area(true, false)
    for language in sorted({row.language for row in rows}):
        own = [row for row in rows if row.language == language]
        sides = [
            [float(row.said) for row in own if bool(row.gold) is side] for side in (True, False)
        ]
        found[f"language {language}"] = _area(*sides)
    return found


def _area(true: Sequence[float], false: Sequence[float]) -> float:
    if not true or not false:
        return float("nan")
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score([1] * len(true) + [0] * len(false), [*true, *false]))


FAITHFULNESS = Measure(
    main="ROC-AUC",
    figures=lambda _item, _said: {},
    beside=lambda ground: {
        "word overlap": baselines.word_overlap,
        "majority": baselines.common_label(ground.train, ground.rows),
    },
    whole=_claims,
    why={
        "ROC-AUC": "the chance that a true claim scores above a false one: needs no threshold",
        "PR-AUC": "precision over recall of true claims: moves where false claims are many",
        "ROC-AUC by kind": "word overlap alone finds another document's claims, and no negation: so each kind by itself",
        "fall-out at .5": "the share of false claims that would pass at 0.5: lies told to a channel",
        "accuracy at .5": "right verdicts at 0.5; beside it the base rate, which a constant reaches",
    },
    keeps=True,
)


# --- rankings and pages


def _retrieval_beside(ground: Ground) -> dict[str, baselines.Baseline]:
    okapi = baselines.Okapi(pool(ground.docs))
    return {"BM25": okapi, "shared words": okapi.shared_words}


RETRIEVAL = Measure(
    main="MRR@10",
    figures=lambda item, said: scores.ranking(item.gold, _named(said)),
    beside=_retrieval_beside,
    whole=nothing_more,
    why={
        "R@": "is the document among the first 1, 5, 10: what fits on a screen",
        "MRR@10": "one over its place: the difference between first and second is what people feel",
        "nDCG@10": "the same for several relevant documents, each place discounted by its logarithm",
    },
)


def _page_figures(item: Item, said: Prediction) -> dict[str, float]:
    if not item.gold.text:
        return {}
    return scores.page(item.gold.text, str(said))


def _pages(rows: Sequence[Scored]) -> dict[str, Any]:
    found: dict[str, Any] = {"empty": float(np.mean([not row.said[3] for row in rows]))}
    precision = [r.figures["precision"] for r in rows if "precision" in r.figures]
    recall = [r.figures["recall"] for r in rows if "recall" in r.figures]
    if recall:
        found["token F1"] = scores.f1(float(np.mean(precision or [0.0])), float(np.mean(recall)))
        found["intervals"] = {"token F1": _page_interval(rows)}
    hit, missed, wrong = (sum(row.said[place] for row in rows) for place in range(3))
    if hit + missed:
        found["segment precision"] = hit / max(1, hit + wrong)
        found["segment recall"] = hit / (hit + missed)
        found["segment F1"] = scores.f1(found["segment precision"], found["segment recall"])
    return found


def _page_interval(rows: Sequence[Scored]) -> tuple[float, float]:
    precision = np.array([row.figures.get("precision", np.nan) for row in rows])
    recall = np.array([row.figures.get("recall", np.nan) for row in rows])

    def measure(draw: Any) -> float:
        if np.isnan(precision[draw]).all() or np.isnan(recall[draw]).all():
            return float("nan")
        return scores.f1(float(np.nanmean(precision[draw])), float(np.nanmean(recall[draw])))

    return reporting.interval(measure, len(rows), draws=500)


EXTRACTION = Measure(
    main="token F1",
    figures=_page_figures,
    beside=lambda _ground: {
        "trafilatura": baselines.bare(include_comments=False),
        "all text": baselines.all_text,
    },
    whole=_pages,
    why={
        "token F1": "the article-extraction benchmark's own: precision and recall of runs of four tokens, each averaged over pages",
        "segment F1": "trafilatura's own: sentences that must, and that must not be in the text",
        "empty": "the share of pages of which nothing is left, refused ones among them",
    },
    keeps=True,
)

MEASURES: dict[TaskName, Measure] = {
    "summary": SUMMARY,
    "keywords": KEYWORDS,
    "prerequisites": PREREQUISITES,
    "terms": TERMS,
    "difficulty": DIFFICULTY,
    "faithfulness": FAITHFULNESS,
    "retrieval": RETRIEVAL,
    "conversation": CONVERSATION,
    "extraction": EXTRACTION,
}


def scored(task: TaskName, item: Item, said: Prediction) -> Scored:
    """A row's figures. Raises ValueError or TypeError for a prediction of the wrong shape."""
    measure = MEASURES[task]
    gold: Any = item.gold if measure.keeps else None
    kept: Any = said if measure.keeps else None
    if task == "extraction":
        gold = None
        text = str(said)
        kept = (*scores.segments(item.gold.wanted, item.gold.unwanted, text), bool(text.strip()))
    return Scored(
        id=item.id,
        site=item.site,
        kind=item.kind,
        language=item.shown.language,
        figures=measure.figures(item, said),
        gold=gold,
        said=kept,
    )
