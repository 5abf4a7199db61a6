"""Does the article bear a sentence out? The first version: words, meaning, numbers, names, negation.

A claim is compared with every sentence of the article and with every pair of neighbours; the
best passage decides. Weighted word coverage and likeness of meaning (where an encoder knows
the language) make the support; a number, name or negation that the passage does not have
breaks it, whatever the rest. An entailment head takes this place later; the interface stays.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.article import Language
from core.chunks import Document
from core.judging.background import background
from core.language import is_stopword, raw_words, stem, words
from core.ports import Vectors

# A claim with a number, a name or a negation that its passage does not have keeps this share of
# its support: below every threshold in use, yet the order among such claims is kept.
_BROKEN = 0.35
_WORDS_SHARE = 0.7
# How many passages are compared in full, after the plain word coverage of all.
_CLOSEST = 8


@dataclass(frozen=True, slots=True)
class Support:
    """`score` 0-1; `source` is the index of the sentence that bears the claim, -1 for none.

    `broken` names what failed: "number", "name", "negation", "opposite", or "".
    """

    score: float
    source: int
    broken: str = ""


@dataclass(frozen=True, slots=True)
class _Passage:
    index: int
    text: str
    words: frozenset[str]
    second: int | None = None


class Evidence:
    """An article, made ready for many claims."""

    def __init__(self, document: Document, embedded: Vectors | None = None) -> None:
        self.language = document.language
        self.embedded = embedded
        self.title = frozenset(words(document.title, document.language))
        self.everything = frozenset(_name_keys(document.prose + "\n" + _beside(document)))
        self.passages = tuple(_passages(document))
        self.background = background(document.language)

    def support(self, claim: str, claim_vector: Vectors | None = None) -> Support:
        """How far the best passage bears the claim out. `claim_vector`: shape (dimension,)."""
        wanted = Counter(words(claim, self.language))
        if not wanted or not self.passages:
            return Support(0.0, -1)
        ranked = sorted(
            ((self._covered(wanted, passage), passage) for passage in self.passages),
            key=lambda pair: (-pair[0], pair[1].second is not None, pair[1].index),
        )[:_CLOSEST]
        judged = [self._judge(claim, covered, p, claim_vector) for covered, p in ranked]
        best = max(judged, key=lambda found: found.score)
        nearest = judged[0]
        if nearest.broken and not best.broken and best.score < ranked[0][0] * 0.8:
            # the passage that speaks of this contradicts it; another merely shares a few words
            return nearest
        return best

    def _covered(self, wanted: Counter[str], passage: _Passage) -> float:
        """Share of the claim's words, weighted by rarity, that stand in the passage or the title."""
        total = got = 0.0
        for word, n in wanted.items():
            weight = n * self.background.idf(word)
            total += weight
            if word in passage.words:
                got += weight
            elif word in self.title:
                got += 0.5 * weight
        return got / total if total else 0.0

    def _judge(
        self, claim: str, covered: float, passage: _Passage, claim_vector: Vectors | None
    ) -> Support:
        score = covered
        if claim_vector is not None and self.embedded is not None:
            rows = [i for i in (passage.index, passage.second) if i is not None]
            known = [self.embedded[i] for i in rows if self.embedded[i].any()]
            likeness = max((float(row @ claim_vector) for row in known), default=covered)
            score = _WORDS_SHARE * covered + (1 - _WORDS_SHARE) * max(0.0, likeness)
        broken = breaks(claim, passage.text, self.language) or self._unknown_name(claim)
        if broken:
            score *= _BROKEN
        return Support(min(1.0, score), passage.index, broken)

    def _unknown_name(self, claim: str) -> str:
        """A name that the article does not have anywhere is invented."""
        return "name" if any(n not in self.everything for n in _names(claim)) else ""


def _beside(document: Document) -> str:
    """What a claim may name although no sentence says it: title, headings, code."""
    code = " ".join(block.text for block in document.code)
    return " ".join((document.title, *document.headings, code))


def _passages(document: Document) -> Iterator[_Passage]:
    language = document.language
    before: _Passage | None = None
    for sentence in document.sentences:
        own = _Passage(sentence.index, sentence.text, frozenset(words(sentence.text, language)))
        yield own
        if before is not None:
            yield _Passage(
                before.index, f"{before.text} {own.text}", before.words | own.words, own.index
            )
        before = own


def breaks(claim: str, passage: str, language: Language) -> str:
    """What in the claim contradicts the passage: "number", "negation", "opposite", or ""."""
    if not set(numbers(claim)) <= set(numbers(passage)):
        return "number"
    if language == "ko":
        return "negation" if _negations_ko(claim) != _negations_ko(passage) else ""
    return _broken_english(claim, passage)


def _broken_english(claim: str, passage: str) -> str:
    said, there = raw_words(claim), raw_words(passage)
    if _negated(said) != _negated(there) and _negations_matter(said, there):
        return "negation"
    claimed, present = {stem(w) for w in said}, {stem(w) for w in there}
    for one, other in _OPPOSITES:
        for mine, theirs in ((one, other), (other, one)):
            if mine in claimed and theirs in present and mine not in present:
                return "opposite"
    return ""


_NEGATIONS = frozenset(
    "not no never cannot can't don't doesn't didn't isn't aren't wasn't weren't won't wouldn't shouldn't couldn't"
    " hasn't haven't hadn't without neither nor none nothing unable fails lacks".split()
)


def _negated(found: Sequence[str]) -> set[str]:
    """The words that a negation stands before: "does not block" negates `block`."""
    negated: set[str] = set()
    for place, word in enumerate(found):
        if word in _NEGATIONS:
            after = [stem(w) for w in found[place + 1 : place + 7] if not is_stopword(w)]
            negated.update(after[:1])
    return negated


def _negations_matter(said: Sequence[str], there: Sequence[str]) -> bool:
    """Only a word that both have can be contradicted by the negation of one of them."""
    shared = {stem(w) for w in said} & {stem(w) for w in there}
    difference = _negated(said) ^ _negated(there)
    # a claim that adds a negation of its own contradicts even where the word is new
    return bool(difference & shared) or bool(_negated(said) - {stem(w) for w in there})


_NEGATION_KO = re.compile(
    r"지\s*(?:않|못|말)|(?<![가-힣])(?:안|못)\s+[가-힣]|없[다는이었으고을]|아니[다고며라었]|아닙"
)


def _negations_ko(text: str) -> int:
    return len(_NEGATION_KO.findall(text))


_OPPOSITES = tuple(
    (stem(one), stem(other))
    for one, other in (
        pair.split("/")
        for pair in (
            "increase/decrease increases/reduces improve/worsen better/worse faster/slower fast/slow more/fewer"
            " higher/lower high/low larger/smaller large/small allow/forbid allows/prevents enable/disable add/remove"
            " accept/reject before/after always/never first/last above/below mutable/immutable safe/unsafe"
            " valid/invalid required/optional supervised/unsupervised static/dynamic public/private same/different"
            " possible/impossible explicit/implicit success/failure succeed/fail start/stop open/close most/least"
            " simple/complex easy/hard strong/weak true/false maximum/minimum maximize/minimize upper/lower"
            " synchronous/asynchronous local/global encrypt/decrypt outperform/underperform efficient/inefficient"
            " common/rare old/new positive/negative similar/dissimilar inside/outside many/few longer/shorter"
        ).split()
    )
)
_SMALL = {
    w: str(n)
    for n, w in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve".split()
    )
}
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def numbers(text: str) -> list[str]:
    """Numbers in one form: "1,000" and "1000", "two" and "2" are the same; "one" is a pronoun."""
    found = [_plain_number(n) for n in _NUMBER.findall(text)]
    found += [_SMALL[w] for w in raw_words(text) if w in _SMALL and w not in ("zero", "one")]
    return found


def _plain_number(text: str) -> str:
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", text):
        text = text.replace(",", "")
    return text.rstrip(".,")


_NAME = re.compile(r"[A-Za-z][\w+#]*(?:[-.][A-Za-z0-9+#]\w*)*", re.ASCII)


def _names(claim: str) -> list[str]:
    """Proper names and identifiers: a capital or digit inside, or a capital not at the start."""
    found = []
    for match in _NAME.finditer(claim):
        name = match.group()
        inside = any(c.isupper() or c.isdigit() or c in "_." for c in name[1:])
        if inside or (name[0].isupper() and match.start() > 0 and not is_stopword(name)):
            found.append(_name_key(name))
    return found


def _name_key(name: str) -> str:
    return stem(name.lower().removesuffix("'s"))


def _name_keys(text: str) -> Iterator[str]:
    for match in _NAME.finditer(text):
        name = match.group()
        yield _name_key(name)
        for piece in re.split(r"[-._]", name):
            yield _name_key(piece)
