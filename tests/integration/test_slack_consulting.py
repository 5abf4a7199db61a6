"""/explain, /ask, /digest search and questions to the bot, in the tests' own Slack."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from support.slack_block_rules import visible_text
from support.slack_bot import SlackBot, a_bot, quiet
from support.slack_faults import Refused
from support.slack_interactions import Interaction
from support.slack_server import SlackServer, slack_server
from support.slack_world import Channel, Message

from bot.consulting import Conversations
from core.article import Article

POOLS = Article(
    title="Connection pools <!channel> *measured*",
    url="https://blog.example.com/pools",
    content=(
        "A connection pool keeps database connections open and hands them to requests. "
        "Opening a connection costs a TCP handshake and a TLS handshake. "
        "A pool that is too large overloads the database server."
    ),
)
SECRET = Article(
    title="Project Nightjar",
    url="https://wiki.example.com/nightjar",
    content="Nightjar is a scheduler that we will announce in May. Nightjar replaces cron.",
)
KOREAN = Article(
    title="멱등한 결제",
    url="https://tech.example.kr/idempotent",
    content=(
        "멱등성이란 같은 요청을 여러 번 보내도 결과가 달라지지 않는 성질을 말합니다. "
        "결제 서버는 요청마다 키를 두어 멱등성을 보장합니다."
    ),
)


@dataclass
class Scene:
    slack: SlackServer
    bot: SlackBot
    channel: Channel  # public
    secret: Channel  # private

    async def said(self, done: Interaction) -> str:
        """What the person was answered, once it is there."""
        assert done.acked
        messages = await self.slack.until(lambda: done.messages)
        return visible_text(messages[-1].blocks)

    async def answers(self, channel: Channel, ts: str, count: int = 1) -> list[Message]:
        def there() -> list[Message]:
            found = self.slack.answers(channel, ts)
            return found if len(found) >= count else []

        return await self.slack.until(there)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    async with slack_server() as slack, a_bot(slack, questions=8) as bot:
        channel, secret = slack.channel("C1"), slack.channel("G1", kind="group")
        await bot.library.read(POOLS, channels=["C1"], difficulty=2.0)
        await bot.library.read(KOREAN, channels=["C1"], difficulty=3.0)
        await bot.library.read(SECRET, channels=["G1"])
        yield Scene(slack, bot, channel, secret)


# --- /explain


async def test_a_term_is_explained_to_one_person_who_may_share_it(scene: Scene) -> None:
    slack = scene.slack
    done = await slack.command("/explain", "connection pools", user="U1", channel=scene.channel)
    text = await scene.said(done)
    assert "A connection pool keeps database connections open" in text
    assert "Connection pools <!channel> *measured*" in text
    assert "difficulty 2.0 · elementary" in text
    [private] = done.messages
    assert private.ephemeral_for == "U1"
    assert "<!channel>" not in private.text
    shared = await slack.press(private, "sdd:share", user="U1")
    await slack.until(lambda: shared.messages)
    assert shared.messages[0].ephemeral_for is None
    assert "A connection pool keeps" in visible_text(shared.messages[0].blocks)


async def test_a_term_is_explained_in_korean_and_what_was_asked_for_is_remembered(
    scene: Scene,
) -> None:
    scene.slack.user("U1", locale="ko-KR")
    done = await scene.slack.command("/explain", "멱등성이란?", user="U1", channel=scene.channel)
    assert "같은 요청을 여러 번 보내도" in await scene.said(done)
    await quiet(scene.slack, scene.bot)
    [(place, by, term, language)] = scene.bot.asked.kept
    assert (place.channel, by, term, language) == ("C1", "U1", "idempotence", "ko")


async def test_a_term_from_the_glossary_leads_on_to_others(scene: Scene) -> None:
    done = await scene.slack.command("/explain", "servise mesh", user="U1", channel=scene.channel)
    assert "in no article read here, nor in the glossary" in await scene.said(done)
    [message] = done.messages
    await scene.slack.press(message, "sdd:explain:0", user="U1")
    await scene.slack.until(lambda: "CNCF" in str(message.blocks))


@pytest.mark.parametrize("words", ["<!channel> *x*", "k" * 500, "&lt;b&gt; `x`"])
async def test_what_nobody_wrote_about_is_called_unknown(scene: Scene, words: str) -> None:
    done = await scene.slack.command("/explain", words, user="U1", channel=scene.channel)
    assert "in no article read here" in await scene.said(done)
    assert "<!channel>" not in done.messages[0].text


async def test_whoever_names_no_term_is_offered_some(scene: Scene) -> None:
    for _ in range(2):
        done = await scene.slack.command("/explain", "pods", user="U1", channel=scene.channel)
        await scene.said(done)
    done = await scene.slack.command("/explain", "", user="U1", channel=scene.channel)
    text = await scene.said(done)
    assert "Which term?" in text
    assert "pod" in text
    assert "sdd:explain:0" in str(done.messages[0].blocks)


# --- who may see what


async def test_what_a_private_channel_read_is_known_in_it_and_nowhere_else(scene: Scene) -> None:
    slack = scene.slack
    for command, words, shown in (
        ("/explain", "Nightjar", "replaces cron"),
        ("/ask", "What does Nightjar replace?", "replaces cron"),
        ("/digest", "search Nightjar", "Project Nightjar"),
    ):
        inside = await slack.command(command, words, user="U1", channel=scene.secret)
        assert shown in await scene.said(inside)
        outside = await slack.command(command, words, user="U1", channel=scene.channel)
        text = await scene.said(outside)
        assert "cron" not in text
        assert "Project" not in text


async def test_a_guest_sees_only_public_channels_they_were_let_into(scene: Scene) -> None:
    slack = scene.slack
    slack.user("UG", is_restricted=True)
    elsewhere = slack.channel("C2", creator="UG")
    asked = "What does a connection pool keep open?"
    done = await slack.command("/ask", asked, user="UG", channel=elsewhere)
    assert "I haven't read about that" in await scene.said(done)
    done = await slack.command("/ask", asked, user="U1", channel=elsewhere)
    assert "keeps database connections open" in await scene.said(done)


async def test_where_another_organisation_reads_along_only_that_channel_counts(
    scene: Scene,
) -> None:
    slack = scene.slack
    shared = slack.channel("C3")
    shared.shared_outside = True
    await scene.bot.library.read(SECRET, channels=["C3"])
    done = await slack.command("/ask", "What does Nightjar replace?", user="U1", channel=shared)
    assert "replaces cron" in await scene.said(done)
    asked = "What does a connection pool keep open?"
    done = await slack.command("/ask", asked, user="U1", channel=shared)
    assert "I haven't read about that" in await scene.said(done)


async def test_where_slack_does_not_say_what_is_public_only_this_channel_counts(
    scene: Scene,
) -> None:
    scene.slack.faults.add("users.conversations", 9, Refused("missing_scope"))
    elsewhere = scene.slack.channel("C2")
    asked = "What does a connection pool keep open?"
    done = await scene.slack.command("/ask", asked, user="U1", channel=elsewhere)
    assert "I haven't read about that" in await scene.said(done)
    done = await scene.slack.command("/ask", asked, user="U1", channel=scene.channel)
    assert "keeps database connections open" in await scene.said(done)


# --- questions


async def test_a_question_is_answered_with_its_sources_and_may_be_shared(scene: Scene) -> None:
    slack = scene.slack
    asked = "What happens when a pool is too large?"
    done = await slack.command("/ask", asked, user="U1", channel=scene.channel)
    text = await scene.said(done)
    assert "overloads the database server. [1]" in text.replace("\n", "")
    assert "https://blog.example.com/pools" in str(done.messages[0].blocks)
    assert done.messages[0].ephemeral_for == "U1"
    shared = await slack.press(done.messages[0], "sdd:share_answer", user="U1")
    await slack.until(lambda: shared.messages)
    assert shared.messages[0].ephemeral_for is None
    assert "overloads the database server" in visible_text(shared.messages[0].blocks)


async def test_what_was_not_read_is_said_to_be_so(scene: Scene) -> None:
    asked = "How do I bake bread?"
    done = await scene.slack.command("/ask", asked, user="U1", channel=scene.channel)
    assert "I haven't read about that." in await scene.said(done)
    done = await scene.slack.command("/ask", " ", user="U1", channel=scene.channel)
    assert "What would you like to know?" in await scene.said(done)


async def test_a_question_to_the_bot_is_answered_in_its_thread_and_asked_on_there(
    scene: Scene,
) -> None:
    slack, me = scene.slack, scene.slack.workspace("T1").bot_user
    ts = await slack.say(
        scene.channel, user="U1", text=f"<@{me}> What does a connection pool keep open?"
    )
    [answer] = await scene.answers(scene.channel, ts)
    assert "keeps database connections open" in visible_text(answer.blocks)
    assert answer.thread_ts == ts
    await slack.say(
        scene.channel, user="U2", text=f"<@{me}> And when it is too large?", thread_ts=ts
    )
    answers = await scene.answers(scene.channel, ts, 2)
    assert "overloads the database server" in visible_text(answers[-1].blocks)


async def test_a_thread_is_asked_on_in_after_a_restart(scene: Scene) -> None:
    """What was asked before stands in Slack; other people's talk in between is no question."""
    slack, me = scene.slack, scene.slack.workspace("T1").bot_user
    ts = await slack.say(
        scene.channel, user="U1", text=f"<@{me}> What does a connection pool keep open?"
    )
    await scene.answers(scene.channel, ts)
    await slack.say(scene.channel, user="U2", text="What about lunch on Friday?", thread_ts=ts)
    consulting = scene.bot.surface._desk.commands.consulting
    consulting.conversations = Conversations()  # a new process
    await slack.say(
        scene.channel, user="U2", text=f"<@{me}> And when it is too large?", thread_ts=ts
    )
    answers = await scene.answers(scene.channel, ts, 2)
    assert "overloads the database server" in visible_text(answers[-1].blocks)


async def test_a_question_that_slack_repeats_after_a_restart_is_answered_once(
    scene: Scene,
) -> None:
    slack, me = scene.slack, scene.slack.workspace("T1").bot_user
    ts = await slack.say(
        scene.channel, user="U1", text=f"<@{me}> What does a connection pool keep open?"
    )
    await scene.answers(scene.channel, ts)
    await quiet(slack, scene.bot)
    scene.bot.surface.listener.events._done.clear()  # a new process knows what the database knows
    before = len(slack.attempts)
    for event in [*slack.events]:
        await slack.repeat(event["event_id"])
    await slack.until(lambda: len(slack.attempts) > before + 1)
    await quiet(slack, scene.bot)
    assert len(slack.answers(scene.channel, ts)) == 1


async def test_a_direct_message_is_a_question_unless_it_asks_for_help(scene: Scene) -> None:
    slack = scene.slack
    direct = slack.direct_channel(slack.workspace("T1"), "U1")
    scene.bot.library.share("000000000000000000000001", direct.id)
    await slack.say(direct, user="U1", text="What does a connection pool keep open?")

    def answered() -> bool:
        return "keeps database connections open" in str(
            [one.blocks for one in direct.messages.values()]
        )

    await slack.until(answered)


async def test_nobody_asks_without_end(scene: Scene) -> None:
    for _ in range(8):
        done = await scene.slack.command("/ask", "Bread?", user="U1", channel=scene.channel)
        assert "I haven't read" in await scene.said(done)
    done = await scene.slack.command("/ask", "Bread?", user="U1", channel=scene.channel)
    assert "more questions than I answer" in await scene.said(done)
    done = await scene.slack.command("/ask", "Bread?", user="U2", channel=scene.channel)
    assert "I haven't read" in await scene.said(done)


# --- searches


async def test_what_was_read_is_searched_with_filters(scene: Scene) -> None:
    slack = scene.slack
    for words, found in (
        ("search connection pool", True),
        ("검색 connection pool level:2", True),
        ("search connection pool level:4-5", False),
        ("search connection pool lang:ko", False),
        ("search connection pool site:blog.example.com", True),
        ("search connection pool since:2027-01-01", False),
    ):
        done = await slack.command("/digest", words, user="U1", channel=scene.channel)
        text = await scene.said(done)
        assert ("Connection pools" in text) is found, words
    done = await slack.command("/digest", "search x lang:fr", user="U1", channel=scene.channel)
    assert "lang:fr" in await scene.said(done)
    done = await slack.command("/digest", "search", user="U1", channel=scene.channel)
    assert "The newest articles" in await scene.said(done)
