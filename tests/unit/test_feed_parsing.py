"""What is read out of feeds of every kind and state of repair."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.feeds import NOW

from core.errors import NotAFeed
from core.feed import Announced, Source, SourceKind
from core.web.answers import Answer
from core.web.feed_text import MOST_ENTRIES, text_of
from core.web.feeds import SUMMARY, TITLE, Feed, outcome_of, parse
from core.web.plain import plain

URL = "https://blog.example/feeds/rss.xml"


def rss(items: str, head: str = "<title>Blog</title><link>https://blog.example/</link>") -> bytes:
    return f'<rss version="2.0"><channel>{head}{items}</channel></rss>'.encode()


def item(number: int = 1, more: str = "") -> str:
    return f"<item><title>T{number}</title><link>/posts/{number}</link>{more}</item>"


def read(body: bytes, content_type: str = "", kind: SourceKind | None = None) -> Feed:
    return parse(body, content_type, url=URL, now=NOW, kind=kind)


def only(body: bytes) -> Announced:
    [one] = read(body).announced
    return one


# --- kinds of feeds

RSS_091 = """<rss version="0.91"><channel><title>Old</title><item><title>A &amp; B</title>
<link>https://blog.example/1</link><description>Text</description></item></channel></rss>"""
RSS_10 = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel rdf:about="https://blog.example/"><title>Old</title><link>https://blog.example/</link></channel>
<item rdf:about="https://blog.example/1"><title>A &amp; B</title><link>https://blog.example/1</link>
<description>Text</description><dc:date>2026-01-02T03:04:05+09:00</dc:date></item></rdf:RDF>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://blog.example/"><title>Old</title>
<entry><title type="html">A &amp;amp; B</title><id>tag:1</id><link href="1"/>
<updated>2026-01-01T18:04:05Z</updated><summary>Text</summary></entry></feed>"""
JSON = """{"version":"https://jsonfeed.org/version/1.1","title":"Old","items":[{"id":"1",
"url":"https://blog.example/1","title":"A & B","content_html":"<p>Text</p>",
"date_published":"2026-01-02T03:04:05+09:00"}, 7, {"title":"no address"}]}"""


@pytest.mark.parametrize("text", [RSS_091, RSS_10, ATOM, JSON], ids=["0.91", "1.0", "atom", "json"])
def test_every_kind_says_the_same(text: str) -> None:
    feed = read(text.encode())
    one = feed.announced[0]
    assert feed.wishes.title == "Old"
    assert (one.title, one.link, one.summary) == ("A & B", "https://blog.example/1", "Text")
    assert one.published_at in (None, datetime(2026, 1, 1, 18, 4, 5, tzinfo=UTC))
    assert len(feed.announced) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"<!doctype html><html><head><title>A page</title></head><body><p>Hi</p></body></html>",
        b"plain words",
        b'{"items": []}',
        b'{"version": "https://jsonfeed.org/version/1", "items": [',
        b"[" * 100_000,
        b"\x89PNG\r\n\x1a\n\0\0",
        gzip.compress(rss(item())),
    ],
)
def test_what_is_no_feed_is_refused(body: bytes) -> None:
    with pytest.raises(NotAFeed):
        read(body)


def test_a_feed_without_entries_is_a_feed() -> None:
    feed = read(rss(""))
    assert (feed.wishes.title, feed.announced) == ("Blog", ())


# --- charsets

KOREAN = "쿠버네티스에서 파드가 다시 시작되는 이유를 알아보고 해결합니다"


@pytest.mark.parametrize("declared", ["euc-kr", "EUC-KR", "ks_c_5601-1987", "utf-8", None])
@pytest.mark.parametrize("header", ["", "text/xml; charset=euc-kr", "text/xml; charset=iso-8859-1"])
def test_korean_is_read_whatever_is_said_of_its_charset(declared: str | None, header: str) -> None:
    line = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    text = line + rss(item(1, f"<description>{KOREAN} 뷁</description>")).decode()
    feed = read(text.encode("cp949"), header)
    assert feed.announced[0].summary == f"{KOREAN} 뷁"
    assert feed.wishes.language == "ko"


@pytest.mark.parametrize("charset", ["utf-8-sig", "utf-16", "utf-8"])
def test_unicode_is_read_by_its_bytes(charset: str) -> None:
    body = rss(item(1, f"<description>{KOREAN}</description>")).decode().encode(charset)
    assert only(body).summary == KOREAN


def test_chinese_is_not_taken_for_korean() -> None:
    chinese = "不归移民漫画系列：专业工作与软件工程的经验分享，分布式系统设计"
    assert text_of(f"<rss><title>{chinese}</title></rss>".encode("gb2312")).text.count(chinese) == 1


# --- broken ones


@pytest.mark.parametrize(
    "body",
    [
        b"\n\n  " + b'<?xml version="1.0"?>' + rss(item()),
        b"<br />\n<b>Warning</b>: something in PHP\n" + rss(item()),
        rss(item()).removesuffix(b"</channel></rss>"),
        rss(item(1, "<description>AT&T & <b>bold</description>")),
        rss(item().replace("T1", "T1 \x08\x0b\x00")),
        rss(item(1, "<x:y>undeclared</x:y>")),
        rss(item()) + b"<!-- cached --> trailing",
        b'<?xml version="1.0" encoding="nonsense"?>' + rss(item()),
    ],
)
def test_a_broken_feed_says_what_it_can(body: bytes) -> None:
    one = only(body)
    assert (one.title, one.link) == ("T1", "https://blog.example/posts/1")


def test_of_a_feed_that_breaks_off_the_whole_entries_are_read() -> None:
    whole = rss(item(1) + item(2))
    assert read(whole[: whole.index(b"T2") + 1]).announced[0].title == "T1"


def test_an_entity_bomb_does_not_go_off() -> None:
    bomb = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    body = f'<!DOCTYPE rss [<!ENTITY e0 "boom">{bomb}]>'.encode() + rss(
        item(1, "<description>&e11;</description>")
    )
    assert len(only(body).summary) < SUMMARY


def test_no_file_of_this_machine_is_read() -> None:
    body = b'<!DOCTYPE rss [<!ENTITY f SYSTEM "file:///etc/passwd">]>' + rss(
        item(1, "<description>&f;</description>")
    )
    assert "root:" not in only(body).summary


@pytest.mark.parametrize("oldest_first", [False, True])
def test_of_an_archive_the_newest_entries_are_read(oldest_first: bool) -> None:
    count = MOST_ENTRIES + 100
    days = [datetime(2020, 1, 1, tzinfo=UTC).timestamp() + n * 86400 for n in range(count)]
    dated = [
        item(n, f"<pubDate>{datetime.fromtimestamp(at, UTC):%a, %d %b %Y %H:%M:%S GMT}</pubDate>")
        for n, at in enumerate(days)
    ]
    feed = read(rss("".join(dated if oldest_first else dated[::-1])))
    assert len(feed.announced) == MOST_ENTRIES
    titles = {one.title for one in feed.announced}
    assert f"T{count - 1}" in titles
    assert "T0" not in titles
    assert feed.wishes.title == "Blog"


# --- links


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("/posts/1?utm_source=rss#top", "https://blog.example/posts/1"),
        ("../1", "https://blog.example/1"),
        ("//other.example/1", "https://other.example/1"),
        (" https://blog.example/a b ", None),
        ("javascript:alert(1)", None),
        ("file:///etc/passwd", None),
        ("https://user:pw@blog.example/", None),
        ("", None),
    ],
)
def test_only_what_can_be_followed_is_a_link(link: str, expected: str | None) -> None:
    body = rss(f"<item><title>T</title><link>{link}</link></item>")
    assert [one.link for one in read(body).announced] == ([expected] if expected else [])


def test_an_entry_without_a_link_has_its_permalink() -> None:
    body = rss("<item><guid>https://blog.example/7</guid><title>T</title></item>")
    assert only(body).link == "https://blog.example/7"


def test_an_entry_that_stands_there_twice_is_announced_once() -> None:
    assert len(read(rss(item(1) + item(1))).announced) == 1


# --- link feeds


def test_a_feed_of_links_leads_to_the_articles() -> None:
    items = "".join(
        f"<item><title>T{n}</title><link>https://site{n}.example/{n}</link>"
        f"<comments>https://blog.example/item?id={n}</comments></item>"
        for n in range(5)
    )
    feed = read(rss(items))
    assert feed.kind == "links"
    assert feed.announced[3].link == "https://site3.example/3"
    assert feed.announced[3].comments == "https://blog.example/item?id=3"


def test_an_entry_about_the_talk_becomes_the_article_s() -> None:
    inside = "&lt;a href='https://else.example/a?x=1&amp;amp;y=2'&gt;[link]&lt;/a&gt;"
    body = rss(item(1, f"<description>{inside}</description>") + item(2))
    first, second = read(body, kind="links").announced
    assert (first.link, first.comments) == (
        "https://else.example/a?x=1&y=2",
        "https://blog.example/posts/1",
    )
    assert second.link == "https://blog.example/posts/2"  # it is about nothing else


def test_a_blog_that_links_out_is_a_blog() -> None:
    assert read(rss("".join(item(n) for n in range(6)))).kind == "feed"


# --- text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>One<br>two</p><ul><li>three</li></ul>", "One two three"),
        ("<script>alert(1)</script><b>bold</b><style>p{}</style>", "bold"),
        ("&amp;lt;script&amp;gt;", "&lt;script&gt;"),
        ("a &lt; b &amp;&amp; c &#x1F600;", "a < b && c \U0001f600"),
        ("<img src=x onerror=alert(1)>", ""),
        ("<!-- nothing -->", ""),
        ("right\u202eleft\u200b\x07 \ufeffok", "rightleft ok"),
        ("\ud800 lone", "\ufffd lone"),
        ("<div>" * 5000 + "deep", "deep"),
        ("<", "<"),
    ],
)
def test_markup_becomes_plain_text(markup: str, text: str) -> None:
    assert plain(markup, 200) == text


def test_long_texts_are_cut_at_a_word() -> None:
    title, summary = "word " * 200, "<p>" + "sentence " * 1000
    one = only(rss(item().replace("T1", title) + "").replace(
        b"</item>", f"<description><![CDATA[{summary}]]></description></item>".encode()
    ))  # fmt: skip
    assert len(one.title) <= TITLE
    assert one.title.endswith("word…")
    assert len(one.summary) <= SUMMARY


@given(st.text(max_size=300), st.integers(1, 50))
def test_whatever_comes_in_is_one_harmless_line(markup: str, limit: int) -> None:
    text = plain(markup, limit)
    assert len(text) <= limit
    assert text == " ".join(text.split())
    assert text.isprintable()
    text.encode()


@given(st.binary(max_size=400))
def test_whatever_bytes_come_in_they_are_a_feed_or_refused(body: bytes) -> None:
    for whole in (body, b"<rss><channel><item>" + body, b'{"items":' + body):
        try:
            feed = read(whole)
        except NotAFeed:
            continue
        assert all(one.link.startswith(("http://", "https://")) for one in feed.announced)


# --- what a feed wishes


def test_what_a_feed_wishes_is_read() -> None:
    head = (
        "<title>B</title><ttl>90</ttl><skipHours><hour>0</hour><hour>24</hour><hour>5</hour>"
        "</skipHours><skipDays><day>Sunday</day><day>Someday</day></skipDays><language>ko-KR</language>"
    )
    wishes = read(rss(item(), head)).wishes
    assert (wishes.ttl, wishes.skip_hours, wishes.skip_days) == (
        5400.0,
        frozenset({0, 5}),
        frozenset({6}),
    )
    assert wishes.language == "ko"


def test_dates_that_cannot_be_are_none() -> None:
    for date in ("Mon, 01 Jan 2035 00:00:00 GMT", "yesterday", "Thu, 01 Jan 1970 00:00:00 GMT"):
        assert only(rss(item(1, f"<pubDate>{date}</pubDate>"))).published_at is None


# --- an answer


def test_the_same_body_is_not_read_again() -> None:
    source = Source("s1", URL)
    answer = Answer(200, URL, URL, rss(item()), "text/xml", etag='"1"', max_age=60.0)
    first = outcome_of(source, answer, NOW)
    assert len(first.announced) == 1
    known = Source("s1", URL, body_hash=first.body_hash, etag='"1"')
    again = outcome_of(known, answer, NOW)
    assert (again.wishes, again.announced, again.max_age) == (None, (), 60.0)
    unchanged = outcome_of(known, Answer(304, URL, URL), NOW)
    assert (unchanged.wishes, unchanged.etag) == (None, '"1"')
