"""What went wrong, as HTTP: a status and a problem in both languages.

The sentences for the product's own errors are those of `bot/replies.py`; only what can go
wrong between a browser and this server has its sentence here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from starlette.responses import JSONResponse

from bot import replies
from core.errors import DigestError, SiteUnavailable

STATUS: Mapping[str, int] = {
    "bad_link": 400,
    "bad_article": 422,
    "bad_subscription": 422,
    "asked_too_often": 429,
    "fetch_failed": 502,
    "not_found": 404,
    "site_unavailable": 502,
    "timed_out": 504,
    "too_many_redirects": 502,
    "too_large": 413,
    "unsupported_type": 415,
    "not_a_feed": 422,
    "feed_gone": 410,
    "address_refused": 403,
    "robots_refused": 403,
    "nothing_to_read": 422,
    "login_wall": 422,
    "script_wall": 422,
    "too_thin": 422,
    "empty": 422,
    "image_pdf": 422,
    "engine_failed": 500,
    "engine_busy": 503,
    "engine_timed_out": 504,
    "engine_out_of_memory": 503,
    "model_not_ready": 503,
    "article_gone": 410,
    "chat_failed": 502,
    "chat_unavailable": 503,
    "chat_refused": 403,
    "message_gone": 410,
    "storage_unavailable": 503,
}
ENGINE_RETRY_SECONDS = 5
_SENTENCES: Mapping[str, tuple[str, str]] = {
    "bad_request": (
        "This request cannot be understood: {subject}.",
        "요청을 이해할 수 없습니다: {subject}.",
    ),
    "body_too_large": (
        "The request is larger than the {subject} bytes this server reads.",
        "요청이 이 서버가 읽는 {subject}바이트보다 큽니다.",
    ),
    "not_json": (
        "The request must be sent as application/json.",
        "요청은 application/json으로 보내야 합니다.",
    ),
    "unauthorized": (
        "A token is needed here: send it as Authorization: Bearer.",
        "토큰이 필요합니다. Authorization: Bearer 헤더로 보내 주세요.",
    ),
    "forbidden_host": (
        "This server does not answer to that host name.",
        "이 서버는 그 호스트 이름으로 온 요청에 답하지 않습니다.",
    ),
    "forbidden_origin": (
        "Another site may not use this server.",
        "다른 사이트에서는 이 서버를 쓸 수 없습니다.",
    ),
    "unknown_digest": (
        "There is no digest with the number {subject}.",
        "{subject} 번호의 다이제스트가 없습니다.",
    ),
    "unknown_term": (
        "“{subject}” is neither in the digests made here nor in the glossary.",
        "“{subject}”은(는) 여기서 만든 다이제스트에도 용어집에도 없습니다.",
    ),
    "no_such_page": ("There is no such page here.", "그런 페이지는 없습니다."),
    "wrong_method": (
        "This address does not take that kind of request.",
        "이 주소는 그런 방식의 요청을 받지 않습니다.",
    ),
    "failed": (
        "Something unexpected went wrong here. It is in the log.",
        "예상하지 못한 문제가 생겼습니다. 로그에 남겼습니다.",
    ),
}


class Problem(BaseModel):
    """The body of every answer that is not a success. `near`: what may have been meant."""

    code: str
    message_en: str
    message_ko: str
    subject: str
    retryable: bool = False
    near: list[str] = []


class HttpProblem(Exception):
    """A problem of the conversation itself: a bad body, a missing token, an unknown number."""

    def __init__(
        self,
        status: int,
        code: str,
        subject: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        near: Sequence[str] = (),
    ) -> None:
        super().__init__(code, subject)
        self.status = status
        self.code = code
        self.subject = subject[:200]
        self.headers = dict(headers or {})
        self.near = list(near)

    def problem(self) -> Problem:
        english, korean = _SENTENCES[self.code]
        return Problem(
            code=self.code,
            message_en=english.format(subject=self.subject),
            message_ko=korean.format(subject=self.subject),
            subject=self.subject,
            near=self.near,
        )


def unexpected() -> HttpProblem:
    return HttpProblem(500, "failed")


def problem_of(error: DigestError) -> Problem:
    return Problem(
        code=error.code,
        message_en=replies.sentence(error, "en"),
        message_ko=replies.sentence(error, "ko"),
        subject=error.subject,
        retryable=error.retryable,
    )


def retry_after(error: DigestError) -> int | None:
    """Whole seconds after which asking again makes sense, where we know."""
    if isinstance(error, SiteUnavailable) and error.retry_after is not None:
        return max(1, math.ceil(error.retry_after))
    return ENGINE_RETRY_SECONDS if error.code in ("engine_busy", "model_not_ready") else None


def problem_response(error: HttpProblem | DigestError) -> JSONResponse:
    headers: dict[str, str] = {}
    if isinstance(error, HttpProblem):
        return _json(error.problem(), error.status, error.headers)
    seconds = retry_after(error)
    if seconds is not None:
        headers["Retry-After"] = str(seconds)
    return _json(problem_of(error), STATUS.get(error.code, 500), headers)


def _json(problem: Problem, status: int, headers: Mapping[str, str]) -> JSONResponse:
    body: dict[str, Any] = problem.model_dump()
    return JSONResponse(body, status, headers=dict(headers), media_type="application/problem+json")
