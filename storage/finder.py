"""What finds the candidates of a search; two kinds: `memory_index`, `postgres_index`."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Row

from core.library import Filters, Reach
from core.retrieval.index import Facts, Index
from core.retrieval.searching import Candidate, Question
from storage.tables import LibraryRow

Embedding = asyncio.Task[Question]

FACTS = (
    LibraryRow.digest_id,
    LibraryRow.seq,
    LibraryRow.content_hash,
    LibraryRow.language,
    LibraryRow.site,
    LibraryRow.difficulty,
    LibraryRow.digested_at,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One search. `few`: all that is within reach, where that can be listed; `least`: so many
    candidates at least."""

    words: Question
    embedding: Embedding
    reach: Reach
    filters: Filters
    few: set[str] | None
    least: int


class Finder(Protocol):
    """Raises StorageUnavailable throughout."""

    async def refresh(self) -> None:
        """What is new in the table `library` can be found after this."""

    async def candidates(self, asked: Asked) -> tuple[Index, list[Candidate]]:
        """The best by their heads within reach and filters, and an index that knows them and how
        rare their words are."""

    async def forget(self, digest_ids: Collection[str]) -> None:
        """They were found and are not in `library` any more."""


def conditions(filters: Filters) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [
        LibraryRow.difficulty >= filters.easiest,
        LibraryRow.difficulty <= filters.hardest,
    ]
    if filters.language is not None:
        found.append(LibraryRow.language == filters.language)
    if filters.site is not None:
        found.append(LibraryRow.site == filters.site)
    if filters.since is not None:
        found.append(LibraryRow.digested_at >= filters.since)
    return found


def facts_of(row: Row[*tuple[Any, ...]]) -> Facts:
    return Facts(
        key=row.digest_id,
        content=row.content_hash,
        language=row.language,
        difficulty=row.difficulty,
        site=row.site or "",
        made_at=row.digested_at.timestamp(),
    )
