"""What a reader should know first: what the article itself asks for, then what it builds on.

First the article's own words: a section called Prerequisites (사전 지식, 준비물), or a sentence
that says what is assumed. Then what must be at hand (an account, a kind of computer), and
technologies that the article uses throughout without introducing them (list:
`data/technologies.txt`), the languages of its code among them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from core.article import Language
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
    spellings: tuple[str, ...]


# What the article does not say itself is guessed up to so many items in all, at most three of them.
_GUESSED, _WITH_GUESSES = 3, 4


def prerequisites(
    document: Document, count: int = 5, opinion: Iterable[str] = ()
) -> tuple[str, ...]:
    """At most `count`, the article's own first, then what a model thinks (`opinion`, checked
    already), then what is built on. Empty where it asks for nothing in particular."""
    found: dict[str, str] = {}
    for item in (*_listed(document), *_assumed(document)):
        _add(found, item)
    most = min(len(found) + _GUESSED, max(len(found), _WITH_GUESSES))
    for item in (*opinion, *_needed(document)):
        if len(found) < most:
            _add(found, item)
    for name in _built_on(document):
        if len(found) < most and not any(_names(name, item) for item in found.values()):
            _add(found, _phrased(name, document.language))
    return tuple(found.values())[:count]


def _add(found: dict[str, str], item: str) -> None:
    key = item.lower()
    if not any(key in other or other in key for other in found):
        found[key] = item


def _names(name: str, item: str) -> bool:
    """A working Go toolchain asks for Go already."""
    return re.search(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9+#])", item) is not None


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
# How what is built on is asked for, as authors do: an account with it, an installation, knowledge.
_ACCOUNTS = frozenset(("AWS", "Azure", "Google Cloud", "GitHub", "SAP BTP"))
_INSTALLED = frozenset(
    "Docker Kubernetes Helm Terraform Ansible Git PostgreSQL MySQL SQLite MongoDB Redis Elasticsearch Cassandra"
    " Kafka RabbitMQ NGINX CMake Node.js Jenkins Prometheus Grafana Jupyter Webpack Vite".split()
)
_PHRASES: dict[Language, dict[str, str]] = {
    "en": {
        "account": "{a} {name} account",
        "installed": "{name} installed",
        "known": "Familiarity with {name}",
    },
    "ko": {"account": "{name} 계정", "installed": "{name} 설치", "known": "{name} 사용 경험"},
}
_ACCOUNT = re.compile(
    r"\b(AWS|Azure|Google Cloud|GitHub|GitLab|Docker Hub|Hugging Face) (?:account|계정)"
)
# Signs of what must be at hand, in code or prose, with its name.
_AT_HAND: tuple[tuple[re.Pattern[str], dict[Language, str]], ...] = (
    (
        re.compile(r"^\s*(?:\$ )?(?:sudo|apt(?:-get)?|dnf|yum)\s", re.M),
        {"en": "A computer running Linux", "ko": "리눅스 컴퓨터"},
    ),
    (
        re.compile(r"\b(?:Visual Studio Code|VS ?Code)\b"),
        {"en": "A code editor such as Visual Studio Code", "ko": "Visual Studio Code 같은 편집기"},
    ),
    (
        re.compile(r"\bAndroid Studio\b"),
        {"en": "Android Studio installed", "ko": "Android Studio 설치"},
    ),
)


def _needed(document: Document) -> Iterator[str]:
    """What must be at hand: an account that is spoken of, a kind of computer, an editor."""
    for name in dict.fromkeys(_ACCOUNT.findall(document.prose)):
        yield _asked("account", name, document.language)
    everything = "\n".join((document.prose, *(block.text for block in document.code)))
    for pattern, said in _AT_HAND:
        if pattern.search(everything):
            yield said[document.language]


def _asked(kind: str, name: str, language: Language) -> str:
    article = "An" if name[0] in "AEIO" else "A"
    return _PHRASES[language][kind].format(a=article, name=name)


def _phrased(name: str, language: Language) -> str:
    kind = "account" if name in _ACCOUNTS else "installed" if name in _INSTALLED else "known"
    return _asked(kind, name, language)


def _built_on(document: Document) -> Iterator[str]:
    """Technologies by how many sentences they stand in; what the title is about comes last.

    An article titled "What is Docker?" teaches Docker and does not ask for it.
    """
    fences = {block.info for block in document.code}
    scored: list[tuple[bool, int, str]] = []
    counted = mentions_in(document)
    for technology in technologies():
        mentions = counted[technology.name]
        shown = bool(fences & technology.fences)
        if mentions >= _OFTEN or (shown and technology.name != "Bash"):
            taught = _teaches(document.title, technology)
            if not taught:
                scored.append((not shown, -mentions, technology.name))
    for _, _, name in sorted(scored):
        yield name


def mentions_in(document: Document) -> Counter[str]:
    """In how many sentences each technology stands, by its name; all others count zero."""
    counted: Counter[str] = Counter()
    everything = document.prose.casefold()  # most stand nowhere, and that is quickly seen
    for technology in technologies():
        if any(spelling in everything for spelling in technology.spellings):
            search = technology.pattern.search
            counted[technology.name] = sum(search(s.text) is not None for s in document.sentences)
    return counted


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
    shown = frozenset(f.strip() for f in fences.split(",") if f.strip())
    return Technology(name, pattern, shown, tuple(s.casefold() for s in spellings))
