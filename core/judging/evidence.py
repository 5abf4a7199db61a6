"""What can be measured between a claim and an article: the signs by which `faithful` decides.

Every sign is a small number. Those of support: how much of the claim's vocabulary stands in one
passage or in the whole article, how alike their meanings are, which of its neighbouring words
are neighbours there too. Those of contradiction: numbers and names that the article does not
have, words that the claim negates and the article affirms, opposites of the article's words.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from core.article import Language
from core.chunks import Document
from core.judging.background import background
from core.judging.facts import Known, numbers
from core.judging.polarity import Polarity, opposites, polarity, reporting
from core.language import is_stopword, raw_words, stem, words
from core.ports import Vectors

# How many passages are compared in full, after the plain word coverage of all.
CLOSEST = 8
# Of so many of them a fact may come: the passage that bears a claim is rarely the fourth.
_NEAR = 3
# Only a near quotation can lose a negation: other sentences may speak of another thing.
_QUOTED = 0.7
# In natural logarithms of document counts: half as common.
_RARER = 0.7

SIGNS = (
    "covered",
    "in_article",
    "likeness",
    "neighbours",
    "length",
    "numbers_gone",
    "numbers_far",
    "names_gone",
    "turned",
    "negated_new",
    "negated_far",
    "negation_lost",
    "turned_beside",
    "denied",
    "opposed",
    "opposed_near",
    "opposed_beside",
    "unusual",
)


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence of the article, or two neighbouring ones (`second`)."""

    index: int
    text: str
    words: frozenset[str]
    second: int | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """The signs, and the passages that cover the claim best, the best first."""

    signs: dict[str, float]
    closest: tuple[Passage, ...]


# Not in "index-only".
_BINDING = re.compile(r"(?<![\w-])(?:only|always|never|all|every|none|exclusively|solely)(?![\w-])")


class Measuring:
    """An article, made ready for many claims."""

    def __init__(self, document: Document, embedded: Vectors | None = None) -> None:
        self.language: Language = document.language
        self.embedded = embedded
        self._document = document
        self.passages = tuple(_passages(document))
        self._background = background(document.language)
        self._polarities: dict[tuple[int, int | None], Polarity] = {}

    @cached_property
    def _texts(self) -> tuple[str, ...]:
        """Everything a claim may rest on: sentences, title, headings."""
        own = (sentence.text for sentence in self._document.sentences)
        return (*own, self._document.title, *self._document.headings)

    @cached_property
    def _everything(self) -> str:
        """The same with the code, in which numbers and names may stand."""
        return "\n".join((*self._texts, *(block.text for block in self._document.code)))

    @cached_property
    def _beside(self) -> frozenset[str]:
        return frozenset(words(self._document.title, self.language))

    @cached_property
    def _words(self) -> frozenset[str]:
        prose = (word for passage in self.passages for word in passage.words)
        beside = words(" . ".join(self._document.headings), self.language)
        code = (stem(word) for block in self._document.code for word in raw_words(block.text))
        return frozenset((*prose, *beside, *code))

    @cached_property
    def _known(self) -> Known:
        return Known(self._everything)

    @cached_property
    def _polarity(self) -> Polarity:
        return Polarity.of_all(polarity(text, self.language) for text in self._texts)

    @cached_property
    def _pairs(self) -> frozenset[tuple[str, str]]:
        return frozenset(pair for one in self._sequences for pair in _neighbours(one))

    @cached_property
    def _sequences(self) -> tuple[list[str], ...]:
        return tuple(self._sequence(text) for text in self._texts)

    def _sequence(self, text: str) -> list[str]:
        """The words in order, function words too where they have an opposite ("with")."""
        if self.language == "ko":
            return words(text, "ko")
        known = opposites("en")
        return [w for w in _in_order(text) if w in known or not is_stopword(w)]

    def measure(self, claim: str, vector: Vectors | None = None) -> Measured | None:
        """None where the claim has no word of its own or the article no sentence."""
        wanted = Counter(words(claim, self.language))
        if not wanted or not self.passages:
            return None
        ranked = sorted(
            ((self._covered(wanted, passage.words), passage) for passage in self.passages),
            key=lambda pair: (-pair[0], pair[1].second is not None, pair[1].index),
        )[:CLOSEST]
        closest = tuple(passage for _, passage in ranked)
        signs = {
            "covered": ranked[0][0],
            "in_article": self._covered(wanted, self._words),
            "likeness": self._likeness(closest, vector, ranked[0][0]),
            "length": math.log(sum(wanted.values())),
            **self._facts(claim, closest),
            **self._negations(claim, closest, ranked[0][0]),
            **self._contrasts(claim, closest),
        }
        return Measured({name: signs[name] for name in SIGNS}, closest)

    def invents(self, claim: str) -> bool:
        """Whether a claim opens with a word that neither the article nor any other text has: a small
        model misspells a name ("Faisd" for faasd), and where a sentence opens any word has a capital."""
        opening = re.match(r"[A-Z][a-z]{2,}\b(?!['’.-])", claim)
        if opening is None or self.language != "en" or is_stopword(opening[0].lower()):
            return False
        key = stem(opening[0].lower())
        new = key not in self._words and key not in self._known
        return new and self._background.counts.get(key, (0, 0)) == (0, 0)

    def binds(self, claim: str, measured: Measured) -> bool:
        """Whether a claim that repeats one passage says "only", "always" or "all" where the passage
        does not: "indexes are only stored separately" for "each index is stored separately"."""
        if self.language != "en" or measured.signs["covered"] <= _QUOTED:
            return False
        there = " ".join(passage.text for passage in measured.closest[:1])
        return not set(_BINDING.findall(claim.lower())) <= set(_BINDING.findall(there.lower()))

    def ordered(self, claim: str, measured: Measured) -> float:
        """The share of an English claim's words, little ones too, that one sentence of the closest
        passages has in the same order. Of other languages, whose order is freer: 1."""
        said = _in_order(claim)
        if self.language != "en" or not said:
            return 1.0
        near = {i for p in measured.closest for i in (p.index, p.second) if i is not None}
        there = (_in_order(self._document.sentences[i].text) for i in near)
        return max(_longest_common(said, one) for one in there) / len(said)

    def borrows(self, claim: str, measured: Measured) -> bool:
        """Whether a number of the claim stands neither in the closest passage nor in the title."""
        there = f"{measured.closest[0].text}\n{self._document.title}"
        return not set(numbers(claim)) <= set(numbers(there))

    def _covered(self, wanted: Counter[str], there: frozenset[str]) -> float:
        """Share of the claim's words, weighted by rarity, that stand there or in the title."""
        total = got = 0.0
        for word, n in wanted.items():
            weight = n * self._background.idf(word)
            total += weight
            if word in there:
                got += weight
            elif word in self._beside:
                got += 0.5 * weight
        return got / total if total else 0.0

    def _likeness(
        self, closest: Sequence[Passage], vector: Vectors | None, otherwise: float
    ) -> float:
        if vector is None or self.embedded is None:
            return otherwise
        rows = {i for p in closest for i in (p.index, p.second) if i is not None}
        known = [self.embedded[i] for i in rows if self.embedded[i].any()]
        return max(0.0, max((float(row @ vector) for row in known), default=otherwise))

    def _facts(self, claim: str, closest: Sequence[Passage]) -> dict[str, float]:
        said = set(numbers(claim))
        near = {n for passage in closest[:_NEAR] for n in numbers(passage.text)}
        return {
            "numbers_gone": _capped(said - self._known.numbers),
            "numbers_far": _capped((said & self._known.numbers) - near),
            "names_gone": _capped(self._known.strange(claim)),
        }

    def _negations(
        self, claim: str, closest: Sequence[Passage], covered: float
    ) -> dict[str, float]:
        said, there = polarity(claim, self.language), self._polarity
        near = [self._of(passage) for passage in closest[:_NEAR]]
        close = Polarity.of_all(near)
        lost = (near[0].negated - near[0].affirmed - said.negated) & said.affirmed
        unseen = said.negated - there.negated
        beside = (said.pairs_negated & there.pairs_affirmed) - there.pairs_negated
        return {
            "turned": _capped(unseen & there.affirmed),
            "negated_new": _capped(unseen - there.affirmed),
            "negated_far": _capped((said.negated & there.negated & close.affirmed) - close.negated),
            "negation_lost": _capped(lost) if covered > _QUOTED else 0.0,
            "turned_beside": _capped(beside),
            "denied": _capped((said.negated & reporting(self.language)) - close.negated),
        }

    def _of(self, passage: Passage) -> Polarity:
        key = (passage.index, passage.second)
        if key not in self._polarities:
            self._polarities[key] = polarity(passage.text, self.language)
        return self._polarities[key]

    def _contrasts(self, claim: str, closest: Sequence[Passage]) -> dict[str, float]:
        """Words of the claim that have opposites: where does the article have which of them?"""
        known = opposites(self.language)
        sequence = self._sequence(claim)
        near = frozenset().union(*(self._sequence(p.text) for p in closest[:_NEAR]))
        everything = self._vocabulary
        marked = [word for word in dict.fromkeys(sequence) if word in known]
        gone = [word for word in marked if word not in everything]
        pairs = list(_neighbours(sequence))
        return {
            "opposed": _capped(w for w in gone if known[w] & everything),
            "opposed_near": _capped(w for w in marked if w not in near and known[w] & near),
            "opposed_beside": _capped(pair for pair in pairs if self._turns(pair, known)),
            "unusual": _capped(w for w in gone if self._unusual(w, known[w])),
            "neighbours": sum(p in self._pairs for p in pairs) / len(pairs) if pairs else 1.0,
        }

    @cached_property
    def _vocabulary(self) -> frozenset[str]:
        return frozenset(word for one in self._sequences for word in one)

    def _unusual(self, word: str, others: frozenset[str]) -> bool:
        """The side of a pair that texts take seldom: "worsen" beside "improve"."""
        usual = min(self._background.idf(other) for other in others)
        return self._background.idf(word) > usual + _RARER

    def _turns(self, pair: tuple[str, str], known: dict[str, frozenset[str]]) -> bool:
        """The article does not have these neighbours, but the opposite of one beside the other."""
        if pair in self._pairs:
            return False
        first, second = pair
        return any((other, second) in self._pairs for other in known.get(first, ())) or any(
            (first, other) in self._pairs for other in known.get(second, ())
        )


def _capped(found: Iterable[object]) -> float:
    """0, 1 or 2: the third adds nothing to what one makes doubtful."""
    return float(min(2, len(list(found))))


def _in_order(text: str) -> list[str]:
    """All English words, in the form in which they are compared."""
    return [stem(word.removesuffix("'s")) for word in raw_words(text)]


def _longest_common(one: Sequence[str], other: Sequence[str]) -> int:
    """The length of the longest common subsequence, as in ROUGE-L."""
    best = [0] * (len(other) + 1)
    for word in one:
        before = best.copy()
        for place, there in enumerate(other, 1):
            same = before[place - 1] + 1 if word == there else 0
            best[place] = max(same, before[place], best[place - 1])
    return best[-1]


def _neighbours(sequence: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each word with the next and the one after it."""
    yield from pairwise(sequence)
    yield from zip(sequence, sequence[2:], strict=False)


def _passages(document: Document) -> Iterator[Passage]:
    language = document.language
    before: Passage | None = None
    for sentence in document.sentences:
        own = Passage(sentence.index, sentence.text, frozenset(words(sentence.text, language)))
        yield own
        if before is not None:
            joined = f"{before.text} {own.text}"
            yield Passage(before.index, joined, before.words | own.words, own.index)
        before = own
