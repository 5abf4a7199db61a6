"""What a morning is chosen from what there is: rules for whatever comes in."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.builders import a_digest, a_record, details
from support.fake_subscriptions import a_subscription

from core.digest import DifficultyLevel
from core.feed import Candidate, Entry, Subscription, choose, is_wanted

NOW = datetime(2026, 11, 26, tzinfo=UTC)


def a_candidate(
    name: str = "one",
    *,
    source: str = "a",
    score: float = 3.0,
    language: str = "en",
    identity: str = "",
    link: str = "",
    digest: str = "",
    days_old: float = 0,
    **words: Any,
) -> Candidate:
    entry = Entry(
        id=f"{source}/{name}",
        source_id=source,
        identity=identity or f"id-{name}",
        link=link or f"https://{source}.example/{name}",
        title=str(words.pop("title", f"About {name}")),
        published_at=NOW - timedelta(days=days_old),
        seen_at=NOW,
    )
    record = a_record(
        id=digest or f"digest-{name}",
        digest=a_digest(difficulty_level=DifficultyLevel.of(score), **words),
        details=details(language=language, article_language=language),
    )
    return Candidate(entry, record, source)


def names(chosen: list[Candidate]) -> list[str]:
    return [one.entry.id for one in chosen]


@pytest.mark.parametrize(
    ("score", "wanted"), [(1.9, False), (2.0, True), (3.5, True), (3.6, False)]
)
def test_both_ends_of_the_range_belong_to_it(score: float, wanted: bool) -> None:
    assert is_wanted(a_subscription(low=2.0, high=3.5), a_candidate(score=score)) is wanted


def test_wished_words_are_looked_for_in_titles_and_digests() -> None:
    subscription = a_subscription(include=("쿠버네티스", "kafka"), avoid=("sponsored",))
    titled = a_candidate("t", title="쿠버네티스를 버린 이유")
    keyed = a_candidate("k", keywords=("Kafka", "latency"))
    neither = a_candidate("n")
    avoided = a_candidate("s", title="Kafka at scale (Sponsored)")
    chosen = choose(subscription, [titled, keyed, neither, avoided], frozenset())
    assert {one.entry.id for one in chosen} == {"a/t", "a/k"}


def test_a_language_is_that_of_the_digest() -> None:
    both = [a_candidate("k", language="ko"), a_candidate("e", language="en")]
    assert names(choose(a_subscription(language="ko"), both, frozenset())) == ["a/k"]
    assert len(choose(a_subscription(), both, frozenset())) == 2


@pytest.mark.parametrize("same", ["identity", "link", "digest"])
def test_an_article_that_two_feeds_announce_is_chosen_once(same: str) -> None:
    shared: dict[str, Any] = {same: "https://same.example/"}
    twice = [
        a_candidate("one", source="a", **shared),
        a_candidate("two", source="b", **shared),
    ]
    assert len(choose(a_subscription(), twice, frozenset())) == 1
    assert choose(a_subscription(), twice, frozenset({"https://same.example/"})) == []


def test_no_source_comes_again_before_every_other_one() -> None:
    loud = [a_candidate(f"l{number}", source="loud") for number in range(9)]
    rare = [a_candidate(f"r{number}", source=f"rare{number}", days_old=3) for number in range(2)]
    chosen = choose(a_subscription(size=4), [*loud, *rare], frozenset())
    assert Counter(one.entry.source_id for one in chosen) == {"loud": 2, "rare0": 1, "rare1": 1}


def test_the_better_comes_first_and_announcing_the_future_does_not_help() -> None:
    subscription = a_subscription(include=("go",), low=2.0, high=4.0, size=9)
    about: dict[str, Any] = {"title": "Go, measured"}
    best = a_candidate("best", source="s1", score=3.0, title="go", keywords=("go",))
    farther = a_candidate("farther", source="s2", score=4.0, **about)
    older = a_candidate("older", source="s3", days_old=2, **about)
    future = a_candidate("future", source="s4", score=3.9, days_old=-400, **about)
    chosen = choose(subscription, [older, farther, future, best], frozenset())
    assert [one.entry.id.partition("/")[2] for one in chosen] == [
        "best",
        "future",
        "farther",
        "older",
    ]


candidates = st.lists(
    st.builds(
        lambda name, source, score, twin, days, language, word: a_candidate(
            name,
            source=source,
            score=score,
            identity=f"twin-{twin}" if twin < 4 else "",
            days_old=days,
            language=language,
            title=word,
        ),
        st.uuids().map(str),
        st.sampled_from("abc"),
        st.floats(1, 5),
        st.integers(0, 9),
        st.integers(-5, 9),
        st.sampled_from(["ko", "en"]),
        st.sampled_from(["Go 이야기", "광고입니다", "Rust"]),
    ),
    max_size=25,
)
subscriptions = st.builds(
    lambda bounds, size, language, include, avoid: a_subscription(
        low=min(bounds),
        high=max(bounds),
        size=size,
        language=language,
        include=include,
        avoid=avoid,
    ),
    st.tuples(st.floats(1, 5), st.floats(1, 5)),
    st.integers(1, 9),
    st.sampled_from(["auto", "ko", "en"]),
    st.sampled_from([(), ("go",), ("go", "rust")]),
    st.sampled_from([(), ("광고",)]),
)


def test_of_two_rows_of_one_entry_the_same_is_chosen_whatever_comes_first() -> None:
    twins = [a_candidate(name, identity="twin") for name in ("one", "two")]
    chosen = choose(a_subscription(), twins, frozenset())
    assert len(chosen) == 1
    assert choose(a_subscription(), twins[::-1], frozenset()) == chosen


@settings(max_examples=80, deadline=None)
@given(subscriptions, candidates, st.data())
def test_whatever_comes_in_the_choice_keeps_its_promises(
    subscription: Subscription, given: list[Candidate], data: st.DataObject
) -> None:
    posted = frozenset(
        one.entry.identity for one in given if data.draw(st.booleans(), label="posted")
    )
    chosen = choose(subscription, given, posted)
    assert len(chosen) <= subscription.size
    assert all(is_wanted(subscription, one) for one in chosen)
    assert not any(one.keys & posted for one in chosen)
    keys = [key for one in chosen for key in one.keys]
    assert len(keys) == len(set(keys)), "no article twice"
    # The order in which things come from the database says nothing.
    shuffled = random.Random(1).sample(given, len(given))  # noqa: S311
    assert choose(subscription, shuffled, posted) == chosen
    # Who was chosen is settled: chosen again after posting, it is never the same article.
    again = choose(subscription, given, posted | set(keys))
    assert not {key for one in again for key in one.keys} & set(keys)
    # Nothing is left out while there is room.
    if len(chosen) < subscription.size:
        assert again == []
    # No source has two more than one that still had something to offer.
    counts = Counter(one.entry.source_id for one in chosen)
    for left in again:
        assert max(counts.values(), default=0) <= counts[left.entry.source_id] + 1
