"""Korean words for English ones: a question in one language finds articles in the other.

Two ways, neither needs a model. **Names**: pairs of terms from the bundled glossary, from Korean
documentation that writes both, "동시성 렌더러(Concurrent Renderer)" (`python -m training term-pairs`
collects them), and a list of our own of what developers say (`common_terms.tsv`). **Sounds**: technical Korean borrows by sound,
so "컴포넌트" and "component" have the same consonants. A sound is marked with "~", so it never
meets a word.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib.resources import files

from core.article import Language
from core.language import stem

_FIRST = "k kk n t tt r m p pp s ss . j jj ch k t p h".split()
_LAST = ". k k k n n n t r k m p r r p r m p p s s ng j ch k t p h".split()
_HANGUL = re.compile(r"[가-힣]+")
_LATIN = re.compile(r"[a-z]+")
# Fewer consonants than this say too little: "ㅅㅌ" is state, set, site and 시트.
_SHORTEST = 3

_CLASSES = (
    (re.compile(r"tion|sion"), "sn"),
    (re.compile(r"ck|qu|q|x(?!$)"), "k"),
    (re.compile(r"x$"), "ks"),
    (re.compile(r"ph|ff"), "p"),
    (re.compile(r"sch"), "sk"),
    (re.compile(r"tch|ch|sh"), "j"),
    (re.compile(r"c(?=[eiy])"), "s"),
    (re.compile(r"g(?=[eiy])"), "j"),
    (re.compile(r"th"), "s"),
)
_LETTERS = str.maketrans("cgbfvdlz", "kkppptrs")
_SILENT = re.compile(r"[aeiouwyh']")


@lru_cache(maxsize=65_536)
def sound(word: str) -> str | None:
    """The consonants of a word in lower case, as a borrowed word and its origin share them."""
    if _HANGUL.fullmatch(word):
        key = _korean(word)
    elif _LATIN.fullmatch(word):
        key = _english(word)
    else:
        return None
    return "~" + key if len(key) >= _SHORTEST else None


def sounds(words: Iterable[str]) -> list[str]:
    return sorted({found for word in words if (found := sound(word)) is not None})


def _korean(word: str) -> str:
    """With "ㄹ" at the end of a syllable kept: Korean writes an English r there rarely, an l always."""
    letters = []
    for syllable in word:
        first, last = divmod(ord(syllable) - 0xAC00, 588)[0], (ord(syllable) - 0xAC00) % 28
        letters += [_FIRST[first], _LAST[last]]
    return _plain("".join(letters).replace(".", "").replace("ng", "nk").replace("ch", "j"))


def _english(word: str) -> str:
    for spelling, key in _CLASSES:
        word = spelling.sub(key, word)
    # Korean does not pronounce an r that no vowel follows.
    word = re.sub(r"r(?![aeiouy])", "", word)
    return _plain(_SILENT.sub("", word).translate(_LETTERS))


def _plain(key: str) -> str:
    """Doubled consonants count once; "ㅈ" and "ㅅ" both stand for s, z and j."""
    return re.sub(r"(.)\1+", r"\1", key.replace("h", "").replace("j", "s"))


@lru_cache(maxsize=1)
def _pairs() -> dict[str, tuple[str, ...]]:
    """From a Korean or English term in lower case, without spaces, to the other language's."""
    found: dict[str, list[str]] = {}
    for korean, english in _lines():
        found.setdefault(key_of(korean), []).append(english)
        found.setdefault(key_of(english), []).append(korean)
    return {term: tuple(dict.fromkeys(others)) for term, others in found.items()}


def _lines() -> Iterator[tuple[str, str]]:
    folder = files("core.retrieval") / "data"
    collected = gzip.decompress((folder / "term_pairs.tsv.gz").read_bytes()).decode()
    own = (folder / "common_terms.tsv").read_text(encoding="utf-8")
    for line in (own + collected).splitlines():
        korean, _, english = line.partition("\t")
        yield korean, english


def key_of(term: str) -> str:
    return "".join(stem(word) for word in re.split(r"[\s\-_]+", term.lower()))


_LONGEST = 4  # words of a term


def translated(words: list[str], language: Language) -> list[str]:
    """Terms of the other language for runs of these words, the longest runs first.

    `words` as they stand in the text, Korean ones without their particles.
    """
    pairs = _pairs()
    found: list[str] = []
    at = 0
    while at < len(words):
        for size in range(min(_LONGEST, len(words) - at), 0, -1):
            others = pairs.get(key_of(" ".join(words[at : at + size])))
            if others:
                found += others[:2]
                at += size
                break
        else:
            at += 1
    return [
        term for term in dict.fromkeys(found) if bool(_HANGUL.search(term)) != (language == "ko")
    ]
