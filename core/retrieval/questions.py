"""What a question is about: its content words, its kind, its other wordings. No search, no model."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from core.article import Language
from core.judging.background import background
from core.judging.names import cleaned, key, meanings, mention
from core.language import detect, is_stopword, raw_words, words

Kind = Literal["what", "why", "how", "number", "compare", "other"]

# Words of every day that are names of something, too.
_EVERYDAY = frozenset(
    "go ts cd ca pr mr ap service spring swift rust hook flask helm 뷰 깃 훅".split()
)
_OWN = 0.65  # how much of a follow-up's weight its own words have; the rest is the question before
_TERM_WORDS = 4
_INSIDE = frozenset("a an and as of the".split())  # stop words that stand within terms
_IS = re.compile(r"\bwhat(?:'s|’s|\s+is|\s+are)\b|\bmeans?\b|\bstands? for\b|[가-힣]", re.I)
LONGEST = 600  # characters of a question; what comes after is not read
_SAYS_NOTHING = frozenset(
    "무엇 어떻 어떤 왜 언제 어디 누구 얼마 몇 뭐 뭔가 무슨 어느 알 알려주 말하 말씀 설명 설명하 차이 이유 방법 대하 관하 있 없 하 되 "
    "것 수 때 좀 그것 이것 저것 그거 이거 좋 쓰 사용 사용하 위하 나오 보 주 같 다르 싶 "
    "explain describe tell difference differ reason mean meaning work kind thing please question answer know happen "
    "article say compare comparison versu".split()
)
_KINDS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (
        "compare",
        re.compile(
            r"\bdifferen|\bversus\b|\bvs\.?\b|\bcompar|\bbetter than\b|차이|비교|다른가|다른\s*점",
            re.I,
        ),
    ),
    (
        "why",
        re.compile(r"\bwhy\b|\breasons?\b|\bwhat (?:is|was) the point\b|왜|이유|어째서|까닭", re.I),
    ),
    (
        "number",
        re.compile(r"\bhow (?:many|much|long|often|fast|large|big)\b|\bwhen\b|몇|얼마|언제", re.I),
    ),
    ("how", re.compile(r"\bhow\b|어떻게|방법|하려면", re.I)),
    (
        "what",
        re.compile(
            r"\bwhat(?:'s|’s)?\b|\bwhich\b|\bwho\b|무엇|뭐|뭔가|이란|란\s*\?|무슨|어떤", re.I
        ),
    ),
)
_GOES_ON = re.compile(
    r"^(?:and|but|so|then|ok(?:ay)?|what about|how about|why(?: is that)?\s*\??$|really)\b"
    r"|\b(?:it|its|they|them|their|that|this|those|these|one|ones|there)\b"
    r"|^(?:그럼|그러면|그렇다면|그리고|그런데|근데|하지만|그래서|왜\s*\??$)"
    r"|(?:^|\s)(?:그건|그게|그거|그것|이건|이게|이거|이것|그\s|이\s|걔|거기|여기|그때|둘)",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Question:
    """`weights`: its content words, the rare ones weighing more; they sum up to 1. A word that is
    the name of something known stands under any of its names: `patterns` find it in a text.

    `term`: it asks what this is, and nothing else; "" otherwise.
    `alone`: it can be understood by itself, or with the question before it. `names`: what it
    names that an answer cannot do without. `rewrites`: other wordings.
    """

    text: str
    language: Language
    kind: Kind
    alone: bool
    weights: dict[str, float]
    patterns: dict[str, re.Pattern[str]]
    names: tuple[tuple[str, ...], ...]
    rewrites: tuple[str, ...]
    term: str = ""

    def covered(self, text: str) -> float:
        """Which share of it (0 to 1) stands in a text."""
        has = frozenset(words(text, self.language))
        return sum(weight for word, weight in self.weights.items() if self._is_in(word, has, text))

    def _is_in(self, word: str, has: frozenset[str], text: str) -> bool:
        pattern = self.patterns.get(word)
        return word in has if pattern is None else pattern.search(text) is not None


def understood(text: str, earlier: Sequence[str] = ()) -> Question:
    """`earlier`: the questions before it in the same conversation, the last one last."""
    flat = " ".join(text.split())[:LONGEST]
    language = detect(flat)
    own, patterns = _units(flat, language)
    hangs = goes_on(flat, own)
    context = earlier[-1] if earlier and hangs else ""
    before, more = _units(context, language) if context else ([], {})
    weights = _weights(own, before, language)
    asked = f"{context} {flat}".strip() if context else flat
    rewrites = [" ".join((*before, *own)), *_other_names(asked)]
    kind = _kind(flat)
    if kind == "what" and own:
        subject = " ".join(own)
        rewrites.append(f"{subject}란" if language == "ko" else f"{subject} is a")
    return Question(
        text=asked,
        language=language,
        kind=kind,
        alone=bool(context) or not (hangs and len(set(own)) <= 1 and _GOES_ON.search(flat)),
        weights=weights,
        patterns={**more, **patterns},
        names=tuple(_names(asked)),
        rewrites=tuple(dict.fromkeys(one for one in rewrites if one and one != asked))[:6],
        term="" if context or kind != "what" else _term(flat),
    )


def _term(text: str) -> str:
    """Of "What is a service mesh?" the service mesh; "What is new in Go?" asks for no term."""
    found = cleaned(text)
    words_of_it = found.lower().split()
    asks = len(found) < len(text.rstrip(" ?？.!")) and _IS.search(text) is not None
    plain = not any(is_stopword(word) and word not in _INSIDE for word in words_of_it)
    return found if asks and plain and len(words_of_it) <= _TERM_WORDS else ""


def goes_on(text: str, own: Sequence[str] | None = None) -> bool:
    """Whether a question needs the one before it to be understood."""
    content = _units(text, detect(text))[0] if own is None else own
    return len(set(content)) <= 1 or (_GOES_ON.search(text) is not None and len(set(content)) <= 4)


def _units(text: str, language: Language) -> tuple[list[str], dict[str, re.Pattern[str]]]:
    """Names that our table knows, and the other content words."""
    patterns: dict[str, re.Pattern[str]] = {}
    rest = text
    for run in _runs(text):
        known = meanings(run) if run in rest else ()
        if known and key(run) not in _EVERYDAY:
            names = dict.fromkeys(name for one in known for name in one.names)
            patterns[known[0].name.lower()] = mention([*names])
            rest = rest.replace(run, " ")
    others = [word for word in words(rest, language) if word not in _SAYS_NOTHING]
    return [*patterns, *others], patterns


def _weights(own: Sequence[str], before: Sequence[str], language: Language) -> dict[str, float]:
    known = background(language)

    def idf(word: str) -> float:
        return max(map(known.idf, word.split()))

    new = {word: idf(word) for word in own}
    old = {word: idf(word) for word in before if word not in new}
    share = _OWN if new and old else 1.0
    return {
        **{word: (1 - share if new else 1.0) * w / sum(old.values()) for word, w in old.items()},
        **{word: share * w / sum(new.values()) for word, w in new.items()},
    }


def _kind(text: str) -> Kind:
    return next((kind for kind, pattern in _KINDS if pattern.search(text)), "other")


def _runs(text: str) -> Iterator[str]:
    """One to three adjacent words, as they may be the name of something."""
    found = re.findall(r"[\w./+#-]+", text)
    for size in (3, 2, 1):
        for start in range(len(found) - size + 1):
            yield " ".join(found[start : start + size])


def _other_names(text: str) -> Iterator[str]:
    for run in _runs(text):
        known = meanings(run)
        if len(known) == 1 and key(run) not in _EVERYDAY:
            yield " ".join(known[0].names[:3])


_IDENTIFIER = re.compile(r"[A-Za-z][\w+#]*(?:[-./][A-Za-z0-9+#]\w*)*", re.ASCII)


def _names(text: str) -> Iterator[tuple[str, ...]]:
    """Products, identifiers and short forms: with a capital, digit, dot or hyphen inside, or a
    capital not at the start of a sentence; in Korean every Latin word. Each with its other names."""
    korean = detect(text) == "ko"
    for match in _IDENTIFIER.finditer(text):
        name = match.group().rstrip(".-/")
        inside = any(c.isupper() or c.isdigit() or c in "._/" for c in name[1:])
        before = text[: match.start()].rstrip()
        capital = name[:1].isupper() and before[-1:] not in ("", ".", "?", "!", ":")
        if (inside or capital or korean) and len(name) > 1 and raw_words(name):
            known = meanings(name)
            yield tuple(dict.fromkeys((name, *(n for one in known for n in one.names))))
