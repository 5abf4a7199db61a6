"""What an article is about, in its own words: keywords, English and Korean.

Candidates stand in the article (`runs.py`, `candidates.py`). In English a forest grown from tags
that authors gave (`training/keywords.py`) says how likely each is one of theirs; in Korean,
where there are no such tags to learn from, the weight by rule decides. So a keyword always
occurs in the article, spelled as it is spelled there most often, and none is there twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from core.chunks import Document
from core.judging.candidates import candidates, signs, tags
from core.judging.forest import DATA, Rows, load
from core.judging.runs import Key, Sighting, collect, weighed
from core.language import words


def keywords(document: Document, count: int) -> tuple[str, ...]:
    """At most `count` keywords, best first. Each occurs in title, headings or prose."""
    if document.language == "ko" or not (DATA / "keywords.npz").exists():
        found = collect(document)
        weights = weighed(found, document)
        return tuple(_best(found, {k: w for k, w in weights.items() if w > 0}, count))
    found, weights = candidates(document, tags())
    if not found:
        return ()
    table = signs(document, found, weights, tags())
    return tuple(chosen(found, load(DATA / "keywords.npz").predict(table), count))


def chosen(found: Mapping[Key, Sighting], chances: Rows, count: int) -> list[str]:
    """The likeliest candidates that do not say the same, as they are spelled most often."""
    return _best(found, dict(zip(found, chances.tolist(), strict=True)), count)


def _best(found: Mapping[Key, Sighting], values: Mapping[Key, float], count: int) -> list[str]:
    taken: list[Key] = []
    forms: set[str] = set()
    for key in sorted(values, key=lambda k: (-values[k], k)):
        if len(taken) == count:
            break
        form = _form(key)
        if form not in forms and not any(_overlaps(key, other) for other in taken):
            taken.append(key)
            forms.add(form)
    return [found[key].spelling for key in taken]


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
