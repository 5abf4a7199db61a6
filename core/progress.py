"""What can be seen of a digest while it is made, in the order in which it comes."""

from __future__ import annotations

from dataclasses import dataclass

from core.digest import ArticleHead, DifficultyLevel, DigestRecord, Factor


@dataclass(frozen=True, slots=True)
class Reading:
    """The article is found; `words` long, cut into `parts`."""

    article: ArticleHead
    words: int
    parts: int


@dataclass(frozen=True, slots=True)
class Judged:
    """Difficulty and keywords, known before the model has written a word."""

    difficulty: DifficultyLevel
    factors: tuple[Factor, ...]
    keywords: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Drafting:
    """A piece of the draft as it is written. A draft is not yet checked; `part` counts from 0."""

    part: int
    text: str


@dataclass(frozen=True, slots=True)
class Checking:
    """The draft is written and is now compared with the article."""

    sentences: int


@dataclass(frozen=True, slots=True)
class Finished:
    """The digest. `cached`: it was made before."""

    record: DigestRecord
    cached: bool = False


Event = Reading | Judged | Drafting | Checking | Finished
