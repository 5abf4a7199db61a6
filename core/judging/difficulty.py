"""How hard an article is to read, 1.0 to 5.0, from the four factors of the blueprint (B2).

terms       how many specialist terms: the words of texts that are known to be hard or easy
concepts    how complex the ideas: abstract nouns, long sentences, formulas and proofs
background  how much must be known before: technologies built on, unexplained short forms, level words
algorithms  how complex the code is: decisions of the worst function, nesting, density of calls
            (core/judging/programs.py, by parsers); shell commands and output are no program

Where there is an encoder, `core.judging.meaning` says how hard the subject is, in Korean by way of
a gloss; that is the weightiest part of the concepts, and the sum is scaled by
`python -m training difficulty`, what a gloss changes by `python -m training korean`.
Without vectors the words alone tell the level, and each factor shown is a sum of measurements, each
scaled from its low to its high on the training articles; those weights are fitted by `python -m
training difficulty-factors` (ridge on the labelled articles, sites as groups). Rerun what made a
number before touching it.

`judge` is the one way in; `score` is for whoever has a title and a text only.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import NamedTuple

from core.article import Article, Language
from core.chunks import Block, Document, cut
from core.digest import LABELS, DifficultyLevel, Factor, FactorName
from core.judging import meaning
from core.judging.background import background
from core.judging.prerequisites import mentions_in, technologies
from core.judging.programs import Program, examined
from core.judging.wording import score as worded
from core.language import is_stopword, raw_words, words
from core.ports import Vectors

FACTORS: tuple[FactorName, ...] = ("terms", "concepts", "background", "algorithms")


@dataclass(frozen=True, slots=True)
class Scale:
    """A measurement's 10th and 90th percentile on the training articles, and its weight."""

    factor: FactorName
    low: float
    high: float
    weight: float

    def place(self, value: float) -> float:
        """0 at low, 1 at high, clamped a little outside."""
        if self.high <= self.low:
            return 0.5
        return min(1.15, max(-0.15, (value - self.low) / (self.high - self.low)))


@lru_cache(maxsize=2)
def scales(language: Language) -> dict[str, Scale]:
    """All weights are at least 0: a harder sign never makes an article easier."""
    text = (files("core.judging") / "data" / "difficulty.json").read_text("utf-8")
    raw = json.loads(text)[language]
    return {name: Scale(**scale) for name, scale in raw["scales"].items()}


class Judged(NamedTuple):
    """`factors` have shares of the level that add up to 1, and words; `probabilities` are those of
    the labels, easiest first; `uncertain` where the two likeliest are about as likely.
    """

    level: DifficultyLevel
    factors: tuple[Factor, ...]
    probabilities: tuple[float, ...]
    uncertain: bool


# Nearer to the edge between two labels both are about as likely: a quarter of all levels.
_NEAR = 0.125
# How far a level told from the words alone is from the label (standard deviation).
_SPREAD = 0.65


def score(title: str, content: str, vectors: Vectors | None = None) -> float:
    """1.0-5.0. `vectors`: a row for the title, then one for each sentence of the article."""
    document = cut(Article(title=title or None, content=content), 330)
    return judge(document, vectors).level.score


def judge(document: Document, vectors: Vectors | None = None) -> Judged:
    """`vectors`: a row for the title, then one for each sentence, of the encoder `meaning` knows;
    of a Korean article those of their glosses."""
    if vectors is None:
        exact, factors = _from_words(document)
        spread = _SPREAD
    else:
        exact, factors = _from_meaning(document, vectors)
        spread = meaning.head().spread
    bounded = min(5.0, max(1.0, exact))
    found = probabilities(bounded, spread)
    return Judged(DifficultyLevel.of(exact), factors, found, between(bounded))


def between(level: float) -> bool:
    """Whether the two likeliest labels are a toss-up. `level`: 1-5."""
    return abs(level % 1.0 - 0.5) < _NEAR


def probabilities(exact: float, spread: float) -> tuple[float, ...]:
    """The label is as far from the level as it was on sites never seen: a normal distribution."""

    def below(edge: float) -> float:
        return 0.5 * (1.0 + math.erf((edge - exact) / (spread * math.sqrt(2.0))))

    edges = [below(place + 0.5) for place in range(len(LABELS) + 1)]
    parts = [high - low for low, high in pairwise(edges)]
    return tuple(round(part / sum(parts), 3) for part in parts)


def signs(document: Document) -> dict[str, float]:
    """Of background and algorithms the one measurement that carries over from site to site."""
    measured = _of_code(document)
    known = scales("en")  # code is the same in every language
    code = ("cyclomatic", "nesting", "calls")
    return {
        "background": min(6.0, float(len(_technologies_used(document)))),
        "algorithms": sum(known[name].place(measured[name]) for name in code) / len(code),
    }


def from_signs(values: Mapping[str, float]) -> float:
    """The level, unbounded, of the concept and the `signs`, all on the English scale."""
    head = meaning.head()
    return head.level(sum(head.weights[n] * head.standard(n, value) for n, value in values.items()))


def _from_meaning(document: Document, vectors: Vectors) -> tuple[float, tuple[Factor, ...]]:
    head = meaning.head()
    values = _values(document, vectors)
    standard = {name: head.standard(name, value) for name, value in values.items()}
    driving = _driving(document)
    places = {name: head.place(name, standard[name]) for name in FACTORS}
    whole = sum(head.weights[name] * places[name] for name in FACTORS) or 1.0
    return from_signs(values), tuple(
        Factor(
            name=name,
            score=round(1.0 + 4.0 * places[name], 1),
            share=round(head.weights[name] * places[name] / whole, 3),
            words=driving[name] or (_subject(document, vectors) if name == "concepts" else ()),
        )
        for name in FACTORS
    )


def _values(document: Document, vectors: Vectors) -> dict[str, float]:
    judge = meaning.head() if document.language == "en" else meaning.glossed()
    concept = judge.concept(vectors[0], vectors[1:])
    return {"concepts": concept, "terms": _terms(document), **signs(document)}


def _terms(document: Document) -> float:
    """Of its words, on the English scale."""
    own = worded(document)
    return own if document.language == "en" else meaning.glossed().wording(own)


def _subject(document: Document, vectors: Vectors) -> tuple[str, ...]:
    """The specialist words of the sentences that drew the article towards the hard end, of those that
    it comes back to."""
    texts = [sentence.text for sentence in document.sentences]
    rare = background(document.language)
    often = Counter(
        _stemmed(w, document.language) for w in _spelled(document.prose, document.language)
    )
    found = Counter(
        word
        for text in meaning.hardest(vectors[1:], texts, 5)
        for word in _spelled(text, document.language)
        if len(word) > 2
        and rare.specialist(name := _stemmed(word, document.language))
        and often[name] > 1
    )
    return _told(found, document)[:3]


def by_words(document: Document) -> float:
    """The level by the words alone, 1-5: where there is no encoder."""
    return DifficultyLevel.of(_from_words(document)[0]).score


def _from_words(document: Document) -> tuple[float, tuple[Factor, ...]]:
    """The level by the words alone; of the factors what can be measured."""
    known, head = scales(document.language), meaning.head()
    values = measure(document)
    places = {name: scale.place(values[name]) for name, scale in known.items()}
    exact = head.level(head.widths["terms"] * head.standard("terms", _terms(document)))
    return exact, _factors(known, places, document)


def _factors(
    known: Mapping[str, Scale], places: dict[str, float], document: Document
) -> tuple[Factor, ...]:
    driving = _driving(document)
    parts: dict[FactorName, tuple[float, float]] = {}
    for factor in FACTORS:
        names = [name for name, scale in known.items() if scale.factor == factor]
        weight = sum(known[name].weight for name in names)
        value = sum(known[name].weight * max(0.0, places[name]) for name in names)
        parts[factor] = (weight, value)
    whole = sum(value for _, value in parts.values()) or 1.0
    return tuple(
        Factor(
            name=factor,
            score=round(1.0 + 4.0 * min(1.0, value / weight if weight else 0.0), 1),
            share=round(value / whole, 3),
            words=driving[factor],
        )
        for factor, (weight, value) in parts.items()
    )


_ABSTRACT = re.compile(r"[a-z]{3,}(?:tion|sion|ity|ism|ance|ence|ment|ness|ology|omy)s?$")
_FORMAL = re.compile(
    r"\b(?:theorem|lemma|proof|invariant|asymptotic|complexity|semantics|formal(?:ly)?|consisten(?:cy|t)|consensus"
    r"|linearizab\w+|isolation|idempoten\w+|concurren\w+|deadlock|race condition|atomic\w*|gradient|convergence"
    r"|distribution|variance|eigen\w+|covarian\w+|monad\w*|polymorph\w+|generic\w*|lifetime\w*|type inference"
    r"|memory (?:model|barrier|ordering)|lock-free|cache coheren\w+|vectori[sz]\w+|kernel|scheduler|compiler"
    r"|undefined behaviou?r)\b|정합성|일관성|동시성|격리|원자성|멱등|교착|경쟁 상태|수렴|분산|복잡도|증명|컴파일러|스케줄러|추상화"
    r"|재귀|최적화|메모리 모델|비동기",
    re.I,
)
_DEEP = re.compile(
    r"\b(?:internals?|under the hood|in depth|deep dive|advanced|low-level|expert|production|at scale|performance tuning"
    r"|optimi[sz]\w+|benchmark\w*|profil(?:e|ing)|debug\w*|migration)\b|내부 구조|심화|고급|최적화|성능 튜닝|대규모",
    re.I,
)
_EASY = re.compile(
    r"\b(?:introduc\w+|getting started|beginner\w*|basics?|simple|simply|easy|easily|first steps?|step by step|hello,? world"
    r"|what is|learn how|tutorial|click|install|select|choose|button)\b|입문|초보|기초|처음|쉽게|간단|시작하기|따라하기|소개|클릭",
    re.I,
)
_SHORT_FORM = re.compile(r"\b[A-Z][A-Z0-9]{1,5}s?\b")
_ASYMPTOTIC = re.compile(r"\bO\([^)]{1,20}\)")
_BRANCH = re.compile(
    r"\b(?:if|else|elif|for|while|switch|case|match|catch|except|select|goto|loop|yield|await|defer)\b|&&|\|\||\?\.|=>"
)
_DEFINITION = re.compile(
    r"\b(?:def|class|func|fn|function|struct|interface|trait|impl|enum|template|type|async|lambda|unsafe|CREATE|SELECT|JOIN)\b"
)


def programs_in(document: Document) -> list[Program]:
    """What a parser or patterns read of the article's code; commands and output left out."""
    found = (examined(block.text, block.info) for block in document.code if not _typed(block))
    return [one for one in found if one is not None]


def _typed(block: Block) -> bool:
    """Behind a prompt, whatever the fence says."""
    return block.text.lstrip()[:2] in ("$ ", "# ", "> ")


def measure(document: Document) -> dict[str, float]:
    """The measurements behind the factors, plain numbers, each higher for a harder text."""
    text = "\n".join((document.title, *document.headings, document.prose))
    content = words(text, document.language)
    total = max(30, len(content))
    lengths = [len(s.text.split()) for s in document.sentences if s.kind == "paragraph"]
    rare = background(document.language)
    special = [w for w in content if rare.specialist(w)]
    raw = raw_words(text)
    return {
        "specialist_share": len(special) / total,
        "specialist_variety": len(set(special)) / total**0.7,
        "rarity": sum(min(8.0, rare.idf(w)) for w in content) / total,
        "abstract_share": sum(bool(_ABSTRACT.match(w)) for w in raw) / max(30, len(raw)),
        "sentence_length": min(45.0, sum(lengths) / max(3, len(lengths))),
        "formal": 100 * len(_FORMAL.findall(text)) / total,
        "technologies": float(len(_technologies_used(document))),
        "short_forms": 100 * len(set(_SHORT_FORM.findall(text))) / total,
        "level_words": 100 * (len(_DEEP.findall(text)) - len(_EASY.findall(text))) / total,
        **_of_code(document),
        "asymptotics": min(6.0, len(_ASYMPTOTIC.findall(text))),
    }


def _of_code(document: Document) -> dict[str, float]:
    programs = programs_in(document)
    lines = sum(program.lines for program in programs)
    calls = frozenset().union(*(program.calls for program in programs))
    return {
        "code_lines": min(400.0, lines) ** 0.5,
        "cyclomatic": math.log1p(max((program.cyclomatic for program in programs), default=0)),
        "nesting": float(max((program.nesting for program in programs), default=0)),
        "calls": len(calls) / max(8, lines),
    }


def _technologies_used(document: Document) -> list[str]:
    """In more than one sentence: what is mentioned once need not be known."""
    counted = mentions_in(document)
    return [one.name for one in technologies() if counted[one.name] > 1]


def _driving(document: Document) -> dict[FactorName, tuple[str, ...]]:
    """The words that drove each factor, as they stand in the text: terms by rarity and number."""
    text = document.prose
    rare = background(document.language)
    counted = Counter(w for w in _spelled(text, document.language) if len(w) > 1)
    special = {
        word: min(20.0, n) * max(0.0, rare.idf(_stemmed(word, document.language)) - 1.0)
        for word, n in counted.items()
        if n > 1 and rare.specialist(_stemmed(word, document.language))
    }
    formal = Counter(m.group().lower() for m in _FORMAL.finditer(text))
    code = [b for b in document.code if not _typed(b) and examined(b.text, b.info) is not None]
    inside = Counter(w for b in code for w in _BRANCH.findall(b.text) + _DEFINITION.findall(b.text))
    asymptotic = Counter(_ASYMPTOTIC.findall(text))
    return {
        "terms": _told(special, document),
        "concepts": _top(formal),
        "background": tuple(_technologies_used(document)[:5]),
        "algorithms": _top(asymptotic + inside),
    }


def _top(counted: Mapping[str, float]) -> tuple[str, ...]:
    return tuple(word for word, _ in sorted(counted.items(), key=lambda p: (-p[1], p[0]))[:5])


def _told(weights: Mapping[str, float], document: Document) -> tuple[str, ...]:
    """The heaviest words: "server" and "servers" are one, spelled as the article mostly does."""
    forms: dict[str, list[str]] = defaultdict(list)
    for word in weights:
        forms[_stemmed(word, document.language)].append(word)
    whole = {
        max(of, key=lambda w: (weights[w], w)): sum(weights[w] for w in of) for of in forms.values()
    }
    return tuple(_as_written(word, document.prose) for word in _top(whole))


def _as_written(word: str, text: str) -> str:
    """In the spelling that stands there mostly, such as "PostgreSQL"; Hangul has one case."""
    if not word.isascii():
        return word
    written = re.findall(rf"(?<![A-Za-z0-9]){re.escape(word)}(?![A-Za-z0-9])", text, re.I)
    return Counter(written).most_common(1)[0][0] if written else word


def _spelled(text: str, language: Language) -> list[str]:
    found = words(text, "ko") if language == "ko" else raw_words(text)
    return [w for w in found if not (is_stopword(w) or w[0].isdigit() or w in ("i.e", "e.g"))]


def _stemmed(word: str, language: Language) -> str:
    found = words(word, language)
    return found[0] if found else word
