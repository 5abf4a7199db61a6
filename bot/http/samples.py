"""Our own sample articles: served like any page, and digested without asking the web.

The fetcher refuses loopback addresses, and rightly so. A link to a sample on the address
under which the page itself was opened is therefore read from the file; every other link goes
its usual way.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bot.intake import Intake
from core.article import Language, Page
from core.progress import Event
from core.settings import OutputLanguage

FOLDER = Path(__file__).parent / "samples"


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample article. `title` stands in the file too; a test holds them together."""

    name: str
    language: Language
    title: str
    teaser: str

    @property
    def path(self) -> str:
        return f"/samples/{self.name}.html"

    @property
    def file(self) -> Path:
        return FOLDER / f"{self.name}.html"


SAMPLES: tuple[Sample, ...] = (
    Sample(
        "write-ahead-logging",
        "en",
        "How write-ahead logging keeps a database honest",
        "Why a database writes everything twice, and what it gets for it.",
    ),
    Sample(
        "service-mesh",
        "en",
        "What a service mesh does, and what it costs",
        "Sidecars, mutual TLS and the bill in milliseconds.",
    ),
    Sample(
        "kubernetes-pod-restarts",
        "ko",
        "쿠버네티스 파드는 왜 재시작되는가",
        "프로브, OOMKilled, CrashLoopBackOff를 구분하는 법.",
    ),
    Sample(
        "slow-query-with-index",
        "ko",
        "인덱스가 있는데도 쿼리가 느린 이유",
        "실행 계획에서 먼저 볼 것들.",
    ),
)
_BY_PATH = {sample.path: sample for sample in SAMPLES}


def sample_at(path: str) -> Sample | None:
    return _BY_PATH.get(path)


def own_sample(link: str, host: str) -> Sample | None:
    """The sample a link names, if it lies on `host` (the Host header of this very request)."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or parts.netloc.lower() != host.lower():
        return None
    return sample_at(parts.path)


async def digest_sample(
    intake: Intake, sample: Sample, link: str, language: OutputLanguage, *, again: bool
) -> AsyncGenerator[Event, None]:
    body = await asyncio.to_thread(sample.file.read_bytes)
    page = Page(url=link, body=body, content_type="text/html", charset="utf-8")
    article = await asyncio.to_thread(intake.extract, page)
    async with aclosing(intake.digest_article(article, language, again=again)) as events:
        async for event in events:
            yield event
