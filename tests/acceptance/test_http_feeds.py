"""Subscriptions over HTTP: this machine's own, and feeds at secret addresses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from xml.etree import ElementTree

import feedparser
import pytest
from support.http_client import Running, running
from support.subscribed import FEED, SITE, SubscribedWorld

from bot.feed_lists import known_feeds
from core.catalogue import Catalogue
from core.feed import FoundFeed
from core.places import HERE, Place
from core.web.feeds import parse

HOSTILE = 'Pools <script>alert("x")</script> & ]]> \x0b‮'


@asynccontextmanager
async def a_server(**http: Any) -> AsyncIterator[tuple[Running, SubscribedWorld]]:
    world = SubscribedWorld("https://digests.example.com/")
    async with running(subscribing=world.subscribing, **http) as server:
        yield server, world


async def a_morning(server: Running, world: SubscribedWorld, title: str = HOSTILE) -> str:
    """The secret of a subscription of some channel that had a morning."""
    mine = await world.subscribed(Place("slack", "T-SECRET", "C-SECRET"))
    await world.a_morning(mine, server.digests, title=title)
    return world.subscriptions.kept[mine].secret


async def test_a_form_subscribes_this_machine_and_is_shown_with_its_addresses() -> None:
    async with a_server() as (server, world):
        form = {"sources": SITE, "difficulty": "2-3.5", "timezone": "Asia/Seoul", "ui": "ko"}
        done = await server.client.post("/v1/subscriptions", json=form)
        assert done.status_code == 201
        assert "구독했습니다" in done.json()["told"]["ko"]
        [kept] = await world.subscriptions.of(HERE)
        assert (kept.low, kept.high, kept.ui) == (2.0, 3.5, "ko")
        [shown] = (await server.client.get("/v1/subscriptions")).json()["subscriptions"]
        assert shown["form"]["sources"] == FEED
        assert shown["atom"] == f"https://digests.example.com/feeds/{kept.secret}.atom"
        assert any("Pools & Queues" in line for line in shown["told"]["en"])


async def test_mistakes_are_told_by_field_in_both_languages() -> None:
    async with a_server() as (server, world):
        wrong = {"sources": "", "size": "99", "at": "noon"}
        answer = await server.client.post("/v1/subscriptions", json=wrong)
        assert answer.status_code == 422
        assert answer.json()["fields"].keys() == wrong.keys()
        assert answer.json()["fields"]["at"]["ko"].startswith("시각")
        gone = await server.client.post(
            "/v1/subscriptions", json={"sources": "https://nothing.example/"}
        )
        assert "nothing.example" in gone.json()["fields"]["sources"]["en"]
        assert await world.subscriptions.all() == []


async def test_one_is_changed_paused_and_removed() -> None:
    async with a_server() as (server, world):
        mine = await world.subscribed(HERE, include="go")
        path = f"/v1/subscriptions/{mine}"
        assert (await server.client.patch(path, json={"size": "3"})).status_code == 200
        kept = world.subscriptions.kept[mine]
        assert (kept.size, kept.include) == (3, ("go",))
        paused = await server.client.post(f"{path}/pause", json={"paused": True})
        assert paused.json()["paused"] is True
        assert (await server.client.delete(path)).status_code == 204
        assert (await server.client.delete(path)).status_code == 404
        assert await world.subscriptions.all() == []


async def test_a_channels_subscription_is_none_of_the_pages_business() -> None:
    async with a_server() as (server, world):
        theirs = await world.subscribed(Place("slack", "T1", "C1"))
        assert (await server.client.get("/v1/subscriptions")).json() == {"subscriptions": []}
        for answer in (
            await server.client.delete(f"/v1/subscriptions/{theirs}"),
            await server.client.patch(f"/v1/subscriptions/{theirs}", json={"size": "1"}),
            await server.client.get(f"/v1/subscriptions/{theirs}/mornings"),
        ):
            assert answer.status_code == 404
        assert theirs in world.subscriptions.kept


async def test_feeds_are_found_in_the_catalogue_by_name_and_host_and_can_be_subscribed_to() -> None:
    async with a_server() as (server, world):
        found = await server.client.get("/v1/feeds/known", params={"q": "geekn"})
        assert found.json() == {
            "feeds": [
                {
                    "title": "GeekNews",
                    "url": "https://news.hada.io/rss/news",
                    "site": "news.hada.io",
                    "kind": "links",
                    "language": "ko",
                }
            ]
        }
        begin = (await server.client.get("/v1/feeds/known?limit=3")).json()["feeds"]
        assert [one["url"] for one in begin] == [one.url for one in known_feeds().feeds[:3]]
        korean = await server.client.get("/v1/feeds/known?q=cloudflare&language=ko")
        assert [one["language"] for one in korean.json()["feeds"]] == ["ko"]
        none = await server.client.get("/v1/feeds/known", params={"q": "<script>no such %00\\"})
        assert none.json() == {"feeds": []}
        for wrong in ("limit=0", "limit=101", "language=de", f"q={'a' * 201}"):
            assert (await server.client.get(f"/v1/feeds/known?{wrong}")).status_code == 400
        url = begin[0]["url"]
        world.found.known[url] = begin[0]["title"]
        done = await server.client.post("/v1/subscriptions", json={"sources": url})
        assert done.status_code == 201
        [kept] = await world.subscriptions.of(HERE)
        assert [one.url for one in await world.feeds.of(kept.sources)] == [url]


async def test_an_entry_that_a_form_would_not_give_back_is_not_offered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    feeds = (
        FoundFeed("https://a.example/feed", HOSTILE, "https://[no.site"),
        FoundFeed("javascript:alert(1)", "A script"),
        FoundFeed("https://[no.address", "No address"),
        FoundFeed("https://b.example/a,b", "Two in one"),
        FoundFeed("https://c.example/feed", "\ud800 \u202e"),
    )
    monkeypatch.setattr("bot.http.feeds.known_feeds", lambda: Catalogue(feeds))
    async with a_server() as (server, _):
        shown = (await server.client.get("/v1/feeds/known")).json()["feeds"]
        assert [one["url"] for one in shown] == ["https://a.example/feed", "https://c.example/feed"]
        assert [one["title"] for one in shown] == [
            'Pools <script>alert("x")</script> & ]]>',
            "c.example",
        ]


async def test_the_catalogue_asks_for_the_token_as_the_rest_of_the_api_does() -> None:
    async with a_server(token="t0ken-for-others") as (server, _):
        assert (await server.client.get("/v1/feeds/known")).status_code == 401


async def test_past_mornings_are_listed_with_their_sentences() -> None:
    async with a_server() as (server, world):
        mine = await world.subscribed(HERE)
        await world.a_morning(mine, server.digests)
        answer = await server.client.get(f"/v1/subscriptions/{mine}/mornings")
        [morning] = answer.json()["mornings"]
        assert morning["day"] == "2026-11-26"
        [article] = morning["articles"]
        assert article["title"] == "Pools, measured"
        assert (article["score"], article["minutes"]) == (2.5, 1)
        assert article["sentence"].startswith("A connection pool")


@pytest.mark.parametrize("kind", ["atom", "json"])
async def test_a_secret_address_is_a_feed_that_others_read_and_says_nothing_of_its_place(
    kind: str,
) -> None:
    async with a_server() as (server, world):
        secret = await a_morning(server, world)
        answer = await server.client.get(f"/feeds/{secret}.{kind}")
        assert answer.status_code == 200
        assert (
            answer.headers["content-type"].startswith(
                f"application/{kind.replace('json', 'feed+json')}"
            )
            or kind == "atom"
        )
        ours = parse(answer.content, answer.headers["content-type"], url=str(answer.url))
        [entry] = ours.announced
        assert entry.link == "https://blog.example.com/pools"
        assert "A connection pool keeps" in entry.summary
        if kind == "atom":
            ElementTree.fromstring(answer.content)  # noqa: S314 - our own
            found = feedparser.parse(answer.content)
            assert not found.bozo
            assert found.entries[0].id.startswith("urn:smartdevdigest:")
        else:
            [item] = answer.json()["items"]
            assert "<script>" in item["title"], "text, not markup"
        told = answer.text.replace(secret, "")  # it is random, and may have any letters
        assert "T-SECRET" not in told
        assert "U1" not in told
        again = await server.client.get(
            f"/feeds/{secret}.{kind}", headers={"If-None-Match": answer.headers["etag"]}
        )
        assert (again.status_code, again.content) == (304, b"")


async def test_no_other_address_leads_to_a_feed_and_a_token_is_not_needed_for_it() -> None:
    async with a_server(token="t0ken-for-others") as (server, world):
        secret = await a_morning(server, world)
        assert (await server.client.get(f"/feeds/{secret}.atom")).status_code == 200
        assert (await server.client.get(f"/feeds/{secret}/mornings")).status_code == 200
        assert (await server.client.get("/v1/subscriptions")).status_code == 401
        for path in ("/feeds/x.atom", "/feeds/x.json", f"/feeds/{secret[:-1]}.atom"):
            assert (await server.client.get(path)).status_code == 404


async def test_a_subscription_without_mornings_is_a_feed_without_entries() -> None:
    async with a_server() as (server, world):
        mine = await world.subscribed(HERE)
        secret = world.subscriptions.kept[mine].secret
        found = feedparser.parse((await server.client.get(f"/feeds/{secret}.atom")).content)
        assert (found.bozo, found.entries) == (False, [])
