"""What is kept of articles: digests, readings, what people think of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol

from core.article import Article, Page
from core.digest import DigestRecord

Verdict = Literal["too_easy", "too_hard", "good", "bad"]


class Digests(Protocol):
    """Digests we keep."""

    async def get(self, digest_id: str) -> DigestRecord | None: ...

    async def add(
        self, record: DigestRecord, *, content_hash: str, page: Page | None = None
    ) -> None:
        """Adding the same id again replaces it. `page`: what it was read from, for its validators."""

    async def recent(self, limit: int) -> list[DigestRecord]:
        """Newest first."""

    async def add_verdict(self, digest_id: str, verdict: Verdict, *, by: str) -> bool:
        """One verdict a person and digest and kind of question; False for an unknown digest."""

    async def add_questions(self, digest_id: str, questions: Sequence[str]) -> None:
        """Keeps reader questions with a digest, so that they are asked for once."""


class Articles(Protocol):
    """Articles we have read, text included."""

    async def put(self, article: Article, *, link: str, page: Page | None = None) -> str:
        """Keeps it under its content hash, which is returned. `link`: the canonical address asked
        for; `page`: what it was read from, for its validators."""

    async def get(self, content_hash: str) -> Article | None: ...

    async def read_at(self, link: str, since: datetime) -> Article | None:
        """What stood at this canonical address when it was last read, if that was since then."""
