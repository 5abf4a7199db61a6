"""A link goes in, blocks come out: the whole product as a process, in a strict Slack and Discord."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.discord_people import visible_text as discord_text
from support.discord_server import discord_server
from support.messenger import messenger
from support.slack_block_rules import links_in, visible_text
from support.slack_faults import Pacing
from support.slack_server import slack_server
from support.whole_bot import WholeBot, digests_in_discord, digests_in_slack

pytestmark = pytest.mark.slow


@pytest.fixture
def bot(tmp_path: Path) -> Iterator[WholeBot]:
    whole = WholeBot(tmp_path)
    yield whole
    whole.kill()


async def test_links_in_slack_are_answered_once_each_although_the_bot_is_killed(
    bot: WholeBot,
) -> None:
    async with messenger() as web, slack_server() as slack:
        slack.pacing = Pacing(per_second=50, burst=50)
        slack.deliveries.retry_after = (0.5,) * 40
        bot.articles_at(web.address)
        bot.in_slack(slack)
        bot.environ["SMARTDEVDIGEST_SLACK__MESSAGES_PER_SECOND"] = "20"
        bot.start()
        await slack.until(lambda: slack.sockets.open, 60)
        channel = slack.channel("C1")
        shared = [
            await slack.say(channel, user="U1", text=f"have a look <{web.link(number)}>")
            for number in range(8)
        ]
        await slack.until(lambda: any(digests_in_slack(channel, ts) for ts in shared), 60)
        bot.kill()
        bot.start()
        await slack.until(lambda: all(digests_in_slack(channel, ts) for ts in shared), 90)
        for number, ts in enumerate(shared):
            [answer] = channel.replies_to(ts)
            assert f"Pools, part {number}" in visible_text(answer.blocks)
            assert links_in(answer.blocks) == [web.link(number)]
        # A button pressed under a message that the killed process had posted.
        [answer] = channel.replies_to(shared[0])
        await slack.press(answer, "sdd:questions", user="U2")
        [questions] = await slack.until(lambda: slack.ephemeral(channel, "U2"), 20)
        assert visible_text(questions.blocks).count("?") == 5
        assert await asyncio.to_thread(bot.stop) == 0, bot.log[-2000:]


async def test_links_in_discord_are_answered_once_each_although_the_bot_is_killed(
    bot: WholeBot,
) -> None:
    async with messenger() as web, discord_server() as discord:
        discord.limits.enabled = False
        bot.articles_at(web.address)
        bot.in_discord(discord)
        guild = discord.guild("G")
        channel, dana = guild.text_channel("articles"), discord.user("dana")
        bot.start()
        await discord.until(lambda: discord.gateway.sessions, 60)
        shared = [
            await discord.say(channel, dana, f"have a look {web.link(number)}")
            for number in range(6)
        ]

        def answered() -> int:
            threads = [one.thread for one in shared if one.thread is not None]
            return sum(len(digests_in_discord(discord, thread)) for thread in threads)

        await discord.until(answered, 60)
        bot.kill()
        bot.start()
        await discord.until(lambda: answered() == len(shared), 90)
        for number, message in enumerate(shared):
            assert message.thread is not None
            [answer] = discord.by_bot(message.thread)
            assert f"Pools, part {number}" in discord_text(answer)
        assert await asyncio.to_thread(bot.stop) == 0, bot.log[-2000:]


async def test_a_wrong_token_is_one_clear_sentence_and_an_exit(bot: WholeBot) -> None:
    async with slack_server() as slack:
        bot.in_slack(slack)
        bot.start(SMARTDEVDIGEST_SLACK__BOT_TOKEN="xoxb-of-somebody-else")
        assert await asyncio.to_thread(bot.ended, 60) == 2
    assert "SMARTDEVDIGEST_SLACK__BOT_TOKEN" in bot.log
    assert "Traceback" not in bot.log


@pytest.mark.parametrize("missing", ["token", "intent"])
async def test_what_discord_refuses_is_one_clear_sentence_and_an_exit(
    bot: WholeBot, missing: str
) -> None:
    async with discord_server() as discord:
        bot.in_discord(discord)
        if missing == "intent":
            discord.without_message_content()
            bot.start()
        else:
            bot.start(SMARTDEVDIGEST_DISCORD__TOKEN="of.somebody.else")
        assert await asyncio.to_thread(bot.ended, 60) == 2
    named = {"token": "SMARTDEVDIGEST_DISCORD__TOKEN", "intent": "discord.message_content"}
    assert named[missing] in bot.log
    assert "Traceback" not in bot.log
