"""/explain, /ask, /digest search and questions to the bot, through real discord.py."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from support.discord_bot import Bot, Memory, a_bot
from support.discord_entities import Channel, Message, User
from support.discord_interactions import Interaction
from support.discord_people import visible_text
from support.discord_server import DiscordServer, discord_server

from bot.consulting import Conversations
from core.article import Article
from core.judging import glossary
from core.retrieval.questions import understood

POOLS = Article(
    title="Connection pools @everyone **measured**",
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


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    """What a bot loads in the background when it starts, so that nobody waits for it here."""
    understood("What is a connection pool?")
    understood("커넥션 풀은 무엇인가요?")
    glossary.warm_up()


@pytest.fixture
async def server() -> AsyncIterator[DiscordServer]:
    async with discord_server() as server:
        server.limits.enabled = False
        yield server


@pytest.fixture
def channel(server: DiscordServer) -> Channel:
    return server.guild("G").text_channel("articles")


@pytest.fixture
def secret(channel: Channel) -> Channel:
    assert channel.guild is not None
    return channel.guild.text_channel("secret")


@pytest.fixture
def mina(server: DiscordServer) -> User:
    return server.user("Mina", locale="ko")


@pytest.fixture
def joon(server: DiscordServer) -> User:
    return server.user("Joon")


@pytest.fixture
async def bot(
    server: DiscordServer, channel: Channel, secret: Channel, joon: User, mina: User
) -> AsyncIterator[Bot]:
    assert channel.guild is not None
    memory = Memory()
    place = {"platform": "discord", "workspace": str(channel.guild.id)}
    await memory.library.read(POOLS, channels=[str(channel.id)], difficulty=2.0, **place)  # type: ignore[arg-type]
    await memory.library.read(SECRET, channels=[str(secret.id)], **place)  # type: ignore[arg-type]
    channel.guild.join(mina)
    channel.guild.join(joon)
    secret.deny(joon, "view_channel")
    async with a_bot(server, memory, questions=6) as bot:
        await server.until(lambda: server.commands.syncs)
        yield bot


async def text_of(server: DiscordServer, asked: Interaction) -> str:
    """What only this person sees."""
    (message,) = await server.until(lambda: asked.messages)
    assert message.only_for is asked.user
    return visible_text(message)


async def answers(server: DiscordServer, channel: Channel, count: int) -> list[Message]:
    def there() -> list[Message]:
        found = server.by_bot(channel)
        return found if len(found) >= count else []

    return await server.until(there)


async def test_a_term_is_explained_and_leads_on_to_others(
    server: DiscordServer, channel: Channel, joon: User, bot: Bot
) -> None:
    asked = await server.slash(joon, channel, "explain", options={"term": "Connection Pool"})
    text = await text_of(server, asked)
    assert "A connection pool keeps database connections open" in text
    assert "difficulty 2.0" in text
    assert "@everyone" not in text.replace("@\u200beveryone", "")
    asked = await server.slash(joon, channel, "explain", options={"term": "servise mesh"})
    assert "in no article" in await text_of(server, asked)
    (message,) = asked.messages
    chosen = await server.choose(message, "sdd:term:::", "Service Mesh", joon)
    assert "CNCF" in await text_of(server, chosen)
    assert next(term for _, _, term, _ in bot.memory.asked.kept) == "Connection Pool"


async def test_known_terms_are_offered_while_one_is_typed(
    server: DiscordServer, channel: Channel, mina: User, bot: Bot
) -> None:
    asked = await server.autocomplete(mina, channel, "explain", None, "term", "serv")
    choices = await server.until(lambda: asked.choices)
    names = [choice["name"] for choice in choices or []]
    assert any("Service" in name for name in names)
    assert len(names) <= 25


async def test_only_who_may_read_a_channel_is_told_what_was_read_there(
    server: DiscordServer, channel: Channel, mina: User, joon: User, bot: Bot
) -> None:
    for name, subcommand, option, words in (
        ("explain", None, "term", "Nightjar"),
        ("ask", None, "question", "What does Nightjar replace?"),
        ("digest", "search", "words", "Nightjar"),
    ):
        allowed = await server.slash(mina, channel, name, subcommand, {option: words})
        assert "cron" in await text_of(server, allowed)
        refused = await server.slash(joon, channel, name, subcommand, {option: words})
        assert "cron" not in await text_of(server, refused)


async def test_a_question_to_the_bot_is_answered_beneath_it_and_asked_on_by_a_reply(
    server: DiscordServer, channel: Channel, joon: User, bot: Bot
) -> None:
    me = server.world.bot
    await server.say(channel, joon, f"<@{me.id}> What does a connection pool keep open?")
    (answer,) = await answers(server, channel, 1)
    assert "keeps database connections open" in visible_text(answer)
    await server.say(channel, joon, "And when it is too large?", reply_to=answer)
    further = await answers(server, channel, 2)
    assert "overloads the database server" in visible_text(further[-1])


async def test_an_answer_is_asked_on_about_after_a_restart(
    server: DiscordServer, channel: Channel, joon: User, bot: Bot
) -> None:
    """What was asked before stands in Discord."""
    me = server.world.bot
    await server.say(channel, joon, f"<@{me.id}> What does a connection pool keep open?")
    (answer,) = await answers(server, channel, 1)
    bot.commands.consulting.conversations = Conversations()  # a new process
    await server.say(channel, joon, "And when it is too large?", reply_to=answer)
    further = await answers(server, channel, 2)
    assert "overloads the database server" in visible_text(further[-1])


async def test_what_is_said_in_the_channel_is_what_all_in_it_may_read(
    server: DiscordServer, channel: Channel, mina: User, joon: User, bot: Bot
) -> None:
    """Joon may not read the other channel, but everybody else may: it is open."""
    me = server.world.bot
    await server.say(channel, joon, f"<@{me.id}> What does Nightjar replace?")
    (answer,) = await answers(server, channel, 1)
    assert "cron" not in visible_text(answer)


async def test_nobody_asks_without_end(
    server: DiscordServer, channel: Channel, joon: User, bot: Bot
) -> None:
    for _ in range(6):
        asked = await server.slash(joon, channel, "ask", options={"question": "Bread?"})
        assert "I haven't read" in await text_of(server, asked)
    asked = await server.slash(joon, channel, "ask", options={"question": "Bread?"})
    assert "more questions than I answer" in await text_of(server, asked)


async def test_what_was_read_is_searched_with_filters(
    server: DiscordServer, channel: Channel, joon: User, bot: Bot
) -> None:
    for options, found in (
        ({"words": "connection pool"}, True),
        ({"words": "connection pool", "level": "4-5"}, False),
        ({"words": "connection pool", "language": "ko"}, False),
        ({"site": "blog.example.com"}, True),
    ):
        asked = await server.slash(joon, channel, "digest", "search", options)
        assert ("overloads" in await text_of(server, asked)) is found, options
    asked = await server.slash(joon, channel, "digest", "search", {"level": "hard"})
    assert "level" in await text_of(server, asked)
