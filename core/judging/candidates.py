"""What could be a keyword of an English article, and the signs by which it is told.

Candidates are runs of up to three content words, as `keywords` has always taken them, the best
by their weight; and names that people have tagged articles with (`data/tags.tsv`), technologies
and glossary terms wherever they stand in the text. A name that is spelled with a capital, or has
one or two letters (C, R, Go), is found in that spelling only.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np

from core.chunks import Document
from core.judging import glossary
from core.judging.background import Background, background
from core.judging.forest import Rows
from core.judging.prerequisites import technologies
from core.judging.runs import Key, Sighting, collect, texts, weighed
from core.language import stem

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[+#]+|(?:[-_./][A-Za-z0-9]+)*)")
_LONGEST = 4
NAMES = (
    "weight",
    "place_by_weight",
    "log_count",
    "density",
    "first",
    "in_title",
    "in_first_words",
    "headings",
    "sections",
    "in_code",
    "words",
    "length",
    "rarity",
    "least_rarity",
    "specialist",
    "capital",
    "all_capitals",
    "digit_or_sign",
    "capital_inside",
    "known_tag",
    "tagged",
    "technology",
    "glossary",
    "longer_run",
    "document_words",
    "title_share",
)


@dataclass(frozen=True, slots=True)
class Tag:
    """A name that people have tagged articles with, and in how many of the training articles."""

    name: str
    articles: int


def key_of(name: str) -> Key:
    """Stems of a name's words: "Virtual machines" and "virtual machine" are one."""
    return tuple(_stemmed(word) for word in _WORD.findall(name))


@lru_cache(maxsize=65_536)
def _stemmed(word: str) -> str:
    return stem(word.lower().rstrip("."))


@lru_cache(maxsize=1)
def tags() -> dict[Key, Tag]:
    """Known tags by the stems of their words (`training/names/keywords.py` writes them)."""
    text = (files("core.judging") / "data" / "tags.tsv").read_text("utf-8")
    return dict(_tag(line) for line in text.splitlines() if line and not line.startswith("#"))


def _tag(line: str) -> tuple[Key, Tag]:
    name, articles = line.split("\t")
    return key_of(name), Tag(name, int(articles))


@lru_cache(maxsize=1)
def _technologies() -> frozenset[Key]:
    return frozenset(key_of(one.name) for one in technologies())


@lru_cache(maxsize=1)
def _glossary() -> frozenset[Key]:
    return frozenset(key_of(name) for name in glossary.names("en"))


@lru_cache(maxsize=1)
def always_named() -> frozenset[Key]:
    """Technologies and glossary terms: looked for whatever articles are tagged with."""
    return _technologies() | _glossary()


def candidates(
    document: Document, known: Mapping[Key, Tag], most: int = 60
) -> tuple[dict[Key, Sighting], dict[Key, float]]:
    """All candidates with where they stand, and the weights of the best `most` runs among them."""
    runs = collect(document)
    weights = weighed(runs, document)
    best = sorted((key for key in weights if weights[key] > 0), key=lambda k: (-weights[k], k))
    found: dict[Key, Sighting] = {key: runs[key] for key in best[:most]}
    for key, sighting in named(document, known).items():
        found.setdefault(key, sighting)
    return found, {key: weights[key] for key in best[:most]}


def named(document: Document, known: Mapping[Key, Tag]) -> dict[Key, Sighting]:
    """Known names that stand in title, headings or prose."""
    wanted: dict[Key, str] = {key: tag.name for key, tag in known.items()}
    for technology in technologies():
        wanted.setdefault(key_of(technology.name), technology.name)
    for name in glossary.names("en"):
        wanted.setdefault(key_of(name), name)
    wanted.pop((), None)
    found: dict[Key, Sighting] = defaultdict(Sighting)
    for text, index, section, kind in texts(document):
        for key, spelling in _runs(text, wanted):
            found[key].see(spelling, index, section, kind)
    for key in [key for key in found if len(wanted[key]) == 1]:
        if not _is_a_language(wanted[key], document):
            del found[key]
    return dict(found)


def _is_a_language(letter: str, document: Document) -> bool:
    """C is a language, and as often a type parameter, a grade, a section."""
    spoken_of = re.compile(
        rf"(?<![\w'-]){letter}(?:/C\+\+| and C\+\+|,? C\+\+| (?:programming|languages?|code|programs?|compilers?|librar|functions?"
        rf"|standard|source|API|ABI|packages?|extensions?|headers?|developers?|intrinsics)\w*)"
        rf"|\b(?:in|from|to|or) {letter}(?![\w'+#-])"
    )
    return any(b.info == letter.lower() for b in document.code) or any(
        spoken_of.search(text) for text, *_ in texts(document)
    )


def _runs(text: str, wanted: Mapping[Key, str]) -> Iterator[tuple[Key, str]]:
    found = [(match.group(), match.start(), match.end()) for match in _WORD.finditer(text)]
    stems = [_stemmed(word) for word, _, _ in found]
    for start in range(len(found)):
        for end in range(start + 1, min(len(found), start + _LONGEST) + 1):
            key = tuple(stems[start:end])
            name = wanted.get(key)
            if name is not None:
                spelling = text[found[start][1] : found[end - 1][2]].rstrip(".")
                if _same_kind(name, spelling):
                    yield key, spelling


def _same_kind(name: str, spelling: str) -> bool:
    """Go, C and Rust are not go, c and rust."""
    if len(spelling) > 60 or "\n" in spelling:
        return False
    if len(name) <= 2:
        return spelling == name
    return " " in name or name[0].islower() or spelling[0].isupper()


# --- signs


def signs(
    document: Document,
    found: Mapping[Key, Sighting],
    weights: Mapping[Key, float],
    known: Mapping[Key, Tag],
) -> Rows:
    """A row for each candidate, columns as in NAMES. `weights`: what `keywords` gives its runs."""
    rare = background("en")
    total = max(1, len(document.sentences))
    code = Counter(_stemmed(w) for block in document.code for w in _WORD.findall(block.text))
    title = key_of(document.title)
    best = max(weights.values(), default=1.0) or 1.0
    order = sorted(weights.values(), reverse=True)
    ranks = {value: place for place, value in reversed(list(enumerate(order)))}
    longer = _longer(found)
    rows = []
    for key, sighting in found.items():
        spelling = sighting.spelling
        weight = weights.get(key, 0.0)
        rarities = [min(rare.idf(word), 8.0) for word in key]
        tag = known.get(key)
        rows.append(
            [
                weight / best,
                1 / (1 + ranks.get(weight, 200)),
                math.log1p(sighting.count),
                100 * sighting.count / max(50, document.words),
                min(1.0, sighting.first / total),
                float(sighting.title > 0),
                float(sighting.first < 4),
                min(5.0, sighting.headings),
                min(8.0, len(sighting.sections)),
                math.log1p(min((code[word] for word in key), default=0)),
                len(key),
                min(30, len(spelling)) / 10,
                sum(rarities) / len(rarities),
                min(rarities),
                _specialists(key, rare),
                float(spelling[0].isupper()),
                float(spelling.isupper() and len(spelling) > 1),
                float(any(not c.isalpha() and c not in " -" for c in spelling)),
                float(any(c.isupper() for c in spelling[1:])),
                float(tag is not None),
                math.log1p(tag.articles if tag else 0),
                float(key in _technologies()),
                float(key in _glossary()),
                longer.get(key, 0.0),
                math.log1p(document.words),
                len(set(key) & set(title)) / max(1, len(title)),
            ]
        )
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(NAMES))


def _specialists(key: Key, rare: Background) -> float:
    return sum(rare.specialist(word) for word in key) / len(key)


def _longer(found: Mapping[Key, Sighting]) -> dict[Key, float]:
    """The share of a candidate's places that are inside one longer candidate."""
    shares: dict[Key, float] = {}
    for key, sighting in found.items():
        for start in range(len(key)):
            for end in range(start + 1, len(key) + 1):
                inner = key[start:end]
                if inner in found and inner != key:
                    share = min(1.0, sighting.count / max(1, found[inner].count))
                    shares[inner] = max(shares.get(inner, 0.0), share)
    return shares
