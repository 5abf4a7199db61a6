from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadLink
from core.links import (
    canonical,
    find_links,
    followable,
    readable_address,
    shown_address,
    site_of,
)


@pytest.mark.parametrize(
    "link",
    [
        "",
        "   ",
        "hello",
        "hello world",
        "ftp://example.com/a",
        "javascript:alert(1)",
        "javascript:1",
        "data:text/html,hi",
        "file:///etc/passwd",
        "mailto:a@example.com",
        "http://",
        "https:///path",
        "http:example.com",
        "https://user:pass@example.com/",
        "https://user@example.com/",
        "https://exa mple.com/",
        "https://example.com/a b",
        "https://example.com/\x00",
        "https://example.com/a\nb",
        "https://example.com\\@evil.example/",
        "https://[::1/",
        "https://[fe80::1%25eth0]/",
        "https://example.com:99999/",
        "https://example.com:0/",
        "https://example..com/",
        "https://-.com/",
        "https://a%2eb.com/",
        "https://" + "a" * 64 + ".com/",
        "https://example.com/" + "a" * 5000,
        "https://example.com/\ud800",
    ],
)
def test_what_is_not_a_link_is_refused_with_a_reason(link: str) -> None:
    with pytest.raises(BadLink) as refused:
        canonical(link)
    assert refused.value.reason


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("example.com/x", "https://example.com/x"),
        ("//example.com/x", "https://example.com/x"),
        ("<https://example.com/x>", "https://example.com/x"),
        ("example.com:8080/x", "https://example.com:8080/x"),
        ("localhost:8000/x", "https://localhost:8000/x"),
        ("HTTP://Example.COM/Path", "http://example.com/Path"),
        ("https://example.com", "https://example.com/"),
        ("https://example.com./a", "https://example.com/a"),
        ("https://example.com:443/a", "https://example.com/a"),
        ("http://example.com:80/a", "http://example.com/a"),
        ("http://example.com:443/a", "http://example.com:443/a"),
        ("https://한국.kr/길", "https://xn--3e0b707e.kr/%EA%B8%B8"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://example.com/a%c3%a9", "https://example.com/a%C3%A9"),
        ("https://example.com/100%", "https://example.com/100%25"),
        ("https://example.com/a/../b/./c", "https://example.com/b/c"),
        ("https://example.com/a#part", "https://example.com/a"),
        ("https://example.com/#!/route", "https://example.com/#!/route"),
        ("https://example.com/a?utm_source=x&id=3&UTM_medium=y", "https://example.com/a?id=3"),
        ("https://example.com/a?fbclid=1", "https://example.com/a"),
        ("https://example.com/a?gclid=1&igshid=2&mc_cid=3&b=", "https://example.com/a?b="),
        ("https://example.com/a?ref=hackernews", "https://example.com/a"),
        ("https://example.com/a?ref_src=twsrc%5Etfw", "https://example.com/a"),
        ("https://example.com/a?ref=main", "https://example.com/a?ref=main"),
        ("https://example.com/a?q=%26utm_source", "https://example.com/a?q=%26utm_source"),
        ("https://example.com/post/amp", "https://example.com/post"),
        ("https://example.com/post/amp/", "https://example.com/post"),
        ("https://example.com/amp", "https://example.com/amp"),
        ("https://example.com/post.amp.html", "https://example.com/post.html"),
        ("https://example.com/post?amp=1", "https://example.com/post"),
        ("https://example.com/post?amp", "https://example.com/post"),
        ("https://example.com/post?amp=3v", "https://example.com/post?amp=3v"),
        ("https://amp.example.com/post", "https://example.com/post"),
        ("https://amp.dev/about", "https://amp.dev/about"),
        ("https://www.google.com/amp/s/example.com/post/amp/", "https://example.com/post"),
        ("https://google.co.kr/amp/example.com/post", "http://example.com/post"),
        (
            "https://example-com.cdn.ampproject.org/c/s/example.com/post?id=1",
            "https://example.com/post?id=1",
        ),
        ("https://m.blog.naver.com/a/1", "https://m.blog.naver.com/a/1"),
        ("https://arxiv.org/pdf/1706.03762", "https://arxiv.org/pdf/1706.03762"),
        ("http://[0:0::1]:8080/", "http://[::1]:8080/"),
        ("http://0x7f.1/", "http://0x7f.1/"),
    ],
)
def test_a_link_has_one_canonical_form(link: str, expected: str) -> None:
    assert canonical(link) == expected


_hosts = st.sampled_from(
    ["example.com", "amp.amp.example.com", "www.google.com", "한국.kr", "[::1]"]
)
_parts = st.text(
    st.sampled_from("abcé한/.%2eA&=?#!;+amp~ ").filter(lambda c: c != " "), max_size=30
)


@given(host=_hosts, path=_parts, query=_parts, fragment=_parts)
def test_canonical_of_canonical_changes_nothing(
    host: str, path: str, query: str, fragment: str
) -> None:
    try:
        once = canonical(f"https://{host}/{path}?{query}#{fragment}")
    except BadLink:
        return
    assert canonical(once) == once
    assert once.isascii()


@given(st.text())
def test_whatever_comes_in_is_a_link_or_a_bad_link(text: str) -> None:
    try:
        once = canonical(text)
    except BadLink:
        return
    assert canonical(once) == once
    assert once.startswith(("http://", "https://"))


@given(st.text())
def test_finding_links_takes_any_message(text: str) -> None:
    for link in find_links(text + " https://example.com/a " + text):
        canonical(link)


@pytest.mark.parametrize(
    ("message", "links"),
    [
        ("no link here, not even example dot com", []),
        ("see https://a.example/b.", ["https://a.example/b"]),
        ("(https://a.example/b)", ["https://a.example/b"]),
        (
            "https://en.wikipedia.org/wiki/C_(language)",
            ["https://en.wikipedia.org/wiki/C_(language)"],
        ),
        ("[label](https://a.example/b), and more", ["https://a.example/b"]),
        ("<https://a.example/b|a label>", ["https://a.example/b"]),
        ("<https://a.example/?a=1&amp;b=2>", ["https://a.example/?a=1&b=2"]),
        ("<@U123> <#C1|general> <https://a.example>", ["https://a.example"]),
        ("https://a.example/c를 보세요", ["https://a.example/c"]),
        ("https://a.example/c에서 봤어요", ["https://a.example/c"]),
        ("https://a.example은 좋다", ["https://a.example"]),
        ("이거 https://a.example/c입니다.", ["https://a.example/c"]),
        ("https://ko.wikipedia.org/wiki/C언어", ["https://ko.wikipedia.org/wiki/C언어"]),
        ("https://ko.wikipedia.org/wiki/인공지능", ["https://ko.wikipedia.org/wiki/인공지능"]),
        ("「https://a.example/b」", ["https://a.example/b"]),
        ("www.example.com/x!", ["www.example.com/x"]),
        (
            "https://a.example/1 https://a.example/2 https://a.example/1",
            ["https://a.example/1", "https://a.example/2"],
        ),
        ("mail me@www.example.com", []),
        ("https://user:pw@a.example/", []),
        ("*https://a.example/b*", ["https://a.example/b"]),
    ],
)
def test_links_are_found_in_a_message(message: str, links: list[str]) -> None:
    assert find_links(message) == links


def test_a_redirect_target_keeps_every_parameter() -> None:
    link = "https://example.com/a/amp?utm_source=x#top"
    assert followable(link) == "https://example.com/a/amp?utm_source=x"


def test_a_site_is_the_host_without_www() -> None:
    assert site_of("https://www.Example.com:8080/a") == "example.com:8080"


@pytest.mark.parametrize(
    ("page", "bare"),
    [
        (
            "https://github.com/a/b/blob/main/docs/guide.md",
            "https://raw.githubusercontent.com/a/b/main/docs/guide.md",
        ),
        ("https://github.com/a/b", "https://raw.githubusercontent.com/a/b/HEAD/README.md"),
    ],
)
def test_github_pages_are_read_from_the_file_itself_and_shown_as_the_page(
    page: str, bare: str
) -> None:
    assert readable_address(page) == bare
    assert shown_address(bare) == page


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/topics/python",
        "https://github.com/a/b/issues/1",
        "https://github.com/a/b/blob/main/run.py",
        "https://arxiv.org/pdf/1706.03762",
        "https://example.com/a/b",
    ],
)
def test_other_pages_are_read_where_they_are(url: str) -> None:
    assert readable_address(url) == url
