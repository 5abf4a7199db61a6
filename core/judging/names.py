"""Whether two names mean the same: spelling, plural, short form, Korean particle, another script.

A **name** is how people call a thing; a **meaning** is all the names we know of one thing. What
is typed by people is cleaned of the question around it first ("what is X?", "X란 무엇인가요").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Meaning:
    """`names`: the one to show first; all of them are the same thing."""

    names: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.names[0]


_LONGEST = 100  # characters of a name that is looked up; longer ones are no terms
_ASKS_EN = re.compile(
    r"^(?:(?:so |please |can you |could you )*(?:what(?:'s|’s| is| are| does| do)|define|explain|describe|"
    r"tell me about|meaning of|the meaning of)\s+)+(?:an?\s+|the\s+)?|\s+(?:means?|stands? for|mean exactly)\s*$",
    re.I,
)
_ASKS_KO = re.compile(
    r"(?:\s*(?:이|가|은|는|을|를|란|이란|이라는|라는|에|의)?\s*"
    r"(?:(?:게|건|것은|것이|거)\s*)?(?:도대체\s*)?"
    r"(?:뭐야|뭐예요|뭐에요|뭐죠|뭔가요|뭔지|뭡니까|무엇인가요|무엇입니까|무엇인지|무엇|무슨\s*뜻(?:이야|인가요|이에요|입니까)?|"
    r"(?:대해|대해서)?\s*(?:설명|알려)\s*(?:해)?\s*(?:줘|주세요|줄래|주실래요)?|뜻|의미|정의)[\s?？!.]*)+$"
)
_ENDS = " \t\n?？!.,。、:;\"'“”‘’`«»()[]"


def cleaned(typed: str) -> str:
    """The name in what somebody typed, at most 100 characters; "" where there is none."""
    text = " ".join(typed.split())[: 2 * _LONGEST].strip(_ENDS + "<>")
    found = _ASKS_EN.sub("", text).strip(_ENDS)
    found = _ASKS_KO.sub("", found).strip(_ENDS) or found
    return (found or text)[:_LONGEST].strip()


def key(name: str) -> str:
    """The same for the same words however they are spaced, hyphenated, capitalised or counted."""
    spelled = re.sub(r"^([A-Z0-9]{2,})s$", r"\1", name.strip())
    parts = re.split(r"[\s\-_/·‐–]+", spelled.casefold().replace("’", "'"))
    return "".join(_singular(part) for part in parts if part)


@lru_cache(maxsize=8192)
def _singular(word: str) -> str:
    if len(word) < 4 or not word.isascii() or word.endswith(("ss", "us", "is", "kubernetes")):
        return word
    for ending, kept in (
        ("ies", "y"),
        ("sses", "ss"),
        ("ches", "ch"),
        ("shes", "sh"),
        ("xes", "x"),
    ):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            return word[: -len(ending)] + kept
    return word.removesuffix("s")


# Longest first; "이란" before "란", "으로" before "로".
PARTICLES = (
    "에서는 에서 에게 으로 이란 이라는 라는 이라고 라고 이나 까지 부터 처럼 보다 와의 과의 에는 란 은 는 이 가 을 를 "
    "의 에 와 과 로 도 만 나"
).split()


def without_particle(name: str) -> Iterator[str]:
    """A Korean name as it may have been before a particle was put behind it, the likeliest first."""
    for particle in PARTICLES:
        if name.endswith(particle) and len(name) - len(particle) >= 2:
            yield name[: -len(particle)].rstrip()


@lru_cache(maxsize=1)
def _table() -> tuple[Meaning, ...]:
    text = (files("core.judging") / "data" / "names.tsv").read_text(encoding="utf-8")
    rows = (line for line in text.splitlines() if line and not line.startswith("#"))
    return tuple(Meaning(tuple(row.split("\t"))) for row in rows)


@lru_cache(maxsize=1)
def _index() -> dict[str, tuple[Meaning, ...]]:
    found: dict[str, list[Meaning]] = {}
    for meaning in _table():
        for own in dict.fromkeys(map(key, meaning.names)):
            found.setdefault(own, []).append(meaning)
    return {own: tuple(meanings) for own, meanings in found.items()}


def table_names() -> list[str]:
    return [name for meaning in _table() for name in meaning.names]


def meanings(name: str) -> tuple[Meaning, ...]:
    """What our own table knows under this name, with its particle or without; () for nothing."""
    for tried in (name, *without_particle(name)):
        found = _index().get(key(tried))
        if found:
            return found
    return ()


def mention(names: Sequence[str]) -> re.Pattern[str]:
    """Where one of these names stands in a text: plural, hyphens and Korean particles included.

    Short forms in capitals ("CD", "REST") count in capitals only.
    """
    exact = [name for name in names if _is_short_form(name)]
    loose = [name for name in names if not _is_short_form(name)]
    parts = [_spelled(name) for name in exact]
    parts += [f"(?i:{_spelled(name)})" for name in loose]
    return re.compile("|".join(parts) or r"(?!)")


def _is_short_form(name: str) -> bool:
    return len(name) <= 5 and name.isascii() and sum(char.isupper() for char in name) >= 2


_HANGUL = re.compile(r"[\uac00-\ud7a3]")
_ANY_PARTICLE = "|".join(map(re.escape, PARTICLES))


def _spelled(name: str) -> str:
    words = [re.escape(word) for word in re.split(r"[\s\-_]+", name.strip()) if word]
    if _HANGUL.search(name):
        joined = r"[\s\-_]?".join(words)
        after = (
            rf"(?=$|[^\uac00-\ud7a3]|(?:{_ANY_PARTICLE}|들|이다|입니다|인|에선)(?![\uac00-\ud7a3]))"
        )
        return rf"(?<![\uac00-\ud7a3A-Za-z0-9]){joined}{after}"
    joined = r"[\s\-‐_]?".join((*words[:-1], _one_or_many(words[-1])))
    return rf"(?<![A-Za-z0-9_]){joined}(?![A-Za-z0-9_])"


def _one_or_many(word: str) -> str:
    """A pattern (of an escaped word) for singular and plural alike."""
    if not word[-1].isalnum():
        return word
    one = word if word.isupper() and len(word) <= 4 else _singular(word.lower())
    stem = word[: len(one)] if word.lower().startswith(one.lower()) else word[:-3]
    if one.lower().endswith("y") and len(one) > 3:
        return rf"{word[: len(one) - 1]}(?:y|ies)"
    return rf"{stem}(?:s|es)?"
