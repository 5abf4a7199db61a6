"""When a feed is asked again: rules from values to values."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.feeds import NOW, an_announced

from core.feed import Source
from core.polling import (
    BACKOFF,
    GIVEN_UP,
    LONGEST,
    SHORTEST,
    Outcome,
    Wishes,
    after,
    backoff,
    interval_of,
)

URL = "https://blog.example/feed"
SOURCE = Source("s1", URL, next_at=NOW)
FAILED = Outcome(URL, error="site_unavailable")


def changed(**given: object) -> Outcome:
    wishes = Wishes(**given)  # type: ignore[arg-type]
    return Outcome(URL, wishes=wishes, announced=(an_announced(1),))


def pause(source: Source) -> float:
    assert source.next_at is not None
    return (source.next_at - NOW).total_seconds()


def every(gap: timedelta, newest: timedelta = timedelta()) -> Source:
    entries = tuple(
        an_announced(number, published_at=NOW - newest - number * gap) for number in range(12)
    )
    return after(SOURCE, Outcome(URL, wishes=Wishes(), announced=entries), NOW)


@pytest.mark.parametrize(
    ("gap", "newest", "seconds"),
    [
        (timedelta(minutes=5), timedelta(), SHORTEST),
        (timedelta(hours=4), timedelta(), 2 * 3600),
        (timedelta(hours=4), timedelta(hours=20), 10 * 3600),
        (timedelta(days=9), timedelta(), LONGEST),
    ],
)
def test_a_feed_is_asked_twice_between_two_of_its_entries(
    gap: timedelta, newest: timedelta, seconds: float
) -> None:
    assert every(gap, newest).interval == seconds


def test_without_dates_what_changes_is_asked_more_often_and_what_does_not_less() -> None:
    undated = (an_announced(1, published_at=None),)
    assert interval_of(undated, 7200, NOW) == 3600
    source = replace(SOURCE, interval=3600.0)
    for seconds in (5400, 8100, 12150):
        source = after(source, Outcome(URL), NOW)
        assert source.interval == seconds


def test_dates_in_the_future_do_not_count() -> None:
    ahead = [an_announced(n, published_at=NOW + timedelta(days=n + 1)) for n in range(5)]
    assert interval_of(ahead, 7200, NOW) == 3600


def test_what_a_feed_wishes_counts_when_it_is_later() -> None:
    assert pause(after(SOURCE, changed(ttl=5 * 3600), NOW)) == 5 * 3600
    assert pause(after(SOURCE, changed(ttl=1), NOW)) >= SHORTEST
    assert pause(after(SOURCE, replace(changed(), max_age=6 * 3600.0), NOW)) == 6 * 3600
    assert pause(after(SOURCE, changed(ttl=400 * 86400), NOW)) == LONGEST


def test_a_wish_is_remembered_while_nothing_changes() -> None:
    wished = after(SOURCE, changed(ttl=6 * 3600), NOW)
    assert pause(after(wished, Outcome(URL), NOW)) == 6 * 3600


def test_hours_and_days_to_skip_are_kept() -> None:
    night = changed(skip_hours=frozenset({9, 10, 11}))
    assert after(SOURCE, night, NOW).next_at == datetime(2026, 11, 25, 12, tzinfo=UTC)
    # 2026-11-25 is a Wednesday
    rest = changed(ttl=20 * 3600, skip_days=frozenset({3, 4}))
    assert after(SOURCE, rest, NOW).next_at == datetime(2026, 11, 28, tzinfo=UTC)
    never = changed(skip_hours=frozenset(range(24)))
    assert pause(after(SOURCE, never, NOW)) <= LONGEST


def test_a_failing_feed_is_asked_later_and_later() -> None:
    source, pauses = SOURCE, []
    for _ in range(10):
        source = after(source, FAILED, NOW)
        pauses.append(pause(source) / 60)
    assert pauses == [5, 10, 20, 40, 80, 160, 320, 640, 1280, 1440]
    assert (source.failures, source.error, source.state) == (10, "site_unavailable", "alive")


def test_a_wish_to_be_left_alone_is_granted_if_it_is_longer() -> None:
    assert pause(after(SOURCE, replace(FAILED, wish=3600.0), NOW)) == 3600
    assert pause(after(SOURCE, replace(FAILED, wish=1.0), NOW)) == BACKOFF
    assert pause(after(SOURCE, replace(FAILED, wish=1e12), NOW)) == 7 * 86400


def test_what_works_again_is_as_good_as_new() -> None:
    failed = after(after(SOURCE, FAILED, NOW), FAILED, NOW)
    works = after(failed, changed(), NOW)
    assert (works.failures, works.error, works.worked_at) == (0, "", NOW)


def test_a_feed_is_given_up_in_the_end() -> None:
    source = replace(SOURCE, failures=GIVEN_UP - 2)
    source = after(source, FAILED, NOW)
    assert source.state == "alive"
    source = after(source, FAILED, NOW)
    assert (source.state, source.next_at, source.error) == ("gone", None, "site_unavailable")


def test_a_feed_that_says_it_is_gone_is_believed_at_once() -> None:
    source = after(SOURCE, Outcome(URL, error="feed_gone", gone=True), NOW)
    assert (source.state, source.next_at, source.error) == ("gone", None, "feed_gone")


def test_where_it_has_moved_for_good_is_remembered_once_it_works_there() -> None:
    there = "https://new.example/feed"
    assert after(SOURCE, replace(changed(), url=there), NOW).url == there
    assert after(SOURCE, replace(FAILED, url=there), NOW).url == URL


def test_validators_and_titles_are_kept() -> None:
    told = replace(changed(title="Blog", site="https://blog.example", language="ko"), etag='"1"')
    source = after(SOURCE, replace(told, body_hash="f" * 64), NOW)
    assert (source.title, source.language, source.etag) == ("Blog", "ko", '"1"')
    again = after(source, Outcome(URL, etag='"1"'), NOW)
    assert (again.title, again.body_hash, again.changed_at) == ("Blog", "f" * 64, NOW)


def test_feeds_that_were_added_together_drift_apart() -> None:
    pauses = {pause(after(replace(SOURCE, id=f"s{n}"), Outcome(URL), NOW)) for n in range(20)}
    assert len(pauses) > 15


outcomes = st.builds(
    Outcome,
    url=st.just(URL),
    error=st.sampled_from(["", "", "timed_out", "not_a_feed"]),
    wish=st.none() | st.floats(0, 1e9),
    max_age=st.none() | st.floats(0, 1e9),
    wishes=st.none()
    | st.builds(
        Wishes,
        ttl=st.floats(0, 1e9),
        skip_hours=st.frozensets(st.integers(0, 23)),
        skip_days=st.frozensets(st.integers(0, 6)),
    ),
    announced=st.lists(
        st.builds(
            an_announced,
            st.integers(1, 50),
            published_at=st.none()
            | st.datetimes(datetime(1980, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds are naive, what comes out is not
        ),
        max_size=15,
    ).map(tuple),
)


@settings(max_examples=40)
@given(st.lists(outcomes, max_size=GIVEN_UP - 1))
def test_whatever_comes_a_living_feed_is_asked_again_neither_rudely_nor_never(
    course: list[Outcome],
) -> None:
    source, now = SOURCE, NOW
    for outcome in course:
        source = after(source, outcome, now)
        assert source.state == "alive"
        assert source.next_at is not None
        wait = source.next_at - now
        assert wait >= timedelta(seconds=BACKOFF if outcome.error else SHORTEST)
        assert wait <= timedelta(days=9)
        assert SHORTEST <= source.interval <= LONGEST
        now = source.next_at


@given(st.integers(0, 10_000))
def test_backoff_grows_and_ends_at_a_day(failures: int) -> None:
    assert BACKOFF <= backoff(failures) <= backoff(failures + 1) <= LONGEST
