"""What a term means, from what we have: the digests made here, then the bundled glossary.

Nothing is made up for the occasion: a term in neither is honestly unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from pydantic import BaseModel

from core.article import Language
from core.digest import ArticleHead, DigestRecord

Lookup = Callable[[str, Language], tuple[str, str, str] | None]  # explanation, credit, name
REMEMBERED = 200  # digests looked through; at most a few hundred kilobytes of text


class Explanation(BaseModel):
    """What a term means and who says so."""

    term: str
    explanation: str
    origin: Literal["article", "glossary", "model"]
    credit: str | None = None
    language: Language
    article: ArticleHead | None = None


def explain(
    term: str, language: Language, recent: Sequence[DigestRecord], lookup: Lookup
) -> Explanation | None:
    """Articles' own words first, then the glossary, then what the model once wrote."""
    found = list(_in_digests(term, recent))
    found.sort(key=lambda one: one.language != language)  # stable: newest first within each
    for one in found:
        if one.origin == "article":
            return one
    return _in_glossary(term, language, lookup) or (found[0] if found else None)


def _in_digests(term: str, recent: Sequence[DigestRecord]) -> Iterator[Explanation]:
    asked = _folded(term)
    for record in recent[:REMEMBERED]:
        origins = {one.term: one for one in record.details.term_origins}
        for known in record.digest.technical_terms:
            if _folded(known.term) == asked and known.explanation.strip():
                origin = origins.get(known.term)
                yield Explanation(
                    term=known.term,
                    explanation=known.explanation,
                    origin=origin.origin if origin else "model",
                    credit=origin.credit if origin else None,
                    language=record.details.language,
                    article=record.article,
                )


def _in_glossary(term: str, language: Language, lookup: Lookup) -> Explanation | None:
    other: Language = "en" if language == "ko" else "ko"
    for tried in (language, other):
        found = lookup(term, tried)
        if found is not None:
            explanation, credit, name = found
            return Explanation(
                term=name,
                explanation=explanation,
                origin="glossary",
                credit=credit,
                language=tried,
            )
    return None


def _folded(term: str) -> str:
    return " ".join(term.casefold().replace("-", " ").split())
