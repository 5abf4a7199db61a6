"""Known documents put in order for questions, by exactly what the product does; for evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.ports import Encoder
from core.retrieval.document import Body, Source, prepare
from core.retrieval.index import Facts, Index
from core.retrieval.passages import rank_passages
from core.retrieval.searching import Question, candidates, understand
from core.settings import RetrievalSettings


async def rank(
    queries: Sequence[Mapping[str, Any]],
    docs: Sequence[Mapping[str, Any]],
    encoder: Encoder,
    settings: RetrievalSettings | None = None,
) -> list[list[str]]:
    """The ids of the best documents (`settings.candidates` at most) for each query, the best first.

    A query has `query`, a document `id`, `title`, `text`, `language`. Raises EngineFailed.
    """
    shelf = await Shelf.of(docs, encoder, settings or RetrievalSettings())
    return [await shelf.rank(str(query["query"])) for query in queries]


class Shelf:
    """Documents in an index of their own, without a database."""

    def __init__(
        self,
        index: Index,
        bodies: Mapping[str, Body],
        encoder: Encoder,
        settings: RetrievalSettings,
    ) -> None:
        self.index, self.bodies = index, bodies
        self._encoder = encoder
        self.settings = settings

    @classmethod
    async def of(
        cls, docs: Sequence[Mapping[str, Any]], encoder: Encoder, settings: RetrievalSettings
    ) -> Shelf:
        sources = [Source(d.get("title") or "", d["text"], d["language"]) for d in docs]
        indexed = await prepare(sources, encoder)
        index = Index()
        index.add(
            (Facts(key=d["id"], content=d["id"], language=d["language"]), one.head)
            for d, one in zip(docs, indexed, strict=True)
        )
        bodies = {d["id"]: one.body for d, one in zip(docs, indexed, strict=True)}
        return cls(index, bodies, encoder, settings)

    async def rank(self, query: str) -> list[str]:
        return self.ranked(await understand(query, self._encoder))

    def ranked(self, question: Question) -> list[str]:
        found = candidates(self.index, question, None, self.settings, self.settings.candidates)
        ranked = rank_passages(self.index, question, found, self.bodies, self.settings)
        return [one.key for one in ranked]
