"""A real browser for the tests of pages, and what all of them expect of a page.

One Chromium serves the tests of a module: starting it takes longer than most of them. Each page
is opened in a context of its own, so nothing that one test stores or allows is seen by the next.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, async_playwright

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
# The browser and its pages live in the loop of the module, and so do the tests.
NEEDED = [
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no chromium at {CHROMIUM}"),
]


@asynccontextmanager
async def a_browser() -> AsyncIterator[Browser]:
    async with async_playwright() as player:
        browser = await player.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def a_page(browser: Browser, address: str, **context: Any) -> AsyncIterator[Page]:
    """The page, opened. At the end: nothing was asked of another machine, nothing went wrong."""
    asked: list[str] = []
    wrong: list[str] = []
    async with await browser.new_context(**context) as alone:
        page = await alone.new_page()
        page.set_default_timeout(30_000)
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if "policy" in said.text else None)
        await page.goto(address)
        yield page
    assert wrong == []
    assert {urlsplit(url).netloc for url in asked} == {urlsplit(address).netloc}
