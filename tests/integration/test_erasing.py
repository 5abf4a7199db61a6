"""Erasing people, channels and workspaces: every table is looked at, whoever made it."""

from __future__ import annotations

import json
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Table, insert, select
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine
from support.builders import a_record, an_article

from core.announcements import Announcement, Posted
from core.engine.echo import HashingEncoder
from core.feed import Announced, Subscription
from core.places import ChannelProfile, Erased, Place, Platform, Process, Scope, SharedLink
from core.places import Workspace as Team
from storage.announcements import SqlAnnouncements
from storage.articles import SqlArticles
from storage.database import open_database
from storage.deliveries import SqlDeliveries
from storage.digests import SqlDigests
from storage.erasing import SqlErasing
from storage.feeds import SqlFeeds
from storage.processes import SqlProcesses
from storage.profiles import SqlProfiles
from storage.shelving import Shelving
from storage.subscriptions import SqlSubscriptions
from storage.tables import (
    Base,
    DeliveryRow,
    ExplainedTermRow,
)
from storage.workspaces import SqlWorkspaces

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
COMMON = a_record(id="common-digest")


@dataclass(frozen=True)
class Owner:
    """Somebody somewhere. `tag` is in every text that only they led to."""

    tag: str
    workspace: str = "WORKSPACE-ID"
    channel: str = "CHANNEL-ID"
    user: str = "USER-ID"
    platform: Platform = "slack"

    @property
    def place(self) -> Place:
        return Place(self.platform, self.workspace, self.channel)


MINE = Owner("MY-TAG")
NEIGHBOURS = {
    "user": replace(MINE, tag="OTHER-TAG", user="U-NEIGHBOUR"),
    "channel": replace(MINE, tag="OTHER-TAG", channel="C-NEIGHBOUR"),
    "workspace": replace(MINE, tag="OTHER-TAG", workspace="W-NEIGHBOUR"),
}
SCOPES = {
    "user": Scope("slack", MINE.workspace, user=MINE.user),
    "channel": Scope("slack", MINE.workspace, channel=MINE.channel),
    "workspace": Scope("slack", MINE.workspace),
}


@pytest.fixture
async def engine(fresh_database: URL) -> AsyncIterator[AsyncEngine]:
    async with open_database(fresh_database) as engine:
        yield engine


async def furnish(engine: AsyncEngine, owner: Owner) -> list[str]:
    """A row of theirs in every table; the ids of their deliveries."""
    links = await _links(engine, owner)
    await Shelving(engine, HashingEncoder()).catch_up()
    by = f"{owner.platform}:{owner.workspace}:{owner.user}"
    digests = SqlDigests(engine)
    await digests.add_verdict(f"digest-{owner.tag}", "good", by=by)
    if owner.channel == MINE.channel:  # a channel's verdicts are those of its digests
        await digests.add_verdict(COMMON.id, "good", by=by)
    await SqlDeliveries(engine).seen(owner.platform, owner.workspace, f"event-{owner.tag}")
    await SqlProfiles(engine).put(owner.place, ChannelProfile(), by=owner.user)
    await SqlWorkspaces(engine).put(Team(owner.platform, owner.workspace, owner.workspace))
    await SqlProcesses(engine).beat(Process("host-1-x", "host", 1, 1.5, "bot"))
    await _feeds(engine, owner)
    return links


async def _links(engine: AsyncEngine, owner: Owner) -> list[str]:
    """One that only they shared, one that others shared too, one that failed after its reading."""
    articles, deliveries = SqlArticles(engine), SqlDeliveries(engine)
    own, failed = f"https://a.example/{owner.tag}", f"https://a.example/failed-{owner.tag}"
    text = await articles.put(an_article(content=f"about {owner.tag}"), link=own)
    await articles.put(an_article(content=f"failed for {owner.tag}"), link=failed)
    common = await articles.put(an_article(), link="https://a.example/common")
    digests = SqlDigests(engine)
    await digests.add(a_record(id=f"digest-{owner.tag}"), content_hash=text)
    await digests.add(COMMON, content_hash=common)
    ids = []
    for link, digest_id in [
        (own, f"digest-{owner.tag}"),
        ("https://a.example/common", COMMON.id),
        (failed, None),
    ]:
        shared = SharedLink(link, owner.place, message=f"1-{owner.tag}", by=owner.user)
        delivery, _ = await deliveries.accept(shared)
        if digest_id is None:
            await deliveries.failed(delivery.id, "failed", "a reason")
        else:
            await deliveries.answered(delivery.id, digest_id)
        ids.append(delivery.id)
    return ids


async def _feeds(engine: AsyncEngine, owner: Owner) -> None:
    """One feed that only they read, one that others read too."""
    feeds = SqlFeeds(engine, lambda: NOW)
    read = [await feeds.add(f"https://feed.example/{name}/") for name in (owner.tag, "common")]
    for source in await feeds.due(NOW, 9, by="p", lease=9):
        announced = Announced("", f"{source.url}post", f"of {source.url}")
        await feeds.polled(replace(source, polled_at=NOW), [announced], by="p")
    wishes = Subscription(
        f"sub-{owner.tag}",
        owner.place,
        owner.user,
        tuple(one.id for one in read),
        secret=f"secret-{owner.tag}",
        include=(owner.tag,),
    )
    await SqlSubscriptions(engine).put(wishes)
    told = Posted("identity", "https://a.example/", f"title {owner.tag}", "A feed", COMMON.id, 2.5)
    morning = Announcement(f"day-{owner.tag}", wishes.id, "daily", NOW.date(), NOW, (told,))
    await SqlAnnouncements(engine).keep(morning)
    place = {
        "platform": owner.platform,
        "workspace": owner.workspace,
        "channel": owner.channel,
        "by": owner.user,
    }
    async with engine.begin() as connection:
        await connection.execute(
            insert(ExplainedTermRow),
            {**place, "term": f"term {owner.tag}", "language": "en", "at": NOW},
        )


async def everything(engine: AsyncEngine) -> dict[str, set[str]]:
    """Every row of every table of the code, as text that can be searched."""
    found: dict[str, set[str]] = {}
    async with engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            rows = (await connection.execute(select(table))).all()
            found[table.name] = {readable(table, tuple(row)) for row in rows}
    return found


def readable(table: Table, row: tuple[Any, ...]) -> str:
    return json.dumps(
        {column.name: _shown(value) for column, value in zip(table.columns, row, strict=True)},
        ensure_ascii=False,
    )


def _shown(value: Any) -> Any:
    if isinstance(value, bytes):
        try:
            return zlib.decompress(value).decode()
        except zlib.error:  # the index: numbers of words
            return value.hex()
    return value if isinstance(value, str | int | float | list | dict | None) else str(value)


def those_with(rows: dict[str, set[str]], text: str) -> dict[str, set[str]]:
    found = {name: {row for row in kept if text in row} for name, kept in rows.items()}
    return {name: kept for name, kept in found.items() if kept}


@pytest.mark.parametrize("kind", ["user", "channel", "workspace"])
async def test_nothing_of_the_erased_is_left_anywhere_and_the_neighbour_keeps_everything(
    engine: AsyncEngine, kind: str
) -> None:
    mine = await furnish(engine, MINE)
    await furnish(engine, NEIGHBOURS[kind])
    before = await everything(engine)
    empty = sorted(name for name, rows in before.items() if not rows)
    assert empty == [], "a new table: say in furnish() what a person leaves in it"

    erased = await SqlErasing(engine).erase(SCOPES[kind])

    after = await everything(engine)
    assert those_with(after, getattr(MINE, kind)) == {}
    neighbour = those_with(before, getattr(NEIGHBOURS[kind], kind))
    neighbour |= {"digests": those_with(before, "OTHER-TAG")["digests"]}
    for name, rows in [*neighbour.items(), *those_with(before, "OTHER-TAG").items()]:
        assert rows <= after[name], name
    assert those_with(after, COMMON.id)["digests"]
    assert len(after["articles"]) == 3  # the common one, and the neighbour's two
    assert set(erased.deliveries) == set(mine)
    assert erased.rows["deliveries"] == 3


@pytest.mark.parametrize("kind", ["user", "channel", "workspace"])
async def test_what_only_the_erased_led_to_goes_too(engine: AsyncEngine, kind: str) -> None:
    await furnish(engine, MINE)
    await furnish(engine, NEIGHBOURS[kind])
    erased = await SqlErasing(engine).erase(SCOPES[kind])
    left = those_with(await everything(engine), MINE.tag)
    # What was set up for a channel outlives the person who did it; an event names nobody.
    outlive = {
        "user": {
            *("events", "feeds", "feed_entries", "subscriptions", "subscription_feeds"),
            *("announcements", "posted"),
        },
        "channel": {"events"},
        "workspace": set(),
    }
    assert set(left) == outlive[kind]
    assert (erased.rows["digests"], erased.rows["articles"], erased.rows["readings"]) == (1, 2, 2)


@pytest.mark.parametrize("kind", ["user", "channel", "workspace"])
async def test_looking_tells_the_same_and_changes_nothing(engine: AsyncEngine, kind: str) -> None:
    await furnish(engine, MINE)
    before = await everything(engine)
    seen = await SqlErasing(engine).look(SCOPES[kind])
    assert await everything(engine) == before
    assert seen.rows
    assert await SqlErasing(engine).erase(SCOPES[kind]) == seen


async def test_the_same_ids_on_another_platform_are_somebody_else(engine: AsyncEngine) -> None:
    elsewhere = replace(MINE, tag="OTHER-TAG", platform="discord")
    await furnish(engine, elsewhere)
    before = await everything(engine)
    for scope in SCOPES.values():
        assert await SqlErasing(engine).erase(scope) == Erased({})
    assert await everything(engine) == before


async def test_ids_that_look_alike_are_told_apart(engine: AsyncEngine) -> None:
    for number, workspace in enumerate(["workspace-id", "WORKSPACE_ID", "WORKSPACE-ID2"]):
        await furnish(engine, replace(MINE, tag=f"TAG{number}", workspace=workspace))
    before = await everything(engine)
    assert await SqlErasing(engine).erase(SCOPES["workspace"]) == Erased({})
    assert await everything(engine) == before


async def test_what_somebody_waits_for_is_not_taken_from_under_the_work(
    engine: AsyncEngine,
) -> None:
    await furnish(engine, MINE)
    link = f"https://a.example/{MINE.tag}"
    waiting = SharedLink(link, NEIGHBOURS["user"].place, message="9", by="U-NEIGHBOUR")
    await SqlDeliveries(engine).accept(waiting)
    await SqlErasing(engine).erase(SCOPES["user"])
    assert await SqlDigests(engine).get(f"digest-{MINE.tag}") is not None
    assert await SqlArticles(engine).read_at(link, datetime.min.replace(tzinfo=UTC)) is not None


async def test_more_than_a_statement_holds_is_erased(engine: AsyncEngine) -> None:
    await furnish(engine, MINE)
    async with engine.begin() as connection:
        row = (await connection.execute(select(DeliveryRow.__table__).limit(1))).one()._asdict()
        many = [
            {**row, "id": f"d{number}", "canonical": f"https://a.example/{number}"}
            for number in range(1300)
        ]
        await connection.execute(insert(DeliveryRow), many)
    erased = await SqlErasing(engine).erase(SCOPES["channel"])
    assert len(erased.deliveries) == 1303
    assert those_with(await everything(engine), MINE.channel) == {}
