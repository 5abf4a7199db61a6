"""Whether a text mentions a word that somebody wrote into a form: capitals, plurals, particles.

Latin words are found as whole words ("go" is not in "google", but in "Go를"); Korean ones also with
what is joined to them ("쿠버네티스를", "빅데이터"), and however they are spaced ("머신 러닝").
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_HANGUL = re.compile(r"[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]")
_SPACES = re.compile(r"\s+")
# Also no `+` or `#` behind it: C is another language than C++ and C#.
_KOREAN_BEGINS = r"(?<![\uac00-\ud7a3])"
_WORD_BEGINS, _WORD_ENDS = r"(?<![a-z0-9_])", r"(?:s|es)?(?![a-z0-9_+#])"


def mentions(text: str, word: str) -> bool:
    """False for a word of nothing but spaces."""
    wanted = folded(word)
    if not wanted:
        return False
    return _pattern(wanted).search(folded(text)) is not None


def folded(text: str) -> str:
    """One form for what reads alike; single spaces."""
    return _SPACES.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


@lru_cache(maxsize=4096)
def _pattern(word: str) -> re.Pattern[str]:
    if not _HANGUL.search(word):
        return re.compile(f"{_WORD_BEGINS}{re.escape(word)}{_WORD_ENDS}")
    letters = [re.escape(char) for char in word.replace(" ", "")]
    # Spaced differently only from the start of a word on: 광고 is not in 관광 고속도로.
    return re.compile(f"{''.join(letters)}|{_KOREAN_BEGINS}{' ?'.join(letters)}")
