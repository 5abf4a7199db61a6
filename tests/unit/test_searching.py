"""What is written behind "search": words and filters, in both languages."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.searching import Search, understood
from core.library import Filters

NOW = datetime(2026, 5, 20, 15, 30, tzinfo=UTC)


def searched(words: str) -> Search:
    return understood(words, NOW)


@pytest.mark.parametrize(
    ("words", "filters"),
    [
        ("pools", Filters()),
        ("pools level:beginner", Filters(easiest=1.0, hardest=1.5)),
        ("pools LEVEL: intermediate", Filters(easiest=2.6, hardest=3.5)),
        ("pools 난이도:입문", Filters(easiest=1.0, hardest=1.5)),
        ("pools difficulty:5", Filters(easiest=4.6, hardest=5.5)),
        ("pools level:1-3", Filters(easiest=1.0, hardest=3.0)),
        ("pools level:~2.5", Filters(easiest=1.0, hardest=2.5)),
        ("pools level:4-", Filters(easiest=4.0, hardest=5.0)),
        ("pools lang:ko", Filters(language="ko")),
        ("pools 언어:영어", Filters(language="en")),
        ("pools site:Blog.Example.com", Filters(site="blog.example.com")),
        ("pools source:https://www.example.com/a/b", Filters(site="example.com")),
        ("pools since:2026-01-31", Filters(since=datetime(2026, 1, 31, tzinfo=UTC))),
        ("pools since:2026.2", Filters(since=datetime(2026, 2, 1, tzinfo=UTC))),
        ("pools since:7d", Filters(since=datetime(2026, 5, 13, tzinfo=UTC))),
        ("pools 이후:2주", Filters(since=datetime(2026, 5, 6, tzinfo=UTC))),
        ("pools since:today", Filters(since=datetime(2026, 5, 20, tzinfo=UTC))),
    ],
)
def test_a_filter_is_understood_and_taken_out_of_the_query(words: str, filters: Filters) -> None:
    assert searched(words) == Search("pools", filters)


def test_filters_go_together_wherever_they_stand() -> None:
    found = searched("level:1-2 how pools lang:en work since:2026-01-01")
    assert found.query == "how pools work"
    assert (found.filters.hardest, found.filters.language) == (2.0, "en")
    assert found.filters.since == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "wrong",
    ["level:9", "level:hard", "level:3-1", "lang:fr", "site:nothing", "since:soon",
     "since:2026-13-01", "since:9999y"],
)  # fmt: skip
def test_what_cannot_be_understood_is_named_and_filters_nothing(wrong: str) -> None:
    assert searched(f"pools {wrong}") == Search("pools", Filters(), (wrong,))


def test_a_colon_alone_is_no_filter() -> None:
    assert searched("std::vector http://a.example/x TypeError: x").query == (
        "std::vector http://a.example/x TypeError: x"
    )


@given(st.text(max_size=400))
def test_whatever_is_written_can_be_searched_for(words: str) -> None:
    assert len(searched(words).query) <= 300
