"""One line for an article: of many candidates, the one that people would most likely have written.

Candidates are the title, the article's best sentences, in Korean the title with a sentence, and
what the model drafted. A small forest (`training/sentences/headline.py` grows it) foretells how much each shares
with a human one-line summary. What it looks at is the same for every origin: where the words
come from, and how far the candidates agree with each other (minimum Bayes risk, Kumar and Byrne
2004: what several ways arrive at is likely right).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.article import Language
from core.chunks import Document
from core.judging.forest import DATA, Forest, Rows, load
from core.judging.kinds import TextKind
from core.judging.standing import alone, announces, denies
from core.language import raw_words, stem

Origin = Literal["title", "article", "both", "model"]
_ORIGINS: tuple[Origin, ...] = ("title", "article", "both", "model")
# Sentences that stand for election.
SENTENCES = 6
# An announcement stands among so many sentences at the beginning, or in the first quarter.
_EARLY = 12
_OPENS = re.compile(r"^(?:we|this|the|a|an|in this|이|그)\b", re.I)
NAMES = (
    *(f"is_{origin}" for origin in _ORIGINS),
    "words",
    "long",
    "log_sentences",
    "rank",
    "rank_below_best",
    "position",
    "in_title",
    "of_title",
    "title_words",
    "title_colon",
    "best_in_title",
    "in_best",
    "of_best",
    "in_gist",
    "agrees",
    "agrees_with_drafts",
    "agrees_with_sentences",
    "drafts",
    "draft_place",
    "opens_plainly",
    "digits",
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """`index`: the sentence it is, rests on, or -1 for the title."""

    text: str
    origin: Origin
    index: int


def candidates(
    document: Document, ranks: Rows, drafts: Sequence[str] = ()
) -> tuple[Candidate, ...]:
    """Each text once; empty where there is nothing to say. `ranks`: core.judging.gist.rank;
    `drafts`: likeliest first."""
    best = [int(i) for i in np.argsort(-ranks, kind="stable")[:SENTENCES] if np.isfinite(ranks[i])]
    found = [Candidate(document.sentences[i].text, "article", i) for i in best]
    if document.title:
        found.insert(0, Candidate(document.title, "title", -1))
    if document.title and document.language == "ko":
        # A Korean opening mostly leaves out what it speaks of: the title has named it.
        joint = document.title.rstrip(" .:")
        stands = dict.fromkeys([*best[:2], *([0] if best else [])])
        found += [Candidate(f"{joint}: {document.sentences[i].text}", "both", i) for i in stands]
    bags = {i: _bag(document.sentences[i].text, document.language) for i in best}
    for draft in drafts:
        own = _bag(draft, document.language)
        near = max(best, key=lambda i: _f1(own, bags[i]), default=-1)
        found.append(Candidate(draft, "model", near))
    return tuple({one.text: one for one in found}.values())


def features(document: Document, ranks: Rows, pool: Sequence[Candidate]) -> Rows:
    """A row for each candidate, columns as in NAMES."""
    language = document.language
    bags = [_bag(one.text, language) for one in pool]
    title = _bag(document.title, language)
    order = [int(i) for i in np.argsort(-ranks, kind="stable")[:3] if np.isfinite(ranks[i])]
    tops = [_bag(document.sentences[i].text, language) for i in order]
    best = tops[0] if tops else Counter[str]()
    gist = sum(tops, Counter[str]())
    highest = float(ranks[order[0]]) if order else 0.0
    likeness = np.array([[_f1(one, other) for other in bags] for one in bags])
    np.fill_diagonal(likeness, np.nan)
    drafted = np.array([one.origin == "model" for one in pool])
    quoted = np.array([one.origin == "article" for one in pool])
    rows = []
    for i, (one, bag) in enumerate(zip(pool, bags, strict=True)):
        size = sum(bag.values())
        rank = float(ranks[one.index]) if one.index >= 0 else highest
        rows.append(
            [
                *(float(one.origin == origin) for origin in _ORIGINS),
                size / 20,
                max(0.0, size / 20 - 1.5),
                np.log1p(len(document.sentences)),
                rank,
                highest - rank,
                one.index / max(1, len(document.sentences) - 1),
                _share(bag, title),
                _share(title, bag),
                sum(title.values()) / 12,
                float(":" in document.title),
                max((_f1(title, top) for top in tops), default=0.0),
                _share(bag, best),
                _share(best, bag),
                _share(bag, gist),
                _mean(likeness[i]),
                _mean(likeness[i][drafted]),
                _mean(likeness[i][quoted]),
                float(drafted.sum()),
                1 / drafted[: i + 1].sum() if drafted[i] else 0.0,
                float(_OPENS.search(one.text) is not None),
                float(any(letter.isdigit() for letter in one.text)),
            ]
        )
    return np.array(rows)


def forest(language: Language) -> Forest:
    """For lines that stand alone. Each language has its own: what is said in which order differs,
    and so do the candidates."""
    return load(DATA / f"headline_{language}.npz")


def opening() -> Forest:
    """For what stands under the title in English. It was taught besides by posts whose authors say
    something else than their title, which would teach `forest` that a title is never the line."""
    return load(DATA / "opening_en.npz")


def choose(
    document: Document,
    ranks: Rows,
    pool: Sequence[Candidate],
    fit: Callable[[Candidate], bool] = bool,
    grown: Forest | None = None,
) -> Candidate | None:
    """The likeliest of those that are `fit`, judged beside all; the first of equals. None of none.
    `grown`: who judges, if not `forest`."""
    able = [i for i, one in enumerate(pool) if fit(one)]
    if not able:
        return None
    grown = grown or forest(document.language)
    likely = grown.predict(features(document, ranks, pool))
    return pool[max(able, key=lambda i: likely[i])]


def leading(
    document: Document,
    kind: TextKind,
    ranks: Rows,
    drafts: Sequence[str],
    fit: Callable[[str], bool] = bool,
) -> Candidate | None:
    """What a reader should hear first under the title: a draft or a sentence of the article.

    Never the title, and nothing that leans on a neighbour. In Korean it is the sentence in which the
    author says what the text is about. None where there is no such sentence, and of proposals, which
    open better in their own order (`tests/benchmarks/bench_opening.py`).
    """
    if document.language == "ko":
        return _announced(document, fit)
    if kind == "proposal":
        return None

    def opens(one: Candidate) -> bool:
        # one item of a list is one of several
        said = one.origin == "model" or (
            one.origin == "article" and document.sentences[one.index].kind != "item"
        )
        return said and alone(one.text) and not denies(one.text) and fit(one.text)

    return choose(document, ranks, candidates(document, ranks, drafts), opens, opening())


def _announced(document: Document, fit: Callable[[str], bool]) -> Candidate | None:
    """The forest knows Korean lines with the title in them: sentences alone it tells apart badly."""
    among = max(_EARLY, len(document.sentences) // 4)
    for one in document.sentences[:among]:
        if one.whole and announces(one.text) and fit(one.text):
            return Candidate(one.text, "article", one.index)
    return None


def _bag(text: str, language: Language) -> Counter[str]:
    if language == "ko":
        return Counter(letter for letter in text if letter.isalnum())
    return Counter(stem(word.lower()) for word in raw_words(text))


def _f1(one: Counter[str], other: Counter[str]) -> float:
    both = sum((one & other).values())
    return 2 * both / (sum(one.values()) + sum(other.values())) if both else 0.0


def _share(one: Counter[str], other: Counter[str]) -> float:
    """How much of `one` stands in `other`."""
    return sum((one & other).values()) / max(1, sum(one.values()))


def _mean(values: Rows) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else 0.0
