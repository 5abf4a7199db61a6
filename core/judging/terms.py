"""The technical terms of an article, each with an explanation and where that comes from.

The article's own definition goes first, then the bundled glossary, then the model (the caller
asks it). A term always occurs in the article; one that nobody explains is left out rather than
explained badly.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from core.article import Language
from core.chunks import Document, Sentence
from core.judging import glossary
from core.language import ends_with_copula, is_stopword

Origin = Literal["article", "glossary", "model"]


@dataclass(frozen=True, slots=True)
class Explained:
    term: str
    explanation: str
    origin: Origin
    credit: str | None = None


def explained(
    document: Document, candidates: Sequence[str], count: int, wanted: Language
) -> list[Explained]:
    """Terms with an explanation from the article or the glossary, the article's subjects first.

    The glossary answers in the wanted language where it can.
    """
    found: dict[str, Explained] = {}
    for term in candidates:
        definition = _definition(term, document)
        if definition is not None:
            found.setdefault(_key(term), Explained(term, definition, "article"))
    for term, definition in _introduced(document):
        said = any(definition.endswith(other.explanation) for other in found.values())
        if not _known(term, found) and not said:
            found[_key(term)] = Explained(term, definition, "article")
    for term in (*candidates, *_from_glossary(document)):
        entry = glossary.lookup(term, wanted) or glossary.lookup(term, document.language)
        if entry is not None and not _known(term, found):
            found[_key(term)] = Explained(term, entry.explanation, "glossary", entry.credit)
    return list(found.values())[:count]


def _key(term: str) -> str:
    return term.lower().rstrip("s")


def _known(term: str, found: dict[str, Explained]) -> bool:
    """Under this name, or inside the name of one that is there ("WAL" and "the WAL")."""
    key = _key(term)
    return any(key == other or key in other.split() for other in found)


def _definition(term: str, document: Document) -> str | None:
    defines = _defines_ko if document.language == "ko" else _defines_en
    for sentence in document.sentences:
        if _readable(sentence) and defines(term, sentence.text):
            return sentence.text
    return None


def _defines_en(term: str, sentence: str) -> bool:
    return re.search(_DEFINES_EN.format(term=re.escape(term)), sentence, re.I) is not None


def _defines_ko(term: str, sentence: str) -> bool:
    """The sentence begins with the term as its topic and ends by naming what it is."""
    if re.match(_TOPIC_KO.format(term=re.escape(term)), sentence, re.I) is None:
        return False
    return _SAYS_KO.search(sentence) is not None or ends_with_copula(sentence)


def _readable(sentence: Sentence) -> bool:
    return sentence.whole and len(sentence.text) <= 320


_DEFINES_EN = (
    r"^(?:(?:in [^,]{{2,40}}, )?(?:an?|the)\s+)?{term}s?(?:\s*\([^)]{{1,40}}\))?\s*,?\s+"
    r"(?:is|are)\s+(?:simply |basically |essentially |just )?(?:an?|the|any|one of)\s+"
    r"(?!same|way to go|only|first|most|best|case|reason|problem|question|example|default)"
    r"|^(?:an?\s+|the\s+)?{term}s?(?:\s*\([^)]{{1,40}}\))?\s+(?:refers? to|means|stands? for|denotes?)\s"
    r"|^(?:we|you) (?:call|define) .{{0,60}}\b{term}\b"
)
_TOPIC_KO = (
    r"^.{{0,12}}?(?<![\w가-힣]){term}(?:\s*\([^)]{{1,40}}\))?(?:은|는|이란|란|이라는 것은)\s"
)
_SAYS_KO = re.compile(
    r"(?:말한다|말합니다|뜻한다|뜻합니다|의미한다|의미합니다|가리킨다|가리킵니다|일컫는다)\.?$"
)
_ACRONYM = re.compile(
    r"\b((?:[A-Z][\w-]+|[a-z][\w-]+)(?:[ -](?:of|and|the|for|to|as|a|in|[A-Za-z][\w-]+)){1,5})\s+\(([A-Z][A-Za-z]{1,7}s?)\)"
)
_GENERIC_EN = re.compile(
    r"^(?:An?|The)?\s*([A-Za-z][\w+#-]*(?:\s[a-z][\w-]*){0,2})\s+(?:is|are)\s+an?\s+(?=[a-z])"
)


def _introduced(document: Document) -> Iterator[tuple[str, str]]:
    """Terms that the article itself introduces: "write-ahead logging (WAL)", "A pod is a …"."""
    if document.language == "ko":
        return
    for sentence in document.sentences:
        if not _readable(sentence):
            continue
        for long, short in _ACRONYM.findall(sentence.text):
            if _spells(long, short):
                yield short, _expansion(long, short, sentence.text)
        match = _GENERIC_EN.match(sentence.text)
        if match is not None and _a_term(match.group(1), document):
            yield match.group(1), sentence.text


def _a_term(name: str, document: Document) -> bool:
    """A name that the article uses again, and no word such as "This" or "result"."""
    if any(is_stopword(word) for word in name.split()) or len(name) < 3:
        return False
    return len(re.findall(rf"\b{re.escape(name)}", document.prose, re.I)) >= 3


def _spells(long: str, short: str) -> bool:
    letters = [word[0].lower() for word in re.split(r"[ -]", long) if word]
    return short.rstrip("s").lower() in "".join(letters[-len(short) - 2 :]) and len(short) > 1


def _expansion(long: str, short: str, sentence: str) -> str:
    size = len(short.rstrip("s"))
    tail = [word for word in re.split(r"[ -]", long) if word][-size:]
    start = long.find(tail[0])
    return f"{long[start:]}. {sentence}" if len(sentence) <= 220 else f"{long[start:]}."


def _from_glossary(document: Document) -> Iterator[str]:
    """Glossary names that stand in the article, with the spelling that stands there."""
    text = "\n".join((document.title, *document.headings, document.prose))
    for name in glossary.names(document.language):
        spellings = Counter(_name_pattern(name).findall(text))
        # a common word is a term only where the article keeps coming back to it
        if spellings and (" " in name or spellings.total() >= 3):
            yield spellings.most_common(1)[0][0]


def _name_pattern(name: str) -> re.Pattern[str]:
    """In either case, but a short form only in its own: `cd` is a command and CD is not."""
    words = r"[ -]".join(re.escape(word.removesuffix("s")) + "s?" for word in name.split())
    flags = re.NOFLAG if len(name) <= 4 and name.isupper() else re.I
    bounded = rf"\b{words}\b" if name.isascii() else rf"(?<![가-힣]){re.escape(name)}"
    return re.compile(bounded, flags)
