"""What a reader should know first: what the article itself asks for, then what it builds on.

First the article's own words: a section called Prerequisites (사전 지식, 준비물), or a sentence
that says what is assumed. Then technologies that the article uses throughout without
introducing them (list: `data/technologies.txt`), the languages of its code among them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from core.chunks import Document

_SECTION = re.compile(
    r"^(?:\d+[.)]?\s*)?(?:pre-?requisites?|before (?:you|we) (?:begin|start)|requirements|what you(?:'ll| will)? need"
    r"|사전 ?(?:지식|준비|요구 ?사항|조건)|준비물|필요한 ?지식|선수 ?지식|시작하기 전에)\b",
    re.I,
)
_ASSUMED = re.compile(
    r"\b(?:familiar(?:ity)? with|(?:basic|working|some|prior|good) (?:knowledge|understanding|experience)"
    r"(?: (?:of|with|in))?|experience with|assumes? (?:that )?(?:you|readers?) (?:know|understand|have))\s+"
    r"(?P<what>[^.;:!?()]{3,90})",
    re.I,
)
_ASSUMED_KO = re.compile(
    r"(?:^|(?:려면|위해|위해서는|에는|에서는)\s|[,:]\s?)(?P<what>[^.,!?\n]{1,30}?)에 대한 "
    r"(?:기본(?:적인)? ?)?(?:지식|이해|경험)[이가]? ?(?:필요|있다고|있어야|요구)"
)
_LONGEST_ITEM = 110


@dataclass(frozen=True, slots=True)
class Technology:
    name: str
    pattern: re.Pattern[str]
    fences: frozenset[str]


def prerequisites(document: Document, count: int = 5) -> tuple[str, ...]:
    """At most `count`, the article's own first. Empty where it asks for nothing in particular."""
    found: dict[str, str] = {}
    for item in (*_listed(document), *_assumed(document), *_built_on(document)):
        key = item.lower()
        if not any(key in other or other in key for other in found):
            found[key] = item
    return tuple(found.values())[:count]


def _listed(document: Document) -> Iterator[str]:
    """Items, or short sentences, of a section on prerequisites."""
    for sentence in document.sentences:
        wanted = sentence.kind == "item" or (sentence.kind == "paragraph" and sentence.first)
        if _SECTION.match(sentence.heading) and wanted and len(sentence.text) <= _LONGEST_ITEM:
            text = sentence.text.rstrip(" .:;")
            if len(text) >= 2 and not sentence.text.rstrip().endswith(":"):
                yield text


def _assumed(document: Document) -> Iterator[str]:
    pattern = _ASSUMED_KO if document.language == "ko" else _ASSUMED
    for sentence in document.sentences:
        match = pattern.search(sentence.text)
        if match is not None:
            what = re.split(
                r",? (?:but|so that|which|because|before|and (?:you|have))\b", match["what"]
            )[0]
            what = re.sub(r"^(?:the basics of|how to use|of|with|in|using)\s+", "", what.strip())
            if 2 <= len(what) <= 80:
                yield what.strip(" ,'\"")


# A technology is built on, and not just mentioned, from this many sentences on (or by code in it).
_OFTEN = 3


def _built_on(document: Document) -> Iterator[str]:
    """Technologies by how many sentences they stand in; what the title is about comes last.

    An article titled "What is Docker?" teaches Docker and does not ask for it.
    """
    fences = {block.info for block in document.code}
    scored: list[tuple[bool, int, str]] = []
    for technology in technologies():
        mentions = sum(bool(technology.pattern.search(s.text)) for s in document.sentences)
        shown = bool(fences & technology.fences)
        if mentions >= _OFTEN or (shown and technology.name != "Bash"):
            taught = _teaches(document.title, technology)
            if not taught:
                scored.append((not shown, -mentions, technology.name))
    for _, _, name in sorted(scored):
        yield name


def _teaches(title: str, technology: Technology) -> bool:
    introduces = re.search(
        r"\b(?:what (?:is|are)|introduc|getting started|beginner|tutorial|101|overview|basics)|입문|소개|시작하기|이란|기초",
        title,
        re.I,
    )
    return introduces is not None and technology.pattern.search(title) is not None


@lru_cache(maxsize=1)
def technologies() -> tuple[Technology, ...]:
    text = (files("core.judging") / "data" / "technologies.txt").read_text("utf-8")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return tuple(_technology(line) for line in lines)


def _technology(line: str) -> Technology:
    name, aliases, fences = (part.strip() for part in line.split("|"))
    spellings = [name, *(a.strip() for a in aliases.split(",") if a.strip())]
    either = "|".join(re.escape(s) for s in sorted(spellings, key=len, reverse=True))
    flags = re.I if name.islower() else re.NOFLAG
    pattern = re.compile(rf"(?<![A-Za-z0-9_가-힣])(?:{either})(?![A-Za-z0-9_+#])", flags)
    return Technology(name, pattern, frozenset(f.strip() for f in fences.split(",") if f.strip()))
