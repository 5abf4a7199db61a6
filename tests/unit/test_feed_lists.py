"""Lists of feeds: OPML in and out, well-known sites, the catalogue."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from support.feeds import NOW

from core.catalogue import catalogue_of
from core.errors import NotAFeed
from core.feed import Source
from core.links import followable
from core.web.known_sites import known_feeds
from core.web.opml import read_opml, write_opml

CATALOGUE = Path(__file__).parents[2] / "config" / "feeds.yaml"

NESTED = """<?xml version="1.0" encoding="UTF-8"?><opml version="2.0"><body>
<outline text="Folder"><outline text="Inner"><outline type="rss" text="A &amp; B" title=""
 xmlUrl="https://a.example/feed" htmlUrl="https://a.example/"/></outline></outline>
<outline TYPE="RSS" TEXT="Loud" XMLURL="feed://b.example/rss"/>
<outline text="Twice" xmlUrl="https://www.a.example/feed/"/>
<outline text="Bad" xmlUrl="javascript:alert(1)"/><outline text="Only a note"/>
</body></opml>"""


def test_nested_lists_are_read_and_each_feed_once() -> None:
    found = read_opml(NESTED.encode())
    assert [(one.title, one.url) for one in found] == [
        ("A & B", "https://a.example/feed"),
        ("Loud", "http://b.example/rss"),
    ]
    assert found[0].site == "https://a.example/"


@pytest.mark.parametrize(
    "broken",
    [
        NESTED.replace("&amp;", "&"),
        NESTED.replace("</body></opml>", ""),
        NESTED.replace("UTF-8", "utf-16"),
        "\n\n" + NESTED,
        NESTED.replace("Folder", "Folder \x0b"),
    ],
    ids=["ampersand", "cut", "wrong charset", "late", "control"],
)
def test_a_broken_list_gives_what_it_has(broken: str) -> None:
    assert read_opml(broken.encode())[0].url == "https://a.example/feed"


@pytest.mark.parametrize("body", [b"", b"words", b"<html></html>", b'{"a": 1}', b"<opml/>"])
def test_a_list_without_feeds_is_refused(body: bytes) -> None:
    with pytest.raises(NotAFeed):
        read_opml(body)


def test_a_korean_list_in_its_old_charset_is_read() -> None:
    text = '<?xml version="1.0" encoding="euc-kr"?><opml><body>' + (
        '<outline text="우아한형제들 기술블로그 이야기" xmlUrl="https://a.example/feed"/></body></opml>'
    )
    [found] = read_opml(text.encode("cp949"))
    assert found.title == "우아한형제들 기술블로그 이야기"


@given(st.lists(st.text(max_size=30), min_size=1, max_size=5))
def test_what_is_written_is_read_again(titles: list[str]) -> None:
    sources = [
        Source(f"s{n}", f"https://h{n}.example/feed?a=1&b='2'", title=title)
        for n, title in enumerate(titles)
    ]
    found = read_opml(write_opml(sources, "<My> feeds", NOW).encode("utf-8", "replace"))
    assert [one.url for one in found] == [followable(one.url) for one in sources]


@pytest.mark.parametrize(
    ("address", "feed", "kind"),
    [
        ("https://github.com/dbos-inc/dbos-transact-py",
         "https://github.com/dbos-inc/dbos-transact-py/releases.atom", "feed"),
        ("https://github.com/a/b.git", "https://github.com/a/b/releases.atom", "feed"),
        ("https://arxiv.org/list/cs.CL/recent", "https://rss.arxiv.org/rss/cs.CL", "feed"),
        ("https://news.ycombinator.com/", "https://news.ycombinator.com/rss", "links"),
        ("https://news.hada.io", "https://news.hada.io/rss/news", "links"),
        ("https://lobste.rs/t/databases", "https://lobste.rs/t/databases.rss", "links"),
        ("https://velog.io/@someone/posts", "https://v2.velog.io/rss/@someone", "feed"),
        ("https://medium.com/airbnb-engineering", "https://medium.com/feed/airbnb-engineering",
         "feed"),
        ("https://www.reddit.com/r/rust/top", "https://www.reddit.com/r/rust/.rss", "links"),
    ],
)  # fmt: skip
def test_well_known_sites_have_their_feeds_where_they_always_are(
    address: str, feed: str, kind: str
) -> None:
    first = known_feeds(address)[0]
    assert (first.url, first.kind) == (feed, kind)


@pytest.mark.parametrize(
    "address", ["https://github.com/topics/go", "https://github.com/a", "https://blog.example/a/b"]
)
def test_other_pages_are_looked_at(address: str) -> None:
    assert known_feeds(address) == []


def test_the_catalogue_loads_and_every_address_can_be_followed() -> None:
    text = CATALOGUE.read_text(encoding="utf-8")
    assert "CC BY-SA 4.0" in text
    catalogue = catalogue_of(yaml.safe_load(text))
    assert len(catalogue.feeds) > 500
    for feed in catalogue.feeds:
        assert followable(feed.url)
        assert feed.title.strip()
    assert len({feed.url for feed in catalogue.feeds}) == len(catalogue.feeds)


def test_the_catalogue_is_searched_by_name_and_host() -> None:
    catalogue = catalogue_of(
        [
            {"list": "blogs", "kind": "feed", "language": "en", "feeds": [
                ["The Netflix Blog", "https://netflixtechblog.com/feed", ""],
                ["Netflix", "https://netflix.example/feed", ""],
                ["Other", "https://medium.com/feed/netflix", "https://netflix.github.io/"]]},
            {"list": "blogs", "kind": "feed", "language": "ko", "feeds": [
                ["우아한형제들", "https://techblog.woowahan.com/feed", ""]]},
        ]
    )  # fmt: skip
    found = [feed.title for feed in catalogue.search("netflix")]
    assert found == ["Netflix", "The Netflix Blog", "Other"]
    assert [feed.title for feed in catalogue.search("WOOWA", language="ko")] == ["우아한형제들"]
    assert catalogue.search("netflix", language="ko") == []
    assert len(catalogue.search(limit=2)) == 2
