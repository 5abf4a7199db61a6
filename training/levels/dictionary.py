"""A Korean-English dictionary out of pages in both languages: which word stands for which.

IBM's first model of translation (Brown and others 1993), both ways round, on paragraphs that
stand in the same place; a pair of words counts where each is the other's likeliest translation
more or less. Made for glosses that are never shown, so one English word for each is enough.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.chunks import blocks
from core.judging.hangul import is_hangul
from core.language import is_stopword, raw_words, stem, words

Numbers = NDArray[np.float64]
_PROSE = ("heading", "paragraph", "item")


@dataclass(frozen=True, slots=True)
class Segment:
    """The Korean words without Latin letters, and the English words as written."""

    korean: frozenset[str]
    english: tuple[str, ...]


def segments(pages: Sequence[dict[str, Any]]) -> Iterator[Segment]:
    """Titles, and the paragraphs of sections that have as many in both languages."""
    for page in pages:
        ours, theirs = page["korean"], page["english"]
        yield segment(ours["title"], theirs["title"])
        sections = _sections(ours["content"]), _sections(theirs["content"])
        if len(sections[0]) == len(sections[1]):
            for one, other in zip(*sections, strict=True):
                if len(one) == len(other):
                    yield from map(segment, one, other)


def _sections(content: str) -> list[list[str]]:
    parts = re.split(r"^(?=#{1,4}\s)", content, flags=re.M)
    return [[b.text for b in blocks(part) if b.kind in _PROSE] for part in parts]


def segment(korean: str, english: str) -> Segment:
    spelled = (word for word in raw_words(english) if word.isascii() and word.isalpha())
    told = (word for word in spelled if not is_stopword(word))
    return Segment(frozenset(w for w in words(korean, "ko") if is_hangul(w)), tuple(told))


def dictionary(found: Sequence[Segment], least: float, rounds: int = 6) -> dict[str, str]:
    """Korean word to English word, where the two shares' geometric mean is at least `least`."""
    korean = [sorted(one.korean) for one in found]
    english = [sorted({stem(word) for word in one.english}) for one in found]
    there, back = translated(korean, english, rounds), translated(english, korean, rounds)
    spelled = _spellings(found)
    best: dict[str, tuple[float, str]] = {}
    for (ours, theirs), share in there.items():
        score = math.sqrt(share * back.get((theirs, ours), 0.0))
        if score >= least and score > best.get(ours, (0.0, ""))[0]:
            best[ours] = score, spelled[theirs]
    return {ours: theirs for ours, (_, theirs) in sorted(best.items())}


def _spellings(found: Sequence[Segment]) -> dict[str, str]:
    """Each stem as it is written most often."""
    counts: dict[str, Counter[str]] = {}
    for one in found:
        for word in one.english:
            counts.setdefault(stem(word), Counter())[word] += 1
    return {name: max(sorted(seen), key=seen.__getitem__) for name, seen in counts.items()}


def translated(
    given: Sequence[Sequence[str]], made: Sequence[Sequence[str]], rounds: int
) -> dict[tuple[str, str], float]:
    """How likely each word of `given` is to be said as each of `made`'s, from .01 on.

    Expectation-maximisation; a word may also come from nothing (""), which takes up what stands
    everywhere.
    """
    sources = sorted({word for one in given for word in one} | {""})
    targets = sorted({word for one in made for word in one})
    of_source = {word: place for place, word in enumerate(sources)}
    of_target = {word: place for place, word in enumerate(targets)}
    links, slots, slot = [], [], 0
    for ours, theirs in zip(given, made, strict=True):
        known = [of_source[word] for word in ("", *ours)]
        for word in theirs:
            links += [source * len(targets) + of_target[word] for source in known]
            slots += [slot] * len(known)
            slot += 1
    keys, pair = np.unique(np.array(links, dtype=np.int64), return_inverse=True)
    where, source_of = np.array(slots), keys // len(targets)
    share: Numbers = np.full(len(keys), 1.0)
    for _ in range(rounds):
        weight = share[pair]
        weight /= np.bincount(where, weight)[where]
        counts = np.bincount(pair, weight)
        share = counts / np.bincount(source_of, counts)[source_of]
    return {
        (sources[key // len(targets)], targets[key % len(targets)]): float(value)
        for key, value in zip(keys.tolist(), share, strict=True)
        if value >= 0.01
    }
