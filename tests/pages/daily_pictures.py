"""Pictures of the daily message in Slack and Discord, for the README.

    python tests/pages/daily_pictures.py [--out pictures]

Listed are the samples that come with the product, digested here by the engine without a model
(the articles' own sentences; the difficulty is judged as always), and the record pictured by
`chat_pictures.py`, whose drawing this is.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent), str(HERE)]

from chat_pictures import (  # type: ignore[import-not-found]  # noqa: E402 - beside this file
    BOT,
    OUT,
    WORDS,
    Json,
    answer,
    make_smaller,
    photograph,
    record_in,
)
from chat_pictures import HERE as RECORDS  # noqa: E402
from support.fakes import FakeEncoder  # noqa: E402

from bot import telling  # noqa: E402
from bot.chats import Listed, Morning, Ready  # noqa: E402
from bot.feed_words import long_day, say  # noqa: E402
from bot.http.samples import SAMPLES  # noqa: E402
from core.announcements import Posted  # noqa: E402
from core.article import Language, Page  # noqa: E402
from core.digest import DigestRecord  # noqa: E402
from core.digesting import Digester  # noqa: E402
from core.engine.echo import EchoEngine  # noqa: E402
from core.places import Place, Platform, SharedLink  # noqa: E402
from core.settings import DigestSettings, GenerationSettings, WebSettings  # noqa: E402
from core.web.extract import Extractor  # noqa: E402

DAY = date(2026, 11, 26)
PLATFORMS: tuple[Platform, ...] = ("slack", "discord")
LANGUAGES: tuple[Language, ...] = ("en", "ko")
NAMES: dict[Language, tuple[str, str, str]] = {
    "en": ("PostgreSQL", "Blue Harbor Engineering", "Example Cloud Blog"),
    "ko": ("React", "파란항구 기술 블로그", "예시 클라우드"),
}


async def digested(ui: Language) -> list[DigestRecord]:
    """The pictured record first, then the samples of that language."""
    digester = Digester(EchoEngine(), FakeEncoder(), DigestSettings(), GenerationSettings())
    extract = Extractor(WebSettings())
    found = [record_in(RECORDS / "records" / ("english.json" if ui == "en" else "korean.json"))]
    for sample in SAMPLES:
        if sample.language == ui:
            address = f"https://blog.example.com{sample.path}"
            page = Page(address, sample.file.read_bytes(), "text/html", "utf-8")
            found.append(await digester.digest(extract(page)))
    return found


def listed(records: Sequence[DigestRecord], ui: Language) -> tuple[Listed, ...]:
    found = []
    for record, source in zip(records, NAMES[ui], strict=True):
        head, level = record.article, record.digest.difficulty_level
        link = head.url or ""
        told = Posted(record.id, link, head.title or "", source, record.id, level.score)
        found.append(telling.listed(told, record))
    return tuple(found)


def scene(platform: Platform, theme: str, ui: Language, records: Sequence[DigestRecord]) -> Json:
    words = WORDS[ui]
    shared = SharedLink(records[0].article.url or "", Place(platform, "1", "2"), "3", "4", ui=ui)
    replies = f"댓글 {len(records)}개" if ui == "ko" else f"{len(records)} replies"
    called = say("thread_name", ui, day=long_day(DAY, ui))
    at = "오전 8:00" if ui == "ko" else "8:00 AM"
    morning = answer(platform, Morning("0" * 16, DAY, listed(records, ui)), shared)
    first = answer(platform, Ready(records[0]), shared)
    return {
        "platform": platform,
        "theme": theme,
        "ui": ui,
        "words": {**words, "thread": called, "replies": replies},
        "messages": [{**one, "author": BOT, "at": at} for one in (morning, first)],
        "strip": [],
    }


async def take(out: Path) -> None:
    began = datetime.now(UTC)
    scenes: dict[str, Json] = {}
    for ui in LANGUAGES:
        records = await digested(ui)
        for platform in PLATFORMS:
            theme = "light" if ui == "en" else "dark"
            scenes[f"{platform}-daily-{ui}-{theme}"] = scene(platform, theme, ui, records)
    await photograph(scenes, out)
    make_smaller([out / f"{name}.png" for name in scenes])
    sys.stdout.write(f"{len(scenes)} pictures in {datetime.now(UTC) - began}\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=OUT, help="where the pictures go")
    asyncio.run(take(parser.parse_args().out))
