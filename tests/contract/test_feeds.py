"""What every keeper of feeds does: the fake and both databases, through the same expectations."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from support.feeds import NOW, FakeFeeds, an_announced

from core.errors import BadLink
from core.feed import Announced, Entry, Source
from core.ports import Feeds
from storage.feeds import SqlFeeds

URL = "https://blog.example/feed.xml"
OTHER = "https://planet.example/atom.xml"
LONG_AGO = NOW - timedelta(days=400)


@pytest.fixture
def feeds(keeper: AsyncEngine | None) -> Feeds:
    return FakeFeeds(lambda: NOW) if keeper is None else SqlFeeds(keeper, lambda: NOW)


async def polled(
    feeds: Feeds, source: Source, announced: Sequence[Announced], at: datetime = NOW
) -> list[Entry]:
    """As the poller does it: claimed, asked, kept."""
    state = replace(source, next_at=at)
    known = await feeds.get(source.id)
    assert known is not None
    claimed = await feeds.due(max(at, known.next_at or at), 100, by="p1", lease=60)
    assert source.id in {one.id for one in claimed}
    kept = replace(state, polled_at=at, worked_at=at, changed_at=at, next_at=at)
    new = await feeds.polled(kept, announced, by="p1")
    await feeds.release("p1")
    return new


# --- sources


async def test_a_source_comes_back_equal_after_it_was_polled(feeds: Feeds) -> None:
    source = await feeds.add(
        URL, kind="links", title="제목 \U0001f680", site="https://blog.example"
    )
    assert source == await feeds.get(source.id)
    assert (source.url, source.kind, source.next_at, source.worked_at) == (URL, "links", NOW, None)
    await feeds.due(NOW, 10, by="p1", lease=60)
    kept = replace(
        source,
        url="https://blog.example/new/feed",
        language="ko",
        etag='W/"1"',
        last_modified="Mon, 05 Jan 2026 10:00:00 GMT",
        interval=1800.5,
        polled_at=NOW,
        worked_at=NOW,
        changed_at=NOW,
        next_at=NOW + timedelta(minutes=30),
        failures=2,
        error="timed_out",
        body_hash="f" * 64,
        ttl=3600.0,
        skip_hours=frozenset({1, 2}),
        skip_days=frozenset({6}),
    )
    assert await feeds.polled(kept, [], by="p1") == []
    assert await feeds.get(source.id) == kept
    assert await feeds.of(["unknown", source.id]) == [kept]
    assert await feeds.all() == [kept]


async def test_the_same_address_is_one_source(feeds: Feeds) -> None:
    first = await feeds.add(URL, title="First")
    assert await feeds.add("HTTPS://Blog.Example:443/feed.xml", title="Second") == first


async def test_who_adds_the_address_a_source_has_moved_to_gets_that_source(feeds: Feeds) -> None:
    source = await feeds.add(URL)
    await feeds.due(NOW, 1, by="p1", lease=60)
    moved = replace(source, url="https://new.example/feed")
    await feeds.polled(moved, [], by="p1")
    assert (await feeds.add("https://new.example/feed")).id == source.id
    assert (await feeds.add(URL)).id == source.id


async def test_what_is_no_address_is_refused(feeds: Feeds) -> None:
    with pytest.raises(BadLink):
        await feeds.add("javascript:alert(1)")
    assert await feeds.all() == []


async def test_a_page_of_sources_goes_on_behind_the_last(feeds: Feeds) -> None:
    added = {(await feeds.add(f"https://a.example/{n}")).id for n in range(5)}
    first = await feeds.all(3)
    rest = await feeds.all(3, after=first[-1].id)
    assert [len(first), len(rest)] == [3, 2]
    assert {one.id for one in first + rest} == added


# --- whose turn it is


async def test_a_claimed_source_is_nobody_else_s(feeds: Feeds) -> None:
    source = await feeds.add(URL)
    assert await feeds.due(NOW, 10, by="p1", lease=60) == [source]
    assert await feeds.due(NOW, 10, by="p2", lease=60) == []
    assert await feeds.next_due() is None
    await feeds.release("p1")
    assert await feeds.next_due() == NOW
    assert await feeds.due(NOW, 10, by="p2", lease=60) == [source]


async def test_a_claim_ends_with_its_lease(feeds: Feeds) -> None:
    source = await feeds.add(URL)
    await feeds.due(NOW, 10, by="dead", lease=60)
    later = NOW + timedelta(seconds=61)
    assert await feeds.due(later, 10, by="p2", lease=60) == [source]
    # and what the first one says when it wakes up is too late
    assert await feeds.polled(replace(source, title="late"), [an_announced()], by="dead") == []
    assert await feeds.get(source.id) == source


async def test_while_one_of_a_host_is_asked_its_others_wait(feeds: Feeds) -> None:
    added = [await feeds.add(f"https://a.example/{n}") for n in range(9)]
    elsewhere = await feeds.add("https://b.example/")
    first = await feeds.due(NOW, 100, by="p1", lease=60)
    assert len(first) == 5  # four of the large host, and the other one
    assert elsewhere in first
    assert await feeds.due(NOW, 100, by="p1", lease=60) == []
    for source in first:
        await feeds.polled(replace(source, next_at=NOW + timedelta(hours=1)), [], by="p1")
    second = await feeds.due(NOW, 100, by="p2", lease=60)
    assert len(second) == 4
    assert {one.id for one in second} < {one.id for one in added} - {one.id for one in first}


async def test_the_longest_due_comes_first(feeds: Feeds) -> None:
    ids = []
    for hours in (2, 3, 1):
        source = await feeds.add(f"https://h{hours}.example/")
        await feeds.due(NOW, 10, by="p1", lease=60)
        due = replace(source, next_at=NOW + timedelta(hours=hours))
        await feeds.polled(due, [], by="p1")
        ids.append(source.id)
    assert await feeds.next_due() == NOW + timedelta(hours=1)
    assert await feeds.due(NOW, 10, by="p1", lease=60) == []
    turn = await feeds.due(NOW + timedelta(hours=2), 10, by="p1", lease=60)
    assert [one.id for one in turn] == [ids[2], ids[0]]


async def test_two_processes_that_choose_at_once_share_the_feeds(feeds: Feeds) -> None:
    for number in range(40):
        await feeds.add(f"https://h{number}.example/")
        await feeds.add(f"https://h{number}.example/2")
    shares = await asyncio.gather(*(feeds.due(NOW, 8, by=f"p{n}", lease=60) for n in range(4)))
    hosts = [{one.url.split("/")[2] for one in share} for share in shares]
    assert [len(share) for share in shares] == [8, 8, 8, 8]
    assert sum(map(len, hosts)) == len(set.union(*hosts))


async def test_a_paused_source_is_not_asked_until_it_is_added_again(feeds: Feeds) -> None:
    source = await feeds.add(URL)
    await feeds.pause(source.id)
    assert await feeds.due(NOW, 10, by="p1", lease=60) == []
    assert (await feeds.add(URL)).state == "alive"
    assert len(await feeds.due(NOW, 10, by="p1", lease=60)) == 1


async def test_a_source_that_is_gone_is_told_of_once_and_may_come_back(feeds: Feeds) -> None:
    source = await feeds.add(URL)
    await feeds.due(NOW, 10, by="p1", lease=60)
    gone = replace(source, state="gone", next_at=None, error="feed_gone", failures=1)
    await feeds.polled(gone, [], by="p1")
    assert await feeds.given_up(10) == [gone]
    await feeds.told(source.id)
    assert await feeds.given_up(10) == []
    assert await feeds.due(NOW + timedelta(days=9), 10, by="p1", lease=60) == []
    assert await feeds.add(URL) == source
    await feeds.due(NOW, 10, by="p1", lease=60)
    await feeds.polled(gone, [], by="p1")
    assert await feeds.given_up(10) == [gone]


async def test_a_removed_source_leaves_nothing_behind(feeds: Feeds) -> None:
    source = await feeds.add(URL)
    await polled(feeds, source, [an_announced(1)])
    await feeds.remove(source.id)
    assert await feeds.get(source.id) is None
    assert await feeds.waiting(10) == []
    assert await feeds.add(URL) == source
    assert len(await polled(feeds, source, [an_announced(1)])) == 1


# --- what is new


async def test_the_first_time_only_the_newest_few_are_new(feeds: Feeds) -> None:
    source = await feeds.add(URL)
    many = [an_announced(number) for number in range(1, 21)]
    new = await polled(feeds, source, many)
    assert [entry.title for entry in new] == [f"Post number {n}" for n in (20, 19, 18)]
    assert await polled(feeds, source, many) == []
    more = await polled(feeds, source, [an_announced(21), *many])
    assert [entry.link for entry in more] == ["https://blog.example/posts/21"]
    assert more[0].source_id == source.id
    assert more[0].seen_at == NOW


async def test_an_entry_comes_back_equal(feeds: Feeds) -> None:
    source = await feeds.add(URL)
    odd = an_announced(1, title="제목 \U0001f680", link="https://blog.example/" + "x" * 4000)
    undated = an_announced(2, published_at=None, guid="")
    new = await polled(feeds, source, [odd, undated])
    kept = await feeds.entries_since([source.id], LONG_AGO, 10)
    assert {one.id: one for one in kept} == {one.id: one for one in new}
    assert {one.title for one in kept} == {odd.title, undated.title}


async def test_an_article_of_two_feeds_is_new_once_and_stands_in_both(feeds: Feeds) -> None:
    blog, planet = await feeds.add(URL), await feeds.add(OTHER)
    [entry] = await polled(feeds, blog, [an_announced(1)])
    copied = an_announced(1, guid="planet-1", link="http://www.blog.example/posts/1/?")
    assert await polled(feeds, planet, [copied], NOW + timedelta(hours=1)) == []
    [there] = await feeds.entries_since([planet.id], LONG_AGO, 10)
    assert there.identity == entry.identity
    both = await feeds.entries_since([blog.id, planet.id], LONG_AGO, 10)
    assert [one.id for one in both] == [entry.id]
    # who reads both has had it before, who reads the second one only has not
    assert await feeds.entries_since([blog.id, planet.id], NOW, 10) == []
    assert await feeds.entries_since([planet.id], NOW, 10) == [there]


async def test_feeds_that_are_kept_at_the_same_moment_keep_their_own(feeds: Feeds) -> None:
    """The same article in all of them, and one of its own in each."""
    sources = [await feeds.add(f"https://h{number}.example/feed") for number in range(6)]
    await feeds.due(NOW, 100, by="p1", lease=60)
    kept = [replace(one, polled_at=NOW, worked_at=NOW, changed_at=NOW) for one in sources]
    shares = await asyncio.gather(
        *(
            feeds.polled(one, [an_announced(100), an_announced(number)], by="p1")
            for number, one in enumerate(kept)
        ),
        feeds.polled(replace(kept[0], title="not mine"), [], by="p2"),
    )
    titles = sorted(entry.title for share in shares for entry in share)
    assert titles == sorted([*(f"Post number {n}" for n in range(6)), "Post number 100"])
    assert await feeds.of([one.id for one in kept]) == kept
    for source in sources:
        assert len(await feeds.entries_since([source.id], LONG_AGO, 10)) == 2


async def test_the_newest_come_first_and_no_more_than_asked_for(feeds: Feeds) -> None:
    source = await feeds.add(URL)
    await polled(feeds, source, [an_announced(1)])
    later = NOW + timedelta(hours=1)
    await polled(feeds, source, [an_announced(n) for n in (1, 2, 3)], later)
    found = await feeds.entries_since([source.id], LONG_AGO, 2)
    assert [one.title for one in found] == ["Post number 3", "Post number 2"]
    assert len(await feeds.entries_since([source.id], NOW, 10)) == 2
    assert await feeds.entries_since([], LONG_AGO, 10) == []


# --- digests


async def test_what_waits_for_its_digest_is_each_link_once(feeds: Feeds) -> None:
    blog, planet = await feeds.add(URL), await feeds.add(OTHER)
    await polled(feeds, blog, [an_announced(1), an_announced(2)])
    await polled(feeds, planet, [an_announced(1, guid="planet-1")])
    waiting = await feeds.waiting(10)
    assert {one.link for one in waiting} == {an_announced(1).link, an_announced(2).link}
    assert len(await feeds.waiting(1)) == 1


async def test_a_digest_is_every_feed_s_that_has_the_link(feeds: Feeds) -> None:
    blog, planet, late = [await feeds.add(url) for url in (URL, OTHER, "https://late.example/")]
    [entry] = await polled(feeds, blog, [an_announced(1)])
    await polled(feeds, planet, [an_announced(1, guid="planet-1")])
    await feeds.digested(entry.id, error="too_thin")
    assert await feeds.waiting(10) == []
    await feeds.digested(entry.id, digest_id="d" * 24)
    await feeds.digested(entry.id, error="timed_out")  # it is there already
    await polled(feeds, late, [an_announced(1, guid="late-1")])
    for source in (blog, planet, late):
        [one] = await feeds.entries_since([source.id], LONG_AGO, 10)
        assert (one.digest_id, one.error) == ("d" * 24, None)
    assert await feeds.waiting(10) == []
