"""From sentences that mention a term to the two or three that explain it. Rules, no search.

The articles' own definitions go first, the bundled glossary next; how the term is used stands
in only where nobody says what it is, and is called that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from core.article import Language
from core.digest import DigestRecord
from core.judging.definitions import DEFINES, definitional, follows_on, speaks
from core.judging.glossary import Entry
from core.judging.instructions import addresses_a_model
from core.judging.names import key, mention
from core.language import sentences, words
from core.library import Passage

Origin = Literal["article", "glossary", "model"]
Kind = Literal["definition", "use"]

MOST = 3  # sentences of an explanation
_LONGEST = 420  # characters of a sentence that can be read in a chat
_SAME = 0.6  # of two sentences that share so many of their words one is enough
_OWN_LANGUAGE = 0.15
_LEAD = 1.1  # of the beginning of an article that is called as the term: more than "X is a …"
_PLAIN = 0.9  # from here on a sentence says plainly what something is
_LONGEST_LEAD = 700  # characters of it
_LEVEL = 0.03  # for each whole step between an article and the reader


class Source(BaseModel):
    """The article that says so."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    digest_id: str
    title: str | None
    link: str | None


class Said(BaseModel):
    """One or two sentences about a term and who says them.

    `kind`: they say what it is, or only how it is used. `credit` where a licence asks for one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    origin: Origin
    kind: Kind = "definition"
    language: Language
    credit: str | None = None
    article: Source | None = None


class Candidate(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    said: Said
    score: float


def from_passages(
    passages: Sequence[Passage], names: Sequence[str], wanted: Language
) -> list[Candidate]:
    """Every sentence that mentions the term, with the one that goes on from it. Best first."""
    found = [one for passage in passages for one in _in_passage(passage, names, wanted)]
    return _best_first(found)


def _in_passage(passage: Passage, names: Sequence[str], wanted: Language) -> Iterator[Candidate]:
    named = mention(names)
    texts = sentences(passage.text, passage.language)
    source = Source(digest_id=passage.digest_id, title=passage.title, link=passage.link)
    own = _OWN_LANGUAGE if passage.language == wanted else 0.0

    def candidate(text: str, score: float) -> Candidate:
        said = Said(
            text=text,
            origin="article",
            kind="definition" if score >= DEFINES else "use",
            language=passage.language,
            article=source,
        )
        return Candidate(said=said, score=score + own)

    if passage.position == 0 and called(passage.title or "", names):
        beginning = _beginning(texts, names, passage.language)
        if beginning:
            yield candidate(" ".join(beginning), _LEAD)
    for place, text in enumerate(texts):
        if not _readable(text) or named.search(text) is None:
            continue
        score = definitional(text, names, passage.language)
        after = texts[place + 1] if place + 1 < len(texts) else ""
        goes_on = (
            score >= DEFINES
            and len(text) + len(after) < _LONGEST
            and _readable(after)
            and follows_on(after, names, passage.language)
        )
        yield candidate(f"{text} {after}" if goes_on else text, score)


def called(title: str, names: Sequence[str]) -> bool:
    """Whether an article is called as the term, under any of its names."""
    return bool(set(map(key, _titles(title))) & set(map(key, names)))


# Who tells of themselves, or of the text itself, tells a story or announces one.
_TELLS = re.compile(
    r"\b(?:I|we|we're|my|our|us)\b|\bthis (?:post|article|guide|tutorial|page|series)\b"
    r"|우리|저희|(?:이|본|이번)\s*(?:글|문서|포스트|페이지|튜토리얼)",
    re.I,
)


def _beginning(texts: Sequence[str], names: Sequence[str], language: Language) -> list[str]:
    """The sentences with which an article that is called as the term says what that is; none
    where it begins with a story. What leads up to "X is a …" is left out."""
    found: list[str] = []
    for text in texts:
        if not _readable(text) or text.endswith(("?", ":")) or _TELLS.search(text):
            break
        if len(found) == MOST or sum(map(len, found)) + len(text) > _LONGEST_LEAD:
            break
        found.append(text)
    if found and mention(names).search(found[0]) is None:
        plain = (n for n, one in enumerate(found) if definitional(one, names, language) >= _PLAIN)
        return found[next(plain, 0) :]
    return found


def _titles(title: str) -> list[str]:
    """A title as it is, and both names of "서비스 메시 (Service Mesh)"."""
    match = re.fullmatch(r"(.+?)\s*\(([^)]+)\)", title)
    return [title, match.group(1), match.group(2)] if match else [title]


def _readable(text: str) -> bool:
    return 20 <= len(text) <= _LONGEST and speaks(text) and not addresses_a_model(text)


def from_digests(
    records: Sequence[DigestRecord], names: Sequence[str], wanted: Language
) -> list[Candidate]:
    """What digests already explain under one of these names; the glossary's is asked for itself."""
    known = set(map(key, names))
    found = []
    for record in records:
        origins = {one.term: one for one in record.details.term_origins}
        for term in record.digest.technical_terms:
            origin = origins[term.term].origin if term.term in origins else "model"
            if key(term.term) not in known or origin == "glossary":
                continue
            if addresses_a_model(term.explanation):
                continue
            source = Source(
                digest_id=record.id, title=record.article.title, link=record.article.url
            )
            language = record.details.language
            said = Said(text=term.explanation, origin=origin, language=language, article=source)
            own = _OWN_LANGUAGE if language == wanted else 0.0
            found.append(Candidate(said=said, score=own + (0.9 if origin == "article" else 0.5)))
    return _best_first(found)


def from_glossary(entry: Entry | None, language: Language) -> Said | None:
    if entry is None:
        return None
    explanation, credit, _ = entry
    return Said(text=explanation, origin="glossary", language=language, credit=credit)


def for_level(
    candidates: Sequence[Candidate], difficulty: dict[str, float], level: float | None
) -> list[Candidate]:
    """Of two good definitions the one from the article nearer to the reader; with no level known,
    from the easier one."""

    def score(one: Candidate) -> float:
        hard = difficulty.get(one.said.article.digest_id, 3.0) if one.said.article else 3.0
        away = hard - 1.0 if level is None else abs(hard - level)
        return one.score - _LEVEL * away

    return sorted(candidates, key=lambda one: -score(one))


def choose(candidates: Sequence[Candidate], glossary: Said | None) -> list[Said]:
    """What is said of a term: definitions of different articles, then the glossary, then uses.

    Nothing is said twice; the model's words only where nobody else has any.
    """
    chosen: list[Said] = []
    defined = [one.said for one in candidates if one.said.kind == "definition"]
    own = [said for said in defined if said.origin == "article"]
    theirs = [said for said in defined if said.origin == "model"]
    used = [one.said for one in candidates if one.said.kind == "use"]
    for said in (*own[:6], *filter(None, [glossary])):
        _add(chosen, said)
    if not chosen:
        for said in theirs:
            _add(chosen, said)
    if len(chosen) < 2:
        for said in used[:4]:
            if len(chosen) < 2:
                _add(chosen, said)
    return chosen


def _add(chosen: list[Said], said: Said) -> None:
    size = sum(count(one) for one in chosen)
    if size + count(said) > MOST and chosen:
        return
    if any(one.article == said.article and one.article is not None for one in chosen):
        return
    if any(_alike(one, said) for one in chosen):
        return
    chosen.append(said)


def count(said: Said) -> int:
    return len(sentences(said.text, said.language))


def _alike(one: Said, other: Said) -> bool:
    mine, theirs = (set(words(said.text, said.language)) for said in (one, other))
    smaller = min(len(mine), len(theirs))
    return smaller > 0 and len(mine & theirs) / smaller >= _SAME


def _best_first(found: list[Candidate]) -> list[Candidate]:
    return sorted(found, key=lambda one: (-one.score, len(one.said.text)))
