"""Feeds at a real server on this machine: asked, found, polled and kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from support.feed_hosts import feed
from support.feeds import NOW, FakeFeeds
from support.web_server import WebServer, an_article, serving, web_settings

from bot.polling import Poller
from core.errors import (
    AddressRefused,
    BadLink,
    FeedGone,
    FetchTimedOut,
    NotAFeed,
    NotFound,
    PageTooLarge,
    SiteUnavailable,
    StorageUnavailable,
)
from core.feed import Entry, Source
from core.web.asking import HostTurns
from core.web.discovery import Discovery
from core.web.fetch import SafeWeb
from storage.database import database_url, open_database
from storage.feeds import SqlFeeds

RSS = "application/rss+xml"
PERIOD = 6 * 3600


@pytest.fixture
async def server() -> AsyncIterator[WebServer]:
    async with serving() as running:
        yield running


@pytest.fixture
async def web(server: WebServer) -> AsyncIterator[SafeWeb]:
    web = SafeWeb(web_settings(server))
    yield web
    await web.close()


def a_feed(newest: int = 20) -> bytes:
    """Twelve entries of one blog, dated around now; the next number adds one."""
    first = int(NOW.timestamp() // PERIOD) - 20
    return feed(7, first + newest, PERIOD)


class Clock:
    def __init__(self) -> None:
        self.at = NOW

    def __call__(self):  # type: ignore[no-untyped-def]
        return self.at


# --- asking


async def test_what_has_not_changed_is_not_sent_again(server: WebServer, web: SafeWeb) -> None:
    given = {"ETag": '"v1"', "Last-Modified": "Mon, 05 Jan 2026 10:00:00 GMT"}
    server.page("/feed", a_feed(), RSS, headers={**given, "Cache-Control": "public, max-age=900"})
    first = await web.ask(server.url("/feed"))
    assert (first.status, first.body, first.max_age) == (200, a_feed(), 900)
    server.page("/feed", b"", None, status=304, headers=given)
    again = await web.ask(server.url("/feed"), etag=first.etag, last_modified=first.last_modified)
    assert (again.status, again.body) == (304, b"")
    asked = server.requests[-1].headers
    assert (asked["if-none-match"], asked["if-modified-since"]) == tuple(given.values())
    assert "atom" in asked["accept"]


async def test_a_validator_that_would_break_a_request_is_not_sent(
    server: WebServer, web: SafeWeb
) -> None:
    server.page("/feed", a_feed(), RSS)
    for etag in ('"a\r\nX-Evil: 1"', "é", "x" * 5000):
        await web.ask(server.url("/feed"), etag=etag)
        assert "if-none-match" not in server.requests[-1].headers
        assert "x-evil" not in server.requests[-1].headers


async def test_only_permanent_redirects_are_remembered(server: WebServer, web: SafeWeb) -> None:
    server.redirect("/old", "/for-good", 301)
    server.redirect("/for-good", "/for-now", 308)
    server.redirect("/for-now", "/there", 302)
    server.redirect("/there", "/feed", 301)
    server.page("/feed", a_feed(), RSS)
    answer = await web.ask(server.url("/old"))
    assert (answer.url, answer.lasting) == (server.url("/feed"), server.url("/for-now"))


@pytest.mark.parametrize(
    ("status", "error"),
    [(410, FeedGone), (404, NotFound), (429, SiteUnavailable), (500, SiteUnavailable)],
)
async def test_a_failure_is_named(
    server: WebServer, web: SafeWeb, status: int, error: type[Exception]
) -> None:
    server.page("/feed", b"no", None, status=status, headers={"Retry-After": "120"})
    with pytest.raises(error) as caught:
        await web.ask(server.url("/feed"))
    if error is SiteUnavailable:
        assert getattr(caught.value, "retry_after", None) == 120


async def test_a_feed_is_as_bounded_and_as_safe_as_a_page(server: WebServer) -> None:
    web = SafeWeb(web_settings(server, max_bytes=2000, timeout=0.3))
    server.page("/large", b"<rss>" + b"x" * 5000, RSS)
    server.redirect("/inside", "http://169.254.169.254/feed")
    server.slow("/slow")
    for path, error in {
        "/large": PageTooLarge,
        "/inside": AddressRefused,
        "/slow": FetchTimedOut,
    }.items():
        with pytest.raises(error):
            await web.ask(server.url(path))
    with pytest.raises(BadLink):
        await web.ask("gopher://blog.example/")
    await web.close()


async def test_one_at_a_time_at_each_host() -> None:
    turns, busy, most = HostTurns(), {"a": 0, "b": 0}, {"a": 0, "b": 0}

    async def visit(host: str) -> None:
        async with turns(host):
            busy[host] += 1
            most[host] = max(most[host], busy[host])
            await asyncio.sleep(0)
            busy[host] -= 1

    await asyncio.gather(*(visit(host) for host in "aabbaabb"))
    assert most == {"a": 1, "b": 1}
    assert turns._locks == {}  # nothing is left of hosts nobody asks any more


# --- polling


class Polling:
    """A poller over a keeper of feeds, with a clock that a test turns."""

    def __init__(self, feeds: FakeFeeds | SqlFeeds, web: SafeWeb, clock: Clock) -> None:
        self.clock = clock
        self.new: list[Entry] = []
        self.poller = Poller(feeds, web, "p1", told=self.new.extend, now=clock)
        self.feeds = feeds

    async def round(self, later: timedelta = timedelta(days=1)) -> list[str]:
        """The titles of what is new."""
        self.new.clear()
        await self.poller.catch_up()
        self.clock.at += later
        return [entry.title for entry in self.new]


@pytest.fixture
async def polling(web: SafeWeb, tmp_path: Path) -> AsyncIterator[Polling]:
    clock = Clock()
    async with open_database(database_url(None, tmp_path)) as engine:
        yield Polling(SqlFeeds(engine, clock), web, clock)


async def state(polling: Polling, source: Source) -> Source:
    found = await polling.feeds.get(source.id)
    assert found is not None
    return found


async def test_a_feed_is_polled_from_its_first_entries_to_its_end(
    server: WebServer, polling: Polling
) -> None:
    source = await polling.feeds.add(server.url("/feed"))
    server.page("/feed", a_feed(), RSS, headers={"ETag": '"1"'})
    assert len(await polling.round()) == 3
    known = await state(polling, source)
    assert (known.title, known.etag, known.failures) == ("Engineering 7", '"1"', 0)

    server.page("/feed", b"", None, status=304)
    assert await polling.round() == []
    assert server.requests[-1].headers["if-none-match"] == '"1"'

    server.page("/feed", a_feed(21), RSS, headers={"ETag": '"2"'})
    assert len(await polling.round()) == 1

    server.page("/feed", b"", None, status=503)
    assert await polling.round() == []
    assert (await state(polling, source)).error == "site_unavailable"

    server.redirect("/feed", "/new", 301)
    server.page("/new", a_feed(22), RSS)
    assert len(await polling.round()) == 1
    moved = await state(polling, source)
    assert (moved.url, moved.failures) == (server.url("/new"), 0)

    server.page("/new", b"", None, status=410)
    await polling.round()
    [gone] = await polling.feeds.given_up(10)
    assert (gone.id, gone.error) == (source.id, "feed_gone")
    asked = len(server.requests)
    await polling.round()
    assert len(server.requests) == asked


async def test_a_page_instead_of_a_feed_is_a_failure_that_is_retried(
    server: WebServer, polling: Polling
) -> None:
    source = await polling.feeds.add(server.url("/feed"))
    server.page("/feed", an_article())
    await polling.round(timedelta(minutes=4))
    assert (await state(polling, source)).error == "not_a_feed"
    asked = server.asked("/feed")
    await polling.round(timedelta(minutes=2))
    assert server.asked("/feed") == asked  # its five minutes are not over
    server.page("/feed", a_feed(), RSS)
    assert len(await polling.round()) == 3


async def test_a_feed_without_etags_is_known_by_its_body(
    server: WebServer, polling: Polling
) -> None:
    await polling.feeds.add(server.url("/feed"))
    server.page("/feed", a_feed(), RSS)
    await polling.round()
    await polling.round()
    assert polling.poller.counts == {"changed": 1, "unchanged": 1}


async def test_who_starts_again_goes_on_where_others_stopped(
    server: WebServer, polling: Polling, web: SafeWeb
) -> None:
    """One claimed and died, another was stopped in the middle."""
    for number in range(3):
        await polling.feeds.add(server.url(f"/{number}"))
        server.page(f"/{number}", feed(number, 20, PERIOD), RSS)
    assert len(await polling.feeds.due(polling.clock.at, 9, by="dead", lease=60)) == 3
    assert await polling.round(timedelta(minutes=2)) == []
    await polling.round()
    assert polling.poller.counts["changed"] == 3


@contextmanager
def away(feeds: FakeFeeds) -> Iterator[None]:
    async def refuse(*_: object, **__: object) -> list[Source]:
        raise StorageUnavailable("database", "away")

    kept, feeds.due = feeds.due, refuse  # type: ignore[method-assign]
    yield
    feeds.due = kept  # type: ignore[method-assign]


async def test_at_work_it_asks_what_is_added_and_gives_its_claims_back(
    server: WebServer, web: SafeWeb
) -> None:
    feeds, heard = FakeFeeds(), asyncio.Event()
    server.page("/feed", a_feed(), RSS)
    server.slow("/slow")
    poller = Poller(feeds, web, "p1", told=lambda _: heard.set())
    async with poller.open():
        await feeds.add(server.url("/feed"))
        poller.nudge()
        await asyncio.wait_for(heard.wait(), 20)
        await feeds.add(server.url("/slow"))
        poller.nudge()
        async with asyncio.timeout(20):
            while not server.asked("/slow"):
                await asyncio.sleep(0.01)
        assert feeds.claims
    assert feeds.claims == {}


async def test_a_database_that_is_away_ends_nothing(server: WebServer, web: SafeWeb) -> None:
    feeds, heard = FakeFeeds(), asyncio.Event()
    server.page("/feed", a_feed(), RSS)
    await feeds.add(server.url("/feed"))
    poller = Poller(feeds, web, "p1", told=lambda _: heard.set())
    with away(feeds):
        opened = poller.open()
        await opened.__aenter__()
        await asyncio.sleep(0)
    poller.nudge()
    await asyncio.wait_for(heard.wait(), 20)
    await opened.__aexit__(None, None, None)


# --- finding


async def test_a_feed_s_own_address_is_that_feed(server: WebServer, web: SafeWeb) -> None:
    server.page("/feed", a_feed(), RSS)
    [found] = await Discovery(web)(server.url("/feed"))
    assert (found.url, found.title, found.kind) == (server.url("/feed"), "Engineering 7", "feed")


async def test_a_page_names_its_feeds_and_comments_come_last(
    server: WebServer, web: SafeWeb
) -> None:
    links = "".join(
        f'<link rel="alternate" type="{kind}" title="{title}" href="{href}">'
        for kind, title, href in [
            (RSS, "Comments", "/comments/feed"),
            ("application/atom+xml", "Posts", "blog/atom"),
            (RSS, "Broken", "/broken"),
            ("text/html", "Deutsch", "/de"),
        ]
    )
    server.page("/", f"<html><head><base href='/sub/'>{links}</head><body>Hi</body></html>")
    server.page("/comments/feed", feed(1, 9, 3600), RSS)
    server.page("/sub/blog/atom", feed(2, 9, 3600), "text/plain")
    server.page("/broken", an_article())
    found = await Discovery(web)(server.url("/"))
    assert [one.url for one in found] == [
        server.url("/sub/blog/atom"),
        server.url("/comments/feed"),
    ]
    assert server.asked("/de") == 0


async def test_links_that_speak_of_a_feed_are_followed(server: WebServer, web: SafeWeb) -> None:
    server.page(
        "/blog/", "<p>Hello <a href='/somewhere/else'>RSS 구독</a> <a href='/feedback'>?</a>"
    )
    server.page("/somewhere/else", feed(3, 9, 3600), RSS)
    [found] = await Discovery(web)(server.url("/blog/"))
    assert found.url == server.url("/somewhere/else")
    assert server.asked("/feedback") == 0


async def test_usual_places_are_tried_in_the_end(server: WebServer, web: SafeWeb) -> None:
    server.page("/blog/post", an_article())
    server.page("/rss.xml", feed(3, 9, 3600), RSS)
    [found] = await Discovery(web)(server.url("/blog/post"))
    assert found.url == server.url("/rss.xml")


async def test_where_there_is_no_feed_it_says_so(server: WebServer, web: SafeWeb) -> None:
    server.page("/", an_article())
    with pytest.raises(NotAFeed):
        await Discovery(web)(server.url("/"))
    with pytest.raises(NotFound):
        await Discovery(web)(server.url("/nothing"))
