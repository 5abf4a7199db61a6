"""Words as the index knows them: numbers of 32 bits, for Korean and English alike.

Foreign words in a Korean text are stemmed like English ones, so that "component를" and
"components" meet. Of 300,000 different words about ten share their number with another.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from core.article import Language
from core.language import is_stopword, stem, words

Terms = NDArray[np.uint32]

_LATIN = re.compile(r"[a-z0-9]")
_PART = re.compile(r"[-_/.]+")


def tokens(text: str, language: Language) -> list[str]:
    """Content words in order; of a compound ("state-of-the-art") its parts as well."""
    return list(_tokens(text, language))


def _tokens(text: str, language: Language) -> Iterator[str]:
    for word in words(text, language):
        if language == "ko" and _LATIN.match(word):
            if is_stopword(word):
                continue
            word = stem(word)
        yield word
        if language == "en" and _PART.search(word):
            for part in _PART.split(word):
                if len(part) > 1 and not is_stopword(part):
                    yield stem(part)


def number(token: str) -> int:
    return zlib.crc32(token.encode("utf-8", "surrogatepass"))


def numbers(found: Iterable[str]) -> Terms:
    return np.fromiter((number(token) for token in found), dtype=np.uint32)
