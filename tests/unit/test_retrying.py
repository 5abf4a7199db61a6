"""What is tried again, and when."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import (
    AddressRefused,
    ChatRefused,
    ChatUnavailable,
    DigestError,
    EngineBusy,
    FetchTimedOut,
    LoginWall,
    NotFound,
    SiteUnavailable,
    as_plain,
    from_plain,
)
from core.retrying import delay, patience_for


@pytest.mark.parametrize("never", [NotFound, LoginWall, AddressRefused, ChatRefused, DigestError])
def test_what_will_not_change_is_not_tried_again(never: type[DigestError]) -> None:
    assert delay(never("x"), 1) is None


def test_a_site_that_is_away_is_asked_later_each_time_and_then_no_more() -> None:
    waits = [delay(SiteUnavailable("x", "503"), attempt) for attempt in (1, 2, 3, 4)]
    assert waits == [2.0, 8.0, 32.0, None]


def test_a_site_s_own_wish_is_granted() -> None:
    assert delay(SiteUnavailable("x", "503", retry_after=45), 1) == 45
    assert delay(SiteUnavailable("x", "503", retry_after=1), 2) == 8, "but no sooner than we would"


def test_a_wish_for_longer_than_a_reader_waits_is_told_instead() -> None:
    assert delay(SiteUnavailable("x", "503", retry_after=3600), 1) is None


def test_a_chat_that_is_away_is_waited_for_about_a_day() -> None:
    waits = [delay(ChatUnavailable("slack"), attempt) for attempt in range(1, 160)]
    assert None not in waits
    assert 23 < sum(wait for wait in waits if wait) / 3600 < 28
    assert delay(ChatUnavailable("slack"), 160) is None


@given(
    st.sampled_from(
        [SiteUnavailable("x"), FetchTimedOut("x"), EngineBusy("x"), ChatUnavailable("x")]
    ),
    st.integers(1, 300),
    st.floats(0, 1),
)
def test_a_wait_is_bounded_and_spread_by_a_quarter_at_most(
    error: DigestError, attempt: int, spread: float
) -> None:
    wait, plain = delay(error, attempt, spread), delay(error, attempt)
    assert (wait is None) == (plain is None) == (attempt >= patience_for(error).attempts)
    if wait is not None and plain is not None:
        assert plain <= wait <= plain * 1.25
        assert wait <= patience_for(error).longest * 1.25


def test_an_error_survives_being_remembered() -> None:
    for error in (
        NotFound("https://a.b/c", "404"),
        SiteUnavailable("https://a.b/c", "503", retry_after=7.5),
        ChatUnavailable("slack", "429", retry_after=2.0),
        LoginWall("https://a.b/c"),
    ):
        again = from_plain(as_plain(error))
        assert type(again) is type(error)
        assert as_plain(again) == as_plain(error)


def test_an_error_of_a_kind_that_no_longer_exists_is_still_one_of_ours() -> None:
    plain = as_plain(NotFound("x", "404")) | {"code": "retired_long_ago"}
    assert type(from_plain(plain)) is DigestError
