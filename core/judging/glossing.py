"""A Korean text in English words, one after another: enough for an encoder that reads only English.

Names and code stand in Latin letters already; every other content word is looked up in
`data/gloss_ko.tsv.gz` (made by `python -m training korean` from pages in both languages). Nothing of
a gloss is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from core.judging.hangul import is_hangul
from core.judging.kept import lines
from core.language import words


def gloss(text: str, known: Mapping[str, str] | None = None) -> str:
    """ "" where no word is known. `known`: other words than those of the shipped dictionary."""
    known = dictionary() if known is None else known
    found = (word if not is_hangul(word) else known.get(word, "") for word in words(text, "ko"))
    return " ".join(word for word in found if word)


@lru_cache(maxsize=1)
def dictionary() -> dict[str, str]:
    pairs = (line.partition("\t") for line in lines("gloss_ko.tsv.gz"))
    return {korean: english for korean, _, english in pairs}
