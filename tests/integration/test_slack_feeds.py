"""/digest subscribe and /digest feeds on Slack, judged by a strict server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
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
from bot.feed_lists import known_feeds
from bot.slack.escaping import width
from bot.slack.feeds import KNOWN, overview_blocks
from bot.slack.mornings import message
from core.article import Language
from core.catalogue import Catalogue
from core.feed import FoundFeed
from core.places import Place, SharedLink
from core.wishes import MOST_SOURCES

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


# --- the list of feeds to choose from

LISTED = (
    FoundFeed("https://one.example/feed", "One & Only", "https://one.example/"),
    FoundFeed(FEED, "Pools & Queues", SITE),
    FoundFeed("https://links.example/rss", "링크 모음", "https://links.example/", "links", "ko"),
)


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """The catalogue has these feeds and no others."""

    def replace(*feeds: FoundFeed) -> None:
        monkeypatch.setattr("bot.slack.feeds.known_feeds", lambda: Catalogue(feeds))

    replace(*LISTED)
    return replace


async def test_typing_finds_feeds_of_the_catalogue_in_either_language() -> None:
    async with a_world() as (slack, _, _, channel):
        view = await opened(slack, channel)
        begin = await slack.suggest(view, KNOWN)
        first, *_ = known_feeds().feeds
        assert (len(begin.options), begin.values[0]) == (100, first.url)
        found = await slack.suggest(view, KNOWN, "geekn")
        assert found.values == ["https://news.hada.io/rss/news"]
        [option] = found.options
        assert (option["text"]["text"], option["description"]["text"]) == (
            "GeekNews",
            "news.hada.io",
        )
        korean = await slack.suggest(view, KNOWN, "마켓")
        assert "https://dev.gmarket.com/rss" in korean.values
        assert (await slack.suggest(view, KNOWN, "no such blog at all")).options == []
        assert slack.failures == []


async def test_what_is_chosen_is_subscribed_to_along_with_what_is_written(
    listed: Callable[..., None],
) -> None:
    listed(*LISTED, FoundFeed(f"{SITE}all.xml", "All"))
    async with a_world() as (slack, bot, world, channel):
        world.found.known["https://one.example/feed"] = "One & Only"
        view = await opened(slack, channel)
        offered = await slack.suggest(view, KNOWN, "o")
        assert {"https://one.example/feed", FEED} <= {*offered.values}
        chosen = ["https://one.example/feed", FEED]
        await slack.submit(view, {"sources": f"{SITE}\n{FEED}", KNOWN: chosen})
        await quiet(slack, bot)
        [kept] = await world.subscriptions.all()
        assert [one.url for one in await world.feeds.of(kept.sources)] == [
            FEED,
            "https://one.example/feed",
        ]
        assert sorted(world.found.asked) == sorted([SITE, FEED, "https://one.example/feed"])
        [said] = slack.ephemeral(channel, "U1")
        assert "Feeds (2): Pools & Queues, One & Only" in visible_text(said.blocks)


async def test_a_choice_alone_is_enough(listed: Callable[..., None]) -> None:
    async with a_world() as (slack, bot, world, channel):
        view = await opened(slack, channel)
        await slack.suggest(view, KNOWN)
        sent = await slack.submit(view, {KNOWN: [FEED]})
        assert view.closed, sent.answer
        await quiet(slack, bot)
        [kept] = await world.subscriptions.all()
        assert [one.url for one in await world.feeds.of(kept.sources)] == [FEED]


@pytest.mark.parametrize(("locale", "word"), [("en-US", "list below"), ("ko-KR", "아래 목록")])
async def test_neither_a_choice_nor_an_address_is_told_at_the_field(
    locale: str, word: str, listed: Callable[..., None]
) -> None:
    async with a_world() as (slack, bot, world, channel):
        slack.user("U1", locale=locale)
        view = await opened(slack, channel)
        sent = await slack.submit(view, {"sources": "", KNOWN: []})
        assert sent.answer["errors"].keys() == {"sources"}
        assert word in sent.answer["errors"]["sources"]
        assert not view.closed
        await quiet(slack, bot)
        assert await world.subscriptions.all() == []


async def test_too_many_are_told_at_the_field_wherever_they_stand(
    listed: Callable[..., None],
) -> None:
    async with a_world() as (slack, _, world, channel):
        view = await opened(slack, channel)
        await slack.suggest(view, KNOWN)
        written = "\n".join(f"https://b{n}.example/feed" for n in range(MOST_SOURCES))
        sent = await slack.submit(view, {"sources": written, KNOWN: [FEED]})
        assert sent.answer["errors"].keys() == {"sources"}
        assert str(MOST_SOURCES) in sent.answer["errors"]["sources"]
        assert await world.subscriptions.all() == []


async def test_editing_shows_as_chosen_what_the_list_has_and_the_rest_as_text(
    listed: Callable[..., None],
) -> None:
    async with a_world() as (slack, bot, world, channel):
        world.found.known["https://one.example/feed"] = "One & Only"
        world.found.known["https://mine.example/feed"] = "My own"
        written = f"https://mine.example/feed {FEED} https://one.example/feed"
        mine = await world.subscribed(PLACE, sources=written)
        asked = list(world.found.asked)
        done = await slack.command("/digest", "feeds", user="U1", channel=channel)
        [shown] = await slack.until(lambda: done.messages)
        await slack.press(shown, "sdd:feed:edit", user="U1")
        [view] = await slack.until(slack.views)
        inputs = {block["block_id"]: block["element"] for block in view.content["blocks"]}
        assert [*inputs][:2] == ["sources", KNOWN]
        assert inputs["sources"]["initial_value"] == "https://mine.example/feed"
        chosen = [one["text"]["text"] for one in inputs[KNOWN]["initial_options"]]
        assert chosen == ["Pools & Queues", "One & Only"]
        await slack.submit(view, {KNOWN: ["https://one.example/feed"]})
        await quiet(slack, bot)
        changed = await world.subscriptions.get(mine)
        assert changed is not None
        assert [one.url for one in await world.feeds.of(changed.sources)] == [
            "https://mine.example/feed",
            "https://one.example/feed",
        ]
        assert world.found.asked == asked, "what is known is not looked for again"


async def test_addresses_that_do_not_fit_are_never_cut_by_editing() -> None:
    async with a_world() as (slack, _, world, channel):
        links = [f"https://{n}.example/{'long' * 20}" for n in range(MOST_SOURCES)]
        world.found.known |= {link: f"Feed {n}" for n, link in enumerate(links)}
        mine = await world.subscribed(PLACE, sources=" ".join(links))
        done = await slack.command("/digest", "feeds", user="U1", channel=channel)
        [shown] = await slack.until(lambda: done.messages)
        pressed = await slack.press(shown, "sdd:feed:edit", user="U1")
        assert "too long" in await answered(slack, pressed)
        assert slack.views() == []
        kept = await world.subscriptions.get(mine)
        assert kept is not None
        assert len(kept.sources) == MOST_SOURCES


async def test_an_entry_that_slack_would_refuse_is_shortened_or_left_out(
    listed: Callable[..., None],
) -> None:
    listed(
        FoundFeed("https://long.example/" + "a" * 130, "Too long an address"),
        FoundFeed("https://name.example/feed", "아주 긴 이름 " * 40, "https://host.example/" * 40),
        FoundFeed("https://blank.example/feed", " \u202e\x07 ", "https://[no.site"),
        FoundFeed("https://[no.address", "No address"),
        FoundFeed("javascript:alert(1)", "No address of the web"),
        FoundFeed("https://two.example/a,b", "Two addresses in one"),
        FoundFeed("https://once.example/feed", ":boom: <!channel> *x*"),
        FoundFeed("https://once.example/feed", "Twice"),
        FoundFeed("https://end.example/" + "a" * 129, "Just short enough"),
        *(FoundFeed(f"https://b{n}.example/feed", f"Blog {n}") for n in range(200)),
    )
    async with a_world() as (slack, _, _, channel):
        view = await opened(slack, channel)
        found = await slack.suggest(view, KNOWN)
        assert len(found.options) == 100
        assert found.values[:5] == [
            "https://name.example/feed",
            "https://blank.example/feed",
            "https://once.example/feed",
            "https://end.example/" + "a" * 129,
            "https://b0.example/feed",
        ]
        long, blank, once, *_ = (one["text"] for one in found.options)
        assert long["text"].startswith("아주 긴 이름")
        assert long["text"].endswith("…")
        assert blank["text"] == "blank.example"
        assert (once["text"], once["emoji"]) == (":boom: <!channel> *x*", False)
        for typed in ("blog 199", "\\", "%", "<script>", "a " * 2000, "ㅤ", "'\";--"):
            await slack.suggest(view, KNOWN, typed)
        assert slack.failures == []


async def test_without_a_catalogue_there_is_no_list(listed: Callable[..., None]) -> None:
    listed()
    async with a_world() as (slack, bot, world, channel):
        view = await opened(slack, channel)
        assert KNOWN not in {block["block_id"] for block in view.content["blocks"]}
        sent = await slack.submit(view, {"sources": ""})
        assert "list" not in sent.answer["errors"]["sources"]
        await slack.submit(view, {"sources": FEED})
        await quiet(slack, bot)
        assert len(await world.subscriptions.all()) == 1


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
