"""What Discord's surface remembers and chooses: marks, notices said once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import discord
import pytest
from discord.utils import time_snowflake

from bot.chat_words import language_of
from bot.discord.marks import Marks
from bot.discord.naming import asked_by, message_id, moment_of, reply_ids, reply_name
from bot.discord.once import Once
from bot.discord.places import _ALWAYS, INVITED_WITH
from bot.discord.words import PERMISSIONS, WORDS, permission, say

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
CHANNEL, SHARD = 7, 0


ROOT = Path(__file__).parents[2]


def minutes_ago(minutes: float) -> int:
    return time_snowflake(NOW - timedelta(minutes=minutes))


def test_a_channel_is_read_from_the_last_message_seen_before_the_gap() -> None:
    marks = Marks(NOW - timedelta(minutes=50))
    marks.saw(CHANNEL, minutes_ago(20))
    marks.session_begins(SHARD)
    marks.saw(CHANNEL, minutes_ago(1))  # already of the new session
    assert marks.since(SHARD, CHANNEL, NOW, None) == minutes_ago(20)
    assert marks.since(SHARD, CHANNEL + 1, NOW, None) == minutes_ago(50)


def test_nothing_older_than_an_hour_is_read() -> None:
    marks = Marks(NOW - timedelta(days=3))
    assert marks.since(SHARD, CHANNEL, NOW, None) == minutes_ago(60)


def test_where_nobody_was_before_nothing_is_read() -> None:
    assert Marks(None).since(SHARD, CHANNEL, NOW, None) is None
    assert Marks(None).since(SHARD, CHANNEL, NOW, NOW - timedelta(minutes=5)) == minutes_ago(5)


def test_the_gap_of_one_shard_is_not_closed_by_another() -> None:
    marks = Marks(NOW - timedelta(minutes=30))
    marks.session_begins(0)
    marks.session_begins(1)
    marks.caught_up(0, NOW)
    assert marks.since(0, CHANNEL, NOW, None) == time_snowflake(NOW)
    assert marks.since(1, CHANNEL, NOW, None) == minutes_ago(30)


def test_an_older_message_does_not_move_a_mark_back() -> None:
    marks = Marks(None)
    marks.saw(CHANNEL, minutes_ago(1))
    marks.saw(CHANNEL, minutes_ago(9))
    marks.session_begins(SHARD)
    assert marks.since(SHARD, CHANNEL, NOW, None) == minutes_ago(1)


def test_a_notice_is_said_once_in_its_minutes() -> None:
    now = [0.0]
    once = Once(minutes=5, clock=lambda: now[0])
    assert once.first(("mina", "help"))
    assert not once.first(("mina", "help"))
    assert once.first(("joon", "help"))
    now[0] = 299
    assert not once.first(("mina", "help"))
    now[0] = 301
    assert once.first(("mina", "help"))


def test_names_of_messages_come_back_as_they_were() -> None:
    assert reply_ids(reply_name(12, 34)) == (12, 34)
    assert message_id("34") == 34
    assert message_id(asked_by(34)) is None
    assert moment_of(asked_by(34)) == moment_of("34") == 34


@pytest.mark.parametrize(("locale", "language"), [("ko", "ko"), ("en-US", "en"), ("ja", "en")])
def test_korean_is_korean_and_everything_else_english(locale: str, language: str) -> None:
    assert language_of(locale) == language


def test_every_word_exists_in_both_languages_with_the_same_values() -> None:
    for korean, english in (*WORDS.values(), *PERMISSIONS.values()):
        assert korean
        assert english
        assert fields(korean) == fields(english)
    assert say("page", "ko", page=1, pages=2) == "1 / 2쪽"


def fields(text: str) -> set[str]:
    return {part.split("}")[0].split(":")[0] for part in text.split("{")[1:]}


def test_an_invitation_asks_for_what_an_answer_needs_and_the_readme_names_it() -> None:
    asked = {name for name in PERMISSIONS if getattr(INVITED_WITH, name)}
    assert discord.Permissions(**dict.fromkeys(asked, True)) == INVITED_WITH
    assert asked >= {*_ALWAYS, "send_messages", "send_messages_in_threads"}
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert {name for name in asked if permission(name, "en") not in readme} == set()
