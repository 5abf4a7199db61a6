"""Subscribing as no surface owns it: lists of feeds, what is told, what rests afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.fakes import FakeDigests
from support.subscribed import FEED, SITE, SubscribedWorld

from bot.discord.feeds import feeds_like
from bot.feed_lists import feeds_in, known_feeds
from bot.feed_words import WORDS
from bot.subscribing import NoFeed, mistakes_in_words, overview_lines, subscribed_in_words
from core.errors import NotAFeed
from core.feed import FoundFeed
from core.places import HERE, Place
from core.wishes import Mistakes

OPML = """<?xml version="1.0"?><opml version="2.0"><body><outline text="Blogs">
<outline type="rss" text="One" xmlUrl="https://one.example/feed"/>
<outline type="rss" text="Two" xmlUrl="https://two.example/feed"/></outline></body></opml>"""


def test_every_word_is_there_in_both_languages_with_the_same_gaps() -> None:
    for key, (korean, english) in WORDS.items():
        assert korean.strip(), key
        assert english.strip(), key
        gaps = [
            sorted(part.split("}")[0].split(":")[0] for part in text.split("{")[1:])
            for text in (korean, english)
        ]
        assert gaps[0] == gaps[1], key


async def test_the_feeds_of_a_list_are_taken_without_asking_any_of_them(tmp_path: Path) -> None:
    file = tmp_path / "feeds.opml"
    file.write_text(OPML, encoding="utf-8")
    world = SubscribedWorld()
    listed = feeds_in(file)
    done = await world.subscribing.subscribe(HERE, "cli", {"sources": ""}, ui="en", listed=listed)
    assert [one.title for one in done.sources] == ["One", "Two"]
    assert world.found.asked == []
    [kept] = await world.subscriptions.all()
    assert len(kept.sources) == 2


def test_a_file_that_is_no_list_is_said_so(tmp_path: Path) -> None:
    file = tmp_path / "feeds.opml"
    file.write_text("<html></html>", encoding="utf-8")
    for wrong in (file, tmp_path / "none.opml"):
        with pytest.raises(NotAFeed):
            feeds_in(wrong)


async def test_without_any_feed_there_is_no_subscription() -> None:
    world = SubscribedWorld()
    with pytest.raises(Mistakes):
        await world.subscribing.subscribe(HERE, "cli", {"sources": " "}, ui="en")
    with pytest.raises(NoFeed) as caught:
        await world.subscribing.subscribe(HERE, "cli", {"sources": "no.example"}, ui="ko")
    assert "no.example" in mistakes_in_words(caught.value, "ko")
    assert world.feeds.sources == {}


async def test_a_feed_rests_when_its_last_reader_leaves() -> None:
    world = SubscribedWorld()
    first = await world.subscribed(HERE)
    other = await world.subscribed(Place("slack", "T1", "C1"))
    [source] = world.feeds.sources.values()
    await world.subscribing.remove(first)
    assert world.feeds.sources[source.id].state == "alive"
    await world.subscribing.remove(other)
    assert world.feeds.sources[source.id].state == "paused"
    assert await world.subscribing.remove(other) is False


async def test_what_came_from_where_and_when_it_last_worked_is_told() -> None:
    world = SubscribedWorld("https://d.example/")
    mine = await world.subscribed(HERE, difficulty="2-3.5", quiet="22:00-07:00", avoid="광고")
    await world.a_morning(mine, FakeDigests())
    [one] = await world.subscribing.of(HERE)
    for ui in ("ko", "en"):
        told = "\n".join(overview_lines(one, "ko" if ui == "ko" else "en"))
        for part in ("2.0–3.5", "22:00–07:00", "광고", "Pools & Queues", "Asia/Seoul", "08:00"):
            assert part in told
    atom, as_json = world.subscribing.addresses(one.subscription)
    assert atom == f"https://d.example/feeds/{one.subscription.secret}.atom"
    assert as_json.endswith(".json")


async def test_a_site_with_several_feeds_says_which_others_there_are() -> None:
    world = SubscribedWorld()
    done = await world.subscribing.subscribe(HERE, "cli", {"sources": SITE}, ui="en")
    assert [one.url for one in done.sources] == [FEED]
    assert done.others == {SITE: (f"{SITE}all.xml",)}


async def test_a_feed_of_the_catalogue_that_is_away_today_is_kept_and_told() -> None:
    world = SubscribedWorld()
    away = known_feeds().feeds[0]
    form = {"sources": f"{FEED} {away.url}"}
    done = await world.subscribing.subscribe(HERE, "cli", form, ui="en")
    assert world.found.asked == [FEED, away.url]
    assert [one.url for one in done.sources] == [FEED, away.url]
    assert (done.sources[1].title, done.sources[1].kind) == (away.title, away.kind)
    told = subscribed_in_words(done, "en").splitlines()[-1]
    assert away.url in told
    assert FEED not in told
    form = {"sources": f"{away.url} https://no.example/feed"}
    with pytest.raises(NoFeed):
        await world.subscribing.subscribe(HERE, "cli", form, ui="en")


def test_the_catalogue_is_offered_by_the_last_word_typed() -> None:
    assert len(known_feeds().feeds) > 500
    offered = feeds_like("https://a.example/feed geeknews")
    assert ("GeekNews", "https://a.example/feed https://news.hada.io/rss/news") in offered
    assert len(feeds_like("")) == 25
    assert all(len(value) <= 100 for _, value in feeds_like(""))
    assert isinstance(known_feeds().feeds[0], FoundFeed)
