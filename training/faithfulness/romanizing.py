"""Hangul in Latin letters, for encoders whose words are English.

MiniLM has no token for ㅆ, ㄶ and others and loses every word that has one, among them nearly every
negation (않, 없, 못); in letters it reads all of them. Letter by letter, as in the transliteration of
the Revised Romanization (National Institute of Korean Language, 2000), sounds left as they are spelled.
"""

from __future__ import annotations

from core.judging.hangul import letters

_FIRST = "g kk n d tt r m b pp s ss - j jj ch k t p h".split()
_VOWEL = "a ae ya yae eo e yeo ye o wa wae oe yo u wo we wi yu eu ui i".split()
_LAST = "- g kk gs n nj nh d l lg lm lb ls lt lp lh m b bs s ss ng j ch k t p h".split()


def romanized(text: str) -> str:
    """The same text where it has no Hangul syllable."""
    return "".join(map(_latin, text))


def _latin(char: str) -> str:
    spelled = letters(char)
    if spelled is None:
        return char
    first, vowel, last = spelled
    return "".join(one for one in (_FIRST[first], _VOWEL[vowel], _LAST[last]) if one != "-")
