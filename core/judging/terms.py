"""The technical terms of an article, each with an explanation and where that comes from.

The article's own definition goes first, then the bundled glossary, then the model (the caller
asks it). A term always occurs in the article; one that nobody explains is left out rather than
explained badly. What has two names is one term.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Literal

from core.article import Language
from core.chunks import Document
from core.judging import glossary
from core.judging.abbreviations import Pair, pairs
from core.judging.defining import defines
from core.judging.definitions import definitional
from core.judging.names import key, mention
from core.language import is_stopword, nouns

Origin = Literal["article", "glossary", "model"]

_OFTEN = 3  # times that a word stands in an article whose term it is
_LONGEST = 320  # characters of a sentence that can be read under a term
_WITH_EXPANSION = 220  # of one that stands behind what a short form is short for


@dataclass(frozen=True, slots=True)
class Explained:
    term: str
    explanation: str
    origin: Origin
    credit: str | None = None


@dataclass(frozen=True, slots=True)
class _Readable:
    """A sentence that may stand under a term, and the short forms that it explains."""

    text: str
    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    """`names`: all that it is called; under another one of them it is not shown again."""

    names: tuple[str, ...]
    said: Explained


def explained(
    document: Document, candidates: Sequence[str], count: int, wanted: Language
) -> list[Explained]:
    """Terms with an explanation from the article or the glossary, the article's subjects first.

    The glossary answers in the wanted language where it can.
    """
    readable = [
        _Readable(s.text, tuple(pairs(s.text)))
        for s in document.sentences
        if s.whole and len(s.text) <= _LONGEST
    ]
    found = chain(
        _defined(readable, candidates, document.language),
        _introduced(readable, document),
        _glossed(document, candidates, wanted),
    )
    return list(islice(_distinct(found), count))


def is_new(term: str, known: Iterable[Explained]) -> bool:
    """Whether none of these is the same by another name: an expansion or an entry begins with it."""
    own = key(term)
    return not any(
        own == key(one.term) or (" " in term and key(one.explanation).startswith(own))
        for one in known
    )


def _distinct(found: Iterable[_Found]) -> Iterator[Explained]:
    taken: set[str] = set()
    told: set[str] = set()
    for one in found:
        names = set(map(key, one.names))
        if names & taken or one.said.explanation in told:
            continue
        taken |= names
        told.add(one.said.explanation)
        yield one.said


def _defined(
    readable: Sequence[_Readable], candidates: Sequence[str], language: Language
) -> Iterator[_Found]:
    """Terms that a sentence of the article defines, under the name or the short form of it."""
    short_forms = [pair for sentence in readable for pair in sentence.pairs]
    for term in candidates:
        same = chain.from_iterable(p for p in short_forms if key(term) in map(key, p))
        yield from _definition(term, tuple(dict.fromkeys((term, *same))), readable, language)


def _definition(
    term: str, names: tuple[str, ...], readable: Sequence[_Readable], language: Language
) -> Iterator[_Found]:
    """The sentence that says best what it is; nothing where none does."""
    named = mention(names)
    mine = (s.text for s in readable if named.search(s.text))
    found = [text for text in mine if defines(text, names, language)]
    if found:
        best = max(found, key=lambda text: definitional(text, names, language))
        yield _Found(names, Explained(term, best, "article"))


def _introduced(readable: Sequence[_Readable], document: Document) -> Iterator[_Found]:
    """Terms that the article itself introduces: "write-ahead logging (WAL)", "A pod is a …"."""
    language = document.language
    for sentence in readable:
        for pair in sentence.pairs:
            if language == "en" or _a_korean_pair(pair, document):
                yield from _definition(pair.short, tuple(pair), readable, language)
                yield _Found(tuple(pair), _expanded(pair, sentence.text))
        name = _subject(sentence.text, language)
        if name and defines(sentence.text, [name], language) and _often(name, document):
            yield _Found((name,), Explained(name, sentence.text, "article"))


def _expanded(pair: Pair, sentence: str) -> Explained:
    """What a short form is short for, and the sentence where that has something to say."""
    tells = len(sentence) <= _WITH_EXPANSION and _CAPTION.match(sentence) is None
    behind = f" {sentence}" if tells else ""
    return Explained(pair.short, f"{pair.long}.{behind}", "article")


_CAPTION = re.compile(r"(?:그림|표|Figure|Fig\.|Table)\s*\d|\d+\.\s|\[\^")


def _a_korean_pair(pair: Pair, document: Document) -> bool:
    """Korean brackets hold much that is no short form: a component beside the word "컴포넌트"."""
    if pair.long.isascii():
        return _often(pair.short, document)
    return pair.short.isupper() and " " in pair.long and _often(pair.short, document)


_SUBJECT_EN = re.compile(
    r"(?:An?\s|The\s)?([A-Za-z][\w+#-]*(?:\s[A-Za-z][\w-]*){0,2})(?:\s\([^)]{1,40}\))?\s"
    r"(?:is|are|refers?\sto|stands?\sfor|denotes?)\s"
)
_SUBJECT_KO = re.compile(
    r"[\"'“‘]?([A-Za-z가-힣][\w+#./-]*?(?:\s[\w+#./-]+?){0,2})[\"'”’]?(?:\s*\([^)]{1,60}\))?\s*"
    r"(?:이란|란|이라는\s것은|은|는)\s"
)
# Nouns by which Korean prose speaks of itself, and of people.
_NO_TERMS_KO = frozenset(
    "문제 이유 원인 핵심 결과 다음 방법 목표 목적 장점 단점 특징 차이 차이점 경우 예시 예제 내용 부분 사용자 개발자 회사 오늘 "
    "이번 결론 코드 파일 값 함수 이름 사람 우리 글 문서 정보 상태 기능 작업 과정 역할 의미 위치 크기 거리 시간".split()
)


def _subject(sentence: str, language: Language) -> str | None:
    """The name that a sentence begins with; no word such as "This" or "result"."""
    match = (_SUBJECT_KO if language == "ko" else _SUBJECT_EN).match(sentence)
    if match is None:
        return None
    name = match.group(1)
    if language == "ko":
        return name if name not in _NO_TERMS_KO and _is_noun(name) else None
    return name if len(name) >= 3 and not any(map(is_stopword, name.split())) else None


def _is_noun(name: str) -> bool:
    return ["".join(run) for run in nouns(name)] == ["".join(name.split())]


def _often(name: str, document: Document) -> bool:
    return len(mention([name]).findall(document.prose)) >= _OFTEN


def _glossed(document: Document, candidates: Iterable[str], wanted: Language) -> Iterator[_Found]:
    for term in chain(candidates, _from_glossary(document)):
        entry = glossary.lookup(term, wanted) or glossary.lookup(term, document.language)
        if entry is None:
            continue
        names = (term, *glossary.all_names(entry))
        if not _meant(names, document):
            continue
        yield _Found(names, Explained(term, entry.explanation, "glossary", entry.credit))


# Ordinary words, and words of other fields: the node of a tree, the container of a list.
_ORDINARY = frozenset(
    "node container cluster pod ingress operator abstraction portability 컨테이너 클러스터 추상화".split()
)
# What the glossary is about.
_FIELD = re.compile(
    r"kubernetes|\bk8s\b|docker|containeriz|container (?:image|orchestrat|runtime)|cloud|microservice|virtual machine"
    r"|쿠버네티스|도커|컨테이너화|컨테이너 이미지|클라우드|마이크로서비스|가상 ?머신",
    re.I,
)


def _meant(names: Iterable[str], document: Document) -> bool:
    """Whether the article can mean what the glossary does by this word."""
    if not _ORDINARY & set(map(key, names)):
        return True
    return len(_FIELD.findall(document.prose)) >= _OFTEN


def _from_glossary(document: Document) -> Iterator[str]:
    """Glossary names that stand in the article, with the spelling that stands there."""
    text = "\n".join((document.title, *document.headings, document.prose))
    for name in glossary.names(document.language):
        spellings = Counter(_name_pattern(name).findall(text))
        # a single word is a term only where the article keeps coming back to it
        if spellings and (" " in name or spellings.total() >= _OFTEN):
            yield spellings.most_common(1)[0][0]


def _name_pattern(name: str) -> re.Pattern[str]:
    """In either case, but a short form only in its own: `cd` is a command and CD is not."""
    words = r"[ -]".join(re.escape(word.removesuffix("s")) + "s?" for word in name.split())
    flags = re.NOFLAG if len(name) <= 4 and name.isupper() else re.I
    # Node.js is no node
    bounded = rf"\b{words}\b(?!\.\w)" if name.isascii() else rf"(?<![가-힣]){re.escape(name)}"
    return re.compile(bounded, flags)
