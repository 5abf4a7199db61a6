"""subscribe, feeds and daily as people type them, against feeds of a local server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest
from support.command import Command
from support.web_server import WebServer, an_article, serving

FEED = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0"><channel><title>Pools &amp; Queues</title><link>{site}</link>
<description>Measured</description>
{items}
</channel></rss>"""
ITEM = "<item><title>{title}</title><link>{link}</link><pubDate>{at}</pubDate></item>"
SITE = """<!doctype html><title>Pools</title>
<link rel="alternate" type="application/rss+xml" href="/feed.xml" title="Everything">
<p>Welcome</p>"""


@pytest.fixture
async def site() -> AsyncIterator[WebServer]:
    async with serving() as server:
        at = format_datetime(datetime.now(UTC))
        items = [
            ITEM.format(title=f"Article {name}", link=server.url(f"/{name}"), at=at)
            for name in ("one", "two")
        ]
        feed = FEED.format(site=server.url("/"), items="\n".join(items))
        server.page("/feed.xml", feed, content_type="application/rss+xml")
        server.page("/", SITE)
        for number, name in enumerate(("one", "two")):
            server.page(f"/{name}", an_article(200 + 50 * number, f"Article {name}"))
        yield server


async def test_somebody_subscribes_sees_todays_choice_and_unsubscribes(
    tmp_path: Path, site: WebServer
) -> None:
    command = Command(tmp_path)
    command.environ["SMARTDEVDIGEST_WEB__ALLOW_HOSTS"] = site.host

    wrong = await command("subscribe", site.url("/"), "--at", "noon", "--timezone", "Mars/X")
    assert wrong.code == 1
    assert "08:00" in wrong.err
    assert "Time zone" in wrong.err

    done = await command("subscribe", site.url("/"), "--timezone", "Asia/Seoul", "--size", "1")
    assert (done.code, done.err) == (0, "")
    assert "Pools & Queues" in done.out

    # Twice, since a dry run changes nothing: what is shown is still new.
    for _ in range(2):
        shown = await command("daily", "--now", "--dry-run")
        assert shown.code == 0, shown.err
        assert shown.out.count("Article ") == 1, shown.out
    assert site.asked("/feed.xml") <= 2, "once to find it, once to poll it"

    posted = await command("--ui", "ko", "daily", "1", "--now")
    assert "오늘의 선택" in posted.out
    listed = await command("feeds")
    assert "1 posted lately" in listed.out
    assert "last worked" in listed.out
    assert ".atom" in listed.out

    removed = await command("feeds", "--remove", "1")
    assert "no subscription" in removed.out
    unknown = await command("feeds", "--pause", "1")
    assert unknown.code == 1


@pytest.mark.parametrize("name", ["subscribe", "feeds", "daily"])
async def test_help_shows_examples(tmp_path: Path, name: str) -> None:
    ended = await Command(tmp_path)(name, "--help")
    assert ended.code == 0
    assert f"smartdevdigest {name}" in ended.out
