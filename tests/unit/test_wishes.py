"""Forms of subscriptions as people fill them in, in Korean and English."""

from __future__ import annotations

from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.feed_words import WORDS
from bot.subscribing import form_of
from core import wishes
from core.wishes import Mistakes, Wishes, understood

FORM = {"sources": "https://a.example/feed"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("8", time(8)),
        ("08:00", time(8)),
        ("8:30 pm", time(20, 30)),
        ("12am", time(0)),
        ("오후 8시 30분", time(20, 30)),
        ("오전 12시", time(0)),
        ("7시", time(7)),
        ("23:59", time(23, 59)),
    ],
)
def test_times_are_read_as_people_write_them(text: str, found: time) -> None:
    assert wishes.clock(text) == found


@pytest.mark.parametrize(
    "text", ["", "24:00", "8:60", "noon", "13 pm", "오전 13시", "08:00:00", "-1"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        wishes.clock(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", set(range(7))),
        ("매일", set(range(7))),
        ("평일", set(range(5))),
        ("weekdays", set(range(5))),
        ("주말", {5, 6}),
        ("mon-fri", set(range(5))),
        ("Mon – Wed, Saturday", {0, 1, 2, 5}),
        ("월-금", set(range(5))),
        ("화,목", {1, 3}),
        ("월수금", {0, 2, 4}),
        ("토요일 일요일", {5, 6}),
        ("fri-mon", {4, 5, 6, 0}),
    ],
)
def test_days_are_read_in_both_languages(text: str, found: set[int]) -> None:
    assert wishes.days(text) == found


@pytest.mark.parametrize("text", ["never", "mon-", "8", "월-8", "x,mon"])
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        wishes.days(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2-3.5", (2.0, 3.5)),
        ("2–3,5", (2.0, 3.5)),
        ("2 ~ 3.5", (2.0, 3.5)),
        ("3", (2.6, 3.5)),
        ("1", (1.0, 1.5)),
        ("5", (4.6, 5.0)),
        ("", (1.0, 5.0)),
    ],
)
def test_difficulties_are_ranges(text: str, found: tuple[float, float]) -> None:
    assert wishes.difficulty(text) == found


@pytest.mark.parametrize("text", ["0-3", "3-2", "1-6", "hard", "2-"])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        wishes.difficulty(text)


def test_quiet_hours_may_cross_midnight_and_may_be_none() -> None:
    assert wishes.quiet_hours("22:00 - 7") == (time(22), time(7))
    assert wishes.quiet_hours("없음") is None
    with pytest.raises(ValueError, match=r".*"):
        wishes.quiet_hours("22:00-22:00")


def test_sources_are_addresses_whatever_divides_them() -> None:
    found = wishes.sources("a.example/feed,\n<https://b.example/>  a.example/feed")
    assert found == ("https://a.example/feed", "https://b.example/")


def test_what_is_not_in_the_form_stays_as_it_was() -> None:
    before = Wishes(("https://a.example/",), 2.0, 3.0, include=("go",), size=9)
    assert understood({"size": "3"}, before) == Wishes(
        ("https://a.example/",), 2.0, 3.0, include=("go",), size=3
    )


def test_all_mistakes_are_told_at_once_and_each_has_its_sentence() -> None:
    form = {
        "sources": "",
        "difficulty": "hard",
        "language": "fr",
        "include": "x" * 61,
        "avoid": ",".join(map(str, range(21))),
        "at": "noon",
        "timezone": "Mars/Olympus",
        "days": "never",
        "size": "16",
        "quiet": "always",
    }
    with pytest.raises(Mistakes) as caught:
        understood(form)
    assert caught.value.fields.keys() == form.keys()
    assert all(f"mistake.{word}" in WORDS for word in caught.value.fields.values())


@pytest.mark.parametrize("name", ["../etc/passwd", "", "Asia", "/etc/localtime"])
def test_a_time_zone_is_a_name_and_no_path(name: str) -> None:
    with pytest.raises(Mistakes):
        understood(FORM | {"timezone": name})


@given(st.text(max_size=40), st.sampled_from(sorted(wishes._FIELDS)))
def test_whatever_is_written_is_understood_or_a_mistake(text: str, field: str) -> None:
    wrong: set[str] = set()
    try:
        understood(FORM | {field: text})
    except Mistakes as mistakes:
        wrong = set(mistakes.fields)
    assert wrong <= {field}


@given(
    st.frozensets(st.integers(0, 6), min_size=1),
    st.times(),
    st.integers(1, 15),
    st.lists(st.floats(1, 5).map(lambda one: round(one, 1)), min_size=2, max_size=2),
)
def test_a_form_filled_in_from_wishes_means_the_same_wishes(
    days: frozenset[int], at: time, size: int, bounds: list[float]
) -> None:
    low, high = sorted(bounds)
    made = Wishes(
        ("https://a.example/",),
        low,
        high,
        "ko",
        ("쿠버네티스",),
        ("광고",),
        at.replace(second=0, microsecond=0, tzinfo=None),
        "Asia/Seoul",
        days,
        size,
        (time(22), time(7)),
        True,
    )
    assert understood(form_of(made)) == made
