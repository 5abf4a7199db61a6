"""The JSON API over what was read: terms explained, questions answered, articles searched.

Whoever may use this server may see everything that is kept on it; a token is needed where
others could reach it (`security.py`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from bot import searching
from bot.http.bodies import checked, read_json
from bot.http.problems import HttpProblem
from bot.http.streaming import unless_gone
from core.article import Language
from core.explaining import Explanation, Unknown
from core.library import Everything, Filters, Hit
from core.retrieval.answering import Answer, NotRead

if TYPE_CHECKING:
    from bot.wiring import Service  # at run time we are given one; its imports stay there

ALL = Everything()
_QUESTION, _EARLIER = 600, 4


class AskBody(BaseModel):
    """`earlier`: the questions before it in the same conversation, the last one last."""

    model_config = ConfigDict(extra="forbid")

    question: str = Field(min_length=1, max_length=_QUESTION, pattern=r"\S")
    earlier: list[Annotated[str, Field(max_length=2 * _QUESTION)]] = Field(
        default_factory=list, max_length=_EARLIER
    )


class Found(BaseModel):
    """`answered` is false where nothing that was read answers it; then `near` has what is closest."""

    answered: bool
    answer: Answer | None = None
    not_read: NotRead | None = None


class ReadingApi:
    """The addresses under /v1 for what was read. Every method is one address."""

    def __init__(self, service: Service, *, max_body: int) -> None:
        self._service = service
        self._max_body = max_body

    def add_to(self, router: APIRouter) -> None:
        add = router.add_api_route
        add("/explain", self.explain, summary="What a term means, and who says so")
        add("/terms", self.terms, summary="Terms that can be explained, while one is typed")
        add(
            "/ask",
            self.ask,
            methods=["POST"],
            summary="A question, answered from what was read, with its sources",
            response_model=Found,
            openapi_extra={
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": AskBody.model_json_schema()}},
                }
            },
        )
        add("/search", self.search, summary="Articles that were read, the best first")

    async def explain(
        self,
        term: Annotated[str, Query(min_length=1, max_length=100)],
        language: Language = "en",
    ) -> Explanation:
        """From the articles read here, then from the glossary; 404 where neither knows it."""
        found = await self._service.consulting.explain(term, language, ALL)
        if isinstance(found, Unknown):
            raise HttpProblem(404, "unknown_term", term, near=found.near)
        return found

    async def terms(
        self,
        q: Annotated[str, Query(max_length=100)] = "",
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
    ) -> Response:
        return JSONResponse({"terms": await self._service.consulting.terms(q, ALL, limit=limit)})

    async def ask(self, request: Request) -> Found:
        body = checked(AskBody, await read_json(request, self._max_body))
        asking = self._service.consulting.ask_on(body.question, ALL, body.earlier)
        found = await unless_gone(request, asking)
        if isinstance(found, NotRead):
            return Found(answered=False, not_read=found)
        return Found(answered=True, answer=found)

    async def search(
        self,
        q: Annotated[str, Query(max_length=searching.LONGEST)] = "",
        level: Annotated[str, Query(max_length=20)] = "",
        language: Annotated[str, Query(max_length=20)] = "",
        site: Annotated[str, Query(max_length=200)] = "",
        since: Annotated[str, Query(max_length=20)] = "",
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
    ) -> Response:
        """Without words the newest. level: 1 to 5, a range such as 1-3, or a label; since: a date
        or an age such as 7d. The same filters may stand in the words, as in chats: level:1-3."""
        given = {"level": level, "lang": language, "site": site, "since": since}
        filters = " ".join(
            f"{key}:{value.strip()}" for key, value in given.items() if value.strip()
        )
        asked = searching.understood(f"{q} {filters}", datetime.now(UTC))
        if asked.mistakes:
            raise HttpProblem(400, "bad_request", ", ".join(asked.mistakes))
        found = await self._search(asked.query, asked.filters, limit)
        return JSONResponse({"hits": [hit_values(hit) for hit in found]})

    async def _search(self, query: str, filters: Filters, limit: int) -> list[Hit]:
        return await self._service.consulting.search(query, ALL, filters, limit=limit)


def hit_values(hit: Hit) -> dict[str, Any]:
    """For JSON. The score orders the hits of one search and means nothing beyond it."""
    return {
        "digest_id": hit.digest_id,
        "title": hit.title,
        "link": hit.link,
        "site": hit.site,
        "language": hit.language,
        "difficulty_level": {"score": hit.difficulty, "label": hit.label},
        "digested_at": hit.digested_at.isoformat(),
        "text": hit.text,
    }
