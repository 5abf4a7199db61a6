"""Links, files and standard input become articles; what is none gets a clear error."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.builders import an_article

from bot.sources import article_from, content_type
from core.article import Article, Page
from core.errors import BadArticle, BadLink, EmptyArticle, PageTooLarge, UnsupportedType

PAGES: list[Page] = []


def extract(page: Page) -> Article:
    """Keeps the page it was given; the text is the article."""
    PAGES.append(page)
    return an_article(content=page.body.decode("utf-8", "replace"), url=page.url or None)


async def read(link: str) -> Article:
    return an_article(url=link)


async def article(target: str | Path, url: str | None = None, max_bytes: int = 10_000) -> Article:
    PAGES.clear()
    return await article_from(str(target), read, extract, max_bytes=max_bytes, url=url)


async def test_a_link_is_read_from_the_web() -> None:
    assert (await article("https://a.example/post")).url == "https://a.example/post"


@pytest.mark.parametrize(
    ("name", "body", "kind"),
    [
        ("a.html", b"<p>text</p>", "text/html"),
        ("a.md", b"# text", "text/markdown"),
        ("a.txt", b"text", "text/plain"),
        ("a.pdf", b"%PDF-1.7 text", "application/pdf"),
        ("wrong.html", b"%PDF-1.7 text", "application/pdf"),
        ("noname", b"<!DOCTYPE html><p>text", "text/html"),
        ("noname", b"just text", "text/plain"),
        ("", b"<html><body>text", "text/html"),
        ("", b"# text", "text/markdown"),
        ("", b'{"content": "text"}', "application/json"),
        ("a.json", b"anything", "application/json"),
    ],
)
def test_the_kind_of_a_file_is_known_by_name_and_bytes(name: str, body: bytes, kind: str) -> None:
    assert content_type(body, name) == kind


async def test_a_file_has_no_address_but_the_one_given(tmp_path: Path) -> None:
    file = tmp_path / "saved.html"
    file.write_bytes(b"<p>saved text</p>")
    assert (await article(file)).url is None
    assert (await article(file, url="https://a.example/post")).url == "https://a.example/post"
    assert PAGES[-1].content_type == "text/html"


async def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"# Piped\n\ntext")))
    assert "Piped" in (await article("-")).content


async def test_a_json_file_is_an_article_in_the_contract(tmp_path: Path) -> None:
    file = tmp_path / "article.json"
    file.write_text(json.dumps({"content": "본문입니다.", "language": "ko", "views": 3}))
    found = await article(file, url="https://a.example/1")
    assert (found.content, found.language, found.views) == ("본문입니다.", "ko", 3)
    assert found.url == "https://a.example/1"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not valid JSON"),
        ("[1]", "is not an object with fields"),
        ('{"title": "x"}', "content is missing"),
        ('{"content": " "}', "content is empty"),
        ('{"content": "x", "vews": 1}', "vews is not a known field"),
        ('{"content": "x", "source_type": "tweet"}', "source_type 'tweet' is not one of"),
        ('{"content": "x", "views": -1, "language": "fr"}', "views -1 is too small"),
        ("[" * 100_000, "is not valid JSON"),
    ],
)
async def test_a_json_file_outside_the_contract_says_what_is_wrong(
    tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "article.json"
    file.write_text(text)
    with pytest.raises(BadArticle) as caught:
        await article(file, max_bytes=1_000_000)
    assert said in caught.value.reason


async def test_an_empty_file_is_no_article(tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    file.write_text(" \n")
    with pytest.raises(EmptyArticle):
        await article(file)


async def test_a_file_larger_than_a_page_may_be_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(b"x" * 101)
    with pytest.raises(PageTooLarge):
        await article(file, max_bytes=100)
    file.write_bytes(b"x" * 100)
    assert len((await article(file, max_bytes=100)).content) == 100


async def test_a_picture_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    with pytest.raises(UnsupportedType):
        await article(file)


async def test_a_missing_file_is_not_fetched_from_the_web() -> None:
    with pytest.raises(BadLink, match="no such file"):
        await article("notes.md")
