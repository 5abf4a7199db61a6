"""How texts are read: summaries and conversations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from training.evaluating import baselines, scores
from training.evaluating.items import Item
from training.evaluating.measures.shape import Measure, Scored
from training.evaluating.systems import Prediction


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
