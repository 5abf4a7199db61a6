"""What chats tell alike: names for what has none, addresses as people read them, reasons."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import a_record, details

from bot import telling
from core.article import Language
from core.digest import DigestRecord, Factor

FACTORS = (  # of a real page for beginners with a little code
    Factor(name="terms", score=2.1, share=0.264),
    Factor(name="concepts", score=2.6, share=0.155),
    Factor(name="background", score=1.7, share=0.234),
    Factor(name="algorithms", score=4.8, share=0.347),
)


@pytest.mark.parametrize(
    ("link", "shown"),
    [
        ("https://a.example/b/c?utm=1#part", "a.example/b/c"),
        ("https://a.example/", "a.example"),
        ("https://name:secret@a.example:8080/b", "a.example:8080/b"),
        ("https://ko.example/%ED%95%9C%EA%B5%AD%EC%96%B4", "ko.example/한국어"),
        ("https://a.example/%E2%80%AEevil%0Aline", "a.example/evil line"),
        ("https://[broken/x", "https://[broken/x"),
        ("a.example/b", "a.example/b"),
    ],
)
def test_an_address_is_its_site_and_its_path(link: str, shown: str) -> None:
    assert telling.address(link) == shown


@given(st.one_of(st.text(max_size=300), st.text(max_size=300).map("https://a.example/{}".format)))
def test_no_address_is_long_or_hides_anything(link: str) -> None:
    shown = telling.address(link)
    assert len(shown) <= telling.LONGEST_ADDRESS
    assert not [char for char in shown if unicodedata.category(char) in ("Cc", "Cs", "Co")]
    assert not set(shown) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u200f")


def named(title: str | None, url: str | None, site: str | None = None) -> DigestRecord:
    changes = {"title": title, "url": url, "site": site}
    return a_record(article=a_record().article.model_copy(update=changes))


@pytest.mark.parametrize(
    ("title", "url", "site", "shown"),
    [
        ("A title", "https://a.example/b", None, "A title"),
        (None, "https://a.example/docs/%EA%B8%80/", "a.example", "글"),
        (" \u200b", "https://a.example/post.html?x=1", None, "post.html"),
        (None, "https://a.example/", "A site", "A site"),
        (None, "https://a.example", None, "a.example"),
        (None, None, None, "Untitled"),
    ],
)
def test_an_article_is_called_by_the_best_there_is(
    title: str | None, url: str | None, site: str | None, shown: str
) -> None:
    assert telling.title(named(title, url, site), "en") == shown


def test_a_hard_article_has_what_makes_it_hard_for_reasons() -> None:
    found = telling.strongest(FACTORS, 3.4)
    assert [factor.name for factor in found] == ["algorithms", "terms"]


def test_an_easy_article_has_what_makes_it_easy_for_reasons() -> None:
    found = telling.strongest(FACTORS, 1.8)
    assert [factor.name for factor in found] == ["background", "terms"]


def test_a_factor_that_did_not_count_is_no_reason() -> None:
    factors = (*FACTORS[:3], Factor(name="algorithms", score=1.0, share=0.0))
    assert "algorithms" not in [factor.name for factor in telling.strongest(factors, 1.8)]


@pytest.mark.parametrize(
    ("ui", "shown"),
    [
        ("en", "100% of 97 words read · 1.2 s · m"),
        ("ko", "97단어 가운데 100%를 읽음 · 1.2초 · m"),
    ],
)
def test_where_nothing_was_checked_the_short_form_is_said(ui: Language, shown: str) -> None:
    record = a_record(details=details(checked=0, rejected=0))
    assert telling.coverage(record, ui, "m") == shown


@pytest.mark.parametrize(("model", "shown"), [("a@b", "a"), ("a", "a"), ("@b", "@b")])
def test_a_model_is_named_without_its_revision(model: str, shown: str) -> None:
    assert telling.model_name(a_record(details=details(model=model))) == shown
