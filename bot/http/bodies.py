"""Request bodies: read with a bound, then checked against what each address takes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request

from bot.http.problems import HttpProblem
from core.article import Article
from core.errors import BadArticle
from core.ports import Verdict
from core.settings import OutputLanguage


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class LinkBody(Body):
    """A link to digest."""

    link: str = Field(min_length=1, max_length=4096)
    language: OutputLanguage = "auto"
    again: bool = False


class ArticleBody(Body):
    """An article in the input contract, with wishes beside it."""

    article: Article
    language: OutputLanguage = "auto"
    again: bool = False


class VerdictBody(Body):
    """What a reader says about a digest."""

    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be digested: exactly one of `link` and `article`."""

    language: OutputLanguage
    again: bool
    link: str | None = None
    article: Article | None = None


BodyT = TypeVar("BodyT", bound=BaseModel)


async def read_json(request: Request, limit: int) -> dict[str, Any]:
    """The body as an object. Stops reading at `limit` bytes, whatever the client announced."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HttpProblem(415, "not_json")
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            raise HttpProblem(413, "body_too_large", str(limit), headers={"Connection": "close"})
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise HttpProblem(400, "bad_request", "the body is not JSON") from error
    if not isinstance(value, dict):
        raise HttpProblem(400, "bad_request", "the body is not a JSON object")
    return value


def wanted(body: dict[str, Any]) -> Wanted:
    """What is asked for. A body without `link` and `article` is itself the article."""
    if "link" in body and "article" in body:
        raise HttpProblem(400, "bad_request", "give either link or article, not both")
    if "link" in body:
        link = checked(LinkBody, body)
        return Wanted(link.language, link.again, link=link.link.strip())
    if "article" in body:
        given = body | {"article": _article(body["article"])}
        whole = checked(ArticleBody, given)
        return Wanted(whole.language, whole.again, article=whole.article)
    if "content" in body:
        return Wanted("auto", False, article=_article(body))
    raise HttpProblem(400, "bad_request", "neither link, article nor content is given")


def verdict_in(body: dict[str, Any]) -> Verdict:
    return checked(VerdictBody, body).verdict


def checked(kind: type[BodyT], body: dict[str, Any]) -> BodyT:
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        raise HttpProblem(400, "bad_request", mistakes(error)) from error


def mistakes(error: ValidationError) -> str:
    return mistakes_in(error.errors(include_url=False, include_input=False))


def mistakes_in(entries: Iterable[Any]) -> str:
    """All mistakes in one line, each with its key."""
    return "; ".join(
        f"{'.'.join(map(str, entry['loc'])) or 'body'}: {entry['msg']}" for entry in entries
    )


def _article(value: Any) -> Article:
    try:
        return Article.model_validate(value)
    except ValidationError as error:
        raise BadArticle("article", mistakes(error)) from error
