"""Does the article bear a sentence out?

`core.judging.evidence` measures signs of support and of contradiction between the claim and the
whole article; a logistic combination, fitted by `python -m training pairs` on claims made false
on purpose, weighs them. A sign of support can only speak for a claim, one of contradiction only
against it. A claim of several sentences is judged by the mean of their scores and the worst of
them in equal parts: one false sentence among five makes the whole doubtful.

`Evidence(document).support(claim)` is the one way in; `faithfulness` is for whoever has texts only.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from core.article import Article, Language
from core.chunks import Document, cut
from core.judging.evidence import Measured, Measuring
from core.judging.facts import numbers
from core.judging.standing import unframed
from core.language import sentences
from core.ports import Vectors

__all__ = ["AGAINST", "FOR", "Evidence", "Judge", "Support", "faithfulness", "judge", "numbers"]

# The columns of the combination: signs of which the largest counts, up to a cap. Several caps of
# one sign make a line with bends: from 0 to a third of its words in the article a claim wins much,
# from two thirds to all of them little. `training/faithfulness/pairs.py` fits a weight for each.
Column = tuple[tuple[str, ...], float]
_NEGATION = ("turned", "negated_new", "negated_far", "negation_lost")
_TURNED = ("turned_beside", "denied")
_OPPOSITE = ("opposed", "opposed_near", "opposed_beside")
FOR: dict[str, Column] = {
    f"{sign} up to {cap:g}": ((sign,), cap)
    for sign, caps in (
        ("in_article", (0.2, 0.35, 0.5, 0.7, 1.0)),
        ("covered", (0.2, 0.35, 0.5, 1.0)),
        ("neighbours", (0.1, 0.3, 1.0)),
    )
    for cap in caps
}
AGAINST: dict[str, Column] = {
    **{
        sign: ((sign,), 1.0)
        for sign in (
            "numbers_gone",
            "numbers_far",
            "names_gone",
            *_NEGATION,
            *_TURNED,
            *_OPPOSITE,
            "unusual",
        )
    },
    "negation": (_NEGATION, 1.0),
    "opposite": (_OPPOSITE, 1.0),
}
_BROKEN = {
    "number": ("numbers_gone", "numbers_far"),
    "name": ("names_gone",),
    "negation": (*_NEGATION, *_TURNED, "negation"),
    "opposite": (*_OPPOSITE, "opposite", "unusual"),
}
# Below this a claim is not borne out (as DigestSettings.min_support): training sets the shift so
# that a tenth of its true summaries stand below.
BORNE = 0.75
# A contradiction is named where it lowers the logit by more than this.
_TELLING = 0.4
# What repeats this much of one passage and has a contradiction that lowers the logit by more than
# `_PLAIN` is a quotation with a fact turned round: broken, however well the rest is borne out.
_QUOTED = 0.65
_PLAIN = 1.6
# So many times its pairs of neighbouring words count beside its words: paraphrases keep few of them.
_BY_NEIGHBOURS = 2.5
# And the words that stand in the order of one sentence: .7 of them are as much as .75 by rarity.
_BY_ORDER = 0.75 / 0.7
# What stands in a frame ("This article describes …") counts so much: almost anything is described.
_FRAMED = 0.75
# What has a number of another passage: such are the small model's inventions ("Flink 2" of "1.14").
_BORROWED = 0.5


@dataclass(frozen=True, slots=True)
class Support:
    """`score` 0-1; `source` is the index of the sentence that bears the claim, -1 for none.

    `broken` names what speaks against it where it is not borne out, or where it quotes the article
    with one fact changed: "number", "name", "negation", "opposite"; else "". A name that the
    article does not have breaks a claim always. `together` (0-1) tells a sentence that one passage
    says from one whose words are gathered from all over the article, as a small model does.
    """

    score: float
    source: int
    broken: str = ""
    together: float = 0.0

    def holds(self, least: float = BORNE, together: float = 0.0) -> bool:
        """Whether the claim may be shown as the article's: so well borne out, and so far by one passage."""
        return self.score >= least and self.together >= together and not self.broken


@dataclass(frozen=True, slots=True)
class Judge:
    """The fitted weights: at least 0 for `FOR`, at most 0 for `AGAINST`; `shift` puts the line at BORNE."""

    constant: float
    weights: Mapping[str, float]
    shift: float = 0.0

    @staticmethod
    def seen(signs: Mapping[str, float]) -> dict[str, float]:
        """The columns of FOR, then of AGAINST."""
        columns = {**FOR, **AGAINST}.items()
        return {
            name: min(cap, max(signs[sign] for sign in found)) for name, (found, cap) in columns
        }

    def probability(self, signs: Mapping[str, float]) -> float:
        total = sum(self.weights[name] * value for name, value in self.seen(signs).items())
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, self.constant + total))))

    def score(self, parts: Sequence[float]) -> float:
        """Of a claim whose sentences have these probabilities; BORNE is the line."""
        mixed = (sum(parts) / len(parts) + min(parts)) / 2
        return 1.0 / (1.0 + math.exp(-self.shift) * (1.0 - mixed) / max(1e-9, mixed))

    def against(self, signs: Mapping[str, float], telling: float = _TELLING) -> str:
        """The kind of contradiction that weighs most, "" where none weighs more than `telling`."""
        seen = self.seen(signs)
        weighed = {
            kind: -sum(self.weights[name] * seen[name] for name in names)
            for kind, names in _BROKEN.items()
        }
        kind = max(weighed, key=lambda name: weighed[name])
        return kind if weighed[kind] > telling else ""


@lru_cache(maxsize=2)
def judge(language: Language) -> Judge:
    text = (files("core.judging") / "data" / "faithful.json").read_text("utf-8")
    return Judge(**json.loads(text)[language])


class Evidence:
    """An article, made ready for many claims."""

    def __init__(self, document: Document, embedded: Vectors | None = None) -> None:
        self.language = document.language
        self.embedded = embedded
        self._measuring = Measuring(document, embedded)

    def support(self, claim: str, claim_vector: Vectors | None = None) -> Support:
        """How far the article bears the claim out. `claim_vector`: shape (dimension,)."""
        parts = sentences(claim, self.language)
        measured = [
            (part, one) for part in parts if (one := self._measuring.measure(part, claim_vector))
        ]
        if not measured:
            return Support(0.0, -1)
        found = [one for _, one in measured]
        own = judge(self.language)
        judged = [(own.probability(one.signs), one) for one in found]
        _, least = min(judged, key=lambda pair: pair[0])
        score = own.score([probability for probability, _ in judged])
        quoted = least.signs["covered"] > _QUOTED
        broken = own.against(least.signs, _PLAIN if score >= BORNE else _TELLING)
        if score >= BORNE and not quoted:
            broken = ""
        gone = any(one.signs["names_gone"] > 0 for one in found)
        if gone or any(self._measuring.invents(part) for part, _ in measured):
            broken = "name"  # an invented name is an invented fact, however much of the rest stands
        elif any(self._measuring.binds(part, one) for part, one in measured):
            broken = "opposite"
        together = min(self._together(part, one) for part, one in measured)
        return Support(score, _source(found), broken, together)

    def _together(self, sentence: str, measured: Measured) -> float:
        """The share of its words, by rarity, that the closest passage has; less where no neighbours
        of the sentence are neighbours in the article, where no sentence of the article has the words
        in its order, where a number is from elsewhere, and where a frame is around a word or two."""
        rest = unframed(sentence)
        framed = self._measuring.measure(rest) if rest != sentence else None
        near = framed or measured
        ordered = self._measuring.ordered(rest if framed else sentence, near)
        told = min(
            near.signs["covered"],
            _BY_NEIGHBOURS * near.signs["neighbours"],
            _BY_ORDER * ordered,
        )
        if self._measuring.borrows(sentence, measured):
            told *= _BORROWED
        return told * _FRAMED if framed else told


def _source(found: list[Measured]) -> int:
    """Where the part that is covered best stands."""
    best = max(found, key=lambda one: one.signs["covered"])
    return best.closest[0].index


def faithfulness(article: Article, claim: str) -> float:
    """0-1: how far the article bears the claim out."""
    return Evidence(cut(article, 330)).support(claim).score
