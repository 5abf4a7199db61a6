"""What is affirmed and what is negated, and which words are each other's opposites, ko and en.

A sentence's polarity is told word by word: "the lock does not block readers" negates `block`
and affirms `lock` and `reader`. So a claim can be compared with the whole article: a word that
the claim negates and that the article only affirms is turned round.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise

from core.article import Language
from core.language import Token, is_stopword, morphemes, raw_words, stem

_NEGATIONS = frozenset(
    "not no never cannot can't don't doesn't didn't isn't aren't wasn't weren't won't wouldn't shouldn't couldn't"
    " hasn't haven't hadn't without neither nor unable fail fails failed lack lacks lacking".split()
)
# The negated word stands within so many words: "not, as one may think, be added".
_REACH = 6
# Words between a negation and what it negates that negate nothing themselves.
_EMPTY = frozenset("be been being able only just yet any longer need necessarily".split())


Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Polarity:
    """Stems (English) or morphemes (Korean) that a text negates, and those it affirms; likewise pairs
    of words that stand side by side or with one between: a pair is negated where either word is."""

    negated: frozenset[str]
    affirmed: frozenset[str]
    pairs_negated: frozenset[Pair]
    pairs_affirmed: frozenset[Pair]

    @classmethod
    def of_all(cls, found: Iterable[Polarity]) -> Polarity:
        """What any of them negates or affirms."""
        every = list(found)
        return cls(
            frozenset().union(*(one.negated for one in every)),
            frozenset().union(*(one.affirmed for one in every)),
            frozenset().union(*(one.pairs_negated for one in every)),
            frozenset().union(*(one.pairs_affirmed for one in every)),
        )


def polarity(text: str, language: Language) -> Polarity:
    signed = list(_signed_ko(text) if language == "ko" else _signed_en(text))
    pairs = [
        ((first, second), one and other)
        for (first, one), (second, other) in (
            *pairwise(signed),
            *zip(signed, signed[2:], strict=False),
        )
    ]
    return Polarity(
        frozenset(word for word, positive in signed if not positive),
        frozenset(word for word, positive in signed if positive),
        frozenset(pair for pair, positive in pairs if not positive),
        frozenset(pair for pair, positive in pairs if positive),
    )


def _signed_en(text: str) -> Iterator[tuple[str, bool]]:
    found = raw_words(text)
    negated: set[int] = set()
    for place, word in enumerate(found):
        if word in _NEGATIONS:
            after = range(place + 1, min(place + 1 + _REACH, len(found)))
            carrying = (i for i in after if not is_stopword(found[i]) and found[i] not in _EMPTY)
            negated.update(i for i in (next(carrying, None),) if i is not None)
    for place, word in enumerate(found):
        if word not in _NEGATIONS and not is_stopword(word):
            yield stem(word), place not in negated


_CONTENT_KO = ("NNG", "NNP", "SL", "XR", "VV", "VA")


def _signed_ko(text: str) -> Iterator[tuple[str, bool]]:
    """않다, 못하다, 말다, 없다 and 아니다 negate the word before them, 안 and 못 the one behind."""
    tokens = morphemes(text)
    carrying = [i for i, token in enumerate(tokens) if _carries(token)]
    negated: set[int] = set()
    for place, token in enumerate(tokens):
        tag = token.tag.split("-")[0]
        if tag == "MAG" and token.form in ("안", "못"):
            negated.update([i for i in carrying if i > place][:1])
        elif _negates(token.form, tag):
            negated.update([i for i in carrying if i < place][-1:])
    for place in carrying:
        yield tokens[place].form.lower(), place not in negated


def _carries(token: Token) -> bool:
    tag = token.tag.split("-")[0]
    return tag in _CONTENT_KO and not _negates(token.form, tag) and token.form not in ("있", "하")


def _negates(form: str, tag: str) -> bool:
    if form == "없" or (form == "아니" and tag in ("VCN", "VA")):
        return True
    return form in ("않", "못하", "말") and tag.startswith("VX")


# What texts do and say of themselves. A summary says what was done: "we do not propose" is none.
_REPORTING = {
    "en": "propose introduce present describe show demonstrate explain provide discuss define specify develop"
    " announce explore investigate study report offer enable allow support improve achieve add goal aim",
    "ko": "설명 소개 제안 제공 개발 발표 밝히 보이 공개 제시 다루 성공 규명 알아보 살펴보 도입 지원",
}


@lru_cache(maxsize=2)
def reporting(language: Language) -> frozenset[str]:
    said = _REPORTING[language].split()
    return frozenset(stem(word) if language == "en" else word for word in said)


@lru_cache(maxsize=2)
def opposites(language: Language) -> dict[str, frozenset[str]]:
    """Each word with its opposites, in the form in which `words` and `polarity` give words."""
    text = (files("core.judging") / "data" / f"opposites_{language}.txt").read_text("utf-8")
    found: dict[str, set[str]] = {}
    for line in text.splitlines():
        for pair in [] if line.startswith("#") else line.split():
            one, other = (stem(w) if language == "en" else w for w in pair.split("/"))
            found.setdefault(one, set()).add(other)
            found.setdefault(other, set()).add(one)
    return {word: frozenset(others) for word, others in found.items()}
