"""How hard a text's words are: a weight for each word, learned from texts whose level is known.

A linear regression on TF-IDF (`python -m training difficulty`); kept in `data/wording.tsv.gz`:
word, rarity, weight. A Korean text is read by its gloss.
"""

from __future__ import annotations

import gzip
import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from core.chunks import Document
from core.judging.glossing import gloss
from core.judging.kept import lines

WORD = re.compile(r"[a-z][a-z]+")


@dataclass(frozen=True, slots=True)
class Wording:
    """By word: its inverse document frequency, and how many levels a text of nothing else is above
    or below the middle."""

    idf: dict[str, float]
    weights: dict[str, float]

    def score(self, text: str) -> float:
        """Levels above or below the middle: the mean of its words' weights by TF-IDF, of length 1."""
        counted = Counter(word for word in WORD.findall(text.lower()) if word in self.idf)
        shares = {word: (1.0 + math.log(n)) * self.idf[word] for word, n in counted.items()}
        length = math.sqrt(sum(share * share for share in shares.values())) or 1.0
        return sum(share * self.weights[word] for word, share in shares.items()) / length

    def keep(self, path: Path) -> None:
        """The same bytes for the same words."""
        rows = (f"{w}\t{self.idf[w]:.3f}\t{self.weights[w]:.3f}\n" for w in sorted(self.idf))
        path.write_bytes(gzip.compress("".join(rows).encode(), mtime=0))


def score(document: Document, known: Mapping[str, str] | None = None) -> float:
    """`known`: another dictionary for glosses than the shipped one."""
    return wording().score(text_of(document, known))


def text_of(document: Document, known: Mapping[str, str] | None = None) -> str:
    """Title, headings, sentences and code, in English or by way of a gloss."""
    told = [document.title, *document.headings, *(one.text for one in document.sentences)]
    if document.language == "ko":
        told = [gloss(text, known) for text in told]
    return "\n".join([*told, *(block.text for block in document.code)])


@lru_cache(maxsize=1)
def wording() -> Wording:
    rows = [line.split("\t") for line in lines("wording.tsv.gz")]
    idf = {word: float(rarity) for word, rarity, _ in rows}
    return Wording(idf, {word: float(weight) for word, _, weight in rows})
