"""The article behind a page of talk."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.feeds import NOW

from core.errors import SiteUnavailable
from core.feed import Source
from core.web.answers import Answer
from core.web.asking import HostTurns, asked
from core.web.fetch import Turns
from core.web.linked import is_talk, linked_in

TOPIC = "https://news.hada.io/topic?id=7"
PAGE = """<div class="topictitle link"><a href="https://else.example/a?utm_source=geeknews"
class="bold"><h1>Title</h1></a> <a href="/site">(else.example)</a></div>
<div class=comments><a href="https://other.example/">no</a></div>"""
FEED = "https://news.hada.io/rss/news"


def entry(number: int) -> str:
    return (
        f"<entry><id>{number}</id><title>T{number}</title>"
        f'<link href="https://news.hada.io/topic?id={number}"/></entry>'
    )


class Pages:
    """Answers by address; what is not there is not to be had."""

    def __init__(self) -> None:
        self.answers = {TOPIC: PAGE}
        self.asked: list[str] = []

    async def ask(
        self, url: str, *, etag: str | None = None, last_modified: str | None = None,
        turn: Turns | None = None,
    ) -> Answer:  # fmt: skip
        self.asked.append(url)
        if url not in self.answers:
            raise SiteUnavailable(url, "away")
        return Answer(200, url, url, self.answers[url].encode())


def test_the_link_at_the_top_is_the_article() -> None:
    assert is_talk(TOPIC)
    assert linked_in(TOPIC, PAGE.encode()) == "https://else.example/a"


@pytest.mark.parametrize(
    "page",
    ["", "<p>nothing</p>", PAGE.replace("https://else.example/a", "/topic?id=8"),
     PAGE.replace("https:", "javascript:")],
)  # fmt: skip
def test_a_page_about_nothing_else_has_none(page: str) -> None:
    assert linked_in(TOPIC, page.encode()) is None


@pytest.mark.parametrize("link", ["https://news.hada.io/", "https://blog.example/topic?id=7"])
def test_other_pages_are_no_talk(link: str) -> None:
    assert not is_talk(link)
    assert linked_in(link, PAGE.encode()) is None


async def test_of_a_feed_of_talk_the_articles_are_announced() -> None:
    pages = Pages()
    pages.answers[FEED] = (
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>GeekNews</title>'
        f"{entry(7)}{entry(8)}{entry(9)}{entry(10)}</feed>"
    )
    source = Source("s1", FEED, kind="links")
    outcome = await asked(pages, source, HostTurns(), NOW)
    first, second = outcome.announced[:2]
    assert (first.link, first.comments) == ("https://else.example/a", TOPIC)
    assert second.link == "https://news.hada.io/topic?id=8"
    assert len(pages.asked) == 4  # the feed, and as many as will be new of it
    pages.asked.clear()
    await asked(pages, replace(source, kind="feed"), HostTurns(), NOW)
    assert pages.asked == [FEED]
