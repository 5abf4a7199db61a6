"""Claims about articles with weak labels: what the faithfulness judge is trained on.

True: the sentences of an article's own summary, and sentences of the article itself. False: the
same with one thing changed (`training/faithfulness/corruptions.py`), and true sentences of the neighbouring
article, the one whose words are most alike. Only from rows that may be used for what ships;
articles of the evaluation set (`consistency/dev`) are left out whole, with their neighbours' claims.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.article import Article, Language
from core.chunks import Document, cut
from core.judging.evidence import Measured, Measuring
from core.judging.facts import names
from core.language import sentences, words
from training.faithfulness.corruptions import CORRUPTIONS, name
from training.lines import may_ship, rows

SOURCES = (
    ("scitldr/train", 260),
    ("tech_specs/train", 70),
    ("go_blog/train", 200),
    ("go_blog/valid", 200),
    ("tutorial_descriptions/train", 40),
    ("react_ko/train", 200),
    ("react_ko/valid", 200),
    ("difficulty/train", 60),
)
# The articles of the evaluation set are cut at so many characters; so are ours, to be judged alike.
_CHARACTERS = 8_000
_WORDS = (5, 60)


@dataclass(frozen=True, slots=True)
class Claim:
    """`kind`: reference, quoted, other_document, or the name of the corruption."""

    article: str
    text: str
    true: bool
    kind: str
    language: Language


@dataclass(frozen=True, slots=True)
class Source:
    id: str
    document: Document
    references: tuple[str, ...]


def sources(
    root: Path,
    excluded: set[str],
    chance: random.Random,
    wanted: Sequence[tuple[str, int]] = SOURCES,
) -> list[Source]:
    """Articles with true sentences about each, so many of each file."""
    found = []
    for file, most in wanted:
        kept = [row for row in rows(root / f"{file}.jsonl.gz") if _usable(row, excluded)]
        chance.shuffle(kept)
        found += [_source(row) for row in kept[:most]]
    return [source for source in found if source.document.sentences]


def excluded(root: Path) -> set[str]:
    """Ids of the evaluation set's articles."""
    return {str(row["doc_id"]) for row in rows(root / "consistency" / "dev.jsonl.gz")}


def _usable(row: dict[str, Any], without: set[str]) -> bool:
    korean_only = (
        row["id"].startswith(("arm", "dockerlabs", "sap", "30s", "jsalg")) and "summary" not in row
    )
    return (
        may_ship(row) and row["id"] not in without and (not korean_only or row["language"] == "ko")
    )


def _source(row: dict[str, Any]) -> Source:
    article = Article(
        title=row["title"] or None, content=row["content"][:_CHARACTERS], language=row["language"]
    )
    document = cut(article, 330)
    told = [str(text) for text in (row.get("summaries") or [row.get("summary") or ""])][:2]
    told += [str(point) for point in row.get("key_points") or []]
    parts = [s for text in told for s in sentences(text, document.language)]
    return Source(str(row["id"]), document, tuple(dict.fromkeys(p for p in parts if _sized(p))))


def _sized(text: str) -> bool:
    return _WORDS[0] <= len(text.split()) <= _WORDS[1]


def claims(found: Sequence[Source], chance: random.Random) -> Iterator[Claim]:
    """Of each true sentence itself and some of its false versions."""
    nearest = _nearest(found)
    pool = [n for source in found for text in source.references for n in _spelled(text)]
    for place, source in enumerate(found):
        language = source.document.language
        own = [s.text for s in source.document.sentences if s.whole and _sized(s.text)]
        quoted = chance.sample(own, min(len(own), 3 if language == "en" else 10))
        for text, kind in [
            *((t, "reference") for t in source.references[:6]),
            *((t, "quoted") for t in quoted),
        ]:
            yield Claim(source.id, text, True, kind, language)
            for false_kind, false in _false(text, language, pool, chance):
                yield Claim(source.id, false, False, false_kind, language)
        other = found[nearest[place]]
        strange = chance.choice([s for s in found if s.document.language == language])
        for text in (
            *other.references[:1],
            *((strange is not source and strange.references[:2]) or ()),
        ):
            yield Claim(source.id, text, False, "other_document", language)


def _false(
    text: str, language: Language, pool: Sequence[str], chance: random.Random
) -> Iterator[tuple[str, str]]:
    made = {kind: change(text, chance) for kind, change in CORRUPTIONS[language].items()}
    made["name"] = name(text, chance, pool)
    possible = [(kind, false) for kind, false in made.items() if false and false != text]
    chance.shuffle(possible)
    # numbers are rare in prose and the first thing a small model gets wrong: never left out
    possible.sort(key=lambda pair: pair[0] != "number")
    yield from possible[:2]


def _spelled(text: str) -> list[str]:
    return [w for w in re.findall(r"[A-Za-z][\w.+#-]*", text) if names(f"x {w}")]


def _nearest(found: Sequence[Source]) -> list[int]:
    """For each article the one of its language that shares most words with it."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = [" ".join(words(s.document.prose[:3000], s.document.language)) for s in found]
    table = TfidfVectorizer(sublinear_tf=True, analyzer=str.split).fit_transform(texts)
    likeness = (table @ table.T).toarray()
    np.fill_diagonal(likeness, -1)
    korean = np.array([s.document.language == "ko" for s in found])
    likeness[korean[:, None] != korean[None, :]] = -1
    return [int(row.argmax()) for row in likeness]


def compared(found: Sequence[Source], chance: random.Random) -> Iterator[tuple[Claim, Measured]]:
    """Claims with what the article says to them; those of which nothing can be told are left out."""
    documents = {source.id: source.document for source in found}
    current, measuring = "", None
    for claim in claims(found, chance):
        if claim.article != current or measuring is None:
            current, measuring = claim.article, Measuring(documents[claim.article])
        one = measuring.measure(claim.text)
        if one is not None:
            yield claim, one
