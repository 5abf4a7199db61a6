"""Pages between fetching and reading: passed on through files, never held whole."""

from __future__ import annotations

import gzip
import io
import os
import time
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.web_server import WebServer, an_article, serving, web_settings

from core.errors import NotFound, PageTooLarge, UnsupportedType
from core.web.fetch import SafeWeb
from core.web.pages import KeptPage, KeptPages

MB = 1024 * 1024
HTML_HEADERS = {"Content-Type": "text/html; charset=utf-8"}


@pytest.fixture
async def server() -> AsyncIterator[WebServer]:
    async with serving() as running:
        yield running


@pytest.fixture
async def web(server: WebServer) -> AsyncIterator[SafeWeb]:
    opened = SafeWeb(web_settings(server))
    yield opened
    await opened.close()


@pytest.fixture
def pages(web: SafeWeb, tmp_path: Path) -> KeptPages:
    return KeptPages(tmp_path / "pages", web)


async def test_a_saved_page_is_the_fetched_one(server: WebServer, web: SafeWeb) -> None:
    packed = {"Content-Encoding": "gzip"}
    server.page("/a", gzip.compress(an_article().encode()), headers=packed)
    fetched = await web.fetch(server.url("/a"))
    file = io.BytesIO()
    saved = await web.save(server.url("/a"), file)
    assert file.getvalue() == fetched.body
    assert saved.body == b""
    assert (saved.url, saved.content_type, saved.charset) == (
        fetched.url,
        fetched.content_type,
        fetched.charset,
    )


async def test_a_page_is_kept_read_and_dropped(
    server: WebServer, pages: KeptPages, web: SafeWeb, tmp_path: Path
) -> None:
    server.page("/a", an_article())
    kept = await pages.fetch(server.url("/a"))
    assert KeptPage(**kept.as_plain()) == kept
    page = pages.read(kept)
    assert page == await web.fetch(server.url("/a"))
    pages.drop(kept)
    assert pages.read(kept) is None
    pages.drop(kept)
    assert list((tmp_path / "pages").iterdir()) == []


async def test_a_large_page_is_never_held_whole(server: WebServer, pages: KeptPages) -> None:
    server.stream("/large", lambda: (b"x" * 65536 for _ in range(12 * 16)), HTML_HEADERS)
    await pages.fetch(server.url("/large"))  # what is loaded once is loaded now
    tracemalloc.start()
    try:
        kept = await pages.fetch(server.url("/large"))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept.size == 12 * MB
    assert most < 4 * MB


async def test_what_fails_leaves_no_file_behind(
    server: WebServer, pages: KeptPages, tmp_path: Path
) -> None:
    server.page("/film", b"x", content_type="video/mp4")
    server.page("/larger", b"x" * (16 * MB))
    for path, error in (
        ("/missing", NotFound),
        ("/film", UnsupportedType),
        ("/larger", PageTooLarge),
    ):
        with pytest.raises(error):
            await pages.fetch(server.url(path))
    assert list((tmp_path / "pages").iterdir()) == []


async def test_what_a_dead_process_left_is_cleared_away(
    server: WebServer, pages: KeptPages, tmp_path: Path
) -> None:
    server.page("/a", an_article())
    old, new = await pages.fetch(server.url("/a")), await pages.fetch(server.url("/a"))
    long_ago = time.time() - 7200
    os.utime(tmp_path / "pages" / old.name, (long_ago, long_ago))
    assert pages.clear(3600) == 1
    assert pages.read(old) is None
    assert pages.read(new) is not None
