"""The index over all that was read, and what is asked of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from core.article import Article, Language
from core.digest import DigestRecord
from core.library import Filters, Hit, LibraryState, Passage, Reach
from core.places import Place


class Library(Protocol):
    """Search in what was read. Raises StorageUnavailable throughout."""

    async def add(self, record: DigestRecord, article: Article) -> None:
        """Adding the same digest again replaces it. `record` is kept in Digests before."""

    async def remove(self, digest_ids: Sequence[str]) -> None:
        """Those that are not there are passed over."""

    async def search(
        self,
        query: str,
        *,
        reach: Reach,
        filters: Filters | None = None,
        limit: int = 10,
        rewrites: Sequence[str] = (),
    ) -> list[Hit]:
        """Each article once, the best first; without a query the newest first.

        `rewrites`: other wordings of the same question, beside those that are made here.
        """

    async def passages(
        self,
        query: str,
        *,
        reach: Reach,
        filters: Filters | None = None,
        limit: int = 3,
        rewrites: Sequence[str] = (),
    ) -> list[Passage]:
        """The best passages, at most two of one article; `limit` in all."""

    async def state(self) -> LibraryState:
        """How complete the index is."""


class AskedTerms(Protocol):
    """Terms that people had explained to them. Raises StorageUnavailable throughout."""

    async def add(self, place: Place, by: str, term: str, language: Language) -> None:
        """`by`: the person, in the platform's own words."""

    async def often(self, place: Place, limit: int) -> list[str]:
        """Those asked for most in a channel, the most frequent first."""
