"""The output contract, and what stands beside it.

`Digest` has exactly the promised keys. How it came about (what was read, which sentences
were checked, why the difficulty is what it is) is `Details`; both together with the head of
the article are a `DigestRecord`, the thing that is kept and shown.
"""

from __future__ import annotations

import math
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from core.article import Article, Language, SourceType
from core.errors import BadLink
from core.links import site_of

Label = Literal["beginner", "elementary", "intermediate", "advanced", "expert"]
LABELS: tuple[Label, ...] = ("beginner", "elementary", "intermediate", "advanced", "expert")
FactorName = Literal["terms", "concepts", "background", "algorithms"]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DifficultyLevel(_Value):
    """1.0 (anybody who can open a terminal) to 5.0 (who knows the inner workings)."""

    score: float = Field(ge=1.0, le=5.0)
    label: Label

    @classmethod
    def of(cls, score: float) -> DifficultyLevel:
        """Rounded to one decimal and clamped; the label is that of the nearest whole level.

        A half belongs to the lower one, as in the contract's own example: 3.5 is intermediate.
        """
        kept = round(min(5.0, max(1.0, score)), 1)
        return cls(score=kept, label=LABELS[math.ceil(kept - 0.5) - 1])


class TechnicalTerm(_Value):
    term: str
    explanation: str


class Digest(_Value):
    """What we say about an article. `processing_time` is in seconds, wall clock, as measured."""

    summary: str
    keywords: tuple[str, ...]
    difficulty_level: DifficultyLevel
    prerequisites: tuple[str, ...]
    technical_terms: tuple[TechnicalTerm, ...]
    processing_time: float = Field(ge=0)


class Factor(_Value):
    """One of the four factors of a difficulty: its own score 1-5, its share of the result."""

    name: FactorName
    score: float = Field(ge=1.0, le=5.0)
    share: float = Field(ge=0.0, le=1.0)
    words: tuple[str, ...] = ()


class SummarySentence(_Value):
    """One sentence of the summary with where it comes from and what in the article bears it.

    `origin`: written by the model and found supported, or the article's own words.
    `support` is 0-1; `source` is the article's sentence that supports it best.
    """

    text: str
    origin: Literal["model", "article"]
    support: float = Field(ge=0.0, le=1.0)
    source: str


class TermOrigin(_Value):
    """Where the explanation of a term comes from; `credit` where a licence asks for one."""

    term: str
    origin: Literal["article", "glossary", "model"]
    credit: str | None = None


class Details(_Value):
    """How a digest came about.

    `read` is the share (0-1) of the article's sentences that were read and weighed;
    `drafted` is the share of its words that the model itself saw. `checked` counts the
    model's sentences compared with the article, `rejected` those that it did not bear out
    and that were replaced or dropped. `notes` are sentence keys for `bot/replies.py`.
    `probabilities` are those of the difficulty's labels, easiest first; `uncertain` says that two
    of them are about as likely; `reason` is the model's own for the difficulty, "" where it was
    not asked or what it said did not hold. `guarded` counts sentences that were not fit to be posted.
    """

    language: Language
    article_language: Language
    model: str
    words: int = Field(ge=0)
    read: float = Field(ge=0.0, le=1.0)
    drafted: float = Field(ge=0.0, le=1.0)
    parts: int = Field(ge=0)
    checked: int = Field(ge=0)
    rejected: int = Field(ge=0)
    sentences: tuple[SummarySentence, ...]
    factors: tuple[Factor, ...]
    term_origins: tuple[TermOrigin, ...]
    questions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    probabilities: tuple[float, ...] = ()
    uncertain: bool = False
    reason: str = ""
    guarded: int = Field(default=0, ge=0)


class ArticleHead(_Value):
    """What a reply says about the article besides its digest."""

    title: str | None
    url: str | None
    site: str | None
    source_type: SourceType
    language: Language
    author: str | None = None
    publish_date: str | None = None


class DigestRecord(_Value):
    """A kept digest. `id` is stable: content hash, model and language decide it."""

    id: str
    article: ArticleHead
    digest: Digest
    details: Details


def head_of(article: Article, language: Language) -> ArticleHead:
    return ArticleHead(
        title=article.title,
        url=article.url,
        site=_site(article.url),
        source_type=article.source_type,
        language=language,
        author=article.author,
        publish_date=article.publish_date,
    )


def addressed(head: ArticleHead, url: str) -> ArticleHead:
    """The head of the same text where it stands on the web."""
    return head.model_copy(update={"url": url, "site": _site(url)})


def _site(url: str | None) -> str | None:
    """Where it stands; an article handed over by a file may name an address that is no link."""
    try:
        return site_of(url) if url else None
    except BadLink:
        return None
