"""Whether a Korean word writes down the sound of an English one: 쿠버네티스 and Kubernetes.

Both become strings of coarse sounds (Korean tells r from l or f from p as little as its spelling
of English does), which are aligned with small costs for what the two writing systems commonly
do to each other: a vowel of another colour, ㅡ put between consonants, an r that is not spoken.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

_FIRST = "k k n t t l m p p s s * j j j k t p h".split()
_VOWEL = "a e a e A e A e o a e e o u A e i u _ i i".split()
_LAST = "* k k k n n n t l l l l l l l l m p p t t N j j k t p *".split()
_HANGUL_SYLLABLES = range(0xAC00, 0xD7A4)

_LATIN = (
    (re.compile(r"tch|ch(?!r)"), "j"),
    (re.compile(r"sch"), "sk"),
    (re.compile(r"sh|th|ss"), "s"),
    (re.compile(r"ph|ff"), "p"),
    (re.compile(r"tion|sion"), "sAn"),
    (re.compile(r"ck|qu|cch"), "k"),
    (re.compile(r"c(?=[eiy])"), "s"),
    (re.compile(r"g(?=[eiy])"), "j"),
    (re.compile(r"x"), "ks"),
    (re.compile(r"ng(?=$|[^aeiouy])"), "N"),
    (re.compile(r"(?<=[aeiouy])r(?=$|[^aeiouy])"), "_"),
    (re.compile(r"(?<=[bcdfgklmnprstvxzN])e$"), "_"),
)
_SOUNDS = {
    **dict.fromkeys("cqkg", "k"),
    **dict.fromkeys("bpfv", "p"),
    **dict.fromkeys("dt", "t"),
    **dict.fromkeys("lr", "l"),
    **dict.fromkeys("zj", "j"),
    **dict.fromkeys("sxmnhNA_aeiou", ""),
    "y": "i",
    "w": "u",
}
_VOWELS = frozenset("aeiouA")
_NEAR = {
    frozenset(pair): cost
    for pair, cost in (
        *((pair, 0.1) for pair in ("aA", "eA", "oA", "uA", "ae", "ei", "oa", "iA", "uo")),
        *((pair, 0.3) for pair in ("jk", "sj", "st", "jt", "nN", "hk")),
    )
}
# Chosen on the pairs of names.tsv: `tests/benchmarks/bench_explain.py names`.
ALIKE = 0.85


@lru_cache(maxsize=16_384)
def sounds(word: str) -> str:
    """The word as coarse sounds, whichever script it is in."""
    return _of_hangul(word) if any(ord(c) in _HANGUL_SYLLABLES for c in word) else _of_latin(word)


def letters(char: str) -> tuple[int, int, int] | None:
    """Which first consonant (of 19), vowel (21) and last consonant (28, 0 for none) a syllable has,
    as Unicode orders them; None for any other character."""
    if ord(char) not in _HANGUL_SYLLABLES:
        return None
    first, rest = divmod(ord(char) - _HANGUL_SYLLABLES.start, 588)
    return (first, *divmod(rest, 28))


def _of_hangul(word: str) -> str:
    found: list[str] = []
    for char in word:
        spelled = letters(char)
        if spelled is None:
            found.append(_of_latin(char) if char.isalnum() else "")
            continue
        first, vowel, last = spelled
        found += [_FIRST[first], _VOWEL[vowel], _LAST[last]]
    return _without_doubles("".join(found).replace("*", "").replace("_", ""))


def _of_latin(word: str) -> str:
    text = re.sub(r"[^a-z]", "", word.lower())
    for pattern, sound in _LATIN:
        text = pattern.sub(sound, text)
    return _without_doubles("".join(_SOUNDS.get(c, c) or c for c in text).replace("_", ""))


def _without_doubles(text: str) -> str:
    return re.sub(r"(.)\1+", r"\1", text)


@lru_cache(maxsize=65_536)
def likeness(korean: str, latin: str) -> float:
    """0 to 1: how well one may be the spelling of the other's sound. The order does not matter."""
    one, other = sounds(korean), sounds(latin)
    weights = sorted((_weight(one), _weight(other)))
    if weights[0] < 0.6 * weights[1]:
        return 0.0  # of such different length that nothing else needs to be looked at
    if len(_consonants(one) & _consonants(other)) < 0.5 * len(
        _consonants(one) | _consonants(other)
    ):
        return 0.0
    weight = weights[1]
    return max(0.0, 1.0 - _distance(one, other) / weight) if weight else 0.0


@lru_cache(maxsize=16_384)
def _weight(text: str) -> float:
    return sum(0.35 if sound in _VOWELS else 1.0 for sound in text)


@lru_cache(maxsize=16_384)
def _consonants(text: str) -> frozenset[str]:
    return frozenset(text) - _VOWELS


def _gap(sound: str) -> float:
    return 0.2 if sound in _VOWELS else 0.5 if sound in "lh" else 1.0


def _swap(one: str, other: str) -> float:
    if one == other:
        return 0.0
    near = _NEAR.get(frozenset((one, other)))
    if near is not None:
        return near
    both_vowels = one in _VOWELS and other in _VOWELS
    return 0.3 if both_vowels else 2.0 if one in _VOWELS or other in _VOWELS else 1.0


def _distance(one: str, other: str) -> float:
    row = [0.0]
    for sound in other:
        row.append(row[-1] + _gap(sound))
    for mine in one:
        before, row = row, [row[0] + _gap(mine)]
        for at, theirs in enumerate(other, start=1):
            row.append(
                min(
                    before[at] + _gap(mine),
                    row[-1] + _gap(theirs),
                    before[at - 1] + _swap(mine, theirs),
                )
            )
    return row[-1]


def is_hangul(text: str) -> bool:
    return any(ord(char) in _HANGUL_SYLLABLES for char in text)


def same_sound(name: str, others: Iterable[str]) -> list[str]:
    """Names in the other script that sound like this one, the likest first."""
    korean = is_hangul(name)
    # a sound of one or two consonants is like too many others
    if len([s for s in sounds(name) if s not in _VOWELS]) < 3:
        return []
    found = {
        other: likeness(name, other)
        for other in others
        if is_hangul(other) != korean
        and not other.isupper()  # short forms are spelled, not sounded
    }
    alike = [other for other, score in found.items() if score >= ALIKE]
    return sorted(alike, key=lambda other: (-found[other], other))
