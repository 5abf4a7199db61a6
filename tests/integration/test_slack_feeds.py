"""/digest subscribe and /digest feeds on Slack, judged by a strict server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime

import pytest
from support.fake_subscriptions import a_subscription
from support.slack_block_rules import block_errors, characters_in, visible_text
from support.slack_bot import SlackBot, a_bot, quiet
from support.slack_interactions import Interaction
from support.slack_server import SlackServer, slack_server
from support.slack_world import Channel, View
from support.subscribed import DAY, FEED, SITE, SubscribedWorld

from bot.chats import GivenUp, Listed, Morning, NothingNew, Shown
from bot.slack.escaping import width
from bot.slack.feeds import overview_blocks
from bot.slack.mornings import message
from core.article import Language
from core.places import Place, SharedLink

PLACE = Place("slack", "T1", "C1")


@asynccontextmanager
async def a_world() -> AsyncIterator[tuple[SlackServer, SlackBot, SubscribedWorld, Channel]]:
    async with slack_server() as slack, a_bot(slack) as bot:
        world = SubscribedWorld()
        bot.surface._desk.commands.subscribing = world.subscribing
        slack.user("U1", is_admin=True, tz="America/New_York")
        yield slack, bot, world, slack.channel("C1")


async def opened(slack: SlackServer, channel: Channel, words: str = "subscribe") -> View:
    await slack.command("/digest", words, user="U1", channel=channel)
    [view] = await slack.until(slack.views)
    return view


async def answered(slack: SlackServer, done: Interaction) -> str:
    messages = await slack.until(lambda: done.messages)
    return visible_text(messages[-1].blocks)


async def test_a_filled_in_form_subscribes_the_channel() -> None:
    async with a_world() as (slack, bot, world, channel):
        view = await opened(slack, channel)
        sent = await slack.submit(
            view,
            {
                "sources": f"{SITE}",
                "difficulty": "2-3.5",
                "include": "kafka, go",
                "days": "weekdays",
                "quiet": "22:00-07:00",
                "at": "07:30",
            },
        )
        assert sent.acked
        assert view.closed
        await quiet(slack, bot)
        [kept] = await world.subscriptions.all()
        assert (kept.low, kept.high, kept.include) == (2.0, 3.5, ("kafka", "go"))
        assert (kept.timezone, kept.by, kept.place) == ("America/New_York", "U1", PLACE)
        assert (kept.at.hour, kept.at.minute, kept.days) == (7, 30, frozenset(range(5)))
        assert [one.url for one in world.feeds.sources.values()] == [FEED]
        [said] = slack.ephemeral(channel, "U1")
        told = visible_text(said.blocks)
        assert "Pools & Queues" in told
        assert "all.xml" in told, "the other feed of the site is offered"


async def test_mistakes_are_told_beside_their_fields_and_the_form_stays() -> None:
    async with a_world() as (slack, _, world, channel):
        view = await opened(slack, channel)
        wrong = {"sources": FEED, "timezone": "Mars/Olympus", "size": "99", "difficulty": "x"}
        sent = await slack.submit(view, wrong)
        assert sent.answer["response_action"] == "errors"
        assert set(sent.answer["errors"]) == {"timezone", "size", "difficulty"}
        assert not view.closed
        assert await world.subscriptions.all() == []


async def test_an_address_without_a_feed_is_said_so_and_nothing_is_kept() -> None:
    async with a_world() as (slack, bot, world, channel):
        view = await opened(slack, channel, "구독")
        await slack.submit(view, {"sources": "https://nothing.example/"})
        await quiet(slack, bot)
        assert await world.subscriptions.all() == []
        [said] = slack.ephemeral(channel, "U1")
        assert "nothing.example" in visible_text(said.blocks)


async def test_who_may_not_change_settings_is_refused() -> None:
    async with a_world() as (slack, _, world, channel):
        slack.user("U2")
        done = await slack.command("/digest", "subscribe", user="U2", channel=channel)
        assert "Only who may change" in await answered(slack, done)
        mine = await world.subscribed(PLACE)
        listed = await slack.command("/digest", "feeds", user="U2", channel=channel)
        messages = await slack.until(lambda: listed.messages)
        pressed = await slack.press(messages[-1], "sdd:feed:remove", user="U2")
        assert "Only who may change" in await answered(slack, pressed)
        assert await world.subscriptions.get(mine) is not None


async def test_the_list_pauses_resumes_and_removes() -> None:
    async with a_world() as (slack, bot, world, channel):
        mine = await world.subscribed(PLACE)
        await world.a_morning(mine, bot.digests)
        done = await slack.command("/digest", "feeds", user="U1", channel=channel)
        [shown] = await slack.until(lambda: done.messages)
        told = visible_text(shown.blocks)
        assert "1 posted lately" in told
        assert "not read yet" in told
        assert "26 Nov" in told
        await slack.press(shown, "sdd:feed:pause", user="U1")
        await quiet(slack, bot)
        paused = await world.subscriptions.get(mine)
        assert paused is not None
        assert paused.paused
        await slack.press(shown, "sdd:feed:resume", user="U1")
        await quiet(slack, bot)
        await slack.press(shown, "sdd:feed:remove", user="U1")
        await quiet(slack, bot)
        assert await world.subscriptions.all() == []
        assert slack.failures == []


async def test_editing_opens_the_form_as_it_is_and_keeps_the_rest() -> None:
    async with a_world() as (slack, bot, world, channel):
        mine = await world.subscribed(PLACE, include="쿠버네티스", difficulty="2-4")
        done = await slack.command("/digest", "피드", user="U1", channel=channel)
        [shown] = await slack.until(lambda: done.messages)
        await slack.press(shown, "sdd:feed:edit", user="U1")
        [view] = await slack.until(slack.views)
        await slack.submit(view, {"size": "3"})
        await quiet(slack, bot)
        changed = await world.subscriptions.get(mine)
        assert changed is not None
        assert (changed.size, changed.low, changed.include) == (3, 2.0, ("쿠버네티스",))
        assert world.found.asked == [FEED], "what is known is not looked for again"


async def test_a_button_of_another_channel_does_nothing_here() -> None:
    async with a_world() as (slack, _, world, channel):
        mine = await world.subscribed(PLACE)
        done = await slack.command("/digest", "feeds", user="U1", channel=channel)
        [shown] = await slack.until(lambda: done.messages)
        kept = world.subscriptions.kept[mine]
        world.subscriptions.kept[mine] = a_subscription(mine, place=Place("slack", "T1", "C9"))
        pressed = await slack.press(shown, "sdd:feed:remove", user="U1")
        assert "no such subscription" in await answered(slack, pressed)
        assert kept.id in world.subscriptions.kept


# --- the daily message


def a_listed(**changes: object) -> Listed:
    values = {
        "title": "Connection pools, measured",
        "link": "https://blog.example.com/pools",
        "source": "Pools & Queues",
        "score": 2.5,
        "label": "elementary",
        "sentence": "A pool keeps connections open.",
        "minutes": 6,
    }
    return Listed(**(values | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("ui", ["ko", "en"])
@pytest.mark.parametrize("count", [1, 5, 15])
def test_a_list_fits_however_long_its_articles_are(ui: Language, count: int) -> None:
    long = a_listed(
        title="긴 제목 " * 200,
        link="https://blog.example.com/" + "a" * 900,
        source="블로그 " * 99,
        sentence="긴 문장입니다. " * 300,
    )
    blocks, text = message(Morning("s" * 16, DAY, (long,) * count), ui)
    assert block_errors(blocks) == []
    assert characters_in(blocks) < 10_000 + 900 * count
    assert sum(width(str(one)) for one in [text]) < 3000
    assert len(blocks) < 50


@pytest.mark.parametrize(
    "shown",
    [
        Morning("s1", DAY, (a_listed(title="<!channel> *x* & <b>", sentence="@here _y_"),)),
        NothingNew("s1", DAY),
        GivenUp("s1", "<!everyone> Blog", "https://x.example/", "not_found"),
    ],
)
async def test_everything_unprompted_is_posted_into_the_channel_and_found_again(
    shown: Shown,
) -> None:
    async with a_world() as (slack, bot, _, channel):
        chat = bot.chat
        at = datetime.now(UTC)
        key = "k" * 32
        shared = SharedLink("", PLACE, chat.unprompted(at, key), "U1", ui="en")
        assert await chat.find(shared, key) is None
        name = await chat.post(shared, shown, key=key)
        assert await chat.find(shared, key) == name
        await chat.edit(shared, name, shown, key=key)
        [posted] = channel.messages.values()
        assert posted.thread_ts is None
        told = visible_text(posted.blocks)
        assert "!channel" not in told or "<!channel>" in told
        place, message_name = chat.beneath(PLACE, name)
        assert (place.thread, message_name) == (posted.ts, posted.ts)
        pressed = await slack.press(posted, "sdd:manage", user="U1")
        assert "no subscription" in await answered(slack, pressed)


def test_an_empty_list_says_how_to_begin() -> None:
    assert "/digest subscribe" in visible_text(overview_blocks([], "en"))
    assert date(2026, 11, 26) == DAY
