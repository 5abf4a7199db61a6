"""Hangul in Latin letters, for encoders whose words are English.

MiniLM has no token for ㅆ, ㄶ and others and loses every word that has one, among them nearly every
negation (않, 없, 못); in letters it reads all of them. Letter by letter, as in the transliteration of
the Revised Romanization (National Institute of Korean Language, 2000), sounds left as they are spelled.
"""

from __future__ import annotations

import re

_FIRST = "g kk n d tt r m b pp s ss - j jj ch k t p h".split()
_VOWEL = "a ae ya yae eo e yeo ye o wa wae oe yo u wo we wi yu eu ui i".split()
_LAST = "- g kk gs n nj nh d l lg lm lb ls lt lp lh m b bs s ss ng j ch k t p h".split()
_SYLLABLE = re.compile(r"[\uac00-\ud7a3]")


def romanized(text: str) -> str:
    """The same text where it has no Hangul syllable."""
    return _SYLLABLE.sub(lambda found: _letters(ord(found[0]) - 0xAC00), text)


def _letters(code: int) -> str:
    vowel, last = divmod(code % 588, 28)
    spelled = _FIRST[code // 588], _VOWEL[vowel], _LAST[last]
    return "".join(letters for letters in spelled if letters != "-")
