"""How rare a word is, and how technical: document counts made by `training/levels/background.py`.

Counted on the licensed training sets (see README, Data): no text of theirs is in the files.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from core.article import Language
from core.judging.kept import lines


@dataclass(frozen=True, slots=True)
class Background:
    """Counts by stem (English) or morpheme (Korean): (technical documents, everyday documents)."""

    counts: dict[str, tuple[int, int]]
    technical: int
    everyday: int

    def idf(self, word: str) -> float:
        """Natural log of documents over documents with the word, at least 0; a new word is rare."""
        seen = self.counts.get(word, (0, 0))[0]
        return math.log((self.technical + 1) / (seen + 0.5))

    def specialist(self, word: str) -> bool:
        """Technical texts use it, everyday texts (almost) never: lift of 5, or unseen there."""
        technical, everyday = self.counts.get(word, (0, 0))
        if technical < 2:
            return False
        return technical / self.technical > 5 * (everyday + 0.2) / self.everyday


@lru_cache(maxsize=2)
def background(language: Language) -> Background:
    (_, technical, everyday), *rows = (
        line.split("\t") for line in lines(f"background_{language}.tsv.gz")
    )
    counts = {word: (int(many), int(few)) for word, many, few in rows}
    return Background(counts, int(technical), int(everyday))
