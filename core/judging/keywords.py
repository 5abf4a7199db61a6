"""What an article is about, in its own words: keywords, English and Korean.

Candidates stand in the article (`runs.py`, `candidates.py`). In English a forest grown from tags
that authors gave (`training/names/keywords.py`) says how likely each is one of theirs; in Korean,
where there are no such tags to learn from, the weight by rule decides. So a keyword always
occurs in the article, spelled as it is spelled there most often, and none is there twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.chunks import Document
from core.judging.candidates import candidates, signs, tags
from core.judging.forest import DATA, Rows, load
from core.judging.korean_names import mended, same_thing, weighed_in_korean
from core.judging.runs import Key, Sighting, collect
from core.language import words

# How many tags an author is taken to give when a list is cut (see `likely`), and the fewest shown.
# By five folds over keywords/train, 3 to 6 were alike; on a source left out 6 was best.
_EXPECTED = 6.0
_FEWEST = 3


@dataclass(frozen=True, slots=True)
class Keyword:
    """`chance` that an author would tag the article with it; None where nobody has learned it."""

    name: str
    chance: float | None


def keywords(document: Document, count: int) -> tuple[str, ...]:
    """At most `count` keywords, best first. Each occurs in title, headings or prose."""
    return tuple(keyword.name for keyword in ranked(document, count))


def ranked(document: Document, count: int) -> list[Keyword]:
    if document.language == "ko":
        runs = collect(document)
        weights = weighed_in_korean(runs, document)
        best = _best_in_korean(runs, weights, count, document.prose)
        return [Keyword(name, None) for name in best]
    found, weights = candidates(document, tags())
    if not found:
        return []
    table = signs(document, found, weights, tags())
    return chosen(found, load(DATA / "keywords.npz").predict(table), count)


def chosen(found: Mapping[Key, Sighting], chances: Rows, count: int) -> list[Keyword]:
    """The likeliest candidates that do not say the same, as they are spelled most often."""
    values = dict(zip(found, chances.tolist(), strict=True))
    return [Keyword(found[key].spelling, values[key]) for key in _best(values, count)]


def likely(found: Sequence[Keyword]) -> tuple[str, ...]:
    """The beginning of the list that is expected to agree best with an author's own tags (F1)."""
    best, length, hits = 0.0, len(found), 0.0
    for place, keyword in enumerate(found, 1):
        if keyword.chance is None:
            return tuple(one.name for one in found)
        hits += max(0.0, keyword.chance)
        if place >= _FEWEST and hits / (place + _EXPECTED) > best:
            best, length = hits / (place + _EXPECTED), place
    return tuple(one.name for one in found[:length])


def _best(values: Mapping[Key, float], count: int) -> list[Key]:
    taken: list[Key] = []
    forms: set[str] = set()
    for key in sorted(values, key=lambda k: (-values[k], k)):
        if len(taken) == count:
            break
        form = _form(key)
        if form not in forms and not any(_overlaps(key, other) for other in taken):
            taken.append(key)
            forms.add(form)
    return taken


def _best_in_korean(
    runs: Mapping[Key, Sighting], weights: Mapping[Key, float], count: int, text: str
) -> list[str]:
    """As `_best`, but names one thing in one script only, and takes no two pieces of one run."""
    taken: dict[Key, str] = {}
    for key in sorted(weights, key=lambda k: (-weights[k], k)):
        if len(taken) == count:
            break
        name = mended(runs[key].spelling, text)
        if not any(_same_run(key, other) or same_thing(name, taken[other]) for other in taken):
            taken[key] = name
    return list(taken.values())


def _same_run(key: Key, other: Key) -> bool:
    return _overlaps(key, other) or key[0] == other[-1] or key[-1] == other[0]


def _form(key: Key) -> str:
    """One for "web-server" and "web servers", for "VMs" and "VM"."""
    parts = (part for word in key for part in re.split(r"[-_./]", word) if part)
    return "".join(part.removesuffix("s") if len(part) > 2 else part for part in parts)


def _overlaps(key: tuple[str, ...], other: tuple[str, ...]) -> bool:
    mine, theirs = set(key), set(other)
    return mine <= theirs or theirs <= mine or len(mine & theirs) >= 2


def occurs(term: str, document: Document) -> bool:
    """Whether a term stands in the article: title, headings, prose or code, by stems."""
    code = " ".join(block.text for block in document.code)
    everything = " ".join((document.title, *document.headings, document.prose, code)).lower()
    if term.lower() in everything:
        return True
    wanted = words(term, document.language)
    return bool(wanted) and " ".join(wanted) in " ".join(words(everything, document.language))
