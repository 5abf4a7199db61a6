"""The JSON API: each address translates, hands over to the service, and answers.

A digest is answered in exactly the output contract; `details=1` puts beside it what else we
know, `stream=1` shows it while it is made.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from bot.http import shown
from bot.http.bodies import (
    ArticleBody,
    LinkBody,
    VerdictBody,
    Wanted,
    read_json,
    verdict_in,
    wanted,
)
from bot.http.metrics import Metrics
from bot.http.problems import HttpProblem, Problem, problem_of, unexpected
from bot.http.reading import ReadingApi
from bot.http.samples import digest_sample, own_sample
from bot.http.streaming import EventStream, Named, unless_gone
from bot.http.wording import words
from bot.intake import last
from core.article import Article
from core.digest import Digest, DigestRecord
from core.errors import DigestError
from core.ports import Verdict
from core.progress import Event
from core.settings import OutputLanguage

if TYPE_CHECKING:
    from bot.wiring import Service  # at run time we are given one; its imports stay there

log = logging.getLogger(__name__)

PROBLEMS: dict[int | str, dict[str, Any]] = {"default": {"model": Problem}}
BY = "page"  # one person, one machine: whose verdict it is need not be told apart further
_QUESTIONS_KEPT = 256


def _body_of(*models: type[Any]) -> dict[str, Any]:
    """The OpenAPI words for a body we read ourselves, so that it is bounded while it comes."""
    kinds = [
        model.model_json_schema(ref_template="#/components/schemas/{model}") for model in models
    ]
    for kind in kinds:
        kind.pop("$defs", None)
    schema = kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


class Api:
    """The addresses under /v1 for one service. Every method is one address."""

    def __init__(self, service: Service, metrics: Metrics, *, max_body: int) -> None:
        self.service = service
        self.metrics = metrics
        self.max_body = max_body
        self.reading = ReadingApi(service, max_body=max_body)
        self.asked: dict[str, tuple[str, ...]] = {}

    def router(self) -> APIRouter:
        router = APIRouter(prefix="/v1", responses=PROBLEMS, tags=["digests"])
        add = router.add_api_route
        add(
            "/digest",
            self.digest,
            methods=["POST"],
            summary="A link or an article in, a digest out",
            response_model=Digest,
            openapi_extra=_body_of(LinkBody, ArticleBody, Article),
        )
        add("/digests", self.recent, summary="The newest digests, newest first")
        add("/digests/{digest_id}", self.one, summary="A digest again", response_model=Digest)
        add(
            "/digests/{digest_id}/verdict",
            self.verdict,
            methods=["POST"],
            summary="What a reader says about a digest",
            status_code=204,
            openapi_extra=_body_of(VerdictBody),
        )
        add(
            "/digests/{digest_id}/questions",
            self.questions,
            methods=["POST"],
            summary="Five questions a reader may have",
        )
        self.reading.add_to(router)
        add(
            "/words", self.wording, summary="Words for labels, factors and notes, in both languages"
        )
        return router

    async def digest(self, request: Request, details: bool = False, stream: bool = False) -> Any:
        """The body is a link, an article in the input contract, or that article under "article".

        details=1 adds id, article and details; stream=1 answers with server-sent events:
        reading, judged, drafting, checking, and at last finished or failed.
        """
        wish = wanted(await read_json(request, self.max_body))
        events = self.metrics.watched(self._events(wish, request.headers.get("host", "")))
        if stream:
            return EventStream(_named(events))
        finished = await unless_gone(request, last(events))
        return _record_answer(request, finished.record, details=details)

    async def recent(self, limit: Annotated[int, Query(ge=1, le=100)] = 20) -> Response:
        kept = await self.service.digests.recent(limit)
        return JSONResponse({"digests": [shown.with_details(record) for record in kept]})

    async def one(self, request: Request, digest_id: str, details: bool = False) -> Response:
        return _record_answer(request, await self._record(digest_id), details=details)

    async def verdict(self, request: Request, digest_id: str) -> Response:
        said: Verdict = verdict_in(await read_json(request, self.max_body))
        if not await self.service.digests.add_verdict(digest_id, said, by=BY):
            raise HttpProblem(404, "unknown_digest", digest_id)
        self.metrics.verdicts.labels(said).inc()
        return Response(status_code=204)

    async def questions(self, request: Request, digest_id: str) -> Response:
        record = await self._record(digest_id)
        known = self.asked.get(digest_id) or record.details.questions
        if not known:
            known = await unless_gone(request, self.service.digester.questions(record))
            self.metrics.questions.inc()
            _remember(self.asked, digest_id, known)
        return JSONResponse({"questions": list(known)})

    async def wording(self) -> Response:
        return JSONResponse(words(), headers={"Cache-Control": "no-cache"})

    async def _record(self, digest_id: str) -> DigestRecord:
        record = await self.service.digests.get(digest_id)
        if record is None:
            raise HttpProblem(404, "unknown_digest", digest_id)
        return record

    def _events(self, wish: Wanted, host: str) -> AsyncGenerator[Event, None]:
        intake = self.service.intake
        language: OutputLanguage = wish.language
        if wish.article is not None:
            return intake.digest_article(wish.article, language, again=wish.again)
        link = wish.link or ""
        sample = own_sample(link, host)
        if sample is not None:
            return digest_sample(intake, sample, link, language, again=wish.again)
        return intake.digest_link(link, language, again=wish.again)


async def _named(events: AsyncGenerator[Event, None]) -> AsyncGenerator[Named, None]:
    """The events with their names; trouble is the last of them, since the status is long sent."""
    try:
        async with aclosing(events) as inner:
            async for happened in inner:
                yield shown.event(happened)
    except DigestError as error:
        yield "failed", problem_of(error).model_dump()
    except Exception:
        log.exception("a digest failed")
        yield "failed", unexpected().problem().model_dump()


def _record_answer(request: Request, record: DigestRecord, *, details: bool) -> Response:
    body = shown.with_details(record) if details else shown.contract(record)
    text = json.dumps(body, ensure_ascii=False).encode()
    headers = {
        "Location": f"/v1/digests/{record.id}",
        "X-Digest-Id": record.id,
        "ETag": f'"{hashlib.sha256(text).hexdigest()[:32]}"',
        "Cache-Control": "no-cache",
    }
    if request.method == "GET" and _matches(request.headers, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(text, headers=headers, media_type="application/json")


def _matches(headers: Mapping[str, str], etag: str) -> bool:
    given = [one.strip().removeprefix("W/") for one in headers.get("if-none-match", "").split(",")]
    return etag in given or "*" in given


def _remember(asked: dict[str, tuple[str, ...]], digest_id: str, known: tuple[str, ...]) -> None:
    while len(asked) >= _QUESTIONS_KEPT:
        asked.pop(next(iter(asked)))
    asked[digest_id] = known
