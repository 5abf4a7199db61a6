"""Which announced entries are new, whatever feeds do to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.feeds import NOW, an_announced

from core.feed import Announced
from core.identity import FIRST_NEW, MOST_NEW, Sorted, keys_of, sort

OLD = NOW - timedelta(days=40)


def seen(
    announced: Sequence[Announced],
    here: dict[str, str] | None = None,
    elsewhere: dict[str, str] | None = None,
    *,
    source: str = "s1",
    first: bool = False,
) -> Sorted:
    owned = keys_of(source, announced)
    return sort(source, announced, owned, here or {}, elsewhere or {}, NOW, first=first)


def known(*announced: Announced, source: str = "s1") -> dict[str, str]:
    return dict(seen(announced, source=source).keys)


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "A better title"},
        {"summary": "Another summary altogether, with so many words that it is one."},
        {"published_at": NOW},
        {"published_at": None},
        {"link": "https://blog.example/2026/moved"},
        {"guid": "renumbered-7"},
        {"guid": ""},
        {"link": "http://www.blog.example/posts/1/"},
        {"guid": "new", "link": "https://blog.example/2026/moved"},
    ],
    ids=str,
)
def test_an_edited_entry_is_not_new(changes: dict[str, object]) -> None:
    assert seen([an_announced(1, **changes)], known(an_announced(1))).entries == ()


def test_what_was_edited_step_by_step_is_still_the_same() -> None:
    keys = known(an_announced(1))
    steps: list[dict[str, object]] = [
        {"link": "https://blog.example/a"},
        {"link": "https://blog.example/a", "guid": "b"},
        {"link": "https://blog.example/c", "guid": "b", "title": "T", "summary": ""},
    ]
    for changes in steps:
        found = seen([an_announced(1, **changes)], keys)
        assert found.entries == ()
        assert set(found.keys.values()) == set(known(an_announced(1)).values())
        keys |= found.keys


def test_short_texts_tell_nothing_apart() -> None:
    fixes = [
        an_announced(number, title="Release", summary="Bug fixes", guid=f"v{number}")
        for number in (1, 2)
    ]
    assert len(seen(fixes[1:], known(fixes[0])).new) == 1


def test_what_several_entries_share_tells_nothing_apart() -> None:
    """A podcast whose entries all lead to its front page, with one and the same text."""
    same = {"link": "https://blog.example/", "summary": an_announced(1).summary, "title": "Today"}
    first, second, third = (an_announced(number, **same) for number in (1, 2, 3))
    assert len(seen([first, second]).new) == 2
    assert len(seen([first, second, third], known(first, second)).new) == 1


def test_an_id_counts_only_in_its_own_feed() -> None:
    thief = an_announced(9, guid=an_announced(1).guid, link="https://thief.example/1")
    found = seen([an_announced(1)], elsewhere=known(thief, source="s2"))
    assert len(found.new) == 1


@pytest.mark.parametrize(
    "changes",
    [{"guid": "other"}, {"guid": "", "link": "https://medium.com/p/1", "title": "Post number 1"}],
    ids=["by link", "by content"],
)
def test_what_another_feed_had_is_kept_but_not_new(changes: dict[str, object]) -> None:
    original = known(an_announced(1), source="s2")
    found = seen([an_announced(1, **changes)], elsewhere=original)
    assert found.new == ()
    [entry] = found.entries
    assert entry.identity in original.values()
    assert entry.source_id == "s1"


def test_the_first_time_the_newest_few_are_new_wherever_they_stand() -> None:
    many = [an_announced(number) for number in range(40)]
    for order in (many, many[::-1]):
        found = seen(order, first=True)
        assert {one.title for one in found.new} == {f"Post number {n}" for n in (39, 38, 37)}
        assert len(found.new) == FIRST_NEW
        assert seen(order, dict(found.keys)).entries == ()


def test_undated_entries_are_new_in_the_feed_s_own_order() -> None:
    many = [an_announced(number, published_at=None) for number in range(9)]
    assert [one.title for one in seen(many, first=True).new] == [
        f"Post number {number}" for number in range(3)
    ]


def test_a_rebuilt_feed_floods_nobody() -> None:
    rebuilt = [an_announced(number, guid=f"new-{number}") for number in range(100)]
    found = seen(rebuilt, known(an_announced(500)))
    assert len(found.new) == MOST_NEW
    assert seen(rebuilt, dict(found.keys)).entries == ()


def test_old_news_is_no_news() -> None:
    assert seen([an_announced(1, published_at=OLD)], known(an_announced(2))).entries == ()


announced = st.builds(
    Announced,
    guid=st.sampled_from(["", "1", "2", "http://a.example/1"]) | st.text(max_size=20),
    link=st.sampled_from(["https://a.example/", "https://a.example/1", "https://b.example/1?x"]),
    title=st.text(max_size=30),
    summary=st.sampled_from(["", "so many words " * 9]) | st.text(max_size=90),
    published_at=st.none() | st.integers(0, 100).map(lambda days: NOW - timedelta(days=days)),
)


@given(st.lists(announced, max_size=12), st.booleans(), st.randoms())
def test_what_stood_in_the_feed_is_never_new_again(
    given_ones: list[Announced], first: bool, random: object
) -> None:
    found = seen(given_ones, first=first)
    shuffled = list(given_ones)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert seen(shuffled, dict(found.keys)).entries == ()
    edited = [replace(one, title=one.title + "!", published_at=NOW) for one in given_ones]
    assert seen(edited, dict(found.keys)).entries == ()


@given(st.lists(announced, max_size=12))
def test_entries_are_told_apart(given_ones: list[Announced]) -> None:
    found = seen(given_ones)
    assert len({one.id for one in found.entries}) == len(found.entries)
    assert {one.identity for one in found.entries} <= set(found.keys.values()) | {
        one.identity for one in found.entries if not one.link
    }
